package filter

import "golang.org/x/net/bpf"

// instruction is one of BPF, or a jump to labels: with a test to t or f, without
// one to t.
type instruction struct {
	op   bpf.Instruction
	jump bool
	test bool
	cmp  compare
	x    bool   // compare with X, not with n
	n    uint32 //
	t, f *label

	at           int // where it begins in the program
	farT, farF   bool
	instructions int
}

// maxSkip is how far a conditional jump reaches. What is farther away is reached by
// an unconditional one behind it.
const maxSkip = 255

// assemble resolves labels. A jump grows when its target is too far, and that moves
// others away, until nothing grows any more.
func (g *code) assemble() []bpf.Instruction {
	for g.layOut() {
	}
	var out []bpf.Instruction
	for i := range g.list {
		in := &g.list[i]
		switch {
		case !in.jump:
			out = append(out, in.op)
		case in.test:
			out = append(out, g.conditional(in)...)
		case in.instructions > 0:
			out = append(out, bpf.Jump{Skip: g.distance(in.t, in.at+1)})
		}
	}
	return out
}

// layOut gives each instruction its place, and reports whether one has grown.
func (g *code) layOut() (grown bool) {
	at := 0
	for i := range g.list {
		in := &g.list[i]
		if !in.jump || in.test {
			in.instructions = max(in.instructions, 1)
		}
		in.at = at
		at += in.instructions
	}
	for i := range g.list {
		in := &g.list[i]
		switch {
		case in.test:
			in.farT = in.farT || g.distance(in.t, in.at+1) > maxSkip
			in.farF = in.farF || g.distance(in.f, in.at+1) > maxSkip
			n := 1
			for _, far := range []bool{in.farT, in.farF} {
				if far {
					n++
				}
			}
			grown = grown || n > in.instructions
			in.instructions = n
		case in.jump && in.instructions == 0 && g.distance(in.t, in.at) > 0:
			in.instructions = 1
			grown = true
		}
	}
	return grown
}

// distance is how many instructions lie between from and a label.
func (g *code) distance(l *label, from int) uint32 {
	return uint32(g.list[l.pos].at - from)
}

func (g *code) conditional(in *instruction) []bpf.Instruction {
	t, f := g.distance(in.t, in.at+1), g.distance(in.f, in.at+1)
	var far []bpf.Instruction
	if in.farT {
		far = append(far, bpf.Jump{Skip: t - 1})
		t = 0
	}
	if in.farF {
		k := uint32(len(far))
		far = append(far, bpf.Jump{Skip: f - 1 - k})
		f = k
	}
	cond := [...]bpf.JumpTest{bpf.JumpEqual, bpf.JumpGreaterThan, bpf.JumpGreaterOrEqual, bpf.JumpBitsSet}[in.cmp]
	if in.x {
		return append([]bpf.Instruction{bpf.JumpIfX{Cond: cond, SkipTrue: uint8(t), SkipFalse: uint8(f)}}, far...)
	}
	return append([]bpf.Instruction{bpf.JumpIf{Cond: cond, Val: in.n, SkipTrue: uint8(t), SkipFalse: uint8(f)}}, far...)
}
