package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"nsscript/builtins/kernel"
	"nsscript/builtins/kernel/sandbox"
	"nsscript/builtins/near"
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
	Lost        bool              `json:"-"`                   // what was noted of it is lost or spoiled
}

// Registry is the directory of the labs that are up.
type Registry struct {
	Dir string
}

// DefaultRegistry returns the registry of this user. Nothing is made.
func DefaultRegistry() Registry {
	uid := os.Geteuid()
	if uid == 0 {
		return Registry{Dir: "/run/nsscript"}
	}
	for _, dir := range []string{os.Getenv("XDG_RUNTIME_DIR"), fmt.Sprintf("/run/user/%d", uid)} {
		if dir != "" && owner(dir) == uid {
			return Registry{Dir: filepath.Join(dir, "nsscript")}
		}
	}
	return Registry{Dir: fmt.Sprintf("/tmp/nsscript-%d", uid)}
}

// CheckName says what is wrong with a lab's or a namespace's name, if anything.
// Such names become file names and host names.
func CheckName(what, name string) error {
	const limit = 63 // a host name's label (RFC 1123)
	switch {
	case name == "":
		return fmt.Errorf("a %s's name cannot be empty", what)
	case len(name) > limit:
		return fmt.Errorf("%s name %q is too long: %d bytes, at most %d are allowed", what, shorten(name), len(name), limit)
	case strings.HasPrefix(name, "-") || strings.HasPrefix(name, "."):
		return fmt.Errorf("%s name %q begins with %q", what, name, name[:1])
	}
	for _, r := range name {
		ok := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.", r)
		if !ok {
			return fmt.Errorf("%s name %q holds %q: letters, digits and - _ . are allowed", what, name, r)
		}
	}
	return nil
}

func shorten(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}

// Path returns the directory of a lab.
func (r Registry) Path(name string) string { return filepath.Join(r.Dir, name) }

