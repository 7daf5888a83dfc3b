package lab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"nsscript/builtins/kernel"
	"nsscript/builtins/op"
)

// PrepareNetNS makes /run/netns, and notes first what was not there before.
func (r Registry) PrepareNetNS() error {
	return r.locked(func() error {
		return kernel.PrepareNetNSDir(func(dirToo bool) error {
			flag := filepath.Join(r.Dir, netnsMade)
			if _, err := os.Lstat(flag); err == nil {
				return nil // an earlier run was ended midway
			}
			var made string
			if dirToo {
				made = kernel.NetNSDir
			}
			return replaceFile(flag, []byte(made), 0o600)
		})
	})
}

// restoreNetNS takes back what PrepareNetNS made, unless something is named in
// it. The registry is locked.
func (r Registry) restoreNetNS() error {
	flag := filepath.Join(r.Dir, netnsMade)
	made, err := os.ReadFile(flag)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	others, err := kernel.NetNSNames()
	if err != nil || len(others) > 0 {
		return err
	}
	if err := kernel.RemoveNetNSDir(len(made) > 0); err != nil {
		return err
	}
	return os.Remove(flag)
}

// TakeDown undoes everything that the lab did, and closes it. It goes on after
// an error and returns all of them. Taking down a lab twice is no error.
//
// It is not for sandboxes: those go as a whole.
func (l *Lab) TakeDown(ctx context.Context) error {
	var errs []error
	if err := l.dropLate(0); err != nil {
		errs = append(errs, err)
	}
	entries := l.Entries()
	if err := l.endProcesses(entries); err != nil {
		errs = append(errs, err)
	}
	owned := map[string]bool{}
	for _, name := range l.sys.Names() {
		owned[name] = l.sys.Owned(name)
	}
	var namespaces []*Entry
	var cables []op.End
	for _, e := range slices.Backward(entries) {
		if !e.Live() {
			continue
		}
		covered := slices.ContainsFunc(e.Op.Inside(), func(ns string) bool { return owned[ns] })
		switch o := e.Op.(type) {
		case *op.AddNamespace:
			namespaces = append(namespaces, e)
			continue
		case *op.JoinNamespace:
			continue // still needed, to see what was added to it go; closed at the end
		case *op.AddVeth:
			if covered {
				cables = append(cables, outside(o, owned)...)
			}
		}
		if covered {
			continue
		}
		if err := e.Op.Undo(ctx, l.sys); err != nil {
			errs = append(errs, undoError(e, err))
		}
	}
	for _, e := range namespaces {
		if err := e.Op.Undo(ctx, l.sys); err != nil {
			errs = append(errs, undoError(e, err))
		}
	}
	if err := l.awaitCables(cables); err != nil {
		errs = append(errs, err)
	}
	l.Close()
	return errors.Join(errs...)
}

// endProcesses ends what runs in the lab's namespaces, what it started
// elsewhere, and the children of both.
func (l *Lab) endProcesses(entries []*Entry) error {
	inside := map[kernel.NSID]bool{}
	for _, name := range l.sys.Names() {
		if ns, err := l.sys.NS(name); err == nil && l.sys.Owned(name) {
			inside[ns.ID()] = true
		}
	}
	var families []kernel.Match
	for _, e := range entries {
		if p, ok := e.Op.(*op.StartProcess); ok && e.Live() {
			family, release, err := p.Family(l.sys.Sign)
			if err != nil {
				return err
			}
			defer release()
			families = append(families, family)
		}
	}
	return op.EndProcesses(func() ([]int, error) {
		return kernel.Processes(func(pid int) (bool, error) {
			if ns, err := kernel.NetNSOf(pid); err != nil || inside[ns] {
				return err == nil, err
			}
			if sign, _, err := kernel.Env(pid, op.EnvLab); err != nil || sign == l.sys.Sign {
				return err == nil, err
			}
			for _, family := range families {
				if ok, err := family(pid); err != nil || ok {
					return ok, err
				}
			}
			return false, nil
		})
	})
}

