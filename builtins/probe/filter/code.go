package filter

import (
	"slices"

	"golang.org/x/net/bpf"
)

// code turns conditions into instructions, in one pass from the first to the last:
// all jumps go forward, so what each jump knows of the registers and of the packet
// is known when its target is placed.
type code struct {
	list  []instruction
	now   *known // nil where no jump arrives
	temps int    // scratch words in use, from the last downwards
	deep  bool   // there were too few of them
}

// known is what holds at a place of the program.
type known struct {
	a, x  value // in the registers; nil for anything
	facts []fact
}

// fact is the outcome of a test that was made on every way here.
type fact struct {
	op    compare
	v     value
	n     uint32
	holds bool
}

const maxFacts = 32 // older ones are forgotten

// label is a place to jump to. What will be decided there, and where to go then, is
// known before it is placed: so a jump that knows the outcome goes on at once.
type label struct {
	pos  int // an index of the instructions
	now  *known
	rest cond // nil at the ends
	t, f *label
}

// generate returns the program that accepts snapLen bytes of what c holds for.
func generate(c cond, snapLen uint32) ([]bpf.Instruction, bool) {
	g := &code{now: &known{}}
	accept, reject := &label{}, &label{}
	g.gen(c, accept, reject)
	g.ret(accept, snapLen)
	g.ret(reject, 0)
	return g.assemble(), !g.deep
}

func (g *code) ret(l *label, n uint32) {
	if g.place(l); g.now != nil {
		g.emit(bpf.RetConstant{Val: n})
	}
	g.now = nil
}

func (g *code) emit(i bpf.Instruction) { g.list = append(g.list, instruction{op: i}) }

// gen emits what goes to t if c holds and to f if not.
func (g *code) gen(c cond, t, f *label) {
	if g.now == nil {
		return
	}
	switch c := c.(type) {
	case truth:
		g.jump(choose(bool(c), t, f))
	case not:
		g.gen(c.of, f, t)
	case all:
		if len(c) == 0 {
			g.jump(t)
			return
		}
		for ; len(c) > 1; c = c[1:] {
			next := &label{rest: c[1:], t: t, f: f}
			g.gen(c[0], next, f)
			g.place(next)
		}
		g.gen(c[0], t, f)
	case one:
		if len(c) == 0 {
			g.jump(f)
			return
		}
		for ; len(c) > 1; c = c[1:] {
			next := &label{rest: c[1:], t: t, f: f}
			g.gen(c[0], t, next)
			g.place(next)
		}
		g.gen(c[0], t, f)
	case store:
		g.toA(c.v)
		g.emit(bpf.StoreScratch{Src: bpf.RegA, N: int(c.to)})
		g.now.forget(c.to)
		g.jump(t)
	case test:
		g.test(c, t, f)
	}
}

func choose(c bool, t, f *label) *label {
	if c {
		return t
	}
	return f
}

func (g *code) place(l *label) {
	l.pos = len(g.list)
	g.now = l.now
}

func (g *code) jump(l *label) {
	g.list = append(g.list, instruction{jump: true, t: g.now.arrive(l)})
	g.now = nil
}

// branch ends a test. v is what was tested, or nil.
func (g *code) branch(op compare, x bool, v value, n uint32, t, f *label) {
	yes, no := g.now.with(fact{op, v, n, true}), g.now.with(fact{op, v, n, false})
	i := instruction{jump: true, test: true, cmp: op, x: x, n: n, t: yes.arrive(t), f: no.arrive(f)}
	i.test = i.t != i.f
	g.list = append(g.list, i)
	g.now = nil
}

// test emits a comparison, unless its outcome is known.
func (g *code) test(c test, t, f *label) {
	if _, ok := c.a.(lit); ok {
		if _, ok := c.b.(lit); !ok {
			c, t, f = c.turn(t, f)
		}
	}
	if outcome, ok := g.now.decide(c); ok {
		g.jump(choose(outcome, t, f))
		return
	}
	n, ok := c.b.(lit)
	if !ok {
		g.toAX(c.a, c.b)
		g.branch(c.op, true, nil, 0, t, f)
		return
	}
	if and, ok := c.a.(alu); ok && and.op == bpf.ALUOpAnd && c.op == equal && n == 0 && g.now.a != c.a {
		if mask, ok := and.b.(lit); ok { // one instruction less
			g.toA(and.a)
			g.branch(anyBit, false, and.a, uint32(mask), f, t)
			return
		}
	}
	g.toA(c.a)
	g.branch(c.op, false, c.a, uint32(n), t, f)
}

// turn exchanges the operands.
func (c test) turn(t, f *label) (test, *label, *label) {
	switch c.op {
	case greater: // a > b is not b >= a
		return test{atLeast, c.b, c.a}, f, t
	case atLeast:
		return test{greater, c.b, c.a}, f, t
	}
	return test{c.op, c.b, c.a}, t, f
}

