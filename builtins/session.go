package builtins

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"

	"go.starlark.net/starlark"

	"nsscript/builtins/lab"
	"nsscript/builtins/op"
)

// Options say how a script is run.
type Options struct {
	Lab    *lab.Lab
	Out    io.Writer         // what checks print
	Err    io.Writer         // what programs that are shown write on their stderr
	Style  Style             // how checks are printed
	Params map[string]string // values given with --set
	Self   string            // this program, to run servers with
	Width  int               // columns of the terminal that Out is, 0 for no terminal

	// Assume is told what a planned script has asked, if set.
	Assume func(Assumption)
	// Explain prints the commands that do the same as a step.
	Explain func(pos string, commands []string)
	// Explained words an error of a function that a builtin has called, with its
	// place.
	Explained func(err error) (msg, hint string)
	// Help explains a value, or nil for an overview.
	Help func(x starlark.Value) (string, error)
	// Interact opens an interactive session with the names that a thread sees; nil
	// in such a session.
	Interact func(thread *starlark.Thread) error
	// Lend, if set, has the command leave the terminal to another program, or a
	// session, until the function that it returns is called.
	Lend func() (back func())
	// Checked is told of each check, in place of its being printed, if set.
	Checked func(Check)
	// Console is the interactive session, nil outside of one.
	Console Console
}

// Style says how results look.
type Style struct {
	Color  bool
	Quiet  bool // checks are collected, not printed
	Places bool // a check that failed is printed with its place
	Walks  bool // a check that failed follows the packets that it was about
}

// Session is one run of a script.
type Session struct {
	ctx  context.Context
	lab  *lab.Lab
	opts Options

	host    *Namespace
	byName  map[string]*builtin // every builtin, by the name a user writes
	methods map[string]*builtin // those whose first parameter is ns, by name
	modules map[string]map[string]*builtin
	bound   map[*spec]*builtin // methods that were called

	mu          sync.Mutex
	checks      []Check
	params      []Param
	namespaces  []*Namespace
	jobs        int // background processes so far
	assumptions int // answers of a plan so far
	services    plannedServices
	planned     []*Process // that a plan has not started
	captures    []*Capture // those that run
	asked       []Asked    // what probes have found since the last check
	exercise    *Exercise
	env         struct{ own, base []string } // this process's environment, and what programs get of it
	unwritten   error                        // of files whose captures ended with a namespace
}

// NewSession begins a run. ctx ends it: whatever blocks returns.
func NewSession(ctx context.Context, opts Options) *Session {
	if opts.Err == nil {
		opts.Err = os.Stderr
	}
	s := &Session{ctx: ctx, lab: opts.Lab, opts: opts,
		byName: map[string]*builtin{}, methods: map[string]*builtin{}, modules: map[string]map[string]*builtin{}, bound: map[*spec]*builtin{}}
	s.host = &Namespace{s: s, name: op.Host}
	opts.Lab.System().Leaving = s.leave
	for _, sp := range specs {
		b := s.declare(sp)
		s.byName[b.name] = b
		module, name, inModule := cutLast(b.name)
		if inModule {
			if s.modules[module] == nil {
				s.modules[module] = map[string]*builtin{}
			}
			s.modules[module][name] = b
		}
		if len(b.params) > 0 && b.params[0].Name == "ns" && !inModule {
			s.methods[b.name] = b
		}
	}
	for _, sp := range namespaceMethods {
		b := s.declare(sp)
		s.methods[b.name] = b
	}
	return s
}

// lend leaves the terminal to something else until the function that it returns is
// called.
func (s *Session) lend() (back func()) {
	if s.opts.Lend == nil {
		return func() {}
	}
	return s.opts.Lend()
}

// specs are all builtins.
var specs = func() []spec {
	var all []spec
	for _, c := range chapters {
		all = append(all, c.specs...)
	}
	return all
}()

// Predeclared returns the names that a script can use.
func (s *Session) Predeclared() starlark.StringDict {
	d := starlark.StringDict{"host": s.host, "kernel": kernelValue{s}}
	for name, b := range s.byName {
		if module, _, ok := cutLast(name); ok {
			d[module] = s.module(module, nil)
			continue
		}
		d[name] = b.value()
	}
	return d
}

// module returns a module such as nat; bound to a namespace, its members need
// none.
func (s *Session) module(name string, ns *Namespace) *module {
	members := starlark.StringDict{}
	for member, b := range s.modules[name] {
		if ns != nil {
			members[member] = b.bind(ns)
		} else {
			members[member] = b.value()
		}
	}
	return &module{name, members}
}

// UsesIptables are the names that a script uses only if it needs the iptables
// program.
var UsesIptables = []string{"nat", "firewall", "iptables", "ip6tables"}

// NeedIptables reports, as an error, that the machine lacks the programs that
// UsesIptables' builtins need.
func (s *Session) NeedIptables() error {
	_, err := s.lab.System().Iptables.Find(false)
	return err
}

// Lab returns the lab of the session.
func (s *Session) Lab() *lab.Lab { return s.lab }

func cutLast(name string) (module, member string, ok bool) {
	for i := len(name) - 1; i >= 0; i-- {
		if name[i] == '.' {
			return name[:i], name[i+1:], true
		}
	}
	return "", name, false
}

// Finish ends what runs with the script, and brings what programs see up to date.
func (s *Session) Finish() error {
	if err := s.StopCaptures(""); err != nil {
		return err
	}
	if !s.lab.Built() {
		return nil
	}
	if err := s.lab.System().CatchUp(); err != nil {
		return err
	}
	if err := s.lab.RefreshHosts(); err != nil {
		return fmt.Errorf("the lab's hosts files: %w", err)
	}
	return nil
}

const hostDoc = `
The namespace that the lab stands in: the machine's own where root runs it, the sandbox's private one otherwise.

type (Namespace): what the lab adds to it is taken back with the lab
example:
    br0 = bridge("br0", addr = "10.0.0.254/24")     # on the host, as docker0 is
    red = namespace("red")
    br0.attach(red, addr = "10.0.0.1/24")
    print(ping(host, red).received)
    #> 1
source: network_namespaces(7)
`
