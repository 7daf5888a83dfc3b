//go:build linux

package main

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"go.starlark.net/starlark"
	"golang.org/x/sys/unix"

	"nsscript/builtins"
	"nsscript/builtins/graph"
	"nsscript/builtins/lab"
	"nsscript/builtins/op"
	"nsscript/builtins/picture"
	"nsscript/cmd/nsscript/internal/course"
	"nsscript/examples/exercises"
	"nsscript/interp"
)

// exerciseJob is what a process inside the sandbox of an exercise is to do.
type exerciseJob struct {
	Do   string `json:"do"` // build, check, answer, cheat, draw, state, shell or repl
	Lab  string `json:"lab"`
	Path string `json:"path,omitempty"` // of the exercise's file
	Name string `json:"name,omitempty"` // of one that comes with the program

	File   string   `json:"file,omitempty"`   // build: what the student has written
	Alone  bool     `json:"alone,omitempty"`  // build: nobody outside knows of the lab
	Quiet  bool     `json:"quiet,omitempty"`  // check: print nothing
	Walks  bool     `json:"walks,omitempty"`  // check: follow the packets of checks that fail
	Answer string   `json:"answer,omitempty"` // answer: solution, wrong or right; cheat: which
	N      int      `json:"n,omitempty"`      // answer: which of them
	Words  []string `json:"words,omitempty"`  // shell: the namespace, and a command
}

// jobFor is a job for an exercise.
func jobFor(it *course.Item, do string) *exerciseJob {
	job := &exerciseJob{Do: do, Lab: networkName(it), Path: it.Source.Path}
	if job.Path == "" {
		job.Name = it.Name
	}
	return job
}

// tells reports whether the process that does the job tells what came of it.
func (job *exerciseJob) tells() bool { return job.Do == "check" || job.Do == "state" }

// exerciseResult is what a process inside tells.
type exerciseResult struct {
	Checks []builtins.Check `json:"checks,omitempty"`
	// Wrong is an error that ended checks().
	Wrong string `json:"wrong,omitempty"`
	// State is a digest of the network.
	State string `json:"state,omitempty"`
}

// passed reports whether all checks hold.
func (r *exerciseResult) passed() bool {
	return r.Wrong == "" && len(r.Checks) > 0 && len(r.failed()) == 0
}

// failed are the checks that do not hold.
func (r *exerciseResult) failed() []builtins.Check {
	var list []builtins.Check
	for _, k := range r.Checks {
		if !k.OK {
			list = append(list, k)
		}
	}
	return list
}

func newExerciseWorker() *cobra.Command {
	return &cobra.Command{
		Use: "exercise-worker JOB", Short: "Do something in the sandbox of an exercise", Args: cobra.ExactArgs(1), Hidden: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if os.Getenv(envWorker) == "" {
				return usage("this is started by `nsscript exercise`, in a sandbox")
			}
			w := &exerciseWorker{}
			if err := json.Unmarshal([]byte(args[0]), &w.exerciseJob); err != nil {
				return usage("%w", err)
			}
			return w.do(cmd.Context())
		},
	}
}

// exerciseWorker does a job in the sandbox that this process is in.
type exerciseWorker struct {
	exerciseJob
	lock *os.File
}

func (w *exerciseWorker) do(ctx context.Context) error {
	unix.CloseOnExec(fdResult) // a program that stays would keep the reader waiting
	switch w.Do {
	case "build":
		return w.build(ctx)
	case "check":
		return w.check(ctx)
	case "answer":
		return w.answer(ctx)
	case "cheat":
		return w.cheat(ctx)
	case "repl":
		return w.repl(ctx)
	}
	l, err := w.resume()
	if err != nil {
		return err
	}
	defer l.Close()
	switch w.Do {
	case "draw":
		p, err := l.Pictured(ctx)
		if err != nil {
			return err
		}
		if host := p.Namespaces[0]; len(p.Namespaces) == 1 && len(host.Links) < 2 {
			fmt.Fprintln(&stdout, "Nothing is built yet: there is a host, and nothing on it.")
			return nil
		}
		return graph.Draw(&stdout, p, graph.Options{Format: "text", Width: columns()})
	case "state":
		return w.state(ctx, l)
	case "shell":
		return w.shell(l)
	}
	return usage("there is no job %q", w.Do)
}

// source is the exercise's script.
func (w *exerciseWorker) source() (interp.Source, error) {
	if w.Path != "" {
		return interp.ReadFile(w.Path)
	}
	c, err := course.Embedded(exercises.FS)
	if err != nil {
		return interp.Source{}, err
	}
	it, err := c.Find(w.Name)
	if err != nil {
		return interp.Source{}, err
	}
	return it.Source, nil
}

