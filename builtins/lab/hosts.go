package lab

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"nsscript/builtins/kernel"
	"nsscript/builtins/op"
)

// Hosts writes the /etc/hosts that programs in a namespace see, in which every
// namespace of the lab has its name, and returns the file. A file that exists is
// written anew in place, so that programs that run already see the change.
func (l *Lab) Hosts(viewer string) (string, error) {
	path := filepath.Join(l.dir, "hosts", viewer)
	now := l.hostsSources(viewer, path)
	l.mu.Lock()
	current := l.hosts[viewer] == now
	l.mu.Unlock()
	if current {
		return path, nil
	}
	text, err := l.hostsText(viewer)
	if err != nil {
		return "", err
	}
	if old, err := os.ReadFile(path); err != nil || !bytes.Equal(old, text) {
		if err := os.WriteFile(path, text, 0o644); err != nil {
			return path, err
		}
	}
	now = l.hostsSources(viewer, path)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.hosts == nil {
		l.hosts = map[string]hostsSources{}
	}
	l.hosts[viewer] = now
	return path, nil
}

// hostsSources tell whether a hosts file is still what it would be if it were written
// anew.
type hostsSources struct {
	namespaces, addrs    int // changes so far
	written, own, common fileState
}

func (l *Lab) hostsSources(viewer, path string) hostsSources {
	return hostsSources{
		namespaces: l.sys.Comings(), addrs: l.addrChanges(),
		written: stateOf(path), own: stateOf(filepath.Join(kernel.NetNSEtc, viewer, "hosts")), common: stateOf("/etc/hosts"),
	}
}

// fileState is what changes with a file; zero where there is none.
type fileState struct {
	dev, ino uint64
	size     int64
	changed  unix.Timespec
}

func (l *Lab) hostsText(viewer string) ([]byte, error) {
	names, err := l.namesText(viewer, func(netip.Addr) bool { return true })
	if err != nil {
		return nil, err
	}
	base, err := baseHosts(viewer)
	if err != nil {
		return nil, err
	}
	return append(names, base...), nil
}

// namesText is the part of a hosts file that is the lab's, with the addresses that are
// wanted.
func (l *Lab) namesText(viewer string, want func(netip.Addr) bool) ([]byte, error) {
	var b bytes.Buffer
	for _, name := range append(l.sys.Names(), op.Host) {
		ips, err := l.Nearest(viewer, name)
		if err != nil {
			if errors.Is(err, kernel.ErrClosed) {
				continue
			}
			return nil, err
		}
		for _, ip := range slices.DeleteFunc(ips, func(ip netip.Addr) bool { return !want(ip) }) {
			fmt.Fprintf(&b, "%s\t%s\n", ip, name)
		}
	}
	return b.Bytes(), nil
}

// baseHosts is the file that the namespace has anyway: its own under /etc/netns
// or the machine's.
func baseHosts(viewer string) (string, error) {
	for _, path := range []string{filepath.Join(kernel.NetNSEtc, viewer, "hosts"), "/etc/hosts"} {
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", err
		}
		s := string(text)
		if s != "" && !strings.HasSuffix(s, "\n") {
			s += "\n"
		}
		return s, nil
	}
	return "127.0.0.1\tlocalhost\n::1\tlocalhost\n", nil
}

// Names writes the part of a namespace's hosts file that is the lab's to a file of its
// own, for a name server in that namespace to read, and returns it.
func (l *Lab) Names(viewer string) (string, error) {
	text, err := l.namesText(viewer, func(ip netip.Addr) bool { return !ip.IsLoopback() })
	if err != nil {
		return "", err
	}
	path := filepath.Join(l.dir, "names", viewer)
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, text) {
		return path, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	// The server may read it at this moment.
	return path, replaceFile(path, text, 0o644)
}

// RefreshNames brings the files up to date that name servers of the lab read.
func (l *Lab) RefreshNames() error {
	entries, err := os.ReadDir(filepath.Join(l.dir, "names"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), newSuffix) {
			continue
		}
		if _, err := l.Names(e.Name()); err != nil && !errors.Is(err, kernel.ErrClosed) {
			return err
		}
	}
	return err
}

// RefreshHosts brings the files of all namespaces up to date that have one.
func (l *Lab) RefreshHosts() error {
	if err := l.RefreshNames(); err != nil {
		return err
	}
	entries, err := os.ReadDir(filepath.Join(l.dir, "hosts"))
	if err != nil {
		return err
	}
	for _, e := range entries {
		if _, err := l.Hosts(e.Name()); err != nil && !errors.Is(err, kernel.ErrClosed) {
			return err
		}
	}
	return nil
}

func stateOf(path string) fileState {
	var st unix.Stat_t
	if unix.Stat(path, &st) != nil {
		return fileState{}
	}
	return fileState{dev: uint64(st.Dev), ino: st.Ino, size: st.Size, changed: st.Ctim}
}
