package suite

import (
	"context"
	"sync"
)

// A Runner runs tests side by side.
type Runner struct {
	Jobs     int  // how many at once
	FailFast bool // begin no test after one was bad

	// Run runs one test. An error is of what keeps all tests from running; it ends
	// the run.
	Run func(ctx context.Context, t *Test) (*Result, error)
	// Done is given each result, in the order of the tests.
	Done func(t *Test, r *Result)
	// Progress is told of each test that begins and ends.
	Progress func(p Progress)
}

// Progress is how far a run has come.
type Progress struct {
	Total, Ended, Bad int
	Running           *Test // the one that has run longest, nil for none
}

// run is one run of a Runner.
type run struct {
	*Runner
	tests []*Test
	stop  context.CancelCauseFunc

	mu       sync.Mutex
	next     int       // the test that begins next
	results  []*Result // of those that have ended
	told     int       // how many were given to Done
	progress Progress
	failed   error
}

// All runs tests and returns when all have ended. When the context is done, those that
// run are to end, and the others are not begun.
func (r *Runner) All(ctx context.Context, tests []*Test) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	a := &run{Runner: r, tests: tests, stop: stop, results: make([]*Result, len(tests))}
	a.progress.Total = len(tests)
	var wg sync.WaitGroup
	for range min(r.Jobs, len(tests)) {
		wg.Go(func() {
			for {
				i, ok := a.take(ctx)
				if !ok {
					return
				}
				a.one(ctx, i)
			}
		})
	}
	wg.Wait()
	if a.failed != nil {
		return a.failed
	}
	for i := range a.results {
		if a.results[i] == nil {
			reason := "the run was interrupted"
			if r.FailFast && ctx.Err() == nil {
				reason = "another test failed (--fail-fast)"
			}
			a.end(i, &Result{Outcome: NotRun, Reason: reason})
		}
	}
	return nil
}

func (a *run) take(ctx context.Context) (int, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if ctx.Err() != nil || a.next == len(a.tests) || a.FailFast && a.progress.Bad > 0 {
		return 0, false
	}
	i := a.next
	a.next++
	a.tell()
	return i, true
}

func (a *run) one(ctx context.Context, i int) {
	if known := a.tests[i].Wrong; known != nil {
		a.end(i, known)
		return
	}
	result, err := a.Run(ctx, a.tests[i])
	if err != nil {
		a.mu.Lock()
		if a.failed == nil {
			a.failed = err
		}
		a.mu.Unlock()
		a.stop(err)
		return
	}
	a.end(i, result)
}

// end notes a result, and tells those whose turn it is.
func (a *run) end(i int, r *Result) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.results[i] = r
	if r.Outcome != NotRun {
		a.progress.Ended++
	}
	if r.Bad() {
		a.progress.Bad++
	}
	for a.told < len(a.results) && a.results[a.told] != nil {
		a.Done(a.tests[a.told], a.results[a.told])
		a.told++
	}
	a.tell()
}

// tell tells how far the run has come.
func (a *run) tell() {
	a.progress.Running = nil
	for i := a.told; i < a.next; i++ {
		if a.results[i] == nil {
			a.progress.Running = a.tests[i]
			break
		}
	}
	a.Progress(a.progress)
}
