//go:build linux

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"nsscript/builtins/kernel"
	"nsscript/builtins/kernel/sandbox"
	"nsscript/builtins/lab"
	"nsscript/builtins/near"
	"nsscript/builtins/op"
)

// A lab in a sandbox is built by two processes: the client, which the user
// started, stands outside; the worker is the same command started inside. The
// worker asks the client over a pair of pipes for what can only be done outside:
// to take the lab's name, which may mean ending the sandbox of an earlier run.

// The worker's descriptors for its questions and their answers.
const (
	fdAsk    = 3
	fdAnswer = 4
)

// question is what a worker asks: for a lab's name, or that the lab stay.
type question struct {
	Open *lab.Meta `json:"open,omitempty"`
	Stay bool      `json:"stay,omitempty"`
}

type answer struct {
	Dir    string    `json:"dir,omitempty"`
	Meta   *lab.Meta `json:"meta,omitempty"` // to be kept in a closed sandbox
	Error  string    `json:"error,omitempty"`
	Hint   string    `json:"hint,omitempty"`
	Lacks  bool      `json:"lacks,omitempty"` // the machine lacks something
	Remedy string    `json:"remedy,omitempty"`
}

// worker is the inner process' side.
type worker struct {
	registry lab.Registry
	ask      *json.Encoder
	answers  *json.Decoder
}

// asWorker returns the worker's side if this process is one.
func asWorker() (*worker, bool) {
	dir := os.Getenv(envWorker)
	if dir == "" {
		return nil, false
	}
	return &worker{
		registry: lab.Registry{Dir: dir},
		ask:      json.NewEncoder(os.NewFile(fdAsk, "ask")),
		answers:  json.NewDecoder(os.NewFile(fdAnswer, "answer")),
	}, true
}

func (w *worker) private() bool { return true }
func (w *worker) sole() bool    { return false } // they end with the sandbox

func (w *worker) call(q question) (answer, error) {
	var a answer
	if err := w.ask.Encode(q); err != nil {
		return a, fmt.Errorf("the outer nsscript is gone: %w", err)
	}
	if err := w.answers.Decode(&a); err != nil {
		return a, fmt.Errorf("the outer nsscript is gone: %w", err)
	}
	if a.Lacks {
		return a, &kernel.MissingError{What: a.Error, Remedy: a.Hint}
	}
	if a.Error != "" {
		return a, &op.Error{Msg: a.Error, Tip: a.Hint}
	}
	return a, nil
}

func (w *worker) open(_ context.Context, m lab.Meta) (string, error) {
	a, err := w.call(question{Open: &m})
	if err != nil {
		return "", err
	}
	if a.Meta != nil {
		err = lab.WriteInside(a.Dir, a.Meta)
	}
	return a.Dir, errors.Join(err, sandbox.Note(m.Name))
}

// settle tells the client whether the sandbox shall stay; ending it is the
// client's work.
func (w *worker) settle(_ context.Context, l *lab.Lab, stay bool) error {
	built := l.Built()
	l.Close()
	if !built || !stay {
		return nil
	}
	_, err := w.call(question{Stay: true})
	return err
}

var _ place = (*worker)(nil)

// client is the outer process' side of building a lab in a sandbox.
type client struct {
	registry lab.Registry
	box      *sandbox.Sandbox
	claim    *lab.Claim
	stay     bool
	closed   bool   // the worker may not be believed
	inside   bool   // the lab's notes are kept in the sandbox
	origin   string // of a lab in a closed sandbox
}

// runInSandbox runs this very command once more inside a new sandbox.
func runInSandbox(ctx context.Context) (err error) {
	c := &client{registry: lab.DefaultRegistry()}
	release, err := c.registry.Keep()
	if err != nil {
		return err
	}
	defer release()
	o := sandbox.Options{User: hostRights() != nil, Share: []string{"nsscript"}}
	if o.Origin, err = c.registry.Origin(); err != nil {
		return err
	}
	c.box, err = sandbox.Start(ctx, o)
	if err != nil {
		return err
	}
	status, err := c.run(sandbox.Command{
		Path: self(), Args: append([]string{"nsscript"}, os.Args[1:]...), Env: append(os.Environ(), envWorker+"="+c.registry.Dir),
	})
	return errors.Join(c.end(context.WithoutCancel(ctx)), asExit(status, err))
}

