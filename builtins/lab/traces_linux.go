package lab

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"nsscript/builtins/kernel"
	"nsscript/builtins/kernel/sandbox"
	"nsscript/builtins/op"
)

// Traces are what bears the mark of one lab, found without its journal: in the
// namespace of this process and in those that have a name in /run/netns. What
// cannot be marked is not among them: sysctls, policies and empty chains, and
// the addresses, routes and rules of a namespace that is not the lab's.
type Traces struct {
	Lab        string
	Namespaces []string // names in /run/netns of the lab's own namespaces
	Sandboxes  []sandbox.Identity

	settings int // that it has borrowed, by the registry's ledger
	links    []tracedLink
	rules    []tracedRule
	homes    map[kernel.NSID]bool // the namespaces in which its processes may be
}

// sandboxes looks for sandboxes that no lab of the registry stands in.
func (s *tracing) sandboxes(r Registry) error {
	origin, err := r.Origin()
	if err != nil {
		return err
	}
	boxes, err := sandbox.Find(origin)
	if err != nil || len(boxes) == 0 {
		return err
	}
	names, err := r.Names()
	if err != nil {
		return err
	}
	for _, name := range names {
		if m, err := r.Meta(name); err == nil && m.Sandbox != nil {
			boxes = slices.DeleteFunc(boxes, func(b sandbox.Found) bool { return b.Identity.Mark == m.Sandbox.Mark })
		}
	}
	for _, box := range boxes {
		lab := box.Note
		if CheckName("lab", lab) != nil {
			lab = fmt.Sprintf("sandbox-%d", box.Identity.PID)
		}
		t := s.of(lab)
		t.Sandboxes = append(t.Sandboxes, box.Identity)
	}
	return nil
}

// Origin tells sandboxes of this registry from others, such as those that were
// made in a container of which the processes are seen.
func (r Registry) Origin() (string, error) {
	id, err := kernel.NetNSOf(os.Getpid())
	return fmt.Sprintf("%d:%d %s", id.Dev, id.Ino, r.Dir), err
}

// namespace looks for marks in one namespace; name is its name in /run/netns.
func (s *tracing) namespace(ctx context.Context, path, name string) error {
	ns, err := kernel.OpenNetNS(path)
	if err != nil {
		return err
	}
	defer ns.Close()
	s.homes[ns.ID()] = true
	links, err := ns.Links()
	if err != nil {
		return err
	}
	for _, l := range links {
		lab := op.LabOf(l.Alias)
		if lab == "" {
			continue
		}
		if l.Index == 1 && name != "" { // its lo: all of it is the lab's
			t := s.of(lab)
			t.Namespaces = append(t.Namespaces, name)
			return nil
		}
		t := s.of(lab)
		t.links = append(t.links, tracedLink{path, l.Index, l.Name})
	}
	if s.quick {
		return nil
	}
	return s.filter(ctx, path, ns)
}

// filter looks for rules that bear a mark.
func (s *tracing) filter(ctx context.Context, path string, ns *kernel.NetNS) error {
	var finder kernel.IptablesFinder
	for _, v6 := range []bool{false, true} {
		x, err := finder.Find(v6)
		var missing *kernel.MissingError
		if errors.As(err, &missing) {
			continue // without the program there is no rule of a lab
		}
		if err != nil {
			return err
		}
		tables, err := x.Tables(ns)
		if err != nil {
			return err
		}
		for _, table := range tables {
			rules, err := x.List(ctx, ns, table)
			if err != nil {
				return err
			}
			for _, rule := range rules {
				if lab := op.RuleLab(rule.Spec); lab != "" {
					t := s.of(lab)
					t.rules = append(t.rules, tracedRule{path, v6, table, rule})
				}
			}
		}
	}
	return nil
}

// processes looks for labs of which only a process is left.
func (s *tracing) processes() error {
	_, err := kernel.Processes(func(pid int) (bool, error) {
		sign, ok, err := kernel.Env(pid, op.EnvLab)
		if err != nil || !ok || pid == os.Getpid() {
			return false, err
		}
		id, err := kernel.NetNSOf(pid)
		if lab := op.LabOfSign(sign); lab != "" && s.homes[id] {
			s.of(lab)
		}
		return false, err
	})
	return err
}

// End removes all that was found. It goes on after an error and returns all of
// them.
func (t *Traces) End(ctx context.Context) error {
	var errs []error
	for _, id := range t.Sandboxes {
		errs = append(errs, sandbox.Kill(ctx, id))
	}
	errs = append(errs, t.endProcesses())
	for _, r := range t.rules {
		errs = append(errs, r.remove(ctx))
	}
	for _, l := range t.links {
		errs = append(errs, l.remove(op.MarkOf(t.Lab)))
	}
	for _, name := range t.Namespaces {
		if op.OwnerOf(name) == t.Lab {
			errs = append(errs, kernel.RemoveNetNS(name))
		}
	}
	return errors.Join(errs...)
}

