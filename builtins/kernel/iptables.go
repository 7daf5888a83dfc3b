package kernel

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-iptables/iptables"
)

// IptablesFinder finds the iptables programs once, and remembers them. The zero
// value looks in $PATH and in the directories of administrators' programs.
type IptablesFinder struct {
	Path     string        // a list of directories, as in $PATH, to look in instead
	LockWait time.Duration // how long the xtables lock is waited for; 0 for a minute

	mu    sync.Mutex
	found [2]*Iptables
}

// defaultLockWait is how long another program may keep the xtables lock before
// that is an error.
const defaultLockWait = time.Minute

// lockSlice is how many seconds iptables itself waits for the lock before it is
// run again: so long can an interrupted lab take to notice.
const lockSlice = 1

// Find returns the program for IPv4 or IPv6. That it is not installed is a
// MissingError.
func (f *IptablesFinder) Find(v6 bool) (*Iptables, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	i, name := 0, "iptables"
	if v6 {
		i, name = 1, "ip6tables"
	}
	if f.found[i] != nil {
		return f.found[i], nil
	}
	dirs := f.Path
	if dirs == "" {
		dirs = AdminPath(os.Getenv("PATH"))
	}
	path, err := LookPath(name, dirs, "")
	if errors.Is(err, fs.ErrPermission) {
		return nil, &MissingError{What: fmt.Sprintf("the program %q may not be run by this user", name), Remedy: InstallCommand("iptables"), Err: err}
	}
	if err != nil {
		return nil, &MissingError{What: fmt.Sprintf("the program %q is not installed", name), Remedy: InstallCommand("iptables")}
	}
	x := &Iptables{lib: library(path, v6), name: name, path: path, v6: v6, wait: f.LockWait}
	x.nft = x.isNFT()
	if x.wait == 0 {
		x.wait = defaultLockWait
	}
	f.found[i] = x
	return x, nil
}

// isNFT reports whether the backend is nf_tables. The file that the program's name leads
// to mostly tells, and saves asking it.
func (x *Iptables) isNFT() bool {
	if file, err := filepath.EvalSymlinks(x.path); err == nil {
		switch filepath.Base(file) {
		case "xtables-nft-multi":
			return true
		case "xtables-legacy-multi":
			return false
		}
	}
	return strings.Contains(x.Version(), "nf_tables")
}

// FindVariant returns the program that works on the tables of one of the kernel's
// two packet filters, the legacy one or nf_tables: the usual program, or the one
// called iptables-legacy or iptables-nft.
func (f *IptablesFinder) FindVariant(v6, legacy bool) (*Iptables, error) {
	x, err := f.Find(v6)
	if err != nil || x.nft == !legacy {
		return x, err
	}
	suffix := "-nft"
	if legacy {
		suffix = "-legacy"
	}
	path, err := LookPath(x.name+suffix, filepath.Dir(x.path), "")
	if err != nil {
		return nil, &MissingError{What: fmt.Sprintf("the program %q is not installed", x.name+suffix), Remedy: InstallCommand("iptables"), Err: err}
	}
	return &Iptables{lib: library(path, v6), name: x.name + suffix, path: path, v6: v6, nft: !legacy, wait: x.wait}, nil
}

// Iptables is the iptables or the ip6tables program (iptables(8)). Its methods
// run it inside a namespace. Which of the kernel's two packet filters it
// changes, nf_tables or the legacy one, is the program's own affair; see
// [Iptables.Version].
type Iptables struct {
	lib  func() (*iptables.IPTables, error)
	name string
	path string
	v6   bool
	nft  bool // its backend is nf_tables
	wait time.Duration
}

// library finds go-iptables' side of a program when it is first needed: that asks the
// program for its version.
func library(path string, v6 bool) func() (*iptables.IPTables, error) {
	return sync.OnceValues(func() (*iptables.IPTables, error) {
		family := iptables.ProtocolIPv4
		if v6 {
			family = iptables.ProtocolIPv6
		}
		t, err := iptables.New(iptables.IPFamily(family), iptables.Path(path), iptables.Timeout(lockSlice))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		return t, nil
	})
}

// legacyTables reads the tables of a namespace from proc, where they are listed
// once the module is loaded.
func (x *Iptables) legacyTables(n *NetNS) (tables []string, err error) {
	file := "/proc/thread-self/net/ip_tables_names"
	if x.v6 {
		file = "/proc/thread-self/net/ip6_tables_names"
	}
	err = n.Do(func() error {
		b, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		tables = strings.Fields(string(b))
		return err
	})
	return tables, err
}

// builtinChains are the chains that each table always has (iptables(8),
// "TABLES").
var builtinChains = map[string][]string{
	"filter":   {"INPUT", "FORWARD", "OUTPUT"},
	"nat":      {"PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"},
	"mangle":   {"PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"},
	"raw":      {"PREROUTING", "OUTPUT"},
	"security": {"INPUT", "FORWARD", "OUTPUT"},
}

// BuiltinChains returns the chains that a table always has, nil for one that iptables
// does not know.
func BuiltinChains(table string) []string { return slices.Clone(builtinChains[table]) }

// Append adds a rule at the end of a chain.
func (x *Iptables) Append(ctx context.Context, n *NetNS, table, chain string, spec []string) error {
	return x.with(ctx, n, func(t *iptables.IPTables) error { return t.Append(table, chain, spec...) })
}

// Insert puts a rule into a chain at a position, 1 being the first.
func (x *Iptables) Insert(ctx context.Context, n *NetNS, table, chain string, pos int, spec []string) error {
	return x.with(ctx, n, func(t *iptables.IPTables) error { return t.Insert(table, chain, pos, spec...) })
}

// Delete removes the first rule of a chain that says exactly this. One that is
// not there is an [IptablesError] that is Gone.
func (x *Iptables) Delete(ctx context.Context, n *NetNS, table, chain string, spec []string) error {
	return x.with(ctx, n, func(t *iptables.IPTables) error { return t.Delete(table, chain, spec...) })
}

// Exists reports whether a chain has a rule that says exactly this.
func (x *Iptables) Exists(ctx context.Context, n *NetNS, table, chain string, spec []string) (ok bool, err error) {
	err = x.with(ctx, n, func(t *iptables.IPTables) error {
		ok, err = t.Exists(table, chain, spec...)
		return err
	})
	return ok, err
}

// NewChain makes a chain.
func (x *Iptables) NewChain(ctx context.Context, n *NetNS, table, chain string) error {
	return x.with(ctx, n, func(t *iptables.IPTables) error { return t.NewChain(table, chain) })
}

// SetPolicy sets the policy of a built-in chain.
func (x *Iptables) SetPolicy(ctx context.Context, n *NetNS, table, chain, policy string) error {
	return x.with(ctx, n, func(t *iptables.IPTables) error { return t.ChangePolicy(table, chain, policy) })
}
