package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"golang.org/x/sys/unix"

	"nsscript/builtins/kernel"
	"nsscript/builtins/near"
	"nsscript/builtins/op"
)

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

// newSuffix ends the name of a file that is being written to replace another.
const newSuffix = ".new"

// replaceFile writes a file that others see either as it was or whole.
func replaceFile(path string, b []byte, mode fs.FileMode) error {
	if err := os.WriteFile(path+newSuffix, b, mode); err != nil {
		return errors.Join(err, os.Remove(path+newSuffix))
	}
	return os.Rename(path+newSuffix, path)
}

// removedPrefix begins the names of directories that were a lab's.
const removedPrefix = ".removed-"

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

// Up reports whether a lab's building came to its end.
func (r Registry) Up(name string) bool {
	_, err := os.Lstat(filepath.Join(r.Path(name), upName))
	return err == nil
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