func (t *Traces) endProcesses() error {
	own := map[kernel.NSID]bool{}
	for _, name := range t.Namespaces {
		ns, err := kernel.OpenNetNS(kernel.NetNSPath(name))
		if err != nil {
			continue // it has ended meanwhile
		}
		defer ns.Close()
		own[ns.ID()] = true
	}
	return op.EndProcesses(func() ([]int, error) {
		return kernel.Processes(func(pid int) (bool, error) {
			id, err := kernel.NetNSOf(pid)
			if err != nil || own[id] {
				return err == nil, err
			}
			sign, ok, err := kernel.Env(pid, op.EnvLab)
			return ok && t.homes[id] && op.LabOfSign(sign) == t.Lab, err
		})
	})
}

func (r *tracedRule) remove(ctx context.Context) error {
	ns, err := kernel.OpenNetNS(r.ns)
	if err != nil {
		return nil // gone with its namespace
	}
	defer ns.Close()
	var finder kernel.IptablesFinder
	x, err := finder.Find(r.v6)
	if err != nil {
		return err
	}
	err = x.Delete(ctx, ns, r.table, r.rule.Chain, r.rule.Spec)
	var said *kernel.IptablesError
	if errors.As(err, &said) && said.Gone() {
		return nil
	}
	return err
}

func (l *tracedLink) remove(mark string) error {
	ns, err := kernel.OpenNetNS(l.ns)
	if err != nil {
		return nil // gone with its namespace
	}
	defer ns.Close()
	return op.RemoveMarked(ns, l.index, mark)
}

// FindTraces looks for the marks of labs that have no directory in the registry,
// and returns what it found by lab, sorted by name. Sandboxes are found by the
// user that has made them.
func (r Registry) FindTraces(ctx context.Context, w Where) ([]*Traces, error) {
	s := &tracing{quick: w.Quick, skip: slices.Sorted(slices.Values(w.Known)), found: map[string]*Traces{}, homes: map[kernel.NSID]bool{}}
	if w.Host {
		if err := s.host(ctx); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(s.sandboxes(r), s.ledger(r)); err != nil {
		return nil, err
	}
	// The registry is read last: a lab has its directory before it leaves a mark,
	// and until it has left none.
	names, err := r.Names()
	if err != nil {
		return nil, err
	}
	maps.DeleteFunc(s.found, func(lab string, _ *Traces) bool {
		if w.Lab != "" {
			return lab != w.Lab
		}
		return CheckName("lab", lab) != nil || slices.Contains(names, lab)
	})
	return slices.SortedFunc(maps.Values(s.found), func(a, b *Traces) int { return strings.Compare(a.Lab, b.Lab) }), nil
}

// tracing is one search.
type tracing struct {
	quick bool
	skip  []string // of the names in /run/netns
	found map[string]*Traces
	homes map[kernel.NSID]bool
}

func (s *tracing) of(lab string) *Traces {
	if s.found[lab] == nil {
		s.found[lab] = &Traces{Lab: lab, homes: s.homes}
	}
	return s.found[lab]
}

func (s *tracing) host(ctx context.Context) error {
	if err := s.namespace(ctx, ownNetNS, ""); err != nil {
		return err
	}
	names, err := kernel.NetNSNames()
	if err != nil {
		return err
	}
	for _, name := range names {
		if _, known := slices.BinarySearch(s.skip, name); known {
			continue
		}
		if err := s.namespace(ctx, kernel.NetNSPath(name), name); err != nil && !gone(err) {
			return err
		}
	}
	if s.quick {
		return nil
	}
	return s.processes()
}

// Whole reports whether nothing of the lab can have been outside of what was
// found: it stood in a sandbox.
func (t *Traces) Whole() bool { return len(t.Sandboxes) > 0 }

// Parts counts what was found, in words.
func (t *Traces) Parts() []string {
	var parts []string
	count := func(n int, one, many string) {
		switch n {
		case 0:
		case 1:
			parts = append(parts, "1 "+one)
		default:
			parts = append(parts, fmt.Sprintf("%d %s", n, many))
		}
	}
	count(len(t.Sandboxes), "sandbox", "sandboxes")
	count(len(t.Namespaces), "namespace", "namespaces")
	count(len(t.links), "interface", "interfaces")
	count(len(t.rules), "rule", "rules")
	count(t.settings, "setting", "settings")
	if len(parts) == 0 {
		parts = append(parts, "processes")
	}
	return parts
}

// ledger looks for labs that have borrowed something.
func (s *tracing) ledger(r Registry) error {
	all, err := r.borrowed()
	if errors.Is(err, op.ErrLedgerSpoiled) {
		return nil
	}
	for _, b := range all {
		for lab := range b.Labs {
			s.of(lab).settings++
		}
	}
	return err
}
