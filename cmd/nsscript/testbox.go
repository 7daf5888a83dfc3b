//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	"nsscript/builtins/kernel/sandbox"
	"nsscript/cmd/nsscript/internal/suite"
)

// testBoxes runs tests, each in a sandbox of its own.
type testBoxes struct {
	set   []string
	limit time.Duration
	user  bool // sandboxes need a user namespace
}

// How long a test may take to end by itself once it is told to, and when its time
// and that of its teardown() are over.
const testGrace = 5 * time.Second

// run runs one test. An error says that there can be no sandbox at all.
func (b *testBoxes) run(ctx context.Context, t *suite.Test) (*suite.Result, error) {
	box, err := sandbox.Start(ctx, sandbox.Options{User: b.user, Label: "nsscript: test"})
	if ctx.Err() != nil {
		if err == nil {
			err = box.Kill(context.WithoutCancel(ctx))
		}
		return &suite.Result{Outcome: suite.Interrupted}, ignoreEnd(ctx, err)
	}
	if err != nil {
		return nil, err
	}
	r, err := b.inside(ctx, box, t)
	if err != nil {
		r = suite.Broken(err)
	}
	return r, nil
}

// ignoreEnd leaves out an error that says no more than that the context is done.
func ignoreEnd(ctx context.Context, err error) error {
	if errors.Is(err, ctx.Err()) {
		return nil
	}
	return err
}

// inside runs a test in its sandbox, and ends that.
func (b *testBoxes) inside(ctx context.Context, box *sandbox.Sandbox, t *suite.Test) (*suite.Result, error) {
	printed, err := receive()
	if err != nil {
		return nil, errors.Join(err, box.Kill(context.WithoutCancel(ctx)))
	}
	told, err := receive()
	if err != nil {
		printed.abandon()
		return nil, errors.Join(err, box.Kill(context.WithoutCancel(ctx)))
	}
	var output suite.Output
	printed.into(&output)
	said := told.decode()
	status, err := b.work(ctx, box, t, printed.w, told.w)
	// With the sandbox end the programs that hold the other ends of the pipes.
	err = errors.Join(err, box.Kill(context.WithoutCancel(ctx)))
	printed.finish()
	told.finish()
	if err != nil {
		return nil, err
	}
	r := said()
	if r == nil {
		r = silent(ctx, status)
	}
	r.Output = output.String() + r.Output
	return r, nil
}

// work runs the worker, and ends it when it takes longer than it may.
func (b *testBoxes) work(ctx context.Context, box *sandbox.Sandbox, t *suite.Test, output, result *os.File) (sandbox.Status, error) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		return sandbox.Status{}, err
	}
	defer null.Close()
	p, err := box.Start(sandbox.Command{
		Path: self(), Args: b.command(t), Env: append(os.Environ(), envWorker+"="+registryInside),
		Stdin: null, Stdout: output, Stderr: output, Files: []*os.File{result}, Session: true,
	})
	_, _ = output.Close(), result.Close()
	if err != nil {
		return sandbox.Status{}, err
	}
	ended := make(chan struct{})
	defer close(ended)
	go b.watch(ctx, p, ended)
	return p.Wait()
}

func (b *testBoxes) command(t *suite.Test) []string {
	args := []string{"nsscript", "run-test", "--timeout", b.limit.String()}
	for _, s := range b.set {
		args = append(args, "--set", s)
	}
	args = append(args, "--", t.File.Path)
	if t.Func != "" {
		args = append(args, t.Func)
	}
	return args
}

// watch has a worker end when the run is interrupted, and kills one that does not end
// when it should.
func (b *testBoxes) watch(ctx context.Context, p *sandbox.Process, ended <-chan struct{}) {
	late := make(<-chan time.Time)
	if b.limit > 0 {
		late = time.After(2*b.limit + testGrace) // the test and its teardown()
	}
	select {
	case <-ended:
		return
	case <-late:
	case <-ctx.Done():
		_ = p.Signal(syscall.SIGINT) // gone already, most likely
		select {
		case <-ended:
			return
		case <-time.After(testGrace):
		}
	}
	_ = p.Signal(syscall.SIGKILL)
}

// silent is the result of a test whose worker has told none.
func silent(ctx context.Context, status sandbox.Status) *suite.Result {
	if ctx.Err() != nil {
		return &suite.Result{Outcome: suite.Interrupted}
	}
	return suite.Broken(fmt.Errorf("the process of the test ended too early (%s)", status))
}

// reception is what comes through a pipe from a worker.
type reception struct {
	r, w *os.File
	done chan struct{}
}

func receive() (*reception, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	return &reception{r: r, w: w, done: make(chan struct{})}, nil
}

func (c *reception) into(w io.Writer) {
	go func() {
		defer close(c.done)
		_, _ = io.Copy(w, c.r) // what came before an error counts
	}()
}

// decode reads a result. The function returns it once finish was called, or nil.
func (c *reception) decode() func() *suite.Result {
	var r *suite.Result
	go func() {
		defer close(c.done)
		var got suite.Result
		if json.NewDecoder(c.r).Decode(&got) == nil {
			r = &got
		}
	}()
	return func() *suite.Result { return r }
}

// finish waits until all has come. A process that got out of its sandbox could hold
// the pipe for ever, and is not waited for.
func (c *reception) finish() {
	_ = c.r.SetReadDeadline(time.Now().Add(3 * time.Second)) // pipes can have one
	<-c.done
	_ = c.r.Close()
}

func (c *reception) abandon() { _, _ = c.r.Close(), c.w.Close() }
