//go:build !linux

package kernel

import (
	"context"
	"os/exec"
	"syscall"
)

// What is asked of Linux has one answer on other systems.

// Start is an error.
func Start(*exec.Cmd, View) error { return ErrNotLinux }

// Rooms run nothing.
type Rooms struct{}

// Run is an error.
func (*Rooms) Run(context.Context, View, *Program) (syscall.WaitStatus, error) {
	return 0, ErrNotLinux
}

// Leave does nothing.
func (*Rooms) Leave() {}

// Has is an error: of another system's kernel nothing is known.
func Has(string) (bool, error) { return false, ErrNotLinux }

// Features lists nothing.
func Features() []string { return nil }

// List is an error.
func (x *Iptables) List(context.Context, *NetNS, string) ([]ListedRule, error) {
	return nil, ErrNotLinux
}

// Policy is an error.
func (x *Iptables) Policy(context.Context, *NetNS, string, string) (string, error) {
	return "", ErrNotLinux
}

var _ Space = (*NetNS)(nil)

// Links is an error.
func (n *NetNS) Links() ([]Link, error) { return nil, ErrNotLinux }

// Link is an error.
func (n *NetNS) Link(string) (*Link, error) { return nil, ErrNotLinux }

// LinkByIndex is an error.
func (n *NetNS) LinkByIndex(int) (*Link, error) { return nil, ErrNotLinux }

// PeerIn is not known.
func (n *NetNS) PeerIn(*Link, Space) bool { return false }

// Addrs is an error.
func (n *NetNS) Addrs(int) ([]Addr, error) { return nil, ErrNotLinux }

// Routes is an error.
func (n *NetNS) Routes() ([]Route, error) { return nil, ErrNotLinux }

// RoutesOver is an error.
func (n *NetNS) RoutesOver([]Link) ([]Route, error) { return nil, ErrNotLinux }

// AllRoutes is an error.
func (n *NetNS) AllRoutes() ([]Route, error) { return nil, ErrNotLinux }

// Rules is an error.
func (n *NetNS) Rules() ([]Rule, error) { return nil, ErrNotLinux }

// ReadSysctl is an error.
func (n *NetNS) ReadSysctl(string) (string, error) { return "", ErrNotLinux }

// FDB is an error.
func (n *NetNS) FDB(int) ([]FDBEntry, error) { return nil, ErrNotLinux }

// Neighbors is an error.
func (n *NetNS) Neighbors() ([]Neigh, error) { return nil, ErrNotLinux }

// PIDs is an error.
func (n *NetNS) PIDs() ([]int, error) { return nil, ErrNotLinux }

// Qdisc is not known.
func (n *NetNS) Qdisc(int) string { return "" }

// LookupRoute is an error.
func (n *NetNS) LookupRoute(RouteQuery) (RouteAnswer, error) { return RouteAnswer{}, ErrNotLinux }

// KnownNeighbors is an error.
func (n *NetNS) KnownNeighbors() (map[NeighborKey]bool, error) { return nil, ErrNotLinux }

// ForgetNeighbors is an error.
func (n *NetNS) ForgetNeighbors(map[NeighborKey]bool) error { return ErrNotLinux }

// routeConn is nothing where there is no route netlink.
type routeConn struct{}

func (*routeConn) close() {}

// addrWatch is nothing there either.
type addrWatch struct{}

func (*addrWatch) close() {}

// AddrsChanged is not known.
func (n *NetNS) AddrsChanged() bool { return true }

// Maker makes nothing.
type Maker struct{}

// Close has nothing to do.
func (*Maker) Close() {}
