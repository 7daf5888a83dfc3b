package lab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"nsscript/builtins/kernel"
	"nsscript/builtins/op"
)

// New begins a lab in the namespace of this process. Nothing is built yet.
func New(opts Options) (*Lab, error) {
	host, err := kernel.Home()
	if err != nil {
		return nil, err
	}
	l := &Lab{opts: opts, name: opts.Name, sys: op.NewSystem(host, op.MarkOf(opts.Name), opts.Private)}
	l.sys.Gathered = gathered{l}
	return l, nil
}

// apply does an operation of a lab that is built.
func (l *Lab) apply(ctx context.Context, pos string, o op.Op) error {
	if err := l.Open(ctx); err != nil {
		return err
	}
	if err := l.sys.Before(o); err != nil {
		return err
	}
	if p, ok := o.(op.Preparer); ok {
		if err := p.Prepare(l.sys); err != nil {
			return err
		}
	}
	if l.opts.Explain != nil {
		l.opts.Explain(pos, o.Commands())
	}
	l.mu.Lock()
	e := &Entry{Seq: len(l.entries) + 1, Pos: pos, State: Tried, Op: o}
	l.entries = append(l.entries, e)
	err := l.journal.Try(e)
	l.mu.Unlock()
	if err != nil {
		return fmt.Errorf("the lab's journal: %w", err)
	}
	defer l.touch(o)
	if err := o.Do(ctx, l.sys); err != nil {
		var told *op.Error
		if errors.As(err, &told) && told.Untouched {
			return errors.Join(err, l.note(e, Failed)) // to undo it would take away what was there
		}
		// An interrupted operation is taken back all the same.
		if uerr := o.Undo(context.WithoutCancel(ctx), l.sys); uerr != nil {
			return errors.Join(err, fmt.Errorf("taking it back: %w", uerr))
		}
		return errors.Join(err, l.note(e, Failed))
	}
	return l.note(e, Done)
}

// Look opens a lab that is up, from its directory, to work in it. Where a part of
// the journal cannot be read, it returns both the lab as far as it is known and an
// error.
func Look(name, dir string, private bool) (*Lab, error) {
	host, err := kernel.Home()
	if err != nil {
		return nil, err
	}
	r := journalReader{bySeq: map[int]*Entry{}}
	spoiled := r.read(filepath.Join(dir, "journal"))
	private = private || r.private
	if spoiled != nil && !errors.Is(spoiled, errSpoiled) {
		return nil, spoiled
	}
	l := &Lab{opts: Options{Private: private}, name: name, dir: dir, entries: r.entries,
		sys: op.NewSystem(host, op.MarkOf(name), private)}
	l.sys.Gathered = gathered{l}
	l.keepLedger()
	sign, err := os.ReadFile(filepath.Join(dir, signName))
	l.sys.Sign = string(sign)
	if errors.Is(err, fs.ErrNotExist) {
		l.sys.Sign, err = l.sys.Mark+":unknown", nil
	}
	if err == nil {
		err = l.attach()
	}
	if err != nil {
		l.Close()
		return nil, err
	}
	return l, spoiled
}

// openIs opens a network namespace by its path, if there is one and it is the one
// of that identity; otherwise it returns nil.
func openIs(path string, id kernel.NSID) (*kernel.NetNS, error) {
	ns, err := kernel.OpenNetNS(path)
	if kernel.IsGone(err) || errors.Is(err, kernel.ErrNoNetNS) || errors.Is(err, fs.ErrPermission) {
		return nil, nil
	}
	if err == nil && ns.ID() != id {
		ns.Close()
		return nil, nil
	}
	return ns, err
}

// attach opens the namespaces that the journal tells of and that are still
// there.
func (l *Lab) attach() error {
	for _, e := range l.entries {
		if !e.Live() {
			continue
		}
		switch o := e.Op.(type) {
		case *op.AddNamespace:
			ns, err := openIs(kernel.NetNSPath(o.Name), o.ID)
			if err != nil {
				return err
			}
			if ns != nil {
				l.sys.Attach(o.Name, ns, true)
			}
		case *op.JoinNamespace:
			ns, err := openIs(o.Path, o.ID)
			if err == nil && ns == nil {
				// Its process is gone, but another one may still live in it.
				var path string
				if path, err = kernel.FindNetNS(o.ID); err == nil && path != "" {
					ns, err = openIs(path, o.ID)
				}
			}
			if err != nil {
				return err
			}
			if ns != nil {
				l.sys.Attach(o.Name, ns, false)
			}
		case *op.DelNamespace:
			l.sys.Detach(o.Name)
		}
	}
	if l.Private() {
		return l.attachOthers()
	}
	return nil
}

// attachOthers opens the namespaces that a user has made by hand in the lab's sandbox
// (ip netns add): all that is there is the lab's.
func (l *Lab) attachOthers() error {
	names, err := kernel.NetNSNames()
	if err != nil {
		return err
	}
	known := l.sys.Names()
	for _, name := range names {
		if slices.Contains(known, name) || name == op.Host || CheckName("namespace", name) != nil {
			continue
		}
		ns, err := kernel.OpenNetNS(kernel.NetNSPath(name))
		if kernel.IsGone(err) || errors.Is(err, kernel.ErrNoNetNS) || errors.Is(err, fs.ErrPermission) {
			continue
		}
		if err != nil {
			return err
		}
		l.sys.Attach(name, ns, true)
	}
	return nil
}

// Holds reports whether the namespace at a path is the one that the lab calls name.
func (l *Lab) Holds(name, path string) (bool, error) {
	mine, err := l.sys.NS(name)
	if err != nil {
		return false, err
	}
	ns, err := openIs(path, mine.ID())
	if ns == nil || err != nil {
		return false, err
	}
	ns.Close()
	return true, nil
}
