package lab

import (
	"sync"

	"nsscript/builtins/op"
)

// numbers remembers, for names such as eth0 that interfaces get when they are given
// none, up to which number all were taken: who makes a thousand does not ask for each
// again. It is only where the search begins; the kernel is asked all the same.
type numbers struct {
	mu    sync.Mutex
	taken map[numbered]int
}

type numbered struct{ ns, pattern string }

func (n *numbers) forget() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.taken = nil
}

// touch forgets everything when an operation may have made a name free.
func (n *numbers) touch(o op.Op) {
	switch o.(type) {
	case *op.AddNamespace, *op.AddVeth, *op.AddBridge, *op.AddAddr, *op.AddRoute, *op.AddRule, *op.SetSysctl,
		*op.AddFilterRules, *op.SetPolicy, *op.AddNeighbor:
	default:
		n.forget()
	}
}

// FirstNumber returns the number from which on a name of that pattern may be free in a
// namespace.
func (l *Lab) FirstNumber(ns, pattern string) int {
	l.numbers.mu.Lock()
	defer l.numbers.mu.Unlock()
	return l.numbers.taken[numbered{ns, pattern}]
}

// Numbered notes that the names of that pattern are taken below a number, or are about to
// be: who fails to make one forgets it.
func (l *Lab) Numbered(ns, pattern string, below int) {
	l.numbers.mu.Lock()
	defer l.numbers.mu.Unlock()
	if l.numbers.taken == nil {
		l.numbers.taken = map[numbered]int{}
	}
	l.numbers.taken[numbered{ns, pattern}] = below
}
