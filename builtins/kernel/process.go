package kernel

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// View is what a program run inside a namespace sees of the file system beside
// the machine's own, in a mount namespace of its own (ip-netns(8), "exec").
type View struct {
	NS    *NetNS
	Name  string // files of /etc/netns/NAME lie over those of /etc; "" for none
	Etc   string // a directory whose files lie over those of /etc; "" for none
	Hosts string // a file that lies over /etc/hosts; "" for none
}

// NetNSEtc is where the files lie that `ip netns exec NAME` shows over /etc.
const NetNSEtc = "/etc/netns"

// adminDirs hold programs such as ip and iptables on distributions that keep
// them from an ordinary user's PATH.
var adminDirs = []string{"/usr/local/sbin", "/usr/sbin", "/sbin"}

// AdminPath returns path, a list as in $PATH, with the directories of
// administrators' programs at its end where they are not in it: whoever works
// in a namespace is its administrator.
func AdminPath(path string) string {
	if path == "" {
		path = "/usr/local/bin:/usr/bin:/bin"
	}
	have := map[string]bool{}
	for _, d := range filepath.SplitList(path) {
		have[d] = true
	}
	for _, d := range adminDirs {
		if !have[d] {
			path += string(filepath.ListSeparator) + d
		}
	}
	return path
}

// LookPath finds a program in path, a list as in $PATH; a name with a slash is
// looked for from dir. The error is fs.ErrNotExist or fs.ErrPermission.
func LookPath(name, path, dir string) (string, error) {
	if strings.Contains(name, "/") {
		at := name
		if !filepath.IsAbs(name) && dir != "" {
			at = filepath.Join(dir, name)
		}
		if err := executable(at); err != nil {
			return "", err
		}
		return filepath.Abs(at)
	}
	err := fs.ErrNotExist
	for _, d := range filepath.SplitList(path) {
		if d == "" {
			d = "."
		}
		at := filepath.Join(d, name)
		e := executable(at)
		if e == nil {
			return filepath.Abs(at)
		}
		// Found, but not to be run; a directory that may not be searched is
		// passed over, as shells do.
		if errors.Is(e, fs.ErrPermission) && exists(at) {
			err = e
		}
	}
	return "", err
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func executable(path string) error {
	// Most directories of a path do not have it, which is the quickest to find out.
	if err := unix.Access(path, unix.X_OK); err != nil {
		return err
	}
	st, err := os.Stat(path)
	if err != nil {
		return err
	}
	if st.IsDir() {
		return &os.PathError{Op: "exec", Path: path, Err: syscall.EISDIR}
	}
	return nil
}

// Programs lists the names of the programs that are found by name, sorted.
func Programs() []string {
	var names []string
	for _, dir := range filepath.SplitList(AdminPath(os.Getenv("PATH"))) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue // most paths name a directory or two that are not there
		}
		for _, e := range entries {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
