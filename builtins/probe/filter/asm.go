package filter

import (
	"slices"

	"golang.org/x/net/bpf"
)

// instruction is one of BPF, or a jump to labels: with a test to t or f, without
// one to t.
type instruction struct {
	op   bpf.Instruction
	jump bool
	test bool
	cmp  compare
	x    bool // compare with X, not with n
	n    uint32
	t, f *label

	at     int      // where it begins in the program
	length int      // in instructions
	far    []*label // what it has unconditional jumps to, behind it
}

// maxSkip is how far a conditional jump reaches. To what is farther away it goes by an
// unconditional jump behind it, or behind a later instruction.
const maxSkip = 255

// assemble resolves labels. An instruction grows when a target is too far, and that
// moves others away, until nothing grows any more.
func (g *code) assemble() []bpf.Instruction {
	for g.layOut() {
	}
	var out []bpf.Instruction // from the last to the first
	steps := map[*label]int{}
	for i := len(g.list) - 1; i >= 0; i-- {
		in := &g.list[i]
		for j := len(in.far) - 1; j >= 0; j-- {
			at := in.at + 1 + j
			out = append(out, bpf.Jump{Skip: uint32(g.position(in.far[j]) - at - 1)})
			steps[in.far[j]] = at
		}
		switch {
		case !in.jump:
			out = append(out, in.op)
		case in.test:
			t, _ := g.reach(in, in.t, steps)
			f, _ := g.reach(in, in.f, steps)
			out = append(out, in.conditional(uint8(t), uint8(f)))
		case in.length > 0:
			out = append(out, bpf.Jump{Skip: uint32(g.position(in.t) - in.at - 1)})
		}
	}
	slices.Reverse(out)
	return out
}

// layOut gives each instruction its place, and reports whether one has grown.
func (g *code) layOut() (grown bool) {
	at := 0
	for i := range g.list {
		in := &g.list[i]
		if !in.jump || in.test {
			in.length = 1 + len(in.far)
		}
		in.at = at
		at += in.length
	}
	steps := map[*label]int{}
	for i := len(g.list) - 1; i >= 0; i-- {
		in := &g.list[i]
		for j, l := range in.far {
			steps[l] = in.at + 1 + j
		}
		switch {
		case in.test:
			for _, l := range []*label{in.t, in.f} {
				if _, ok := g.reach(in, l, steps); !ok {
					in.far = append(in.far, l)
					grown = true
				}
			}
		case in.jump && in.length == 0 && g.position(in.t) > in.at:
			in.length = 1
			grown = true
		}
	}
	return grown
}

func (g *code) position(l *label) int {
	if l.pos == len(g.list) {
		last := g.list[l.pos-1]
		return last.at + last.length
	}
	return g.list[l.pos].at
}

// reach returns how many instructions a conditional jump skips on its way to l:
// directly, or by the nearest of the unconditional jumps that lead there.
func (g *code) reach(in *instruction, l *label, steps map[*label]int) (skip int, ok bool) {
	if skip = g.position(l) - in.at - 1; skip <= maxSkip {
		return skip, true
	}
	at, ok := steps[l]
	skip = at - in.at - 1
	return skip, ok && skip <= maxSkip
}

func (in *instruction) conditional(t, f uint8) bpf.Instruction {
	cond := [...]bpf.JumpTest{bpf.JumpEqual, bpf.JumpGreaterThan, bpf.JumpGreaterOrEqual, bpf.JumpBitsSet}[in.cmp]
	if in.x {
		return bpf.JumpIfX{Cond: cond, SkipTrue: t, SkipFalse: f}
	}
	return bpf.JumpIf{Cond: cond, Val: in.n, SkipTrue: t, SkipFalse: f}
}