// awaitCables waits until the cables' outer ends are gone, and deletes what
// stays, because something outside of the lab holds a namespace.
func (l *Lab) awaitCables(ends []op.End) error {
	until := time.Now().Add(cableWait)
	for pause := time.Millisecond; len(ends) > 0; pause = min(2*pause, 20*time.Millisecond) {
		ends = slices.DeleteFunc(ends, func(e op.End) bool { return l.gone(e) })
		if len(ends) == 0 {
			return nil
		}
		if time.Now().After(until) {
			break
		}
		time.Sleep(pause)
	}
	var errs []error
	for _, e := range ends {
		o := op.AddVeth{A: e, B: op.End{NS: e.NS}, Made: true}
		errs = append(errs, o.Undo(context.Background(), l.sys))
	}
	return errors.Join(errs...)
}

// gone reports whether the interface of a cable's end is there no more. One of
// that name that is not the lab's counts as gone.
func (l *Lab) gone(e op.End) bool {
	ns, err := l.sys.NS(e.NS)
	if err != nil {
		return true
	}
	link, err := ns.Link(e.Name)
	if err != nil {
		return errors.Is(err, unix.ENODEV)
	}
	return link.Alias != l.sys.Mark && link.MAC.String() != e.MAC
}

// ReturnAll gives back what a lab has borrowed of which the journal is lost, and
// tells whether that is anything.
func (c *Claim) ReturnAll(ctx context.Context) (any bool, err error) {
	err = ledger{registry: c.Registry, lab: c.Name}.ReturnAll(func(key, before string) error {
		any = true
		return op.Restore(ctx, key, before, kernel.FindNamed)
	})
	if errors.Is(err, op.ErrLedgerSpoiled) {
		return false, nil
	}
	return any, err
}

// Down takes a lab down that an earlier command built on the host. It returns
// what was gone already, in words. Of a lab of which the notes are lost it ends
// what bears its mark.
func (c *Claim) Down(ctx context.Context) (missing []string, err error) {
	boot, err := kernel.BootID()
	if err != nil || c.Old == nil {
		return nil, err
	}
	if c.Old.Boot != boot {
		return []string{"all of it, with an earlier boot of the machine"}, nil
	}
	l, err := Look(c.Name, c.Dir, false)
	lost := c.Old.Lost
	switch {
	case errors.Is(err, errSpoiled):
		lost = lost || !c.unbegun()
	case err != nil:
		return nil, err
	}
	if lost {
		missing = []string{"the notes of it, or a part of them: it is known by its marks"}
	}
	if l != nil && l.Private() {
		l.Close() // its host, on which the operations would be undone, is not this one
	} else if l != nil {
		gone, err := l.down(ctx, c.Old.Host)
		missing = append(missing, gone...)
		if err != nil {
			return missing, err
		}
	}
	if lost {
		return missing, c.endTraces(ctx)
	}
	return missing, nil
}

// down takes down a lab that was looked up.
func (l *Lab) down(ctx context.Context, built kernel.NSID) (missing []string, err error) {
	if host, err := l.sys.NS(op.Host); err == nil && built != (kernel.NSID{}) && host.ID() != built {
		l.Close()
		return nil, &op.Error{Msg: fmt.Sprintf("the lab %q stands in another network namespace than this one", l.name),
			Tip: "take it down from where it was built"}
	}
	if err := l.signChildren(); err != nil {
		return nil, err
	}
	missing = l.missing(l.Entries())
	return missing, l.TakeDown(ctx)
}

// endTraces ends what bears the mark of the lab, on the host and in sandboxes.
func (c *Claim) endTraces(ctx context.Context) error {
	traces, err := c.Registry.FindTraces(ctx, Where{Host: os.Geteuid() == 0, Lab: c.Name})
	if err != nil {
		return err
	}
	for _, t := range traces {
		if err := t.End(ctx); err != nil {
			return err
		}
	}
	_, err = c.ReturnAll(ctx)
	return err
}

// unbegun reports whether nothing was built yet: a lab has its sign before.
func (c *Claim) unbegun() bool {
	_, err := os.Lstat(filepath.Join(c.Dir, signName))
	return errors.Is(err, fs.ErrNotExist)
}
