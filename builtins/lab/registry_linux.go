package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"nsscript/builtins/kernel"
	"nsscript/builtins/kernel/sandbox"
	"nsscript/builtins/op"
)

// Meta says what a lab is.
type Meta struct {
	Name        string            `json:"name"`
	Description string            `json:"description,omitempty"`
	Origin      string            `json:"origin"`              // the script's absolute path, "-c" or "-"
	Created     time.Time         `json:"created"`             // when its building began
	Boot        string            `json:"boot"`                // kernel.BootID
	PID         int               `json:"pid"`                 // the process that builds or built it
	Host        kernel.NSID       `json:"host"`                // the namespace it stands in, without a sandbox
	Sandbox     *sandbox.Identity `json:"sandbox,omitempty"`   // the sandbox it stands in
	Untrusted   bool              `json:"untrusted,omitempty"` // the sandbox is closed, and holds the lab's notes
	Inside      bool              `json:"inside,omitempty"`    // the sandbox holds the lab's notes
	Lost        bool              `json:"-"`                   // what was noted of it is lost or spoiled
}

func (c *Claim) take() error {
	f, err := os.OpenFile(filepath.Join(c.Dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if err := unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, labLock()); err != nil {
		_ = f.Close()
		if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) {
			return c.Registry.errBusy(c.Name)
		}
		return err
	}
	if !current(f) {
		_ = f.Close()
		return c.Registry.NoLab(c.Name)
	}
	c.lock = f
	return nil
}

// Busy reports whether some process holds the lab.
func (r Registry) Busy(name string) bool {
	f, err := os.Open(filepath.Join(r.Path(name), "lock"))
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }()
	l := labLock()
	return unix.FcntlFlock(f.Fd(), unix.F_OFD_GETLK, l) == nil && l.Type != unix.F_UNLCK
}

// Meta reads what a lab is.
func (r Registry) Meta(name string) (*Meta, error) {
	b, err := os.ReadFile(filepath.Join(r.Path(name), "lab.json"))
	if err != nil {
		return nil, err
	}
	m := &Meta{}
	if err := json.Unmarshal(b, m); err != nil {
		return nil, fmt.Errorf("%s: %w", r.Path(name), err)
	}
	return m, nil
}

// Claim is a lab's name held: nobody else builds it or takes it down meanwhile.
type Claim struct {
	Registry Registry
	Name     string
	Dir      string
	Old      *Meta // the lab of that name that is (or was) up, or nil
	lock     *os.File
}

// Claim takes the name of a lab for a new run of the script called origin. A lab
// of that name that was built from the same script is returned as Old; one that
// was built from another is an error that names it.
func (r Registry) Claim(name, origin string) (*Claim, error) {
	c := &Claim{Registry: r, Name: name, Dir: r.Path(name)}
	err := r.locked(func() error {
		made := os.Mkdir(c.Dir, 0o755)
		if made != nil && !errors.Is(made, fs.ErrExist) {
			return made
		}
		if err := c.take(); err != nil {
			if made == nil {
				err = errors.Join(err, os.RemoveAll(c.Dir))
			}
			return err
		}
		if made == nil {
			return nil
		}
		old, err := r.old(name)
		if err != nil {
			return err
		}
		if old.Origin != "" && old.Origin != origin {
			return &op.Error{
				Msg: fmt.Sprintf("a lab called %q is up already, built by %s", name, old.Origin),
				Tip: fmt.Sprintf("take it down with `nsscript down %s`, or give this one another name with lab(\"…\")", name),
			}
		}
		c.Old = old
		return nil
	})
	if err != nil {
		c.release()
		return nil, err
	}
	return c, nil
}

// Hold takes the name of a lab that is up.
func (r Registry) Hold(name string) (*Claim, error) {
	if _, err := os.Stat(r.Path(name)); err != nil {
		return nil, r.NoLab(name)
	}
	c := &Claim{Registry: r, Name: name, Dir: r.Path(name)}
	if err := c.take(); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, r.NoLab(name)
		}
		return nil, err
	}
	var err error
	if c.Old, err = r.old(name); err != nil {
		c.release()
		return nil, err
	}
	return c, nil
}

// old reads what a lab is that is to go. Of one of which the file is lost or
// spoiled, only the journal tells.
func (r Registry) old(name string) (*Meta, error) {
	m, err := r.Meta(name)
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	if errors.Is(err, fs.ErrNotExist) || errors.As(err, &syntax) || errors.As(err, &kind) {
		boot, err := kernel.BootID()
		return &Meta{Name: name, Boot: boot, Lost: true}, err
	}
	return m, err
}

// Write records what the lab is.
func (c *Claim) Write(m *Meta) error {
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return replaceFile(filepath.Join(c.Dir, "lab.json"), append(b, '\n'), 0o644)
}

// Within reports whether the lab's notes are in its sandbox, and not in the registry.
func (m *Meta) Within() bool { return m.Untrusted || m.Inside }

// WriteInside records what a lab is in its directory inside its sandbox.
func WriteInside(dir string, m *Meta) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return (&Claim{Dir: dir}).Write(m)
}

// restoreShared takes back what is made for all labs together when there is none
// but the one that is about to go.
func (r Registry) restoreShared(last string) error {
	names, err := r.Names()
	if err != nil || slices.ContainsFunc(names, func(name string) bool { return name != last }) {
		return err
	}
	return r.restoreNetNS()
}

// errBusy is the error of a lab that another process works on.
func (r Registry) errBusy(name string) error {
	e := &op.Error{Msg: fmt.Sprintf("the lab %q is being worked on by another nsscript", name), Tip: "wait for it to end, or stop it"}
	if m, err := r.Meta(name); err == nil && m.PID != 0 {
		e.Msg = fmt.Sprintf("the lab %q is being worked on by another nsscript, process %d (%s)", name, m.PID, m.Origin)
	}
	return e
}

func (c *Claim) release() {
	if c.lock != nil {
		_ = c.lock.Close()
		c.lock = nil
	}
}

// Release lets the lab be, for other commands to find.
func (c *Claim) Release() { c.release() }

// Clear removes what an earlier run left in the lab's directory, but not the
// lock.
func (c *Claim) Clear() error {
	entries, err := os.ReadDir(c.Dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() == "lock" {
			continue
		}
		if err := os.RemoveAll(filepath.Join(c.Dir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// Remove takes the lab out of the registry, in one step: a directory of which
// half is left would be a lab of which nothing is known. What labs share goes
// with the last one.
func (c *Claim) Remove() error {
	return c.Registry.locked(func() error {
		defer c.release()
		err := errors.Join(c.Registry.restoreShared(c.Name), ledger{registry: c.Registry, lab: c.Name}.forget())
		if err != nil {
			return err
		}
		removed := filepath.Join(c.Registry.Dir, removedPrefix+c.Name)
		c.Registry.dropRemoved()
		if err := os.Rename(c.Dir, removed); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return os.RemoveAll(removed)
	})
}

// Tidy removes what a command that was ended midway left in the registry beside
// the labs.
func (r Registry) Tidy() error {
	if _, err := os.Lstat(r.Dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return r.locked(func() error { return r.restoreShared("") })
}

// SetUp notes that the lab's building came to its end, or that its end begins.
func (c *Claim) SetUp(up bool) error {
	path := filepath.Join(c.Dir, upName)
	if !up {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	return os.WriteFile(path, nil, 0o600)
}
