package op

import (
	"slices"

	"nsscript/builtins/kernel"
)

// A bridge that is up hands what each new port multicasts to all the others, so that
// making n ports costs n² packets. A bridge is therefore set up only when something
// may depend on it: until then it is late.

// lateBridge is a bridge that is yet to be set up.
type lateBridge struct {
	ns    *kernel.NetNS
	where string // the lab's name of the namespace
	name  string
	index int
	addrs []string
}

// putOff notes a bridge that is to be set up later.
func (s *System) putOff(b lateBridge) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.late = append(s.late, b)
}

// isLate reports whether a bridge of the namespace is yet to be set up.
func (s *System) isLate(ns string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.late, func(b lateBridge) bool { return b.where == ns })
}

// bears reports whether an operation gives the same result while something is put off.
func (s *System) bears(o Op) bool {
	switch o := o.(type) {
	case *AddNamespace, *AddBridge, *AddVeth:
		return true
	case *AddAddr, *AddRoute, *AddRule, *AddNeighbor:
		return !slices.ContainsFunc(o.Inside(), s.isLate)
	case *AddFilterRules, *SetPolicy, *SetSysctl: // a rule can bring parameters with it
		return !slices.ContainsFunc(o.Inside(), s.isOwed)
	}
	return false
}

// Before has everything done that an operation may depend on.
func (s *System) Before(o Op) error {
	if s.Planned() || s.bears(o) {
		return nil
	}
	return s.CatchUp()
}
