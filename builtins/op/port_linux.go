package op

import (
	"errors"
	"fmt"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"nsscript/builtins/kernel"
)

// setPort changes what the bridge does with a port of its (bridge(8), link).
func (o *SetLink) setPort(h *netlink.Handle, n *kernel.NetNS, l *kernel.Link) error {
	for _, p := range []struct {
		name  string
		value *bool
		set   func(netlink.Link, bool) error
	}{{"isolated", o.Isolated, h.LinkSetIsolated}, {"hairpin", o.Hairpin, h.LinkSetHairpin}} {
		if p.value == nil {
			continue
		}
		ports, err := n.BridgePorts()
		if err != nil {
			return failed(err, "interface %q in %s", o.Name, quoteNS(o.NS))
		}
		if _, is := ports[l.Index]; !is {
			return noPort(o.NS, o.Name)
		}
		switch err := p.set(ref(l), *p.value); {
		case errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.EINVAL):
			return &kernel.MissingError{What: fmt.Sprintf("this kernel's bridges have no ports that are %s", p.name), Err: err, Remedy: "isolated ports came with Linux 4.18"}
		case err != nil:
			return failed(err, "making port %q in %s %s", o.Name, quoteNS(o.NS), p.name)
		}
	}
	return nil
}

// portWas notes in b what the bridge does with the port.
func (o *SetLink) portWas(n *kernel.NetNS, l *kernel.Link, b *SetLink) error {
	if o.Isolated == nil && o.Hairpin == nil {
		return nil
	}
	ports, err := n.BridgePorts()
	if err != nil {
		return failed(err, "interface %q in %s", o.Name, quoteNS(o.NS))
	}
	p, is := ports[l.Index]
	if o.Isolated != nil && is {
		b.Isolated = &p.Isolated
	}
	if o.Hairpin != nil && is {
		b.Hairpin = &p.Hairpin
	}
	return nil
}