func asExit(status int, err error) error {
	if err != nil {
		return err
	}
	return &exitError{status: status}
}

// run starts the worker and answers it until it ends.
func (c *client) run(cmd sandbox.Command) (status int, err error) {
	askR, askW, err := os.Pipe()
	if err != nil {
		return 0, err
	}
	ansR, ansW, err := os.Pipe()
	if err != nil {
		return 0, err
	}
	cmd.Files = []*os.File{askW, ansR}
	p, err := c.box.Start(cmd)
	_ = askW.Close()
	_ = ansR.Close()
	if err != nil {
		return 0, err
	}
	defer passSignals(p, cmd.Session)()
	answered := make(chan error, 1)
	go func() {
		answered <- c.answer(askR, ansW)
		_ = ansW.Close()
	}()
	st, err := p.Wait()
	_ = askR.Close()
	if unanswered := <-answered; unanswered != nil {
		c.stay, err = false, errors.Join(err, unanswered)
	}
	if st.Signal != 0 {
		return 128 + int(st.Signal), err
	}
	return st.Code, err
}

// answer answers the worker until there is no more question. The error is of an
// answer that could not be given: the worker does not know then that it was heard.
func (c *client) answer(r io.Reader, w io.Writer) error {
	in, out := json.NewDecoder(bufio.NewReader(r)), json.NewEncoder(w)
	for {
		var q question
		if in.Decode(&q) != nil {
			return nil
		}
		a := answer{}
		if err := c.serve(q, &a); err != nil {
			a.Error = err.Error()
			var h interface{ Hint() string }
			if errors.As(err, &h) {
				a.Hint = h.Hint()
			}
			var missing *kernel.MissingError
			a.Lacks = errors.As(err, &missing)
		}
		if err := out.Encode(a); err != nil {
			return fmt.Errorf("answering the inner nsscript: %w", err)
		}
	}
}

func (c *client) serve(q question, a *answer) error {
	if q.Open == nil {
		if q.Stay {
			return c.keep()
		}
		return nil
	}
	m := *q.Open
	if err := lab.CheckName("lab", m.Name); err != nil {
		return err
	}
	if c.claim != nil {
		return errors.New("the lab was opened already")
	}
	m.Inside = c.inside
	if c.closed {
		m = lab.Meta{Name: m.Name, Description: m.Description, Origin: c.origin, Untrusted: true}
	}
	claim, err := takeName(context.Background(), c.registry, m)
	if err != nil {
		return err
	}
	id := c.box.Identity()
	m.Sandbox = &id
	if err := record(claim, &m); err != nil {
		return errors.Join(err, claim.Remove())
	}
	c.claim, a.Dir = claim, claim.Dir
	if m.Within() {
		a.Dir, a.Meta = lab.Registry{Dir: registryInside}.Path(m.Name), &m
	}
	return nil
}

// keep has the sandbox stay for later commands.
func (c *client) keep() error {
	if c.claim == nil {
		return errors.New("no lab was opened")
	}
	err := errors.Join(c.box.Keep(), c.claim.SetUp(true))
	c.stay = err == nil
	return err
}

// end leaves the sandbox to later commands or ends it.
func (c *client) end(ctx context.Context) error {
	if c.stay {
		c.claim.Release()
		return c.box.Close()
	}
	err := c.box.Kill(ctx)
	if c.claim != nil {
		err = errors.Join(err, c.claim.Remove())
	}
	return err
}