// build builds the network, in a lab that stays.
func (w *exerciseWorker) build(ctx context.Context) error {
	src, err := w.source()
	if err != nil {
		return err
	}
	var at place = testPlace{lab.Registry{Dir: os.Getenv(envWorker)}}
	if outer, ok := asWorker(); ok && !w.Alone {
		at = outer
	}
	e := &exerciseScript{out: &mutable{io.Discard}}
	if e.ready, err = prepare(ctx, e.out, w.Lab, course.Origin(src), runOptions{}, at); err != nil {
		return err
	}
	e.script = e.interp.Read(src)
	l := e.session.Lab()
	err = w.buildIn(ctx, e, l)
	if err != nil {
		show(os.Stderr, err)
	}
	settled := at.settle(context.WithoutCancel(ctx), l, err == nil)
	if err != nil {
		return errors.Join(settled, &exitError{status: statusOf(ctx, err)})
	}
	return settled
}

func (w *exerciseWorker) buildIn(ctx context.Context, e *exerciseScript, l *lab.Lab) error {
	if err := foresee(e.interp, e.script.Source, e.session, nil); err != nil {
		return err
	}
	if err := l.Open(ctx); err != nil { // also where nothing is built
		return err
	}
	if err := e.run(ctx); err != nil {
		return err
	}
	if err := e.build(ctx); err != nil {
		return err
	}
	if w.File != "" {
		e.out.Writer = &stdout
		src, err := interp.ReadFile(w.File)
		if err != nil {
			return err
		}
		src.Name = shortPath(src.Path)
		if err := foresee(e.interp, src, e.session, nil); err != nil {
			return err
		}
		if _, err := e.interp.Run(ctx, src); err != nil {
			return err
		}
	}
	return e.session.Finish()
}

// resume opens the lab.
func (w *exerciseWorker) resume() (*lab.Lab, error) {
	return lab.Resume(w.Lab, lab.Registry{Dir: os.Getenv(envWorker)}.Path(w.Lab), lab.Options{Name: w.Lab})
}

