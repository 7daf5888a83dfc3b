package lab

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"nsscript/builtins/op"
	"nsscript/builtins/picture"
)

// Opener takes the name of a lab when the first thing is built, takes down what
// an earlier run of it left, and returns the lab's directory.
type Opener func(ctx context.Context, name, description string) (dir string, err error)

// Options say how a lab is built.
type Options struct {
	Name    string // until SetName gives another
	Private bool   // the host is a sandbox' own
	Open    Opener
	// Sole says that this process works on no other lab, so that all programs it
	// runs are the lab's, and are ended with it if this process dies.
	Sole bool
	// Explain, if set, is given each operation's commands before it is done.
	Explain func(pos string, commands []string)
	// Done, if set, is called after each operation that was done, perhaps by several
	// goroutines at once.
	Done func()
}

// Lab is a lab that is being built, or one that was and is looked at.
type Lab struct {
	opts        Options
	name        string
	description string
	named       bool   // SetName was called
	dir         string // "" until something is built
	sys         *op.System

	mu      sync.Mutex
	journal *Journal
	entries []*Entry
	addrs   addrCache
	numbers numbers
	hosts   map[string]hostsSources // of each file that was written
	late    late
}

// NewPlan begins a lab that is only planned: its operations change a picture, and
// nothing is built.
func NewPlan(opts Options) *Lab {
	opts.Private = true
	return &Lab{opts: opts, name: opts.Name, sys: op.NewPlan(picture.New(opts.Name, op.HasIPv6()))}
}

// Planned reports whether the lab is only planned.
func (l *Lab) Planned() bool { return l.sys.Planned() }

// Picture is what a planned lab's operations have come to, nil of another lab.
func (l *Lab) Picture() *picture.Picture { return l.sys.Picture }

// Name returns the lab's name.
func (l *Lab) Name() string { return l.name }

// Dir returns the lab's directory, "" while nothing is built.
func (l *Lab) Dir() string { return l.dir }

// System returns what the lab's operations act upon.
func (l *Lab) System() *op.System { return l.sys }

// Private reports whether the lab stands in a sandbox of its own.
func (l *Lab) Private() bool { return l.opts.Private }

// Built reports whether anything was built.
func (l *Lab) Built() bool { return l.dir != "" }

// ExplainTo has the commands of each further step shown; nil ends that.
func (l *Lab) ExplainTo(show func(pos string, commands []string)) { l.opts.Explain = show }

// Explains reports whether commands are shown.
func (l *Lab) Explains() bool { return l.opts.Explain != nil }

// Explain shows the commands for a step that is no operation, such as a probe.
func (l *Lab) Explain(pos string, commands ...string) {
	if l.opts.Explain != nil {
		l.opts.Explain(pos, commands)
	}
}

// SetName names the lab, which is possible only before anything is built.
func (l *Lab) SetName(name, description string) error {
	if (l.dir != "" || len(l.entries) > 0) && name != l.name {
		return &op.Error{Msg: fmt.Sprintf("the lab is called %q already: something was built before this line", l.name),
			Tip: "call lab(…) first"}
	}
	if l.named {
		return &op.Error{Msg: fmt.Sprintf("the lab is called %q already", l.name)}
	}
	l.name, l.description, l.named = name, description, true
	l.sys.Mark = op.MarkOf(name)
	if l.Planned() {
		l.sys.Picture.Lab = name
	}
	return nil
}

// Open takes the lab's name, unless that was done.
func (l *Lab) Open(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dir != "" {
		return nil
	}
	if err := CheckName("lab", l.name); err != nil || l.Planned() {
		return err
	}
	dir, err := l.opts.Open(ctx, l.name, l.description)
	if err != nil {
		return err
	}
	if l.sys.Sign, err = newSign(dir, l.name); err != nil {
		return err
	}
	if l.opts.Sole {
		if err := l.signChildren(); err != nil {
			return err
		}
	}
	j, err := CreateJournal(filepath.Join(dir, "journal"), l.opts.Private)
	if err != nil {
		return err
	}
	for _, sub := range []string{"hosts", "log"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return errors.Join(err, j.Close())
		}
	}
	l.journal, l.dir = j, dir
	l.keepLedger()
	return nil
}

