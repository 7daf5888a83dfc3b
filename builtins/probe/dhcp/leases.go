package dhcp

import (
	"net/netip"
	"time"
)

// leases are the addresses that a server has promised.
type leases struct {
	byKey  map[string]*lease
	byAddr map[netip.Addr]*lease
}

// lease is an address with its owner.
type lease struct {
	key   string // the client's identifier; "" for an address that somebody else uses
	addr  netip.Addr
	until time.Time
	bound bool // asked for, not only offered
}

// offerTime is for how long an address that was offered is kept.
const offerTime = 30 * time.Second

func newLeases() *leases {
	return &leases{byKey: map[string]*lease{}, byAddr: map[netip.Addr]*lease{}}
}

// free reports whether a client may have an address.
func (l *leases) free(a netip.Addr, key string, now time.Time) bool {
	has := l.byAddr[a]
	return has == nil || has.key == key || now.After(has.until)
}

// give notes that a client has an address until then; what it had in this network before is free.
func (l *leases) give(a netip.Addr, key string, until time.Time, bound bool) {
	l.drop(l.byAddr[a])
	l.drop(l.byKey[key])
	x := &lease{key, a, until, bound}
	l.byAddr[a] = x
	if key != "" {
		l.byKey[key] = x
	}
}

func (l *leases) drop(x *lease) {
	if x != nil {
		delete(l.byAddr, x.addr)
		delete(l.byKey, x.key)
	}
}

// pick chooses an address for a client: the one that it has or had, the one that it
// would like, or the first that nobody has; at last one whose time is over.
func (l *leases) pick(s *Subnet, key string, wish netip.Addr, taken map[netip.Addr]bool, now time.Time) (netip.Addr, bool) {
	inPool := func(a netip.Addr) bool {
		return a.IsValid() && s.First.IsValid() && !a.Less(s.First) && !s.Last.Less(a) && !taken[a]
	}
	if has := l.byKey[key]; has != nil && inPool(has.addr) {
		return has.addr, true
	}
	if inPool(wish) && l.free(wish, key, now) {
		return wish, true
	}
	var over netip.Addr
	for a := s.First; inRange(a, s.Last); a = a.Next() {
		switch {
		case taken[a]:
		case l.byAddr[a] == nil:
			return a, true
		case !over.IsValid() && now.After(l.byAddr[a].until):
			over = a
		}
	}
	return over, over.IsValid()
}

func inRange(a, last netip.Addr) bool { return a.IsValid() && !last.Less(a) }
