package lab

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"nsscript/builtins/kernel"
	"nsscript/builtins/op"
)

// Hosts writes the /etc/hosts that programs in a namespace see, in which every
// namespace of the lab has its name, and returns the file. A file that exists is
// written anew in place, so that programs that run already see the change.
func (l *Lab) Hosts(viewer string) (string, error) {
	text, err := l.hostsText(viewer)
	if err != nil {
		return "", err
	}
	path := filepath.Join(l.dir, "hosts", viewer)
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, text) {
		return path, nil
	}
	return path, os.WriteFile(path, text, 0o644)
}

func (l *Lab) hostsText(viewer string) ([]byte, error) {
	var b bytes.Buffer
	for _, name := range append(l.sys.Names(), op.Host) {
		ips, err := l.Nearest(viewer, name)
		if err != nil {
			if errors.Is(err, kernel.ErrClosed) {
				continue
			}
			return nil, err
		}
		for _, ip := range ips {
			fmt.Fprintf(&b, "%s\t%s\n", ip, name)
		}
	}
	base, err := baseHosts(viewer)
	if err != nil {
		return nil, err
	}
	b.WriteString(base)
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

// RefreshHosts brings the files of all namespaces up to date that have one.
func (l *Lab) RefreshHosts() error {
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

// View is what a program run in a namespace of the lab sees.
func (l *Lab) View(name string) (kernel.View, error) {
	ns, err := l.sys.NS(name)
	if err == nil {
		err = l.sys.Settle()
	}
	if err != nil {
		return kernel.View{}, err
	}
	hosts, err := l.Hosts(name)
	if err != nil {
		return kernel.View{}, err
	}
	v := kernel.View{NS: ns, Hosts: hosts}
	if name != op.Host {
		v.Name = name
	}
	return v, nil
}
