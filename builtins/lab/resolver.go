package lab

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"nsscript/builtins/kernel"
	"nsscript/builtins/op"
)

// EtcDir is the directory of the files that lie over those of /etc for programs in
// a namespace of the lab.
func (l *Lab) EtcDir(ns string) string { return filepath.Join(l.dir, "etc", ns) }

// ResolvConf is the file that tells programs in a namespace whom to ask for names
// (resolv.conf(5)): the lab's, or the one of /etc/netns. It is empty where the
// namespace has none of its own.
func (l *Lab) ResolvConf(ns string) (string, error) {
	var paths []string
	if l.dir != "" {
		paths = append(paths, filepath.Join(l.EtcDir(ns), op.ResolvConf))
	}
	if ns != op.Host {
		paths = append(paths, filepath.Join(kernel.NetNSEtc, ns, op.ResolvConf))
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return string(text), err
		}
	}
	return "", nil
}

// resolverLine says in one line whom a namespace asks for names, "" where it has nobody of
// its own.
func (l *Lab) resolverLine(ns string) (string, error) {
	if l.Planned() {
		n := l.Picture().Namespace(ns)
		return (&op.SetResolver{Servers: n.Resolvers, Search: n.Search}).Line(), nil
	}
	text, err := l.ResolvConf(ns)
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' && line[0] != ';' {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, ", "), err
}

// resolverTable lists the resolvers of namespaces but the host.
func resolverTable(spaces []*shownSpace) string {
	var b strings.Builder
	for _, s := range spaces {
		if s.resolver == "" || s.name == op.Host {
			continue
		}
		if b.Len() == 0 {
			b.WriteString("\nRESOLVERS\n")
		}
		b.WriteString(s.name + ": " + s.resolver + "\n")
	}
	return b.String()
}