// Names lists the labs, sorted.
func (r Registry) Names() ([]string, error) {
	entries, err := os.ReadDir(r.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	sort.Strings(names)
	return names, nil
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

// NoLab is the error of a name that no lab has.
func (r Registry) NoLab(name string) error {
	names, _ := r.Names()
	e := &op.Error{Msg: fmt.Sprintf("no lab called %q is up", name), Tip: near.Hint(names, name), Err: fs.ErrNotExist, Mute: true}
	if len(names) == 0 {
		e.Tip = "no lab is up"
	}
	return e
}

// lockName is the file whose lock is held while labs are added to or taken from
// the registry.
const lockName = ".lock"

// locked runs fn while no other process adds or removes labs. The registry's
// directory exists while fn runs and goes with the last lab.
func (r Registry) locked(fn func() error) error {
	for {
		if err := r.makeDir(); err != nil {
			return err
		}
		f, err := os.OpenFile(filepath.Join(r.Dir, lockName), os.O_CREATE|os.O_RDWR, 0o600)
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed by the last lab's end
		}
		if err != nil {
			return err
		}
		if err := flock(f, unix.LOCK_EX); err != nil {
			_ = f.Close()
			return err
		}
		if !current(f) {
			_ = f.Close()
			continue
		}
		defer func() { _ = f.Close() }()
		defer r.removeDir()
		return fn()
	}
}

func (r Registry) makeDir() error {
	mode := fs.FileMode(0o700)
	if os.Geteuid() == 0 {
		mode = 0o755
	}
	err := os.Mkdir(r.Dir, mode)
	if err == nil {
		return nil
	}
	if !errors.Is(err, fs.ErrExist) {
		return &kernel.MissingError{What: fmt.Sprintf("the run directory %s cannot be made", r.Dir), Err: err,
			Remedy: "give this user a run directory: export XDG_RUNTIME_DIR=/a/directory/of/yours"}
	}
	if owner(r.Dir) != os.Geteuid() {
		return &kernel.MissingError{What: fmt.Sprintf("%s belongs to somebody else", r.Dir),
			Remedy: "set XDG_RUNTIME_DIR to a directory of your own"}
	}
	return nil
}

// removeDir removes the directory when no lab is left in it.
func (r Registry) removeDir() {
	names, err := r.Names()
	if err != nil || len(names) > 0 {
		return
	}
	r.dropHolds()
	r.dropRemoved()
	_ = os.Remove(filepath.Join(r.Dir, ledgerName+newSuffix))
	entries, err := os.ReadDir(r.Dir)
	if err != nil || len(entries) > 1 {
		return // beside the lock there is a note or a hold
	}
	_ = os.Remove(filepath.Join(r.Dir, lockName))
	_ = os.Remove(r.Dir) // stays when something else is in it
}

// owner returns the user that a directory belongs to, -1 for what is none.
func owner(dir string) int {
	var st unix.Stat_t
	if unix.Lstat(dir, &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFDIR {
		return -1
	}
	return int(st.Uid)
}

func flock(f *os.File, how int) error {
	for {
		err := unix.Flock(int(f.Fd()), how)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// current reports whether an open file is still the one of its name.
func current(f *os.File) bool {
	a, err := f.Stat()
	if err != nil {
		return false
	}
	b, err := os.Lstat(f.Name())
	return err == nil && os.SameFile(a, b)
}

// Claim is a lab's name held: nobody else builds it or takes it down meanwhile.
type Claim struct {
	Registry Registry
	Name     string
	Dir      string
	Old      *Meta // the lab of that name that is (or was) up, or nil
	lock     *os.File
}

// errBusy is the error of a lab that another process works on.
func (r Registry) errBusy(name string) error {
	e := &op.Error{Msg: fmt.Sprintf("the lab %q is being worked on by another nsscript", name), Tip: "wait for it to end, or stop it"}
	if m, err := r.Meta(name); err == nil && m.PID != 0 {
		e.Msg = fmt.Sprintf("the lab %q is being worked on by another nsscript, process %d (%s)", name, m.PID, m.Origin)
	}
	return e
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

func (c *Claim) release() {
	if c.lock != nil {
		_ = c.lock.Close()
		c.lock = nil
	}
}

// Release lets the lab be, for other commands to find.
func (c *Claim) Release() { c.release() }

// Write records what the lab is.
func (c *Claim) Write(m *Meta) error {
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return replaceFile(filepath.Join(c.Dir, "lab.json"), append(b, '\n'), 0o644)
}

// WriteInside records what a lab is in its directory inside a closed sandbox.
func WriteInside(dir string, m *Meta) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return (&Claim{Dir: dir}).Write(m)
}

// newSuffix ends the name of a file that is being written to replace another.
const newSuffix = ".new"

// replaceFile writes a file that others see either as it was or whole.
func replaceFile(path string, b []byte, mode fs.FileMode) error {
	if err := os.WriteFile(path+newSuffix, b, mode); err != nil {
		return errors.Join(err, os.Remove(path+newSuffix))
	}
	return os.Rename(path+newSuffix, path)
}

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

// removedPrefix begins the names of directories that were a lab's.
const removedPrefix = ".removed-"

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

// restoreShared takes back what is made for all labs together when there is none
// but the one that is about to go.
func (r Registry) restoreShared(last string) error {
	names, err := r.Names()
	if err != nil || slices.ContainsFunc(names, func(name string) bool { return name != last }) {
		return err
	}
	return r.restoreNetNS()
}

// dropRemoved removes the rest of what Remove was ended at.
func (r Registry) dropRemoved() {
	dirs, _ := filepath.Glob(filepath.Join(r.Dir, removedPrefix+"*")) // the pattern is well formed
	for _, dir := range dirs {
		_ = os.RemoveAll(dir) // tried again by the next
	}
}

// upName is the file in a lab's directory that says that the lab is up. It is
// empty, for a full disk must not keep a lab from going down.
const upName = "up"

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

// Up reports whether a lab's building came to its end.
func (r Registry) Up(name string) bool {
	_, err := os.Lstat(filepath.Join(r.Path(name), upName))
	return err == nil
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

// labLock is the lock of a lab's lock file. It is one of an open file description
// (F_OFD_SETLK in fcntl(2)): whether it is held can be asked without taking it,
// which would keep others from it for that moment.
func labLock() *unix.Flock_t { return &unix.Flock_t{Type: unix.F_WRLCK} }

// Keep holds the registry's directory in place until release is called, for a
// sandbox that is to see it.
func (r Registry) Keep() (release func(), err error) {
	var f *os.File
	err = r.locked(func() error {
		if f, err = os.CreateTemp(r.Dir, holdPrefix+"*"); err != nil {
			return err
		}
		return flock(f, unix.LOCK_EX)
	})
	if err != nil {
		return nil, err
	}
	return func() {
		_ = f.Close()
		_ = r.locked(func() error { return nil }) // drops the hold
	}, nil
}

// holdPrefix begins the names of files that keep the registry in place, each
// locked by whoever needs it.
const holdPrefix = ".keep-"

// dropHolds removes the files of those who let go, or died.
func (r Registry) dropHolds() {
	files, _ := filepath.Glob(filepath.Join(r.Dir, holdPrefix+"*")) // the pattern is well formed
	for _, path := range files {
		f, err := os.Open(path)
		if err != nil {
			continue
		}
		if flock(f, unix.LOCK_EX|unix.LOCK_NB) == nil {
			_ = os.Remove(path)
		}
		_ = f.Close()
	}
}