// alone waits until no other process checks or answers: both write the lab's journal. The
// lock goes with this process.
func (w *exerciseWorker) alone() error {
	f, err := os.OpenFile(os.Getenv(envWorker)+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	w.lock = f
	return unix.Flock(int(f.Fd()), unix.LOCK_EX)
}

// attach reads the exercise and opens the lab that it has built. What setup() returned is
// made anew, by a plan, and stands for what is there.
func (w *exerciseWorker) attach(ctx context.Context, o builtins.Options) (*exerciseScript, *lab.Lab, error) {
	src, err := w.source()
	if err != nil {
		return nil, nil, err
	}
	o.Self, o.Width = self(), columns()
	e, err := readExercise(ctx, src, w.Lab, o)
	if err != nil {
		return nil, nil, err
	}
	if err := e.build(ctx); err != nil && e.needsMade() {
		return nil, nil, onlyPlanned(err)
	}
	if w.Do != "repl" { // which lasts, and in which one person works
		if err := w.alone(); err != nil {
			return nil, nil, err
		}
	}
	l, err := w.resume()
	if err != nil {
		return nil, nil, err
	}
	e.session.Continue(l)
	if err := foresee(e.interp, src, e.session, nil); err != nil {
		l.Close()
		return nil, nil, err
	}
	return e, l, nil
}

// onlyPlanned says of an error of setup() that it was only planned.
func onlyPlanned(err error) error {
	var at *interp.Error
	if errors.As(err, &at) && at.Hint == "" {
		at.Hint = "setup() is planned again for what it returns, and in a plan programs print nothing: return what does not depend on it"
	}
	return err
}

// check calls checks(), takes back what that has made, and tells what came of it.
func (w *exerciseWorker) check(ctx context.Context) error {
	var e *exerciseScript
	printed := checkPrinter{out: &stdout, color: colorful(os.Stdout), walks: w.Walks}
	o := builtins.Options{
		Style: builtins.Style{Quiet: w.Quiet, Walks: w.Walks},
		Explained: func(err error) (msg, hint string) {
			at := e.interp.Explain(ctx, err)
			return strings.TrimPrefix(at.Msg, "fail: "), at.Hint
		},
	}
	if !w.Quiet {
		o.Checked = printed.check
	}
	e, l, err := w.attach(ctx, o)
	if err != nil {
		return err
	}
	defer l.Close()
	steps := l.Steps()
	err = e.call(ctx, e.checks)
	if ctx.Err() == nil {
		err = errors.Join(err, e.session.StopCaptures(""))
	}
	_, back := l.Rewind(context.WithoutCancel(ctx), steps, true)
	if ctx.Err() != nil {
		return errors.Join(err, back)
	}
	result := &exerciseResult{Checks: e.session.Checks()}
	if err == nil && len(result.Checks) == 0 {
		err = &interp.Error{Msg: "checks() has made no check", Hint: "check(name, what) makes one"}
	}
	if err != nil {
		result.Wrong = err.Error()
		if !w.Quiet {
			printed.ended(err)
		}
	}
	return errors.Join(back, w.tell(result))
}

// tell hands a result to the process outside.
func (w *exerciseWorker) tell(r *exerciseResult) error {
	return json.NewEncoder(os.NewFile(fdResult, "result")).Encode(r)
}

// answer calls the solution, or another answer. The commands that do the same are printed
// for a solution that is to be seen.
func (w *exerciseWorker) answer(ctx context.Context) error {
	e, l, err := w.attach(ctx, builtins.Options{Style: builtins.Style{Quiet: true}})
	if err != nil {
		return err
	}
	defer l.Close()
	var fn starlark.Callable = e.solution
	switch w.Answer {
	case "wrong":
		fn = e.wrong[w.N]
	case "right":
		fn = e.right[w.N]
	}
	if !w.Quiet {
		l.ExplainTo(func(_ string, commands []string) {
			for _, c := range commands {
				fmt.Fprintln(&stdout, "    "+c)
			}
		})
	}
	if err := e.call(ctx, fn); err != nil {
		return err
	}
	return e.session.Finish()
}

// state tells a digest of the network: it changes when the network does.
func (w *exerciseWorker) state(ctx context.Context, l *lab.Lab) error {
	p, err := l.Pictured(ctx)
	if err != nil {
		return err
	}
	facts := p.Facts(picture.CompareOptions{})
	for _, n := range p.Namespaces {
		space, err := l.System().Look(n.Name)
		if err != nil {
			continue // it was deleted meanwhile
		}
		for _, key := range watchedSysctls(n) {
			if v, err := space.ReadSysctl(key); err == nil {
				facts = append(facts, n.Name+": "+key+" = "+v)
			}
		}
	}
	sum := sha256.Sum256([]byte(strings.Join(facts, "\n")))
	return w.tell(&exerciseResult{State: hex.EncodeToString(sum[:])})
}

// watchedSysctls are the parameters of a namespace by which students mend things.
func watchedSysctls(n *picture.Namespace) []string {
	keys := lab.ShownSysctls()
	confs := []string{"all", "default"}
	for _, k := range n.Links {
		confs = append(confs, strings.ReplaceAll(k.Name, ".", "/"))
	}
	for _, conf := range confs {
		for _, key := range []string{"rp_filter", "proxy_arp", "forwarding", "arp_ignore", "accept_local"} {
			keys = append(keys, "net.ipv4.conf."+conf+"."+key)
		}
		keys = append(keys, "net.ipv6.conf."+conf+".disable_ipv6", "net.ipv6.conf."+conf+".accept_ra")
	}
	return keys
}

// shell replaces this process by a shell, or another command, in a namespace.
func (w *exerciseWorker) shell(l *lab.Lab) error {
	ns, argv := w.Words[0], w.Words[1:]
	view, err := l.View(ns)
	if err != nil {
		return noSpace(l, ns)
	}
	if len(argv) == 0 {
		argv = []string{builtins.Shell()}
	}
	if _, err := exec.LookPath("nsscript"); err != nil {
		if err := os.Setenv("PATH", os.Getenv("PATH")+":"+filepath.Dir(self())); err != nil {
			return err
		}
	}
	// Debian's and Ubuntu's shells show this name in their prompt.
	return become(argv, view, op.EnvLab+"="+l.System().Sign, "NSSCRIPT_NS="+ns, "debian_chroot="+ns)
}

// repl is an interactive session in the network, which lives on after it.
func (w *exerciseWorker) repl(ctx context.Context) error {
	e, l, err := w.attach(ctx, builtins.Options{Style: builtins.Style{Color: colorful(os.Stdout)}})
	if err != nil {
		return err
	}
	defer l.Close()
	e.out.Writer = &stdout
	globals := starlark.StringDict{}
	for _, name := range l.System().Names() {
		if isName(name) {
			globals[name] = e.session.NamespaceNamed(name)
		}
	}
	ctx, interrupt := sessionContext(ctx)
	s, err := newConsole(e.ready, globals, "", interrupt)
	if err != nil {
		return err
	}
	defer e.session.SetConsole(s)()
	err = s.Run(ctx)
	return errors.Join(err, e.session.Finish())
}

// isName reports whether a namespace can be called by its name in a script.
func isName(s string) bool {
	for i, r := range s {
		if r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return s != ""
}

// cheatSource are what students try in any network.
//
//go:embed cheats.star
var cheatSource []byte

// cheat does one of these.
func (w *exerciseWorker) cheat(ctx context.Context) error {
	l, err := w.resume()
	if err != nil {
		return err
	}
	defer l.Close()
	r := language(ctx, &stdout, builtins.Options{Lab: l, Self: self()})
	r.session.Continue(l)
	globals, err := r.interp.Run(ctx, interp.Source{Name: "cheats.star", Text: cheatSource})
	if err != nil {
		return err
	}
	var spaces []starlark.Value
	for _, name := range append([]string{op.Host}, l.System().Names()...) {
		spaces = append(spaces, r.session.NamespaceNamed(name))
	}
	cheats, ok := globals["cheats"].(*starlark.Dict)
	if !ok {
		return errors.New("internal error: cheats.star lists none")
	}
	fn, found, err := cheats.Get(starlark.String(w.Answer))
	if err != nil || !found {
		return errors.Join(err, fmt.Errorf("internal error: there is no cheat %q", w.Answer))
	}
	_, err = r.interp.Call(ctx, fn, starlark.NewList(spaces))
	return err
}