// passSignals gives signals on to a worker. Ctrl-C reaches it by itself where it
// shares the terminal and does not stand apart, in a session of its own.
func passSignals(p *sandbox.Process, apart bool) (stop func()) {
	ch := make(chan os.Signal, 4)
	signal.Notify(ch, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	go func() {
		for sig := range ch {
			if (sig == os.Interrupt || sig == syscall.SIGQUIT) && !apart && inForeground() {
				continue
			}
			_ = p.Signal(sig.(syscall.Signal)) // gone already, most likely
		}
	}()
	return func() {
		signal.Stop(ch)
		close(ch)
	}
}

// inForeground reports whether this process' group is that of the terminal's
// foreground, which Ctrl-C reaches as a whole.
func inForeground() bool {
	tty, err := os.Open("/dev/tty")
	if err != nil {
		return false
	}
	defer func() { _ = tty.Close() }()
	group, err := unix.IoctlGetInt(int(tty.Fd()), unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}

// tearDown takes down the lab of a claim, wherever it stands. It returns what was
// gone already, in words.
func tearDown(ctx context.Context, c *lab.Claim) (missing []string, err error) {
	if err := c.SetUp(false); err != nil {
		return nil, err
	}
	if c.Old == nil || c.Old.Sandbox == nil {
		return c.Down(ctx)
	}
	box, err := sandbox.Open(*c.Old.Sandbox)
	switch {
	case errors.Is(err, sandbox.ErrGone):
		missing = []string{"its sandbox"}
	case err != nil:
		return nil, err
	default:
		_ = box.Close()
	}
	return missing, sandbox.Kill(ctx, *c.Old.Sandbox)
}

// enter runs this very command inside the sandbox of a lab, with open files as its
// descriptors from 3 on, and returns how it ended.
func enter(r lab.Registry, m *lab.Meta, files ...*os.File) error {
	box, err := sandbox.Open(*m.Sandbox)
	if errors.Is(err, sandbox.ErrGone) {
		return &op.Error{Msg: fmt.Sprintf("the sandbox of lab %q is gone", m.Name), Tip: "clear it away: nsscript down " + m.Name}
	}
	if err != nil {
		return err
	}
	defer func() { _ = box.Close() }()
	cmd := sandbox.Command{Path: self(), Args: append([]string{"nsscript"}, os.Args[1:]...), Env: append(os.Environ(), envWorker+"="+r.Dir), Files: files}
	switch {
	case m.Untrusted:
		cmd.Path, cmd.Env, cmd.Dir = sandbox.SelfPath, environInside(), "/"
	case m.Inside:
		cmd.Env = environment()
	}
	p, err := box.Start(cmd)
	if err != nil {
		return err
	}
	defer passSignals(p, false)()
	st, err := p.Wait()
	if st.Signal != 0 {
		return asExit(128+int(st.Signal), err)
	}
	return asExit(st.Code, err)
}

// registryHere is the registry of this user, inside a sandbox too.
func registryHere() lab.Registry {
	if dir := os.Getenv(envWorker); dir != "" {
		return lab.Registry{Dir: dir}
	}
	return lab.DefaultRegistry()
}

// splitTarget splits LAB/NS; the lab may be left out where one lab only has a
// namespace of that name.
func splitTarget(r lab.Registry, target string) (labName, ns string, err error) {
	if l, n, ok := strings.Cut(target, "/"); ok {
		if _, err := os.Stat(filepath.Join(r.Dir, l)); err != nil || l == "" {
			return "", "", r.NoLab(l)
		}
		return l, n, nil
	}
	names, err := r.Names()
	if err != nil {
		return "", "", err
	}
	var having, all []string
	for _, l := range names {
		m, err := r.Meta(l)
		if err != nil {
			continue
		}
		spaces, err := spacesOf(r, m)
		if err != nil {
			continue
		}
		for _, s := range append(spaces, op.Host) {
			if s == target && (s != op.Host || len(names) == 1) {
				having = append(having, l)
			}
		}
		all = append(all, spaces...)
	}
	switch len(having) {
	case 1:
		return having[0], target, nil
	case 0:
		e := &op.Error{Msg: fmt.Sprintf("no lab has a namespace %q", target), Tip: near.Hint(all, target)}
		if len(names) == 0 {
			e.Tip = "no lab is up"
		}
		return "", "", e
	}
	return "", "", &op.Error{Msg: fmt.Sprintf("%d labs have a namespace %q", len(having), target),
		Tip: fmt.Sprintf("say which one: %s/%s", strings.Join(having, "/"+target+", "), target)}
}

// atoi reads a process id.
func atoi(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		return 0, usage("--pid wants the id of a process, got %q", s)
	}
	return n, nil
}
