package op

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"nsscript/builtins/kernel"
	"nsscript/builtins/kernel/sandbox"
)

func newMaker() kernel.Maker { return kernel.Maker{ProcFS: sandbox.ProcFS} }

// Do makes the namespace.
func (o *AddNamespace) Do(_ context.Context, s *System) error {
	ns, err := s.maker.Add(o.Name, kernel.Setup{Alias: s.Mark, Sysctls: o.settings()})
	if errors.Is(err, fs.ErrExist) {
		return o.exists(owner(o.Name))
	}
	var missing *kernel.NoSysctlError
	if errors.As(err, &missing) {
		return SysctlError(o.Name, missing.Key, err)
	}
	var value *kernel.SysctlValueError
	if errors.As(err, &value) {
		return SysctlError(o.Name, value.Key, value)
	}
	if err != nil {
		return failed(err, "namespace %q", o.Name)
	}
	o.ID = ns.ID()
	s.Attach(o.Name, ns, true)
	return nil
}

// Undo takes the namespace's name away, if it is the lab's.
func (o *AddNamespace) Undo(_ context.Context, s *System) error {
	s.Detach(o.Name)
	path := kernel.NetNSPath(o.Name)
	ns, err := kernel.OpenNetNS(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		// Not a namespace: the empty file that nsscript left when it was ended
		// before the namespace was bound to it, or after it was unbound.
		if st, serr := os.Stat(path); serr == nil && st.Size() == 0 && st.Mode().IsRegular() {
			return os.Remove(path)
		}
		return nil
	}
	mine := ns.ID() == o.ID
	if !mine {
		lo, err := ns.LinkByIndex(1)
		mine = err == nil && lo.Alias == s.Mark
	}
	ns.Close()
	if !mine {
		return nil
	}
	return kernel.RemoveNetNS(o.Name)
}

// Do opens the namespace.
func (o *JoinNamespace) Do(_ context.Context, s *System) error {
	if s.Private && o.PID != 0 && !sandbox.Fellow(o.PID) {
		start, err := kernel.StartTime(o.PID)
		if err == nil && start != 0 {
			err = unix.EPERM // also for root, who could
		}
		if err != nil {
			return o.explain(err)
		}
	}
	ns, err := kernel.OpenNetNS(o.Path)
	if err != nil {
		return o.explain(err)
	}
	if o.ID != (kernel.NSID{}) && ns.ID() != o.ID {
		ns.Close()
		return &Error{Msg: fmt.Sprintf("%s is another namespace now", o.Path)}
	}
	o.ID, o.Same = ns.ID(), s.called(ns.ID())
	s.Attach(o.Name, ns, false)
	return nil
}

// Do deletes the namespace and ends what runs in it.
func (o *DelNamespace) Do(_ context.Context, s *System) error {
	ns, err := s.NS(o.Name)
	if err != nil {
		return err
	}
	if !s.Owned(o.Name) {
		return NotOurs(o.Name, quoteNS(o.Name))
	}
	if err := EndProcesses(ns.PIDs); err != nil {
		return err
	}
	if err := cutCables(ns); err != nil {
		return failed(err, "the cables of namespace %q", o.Name)
	}
	s.Detach(o.Name)
	if err := kernel.RemoveNetNS(o.Name); err != nil {
		return failed(err, "deleting namespace %q", o.Name)
	}
	return nil
}

// cutCables deletes the cables that lead out of a namespace. The kernel would do
// so a moment after the namespace is gone; until then their other ends would
// look as if they were alive.
func cutCables(ns *kernel.NetNS) error {
	links, err := ns.Links()
	if err != nil {
		return err
	}
	h, err := ns.Netlink()
	if err != nil {
		return err
	}
	for _, l := range links {
		if l.Kind != "veth" {
			continue
		}
		if err := h.LinkDel(ref(&l)); err != nil && !kernel.IsGone(err) {
			return err
		}
	}
	return nil
}

// owner says whose the namespace of that name is.
func owner(name string) string {
	if lab := OwnerOf(name); lab != "" {
		return fmt.Sprintf("it belongs to the lab %q: take that down with `nsscript down %s`, or run this one with --sandbox", lab, lab)
	}
	return fmt.Sprintf("no lab made it: use it with join(name = %q), or delete it with `ip netns del %s`", name, name)
}
