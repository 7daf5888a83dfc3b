package lab

import (
	"context"

	"nsscript/builtins/kernel"
	"nsscript/builtins/picture"
)

// standing reads the lab from the kernel, with the processes of it that run.
func (l *Lab) standing(ctx context.Context) (*picture.Picture, error) {
	p, err := l.Scan(ctx, picture.ScanOptions{Sysctls: ShownSysctls()})
	if err != nil {
		return nil, err
	}
	return p, l.running(p)
}

// Scan reads the lab from the kernel, of the machine's own namespace only what the lab
// has made.
func (l *Lab) Scan(ctx context.Context, o picture.ScanOptions) (*picture.Picture, error) {
	o.Iptables = &l.sys.Iptables
	var sources []picture.Source
	for _, name := range l.inOrder() {
		ns, err := l.sys.NS(name)
		if err != nil {
			continue // it was deleted meanwhile
		}
		src := picture.Source{Name: name, NS: ns, Owned: l.sys.Owned(name)}
		if l.Foreign(name) {
			src.Shows = func(k kernel.Link) bool { return k.Alias == l.sys.Mark }
		}
		sources = append(sources, src)
	}
	p, err := picture.Scan(ctx, l.name, sources, o)
	if err != nil {
		return nil, err
	}
	for _, n := range p.Namespaces {
		if l.Foreign(n.Name) {
			l.keepOwn(n)
		}
	}
	return p, nil
}
