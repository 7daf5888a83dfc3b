package lab

import (
	"context"
	"slices"
	"sync"

	"nsscript/builtins/op"
)

// lateRules is an operation that is put off.
type lateRules struct {
	entry  *Entry
	op     op.Waiting
	blamed func(error) error
}

// ns is the namespace in which it is.
func (r *lateRules) ns() string { return r.op.Inside()[0] }

// late is what a lab has put off.
type late struct {
	catching sync.Mutex // held while it is being done

	mu    sync.Mutex
	ctx   context.Context // of the operation that came last
	queue []*lateRules
	in    map[string]bool // the namespaces of the queue
	forms map[string]bool // of rules that this machine can have
}

// know reports whether this machine can have such rules.
func (a *late) know(rules []op.FilterRule) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	var buf [256]byte
	return !slices.ContainsFunc(rules, func(r op.FilterRule) bool {
		return !a.forms[string(r.Form(buf[:0]))]
	})
}

func (a *late) learn(rules []op.FilterRule) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.forms == nil {
		a.forms = map[string]bool{}
	}
	for _, r := range rules {
		a.forms[string(r.Form(nil))] = true
	}
}

func (a *late) add(ctx context.Context, r *lateRules) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.in == nil {
		a.in = map[string]bool{}
	}
	a.ctx, a.queue, a.in[r.ns()] = ctx, append(a.queue, r), true
}

func (a *late) any() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.queue) > 0
}

// take empties the queue.
func (a *late) take() []*lateRules {
	a.mu.Lock()
	defer a.mu.Unlock()
	queue := a.queue
	a.queue, a.in = nil, nil
	return queue
}

// drop takes from the queue what comes after the first steps.
func (a *late) drop(steps int) []*lateRules {
	a.mu.Lock()
	defer a.mu.Unlock()
	keep := slices.IndexFunc(a.queue, func(r *lateRules) bool { return r.entry.Seq > steps })
	if keep < 0 {
		return nil
	}
	dropped := a.queue[keep:]
	a.queue, a.in = a.queue[:keep:keep], map[string]bool{}
	for _, r := range a.queue {
		a.in[r.ns()] = true
	}
	return dropped
}

// gathered is what the operations know of it.
type gathered struct{ l *Lab }

var _ op.Gathered = gathered{}

func (g gathered) Holds(ns string) bool {
	g.l.late.mu.Lock()
	defer g.l.late.mu.Unlock()
	return g.l.late.in[ns]
}

func (g gathered) CatchUp() error {
	g.l.late.mu.Lock()
	ctx := g.l.late.ctx
	g.l.late.mu.Unlock()
	if ctx == nil {
		return nil
	}
	return g.l.CatchUp(ctx)
}
