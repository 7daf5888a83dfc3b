package filter

import "golang.org/x/net/bpf"

// cond is a condition on a packet, value a number from it. Both are compared by ==
// to find what a program already knows.
type (
	cond  any
	value any
)

// The conditions.
type (
	truth bool
	all   []cond // in this order, until one is false
	one   []cond // in this order, until one is true
	not   struct{ of cond }

	test struct {
		op   compare
		a, b value
	}

	// store sets a scratch word, and is true.
	store struct {
		to slot
		v  value
	}
)

type compare int

const (
	equal compare = iota
	greater
	atLeast
	anyBit // a & b != 0
)

func (op compare) holds(a, b uint32) bool {
	switch op {
	case equal:
		return a == b
	case greater:
		return a > b
	case atLeast:
		return a >= b
	}
	return a&b != 0
}

// The values.
type (
	lit uint32

	// slot is one of the 16 scratch words.
	slot int

	// ext is what the kernel knows of a packet.
	ext bpf.Extension

	// headerLength is that of the IPv4 header at an offset: 4 × its low four bits.
	headerLength struct{ off uint32 }

	// load is the big-endian bytes at index + off; index nil stands for 0.
	load struct {
		index value
		off   uint32
		size  int
	}

	alu struct {
		op   bpf.ALUOp
		a, b value
	}

	neg struct{ of value }
)

func eq(v value, n uint32) cond { return test{equal, v, lit(n)} }

// masked is v & mask == n.
func masked(v value, mask, n uint32) cond {
	if mask == 1<<32-1 {
		return eq(v, n)
	}
	return eq(alu{bpf.ALUOpAnd, v, lit(mask)}, n)
}

// add is a + b, a and b perhaps nil for 0.
func add(a, b value) value {
	x, xLit := a.(lit)
	y, yLit := b.(lit)
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	case xLit && yLit:
		return x + y
	}
	return alu{bpf.ALUOpAdd, a, b}
}

// mentions reports whether v is read from a scratch word.
func mentions(v value, s slot) bool {
	switch v := v.(type) {
	case slot:
		return v == s
	case load:
		return mentions(v.index, s)
	case alu:
		return mentions(v.a, s) || mentions(v.b, s)
	case neg:
		return mentions(v.of, s)
	}
	return false
}

// usesX reports whether computing v takes the index register.
func usesX(v value) bool {
	switch v := v.(type) {
	case load:
		return v.index != nil
	case headerLength:
		return true
	case alu:
		_, isLit := v.b.(lit)
		return !isLit || usesX(v.a)
	case neg:
		return usesX(v.of)
	}
	return false
}