// Do applies an operation: it is recorded, done, and recorded as done. When it
// fails, what it left is taken back before Do returns.
func (l *Lab) Do(ctx context.Context, pos string, o op.Op) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	do := l.apply
	if l.Planned() {
		do = l.plan
	}
	err := do(ctx, pos, o)
	switch {
	case err != nil:
		l.numbers.forget() // it may have been to take one
	case l.opts.Done != nil && !l.Planned():
		l.opts.Done()
	}
	return err
}

// plan applies an operation to the picture.
func (l *Lab) plan(_ context.Context, pos string, o op.Op) error {
	if err := CheckName("lab", l.name); err != nil {
		return err
	}
	if p, ok := o.(op.Preparer); ok {
		if err := p.Prepare(l.sys); err != nil {
			return err
		}
	}
	defer l.touch(o)
	if err := o.Model(l.sys.Picture); err != nil {
		return err
	}
	l.Explain(pos, o.Commands()...)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = append(l.entries, &Entry{Seq: len(l.entries) + 1, Pos: pos, State: Done, Op: o})
	return nil
}

func (l *Lab) note(e *Entry, s State) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	e.State = s
	if l.Planned() {
		return nil
	}
	if err := l.journal.Note(e); err != nil {
		return fmt.Errorf("the lab's journal: %w", err)
	}
	return nil
}

// touch forgets what is remembered of the namespaces that o has changed.
func (l *Lab) touch(o op.Op) {
	switch o.(type) {
	case *op.AddRoute, *op.AddRule, *op.AddNeighbor, *op.AddFilterRules, *op.SetPolicy:
	default:
		l.addrs.forget(o.Inside()...)
	}
	l.numbers.touch(o)
	if d, ok := o.(*op.DelNamespace); ok {
		l.addrs.forget(d.Name)
		_ = os.RemoveAll(l.EtcDir(d.Name)) // another of that name begins anew
	}
}

// Entries returns the lab's operations in the order in which they were begun.
func (l *Lab) Entries() []*Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]*Entry(nil), l.entries...)
}

// Made reports whether a live operation of the lab matches: so much may be
// changed in a namespace that is not the lab's.
func (l *Lab) Made(match func(op.Op) bool) bool {
	for _, e := range l.Entries() {
		if e.Live() && match(e.Op) {
			return true
		}
	}
	return false
}

// Forget marks the operations that match as taken back, once something else has
// undone them.
func (l *Lab) Forget(match func(op.Op) bool) error {
	for _, e := range l.Entries() {
		if e.Live() && match(e.Op) {
			if err := l.note(e, Undone); err != nil {
				return err
			}
		}
	}
	return nil
}

// Close lets go of the lab without taking it down.
func (l *Lab) Close() {
	l.mu.Lock()
	if l.journal != nil {
		_ = l.journal.Close()
		l.journal = nil
	}
	l.mu.Unlock()
	l.sys.Close()
}

// keepLedger has what the lab borrows noted in the registry.
func (l *Lab) keepLedger() {
	if !l.opts.Private {
		l.sys.Ledger = ledger{registry: Registry{Dir: filepath.Dir(l.dir)}, lab: l.name}
	}
}

// signName is the file that holds the lab's sign.
const signName = "sign"

// newSign makes what tells the lab's processes from all others, and keeps it in
// the lab's directory.
func newSign(dir, name string) (string, error) {
	sign := op.MarkOf(name) + ":" + rand.Text()
	return sign, os.WriteFile(filepath.Join(dir, signName), []byte(sign), 0o600)
}

// signChildren has the programs that this process runs bear the lab's sign.
func (l *Lab) signChildren() error { return os.Setenv(op.EnvLab, l.sys.Sign) }
