package lab

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"nsscript/builtins/op"
)

// Later applies an operation as Do does, or puts that off until something looks. When it
// fails then, the error is what blame made of it: blame is called at once, and tells
// where it was asked for.
func (l *Lab) Later(ctx context.Context, pos string, o op.Waiting, blame func() func(error) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if l.Planned() || !o.CanWait(l.sys) {
		return l.Do(ctx, pos, o)
	}
	trials := o.Trials()
	if !l.late.know(trials) {
		err := l.Do(ctx, pos, o)
		if err == nil {
			l.late.learn(trials)
		}
		return err
	}
	if l.opts.Explain != nil {
		l.opts.Explain(pos, o.Commands())
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	e := &Entry{Seq: len(l.entries) + 1, Pos: pos, State: Tried, Op: o}
	if err := l.journal.TryLater(e); err != nil {
		return fmt.Errorf("the lab's journal: %w", err)
	}
	l.entries = append(l.entries, e)
	l.late.add(ctx, &lateRules{e, o, blame()})
	return nil
}

// CatchUp does what was put off. What comes in a namespace after an operation that fails
// is not done.
func (l *Lab) CatchUp(ctx context.Context) error {
	l.late.catching.Lock()
	defer l.late.catching.Unlock()
	if ctx.Err() != nil && l.late.any() {
		return ctx.Err()
	}
	queue := l.late.take()
	if len(queue) == 0 {
		return nil
	}
	spaces := byNamespace(queue)
	if err := l.journal.Flush(); err != nil {
		return errors.Join(fmt.Errorf("the lab's journal: %w", err), l.noteLate(spaces, false))
	}
	inParallel(len(spaces), func(i int) {
		spaces[i].add(ctx, l.sys)
		if l.opts.Done != nil {
			for range spaces[i].done {
				l.opts.Done()
			}
		}
	})
	var first *lateSpace
	for _, s := range spaces {
		if s.err != nil && (first == nil || s.failed().entry.Seq < first.failed().entry.Seq) {
			first = s
		}
	}
	if err := l.noteLate(spaces, ctx.Err() != nil); err != nil {
		return err
	}
	switch {
	case first == nil:
		return nil
	case ctx.Err() != nil:
		return errors.Join(ctx.Err(), first.err)
	}
	return first.failed().blamed(first.err)
}

// noteLate records what came of the rules of some namespaces. After an interruption it is
// not known what came of those that were not all added.
func (l *Lab) noteLate(spaces []*lateSpace, interrupted bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var entries []*Entry
	for _, s := range spaces {
		for i, r := range s.rules {
			switch {
			case i < s.done:
				r.entry.State = Done
			case interrupted:
				continue
			default:
				r.entry.State = Failed
			}
			entries = append(entries, r.entry)
		}
	}
	if err := l.journal.NoteStates(entries); err != nil {
		return fmt.Errorf("the lab's journal: %w", err)
	}
	return nil
}

// dropLate forgets what was put off, of the operations after the first steps: it is not
// done.
func (l *Lab) dropLate(steps int) error {
	dropped := l.late.drop(steps)
	if len(dropped) == 0 {
		return nil
	}
	return l.noteLate([]*lateSpace{{rules: dropped}}, false)
}

// inParallel calls fn for the numbers up to n, as many at a time as there are processors.
func inParallel(n int, fn func(i int)) {
	if n == 1 {
		fn(0)
		return
	}
	var wg sync.WaitGroup
	next := make(chan int)
	for range min(n, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for i := range next {
				fn(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
}

// lateSpace are the late rules of one namespace.
type lateSpace struct {
	rules []*lateRules
	done  int
	err   error // of the next one
}

func (s *lateSpace) failed() *lateRules { return s.rules[s.done] }

func (s *lateSpace) add(ctx context.Context, sys *op.System) {
	list := make([]op.Waiting, len(s.rules))
	for i, r := range s.rules {
		list[i] = r.op
	}
	s.done, s.err = sys.AppendInOrder(ctx, list)
}

func byNamespace(queue []*lateRules) []*lateSpace {
	var spaces []*lateSpace
	of := map[string]*lateSpace{}
	for _, r := range queue {
		s := of[r.ns()]
		if s == nil {
			s = &lateSpace{}
			of[r.ns()] = s
			spaces = append(spaces, s)
		}
		s.rules = append(s.rules, r)
	}
	return spaces
}
