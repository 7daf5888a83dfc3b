package op

import (
	"nsscript/builtins/kernel"
)

// was describes the interface as it is now, in the terms of what o changes.
func (o *SetLink) was(n *kernel.NetNS, l *kernel.Link) (*SetLink, error) {
	b := &SetLink{NS: o.NS, Name: o.Name}
	if o.Rename != nil {
		b.Name, b.Rename = *o.Rename, &o.Name
	}
	if o.MAC != nil {
		mac := l.MAC.String()
		b.MAC = &mac
	}
	if o.MTU != nil {
		b.MTU = &l.MTU
	}
	if o.Up != nil {
		up := l.Up()
		b.Up = &up
	}
	if o.Master != nil {
		master := ""
		if l.Master != 0 {
			m, err := n.LinkByIndex(l.Master)
			if err != nil {
				return nil, err
			}
			master = m.Name
		}
		b.Master = &master
	}
	return b, o.portWas(n, l, b)
}
