//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"nsscript/builtins/kernel/sandbox"
	"nsscript/builtins/lab"
	"nsscript/builtins/op"
	"nsscript/cmd/nsscript/internal/course"
)

// The network of an exercise stands in a sandbox of its own, which holds the lab's notes
// as well: the sandbox is all that has to be found again, also after the directory of
// the registry went with the user's last login. What is to be done in it is done by
// processes inside, each of which reads the exercise anew (exerciseworker.go).

// exerciseNet says where the network of an exercise is.
type exerciseNet struct {
	Lab     string           `json:"lab"`
	Sandbox sandbox.Identity `json:"sandbox"`
}

// networkOf is the network that a record tells of, nil where it is not up (any more).
func networkOf(r *course.Record) (*exerciseNet, error) {
	if len(r.Network) == 0 {
		return nil, nil
	}
	n := &exerciseNet{}
	if err := json.Unmarshal(r.Network, n); err != nil {
		return nil, fmt.Errorf("your progress: %w", err)
	}
	box, err := sandbox.Open(n.Sandbox)
	if errors.Is(err, sandbox.ErrGone) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return n, box.Close()
}

// environment is that of a process inside.
func environment() []string { return append(os.Environ(), envWorker+"="+registryInside) }

// command is a process inside that does a job.
func (job *exerciseJob) command() (sandbox.Command, error) {
	text, err := json.Marshal(job)
	return sandbox.Command{Path: self(), Args: []string{"nsscript", "exercise-worker", string(text)}, Env: environment()}, err
}

// build makes the network of an exercise, in place of one that is there. With a file, which
// the student has written, that is run in it too. The error is an exitError where
// what is wrong was shown.
func build(ctx context.Context, it *course.Item, file string) (n *exerciseNet, err error) {
	if err := outsideLabs(); err != nil {
		return nil, err
	}
	job := jobFor(it, "build")
	job.File = file
	cmd, err := job.command()
	if err != nil {
		return nil, err
	}
	c := &client{registry: lab.DefaultRegistry(), inside: true}
	release, err := c.registry.Keep()
	if err != nil {
		return nil, err
	}
	defer release()
	o := sandbox.Options{User: hostRights() != nil, Label: "nsscript: " + job.Lab}
	if o.Origin, err = c.registry.Origin(); err != nil {
		return nil, err
	}
	if c.box, err = sandbox.Start(ctx, o); err != nil {
		return nil, err
	}
	n = &exerciseNet{Lab: job.Lab, Sandbox: c.box.Identity()}
	status, err := c.run(cmd)
	up := c.stay
	if err = errors.Join(err, c.end(context.WithoutCancel(ctx))); err != nil {
		return nil, err
	}
	if status != exitOK || !up {
		return nil, &exitError{status: max(status, exitFailed)}
	}
	return n, nil
}

// outsideLabs is an error in a shell that is inside a lab, where no sandbox should be
// made.
func outsideLabs() error {
	if os.Getenv(op.EnvLab) == "" {
		return nil
	}
	return &op.Error{Msg: "this shell is inside a lab", Tip: "leave it first (exit), or use another terminal"}
}

// work has a job done inside, with the terminal of this command. It returns what the
// process told, and how it ended.
func (n *exerciseNet) work(job *exerciseJob) (*exerciseResult, error) {
	box, err := sandbox.Open(n.Sandbox)
	if errors.Is(err, sandbox.ErrGone) {
		return nil, &op.Error{Msg: "the network of the exercise is gone", Tip: "build it anew: nsscript exercise reset"}
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = box.Close() }()
	job.Lab = n.Lab
	return workIn(box, job, nil)
}

// workIn has a job done in a sandbox; what it prints goes to out, or where this command
// prints.
func workIn(box *sandbox.Sandbox, job *exerciseJob, out *os.File) (*exerciseResult, error) {
	cmd, err := job.command()
	if err != nil {
		return nil, err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	cmd.Files, cmd.Stdout, cmd.Stderr = []*os.File{w}, out, out
	p, err := box.Start(cmd)
	_ = w.Close()
	if err != nil {
		return nil, err
	}
	defer passSignals(p, false)()
	result := &exerciseResult{}
	told := make(chan error, 1)
	go func() { told <- json.NewDecoder(r).Decode(result) }()
	st, err := p.Wait()
	if err != nil {
		return nil, err
	}
	if st.Signal != 0 {
		return nil, &exitError{status: 128 + int(st.Signal)}
	}
	if st.Code != exitOK {
		return nil, &exitError{status: st.Code}
	}
	if !job.tells() {
		return result, nil
	}
	if err := <-told; err != nil {
		return nil, fmt.Errorf("the process inside the sandbox ended too early (%s)", st)
	}
	return result, nil
}

// end takes the network down.
func (n *exerciseNet) end(ctx context.Context) error {
	r := lab.DefaultRegistry()
	if m, err := r.Meta(n.Lab); err == nil && m.Sandbox != nil && m.Sandbox.Mark == n.Sandbox.Mark {
		return downOne(ctx, r, n.Lab)
	}
	return sandbox.Kill(ctx, n.Sandbox)
}