// toA computes v into the accumulator.
func (g *code) toA(v value) {
	if v == g.now.a {
		return
	}
	switch v := v.(type) {
	case lit:
		g.emit(bpf.LoadConstant{Dst: bpf.RegA, Val: uint32(v)})
	case slot:
		g.emit(bpf.LoadScratch{Dst: bpf.RegA, N: int(v)})
	case ext:
		g.emit(bpf.LoadExtension{Num: bpf.Extension(v)})
	case headerLength:
		g.toX(v)
		g.emit(bpf.TXA{})
	case load:
		if v.index == nil {
			g.emit(bpf.LoadAbsolute{Off: v.off, Size: v.size})
			break
		}
		g.toX(v.index)
		g.emit(bpf.LoadIndirect{Off: v.off, Size: v.size})
	case neg:
		g.toA(v.of)
		// Not bpf.NegateA, which the VM of golang.org/x/net/bpf does not know.
		g.emit(bpf.ALUOpConstant{Op: bpf.ALUOpXor, Val: 1<<32 - 1})
		g.emit(bpf.ALUOpConstant{Op: bpf.ALUOpAdd, Val: 1})
	case alu:
		if n, ok := v.b.(lit); ok {
			g.toA(v.a)
			g.emit(bpf.ALUOpConstant{Op: v.op, Val: uint32(n)})
			break
		}
		g.toAX(v.a, v.b)
		g.emit(bpf.ALUOpX{Op: v.op})
	}
	g.now.a = v
}

// toX computes v into the index register; A may change.
func (g *code) toX(v value) {
	if v == g.now.x {
		return
	}
	switch v := v.(type) {
	case lit:
		g.emit(bpf.LoadConstant{Dst: bpf.RegX, Val: uint32(v)})
	case slot:
		g.emit(bpf.LoadScratch{Dst: bpf.RegX, N: int(v)})
	case headerLength:
		g.emit(bpf.LoadMemShift{Off: v.off})
	default:
		g.toA(v)
		g.emit(bpf.TAX{})
	}
	g.now.x = v
}

// toAX computes both operands of an instruction.
func (g *code) toAX(a, b value) {
	_, isLoad := b.(load)
	_, isALU := b.(alu)
	_, isNeg := b.(neg)
	_, isExt := b.(ext)
	switch {
	case !isLoad && !isALU && !isNeg && !isExt: // X without A
		g.toA(a)
		g.toX(b)
	case !usesX(a):
		g.toX(b)
		g.toA(a)
	default:
		temp := g.temp()
		g.toA(b)
		g.emit(bpf.StoreScratch{Src: bpf.RegA, N: int(temp)})
		g.now.forget(temp)
		g.toA(a)
		g.emit(bpf.LoadScratch{Dst: bpf.RegX, N: int(temp)})
		g.now.x = b
		g.temps--
	}
}

// Scratch words 0 to 9 are for what a filter keeps, the others for operands.
const (
	scratch     = 16
	keptScratch = 10
)

func (g *code) temp() slot {
	g.temps++
	if g.temps > scratch-keptScratch {
		g.deep = true
		return scratch - 1
	}
	return slot(scratch - g.temps)
}

// forget drops what was known by a scratch word that changes.
func (k *known) forget(s slot) {
	if mentions(k.a, s) {
		k.a = nil
	}
	if mentions(k.x, s) {
		k.x = nil
	}
	k.facts = slices.DeleteFunc(slices.Clone(k.facts), func(f fact) bool { return mentions(f.v, s) })
}

func (k *known) with(f fact) *known {
	n := &known{k.a, k.x, k.facts}
	if f.v != nil {
		n.facts = append(slices.Clone(k.facts[max(0, len(k.facts)-maxFacts):]), f)
	}
	return n
}

// arrive records that a jump with this knowledge goes to l, or to where l would send
// it, and returns which.
func (k *known) arrive(l *label) *label {
	for l.rest != nil {
		next := k.follow(l.rest, l.t, l.f)
		if next == nil {
			break
		}
		l = next
	}
	if l.now == nil {
		l.now = &known{k.a, k.x, slices.Clone(k.facts)}
		return l
	}
	if l.now.a != k.a {
		l.now.a = nil
	}
	if l.now.x != k.x {
		l.now.x = nil
	}
	l.now.facts = slices.DeleteFunc(l.now.facts, func(f fact) bool { return !slices.Contains(k.facts, f) })
	return l
}

// follow returns where c sends what is known, or nil if that is not known.
func (k *known) follow(c cond, t, f *label) *label {
	switch c := c.(type) {
	case truth:
		return choose(bool(c), t, f)
	case not:
		return k.follow(c.of, f, t)
	case all:
		for _, part := range c {
			if to := k.follow(part, t, f); to != t {
				return to
			}
		}
		return t
	case one:
		for _, part := range c {
			if to := k.follow(part, t, f); to != f {
				return to
			}
		}
		return f
	case test:
		if outcome, ok := k.decide(c); ok {
			return choose(outcome, t, f)
		}
	}
	return nil
}

// decide returns the outcome of a test if it is known.
func (k *known) decide(c test) (outcome, ok bool) {
	n, isLit := c.b.(lit)
	if !isLit {
		return false, false
	}
	if a, ok := c.a.(lit); ok {
		return c.op.holds(uint32(a), uint32(n)), true
	}
	for _, f := range k.facts {
		if f.v == c.a && f.op == equal && f.holds {
			return c.op.holds(f.n, uint32(n)), true
		}
		if f.v == c.a && f.op == c.op && f.n == uint32(n) {
			return f.holds, true
		}
	}
	// A test of bits is made by one instruction: see test.
	if and, ok := c.a.(alu); ok && and.op == bpf.ALUOpAnd && c.op == equal && n == 0 {
		if mask, ok := and.b.(lit); ok {
			outcome, ok := k.decide(test{anyBit, and.a, mask})
			return !outcome, ok
		}
	}
	return false, false
}
