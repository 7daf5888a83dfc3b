package lab

import (
	"net/netip"
	"slices"
	"sync"

	"nsscript/builtins/kernel"
	"nsscript/builtins/op"
)

// addrCache remembers the addresses of namespaces between two changes of them.
type addrCache struct {
	mu      sync.Mutex
	known   map[string]*remembered
	changes int // of what is known
}

// remembered is the addresses of one namespace.
type remembered struct {
	addrs   []kernel.Addr
	doubted bool // they may have changed since
}

func (c *addrCache) forget(names ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, n := range names {
		if r := c.known[n]; r != nil {
			r.doubted = true
		}
	}
}

// Forgetful says that programs run in a namespace may have changed it.
func (l *Lab) Forgetful(ns string) {
	l.addrs.forget(ns)
	l.numbers.forget()
}

// addresses returns the addresses of a namespace of the lab. Those of a
// namespace that is not the lab's may change at any time.
func (l *Lab) addresses(name string) ([]kernel.Addr, error) {
	c := &l.addrs
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.known[name]
	if r != nil && !r.doubted {
		return r.addrs, nil
	}
	ns, err := l.sys.Look(name)
	if err != nil {
		return nil, err
	}
	if real, ok := ns.(*kernel.NetNS); ok && r != nil && !real.AddrsChanged() {
		r.doubted = !l.sys.Owned(name)
		return r.addrs, nil
	}
	a, err := ns.Addrs(0)
	if err != nil {
		return nil, err
	}
	if r == nil || !slices.Equal(r.addrs, a) {
		c.changes++
	}
	if c.known == nil {
		c.known = map[string]*remembered{}
	}
	c.known[name] = &remembered{addrs: a, doubted: !l.sys.Owned(name)}
	return a, nil
}

// addrChanges counts the changes of addresses that were seen, after looking at those
// that may have changed.
func (l *Lab) addrChanges() int {
	c := &l.addrs
	c.mu.Lock()
	var doubted []string
	for name, r := range c.known {
		if r.doubted {
			doubted = append(doubted, name)
		}
	}
	c.mu.Unlock()
	for _, name := range doubted {
		if _, err := l.addresses(name); err != nil {
			c.mu.Lock()
			delete(c.known, name)
			c.changes++
			c.mu.Unlock()
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.changes
}

// Nearest returns the addresses under which one namespace of the lab reaches
// another, best first: those in a subnet that both share, then the other's
// global ones; IPv4 before IPv6. A namespace reaches itself under its own
// addresses, at last under that of lo.
func (l *Lab) Nearest(from, to string) ([]netip.Addr, error) {
	theirs, err := l.addresses(to)
	if err != nil {
		return nil, err
	}
	ours := theirs
	if from != to {
		if ours, err = l.addresses(from); err != nil {
			return nil, err
		}
	}
	var near, far, self []netip.Addr
	for _, a := range theirs {
		ip := a.Prefix.Addr()
		switch {
		case ip.IsLoopback() && from == to:
			self = append(self, ip)
		case !a.Global():
		case from != to && shares(ours, a.Prefix):
			near = append(near, ip)
		default:
			far = append(far, ip)
		}
	}
	return append(append(near, far...), self...), nil
}

// shares reports whether one of the addresses lies in the subnet of p.
func shares(addrs []kernel.Addr, p netip.Prefix) bool {
	for _, a := range addrs {
		if a.Global() && p.Contains(a.Prefix.Addr()) && a.Prefix.Bits() <= p.Bits() {
			return true
		}
	}
	return false
}

// Globals returns all global addresses of a namespace.
func (l *Lab) Globals(name string) ([]netip.Prefix, error) {
	addrs, err := l.addresses(name)
	if err != nil {
		return nil, err
	}
	var list []netip.Prefix
	for _, a := range addrs {
		if a.Global() {
			list = append(list, a.Prefix)
		}
	}
	return list, nil
}

// NameOf returns the namespace of the lab that has the address, or "".
func (l *Lab) NameOf(ip netip.Addr) string {
	for _, name := range append(l.sys.Names(), op.Host) {
		addrs, err := l.addresses(name)
		if err != nil {
			continue
		}
		for _, a := range addrs {
			if a.Prefix.Addr() == ip && !ip.IsLoopback() {
				return name
			}
		}
	}
	return ""
}
