//go:build linux

package floor

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// namesDir is the directory of namespaces that `ip netns` knows.
const namesDir = "/run/netns"

// machine is where a floor builds. Its thread makes the namespaces.
type machine struct {
	home netns.NsHandle
	host *netlink.Handle
}

// newMachine ties the calling goroutine to its thread for good.
func newMachine() (*machine, error) {
	runtime.LockOSThread()
	home, err := netns.Get()
	if err != nil {
		return nil, err
	}
	host, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	return &machine{home, host}, err
}

// mountNames makes the directory of named namespaces as `ip netns` does, so that what is
// unmounted in one mount namespace is so in all.
func mountNames() error {
	if err := os.MkdirAll(namesDir, 0o755); err != nil {
		return err
	}
	if err := unix.Mount(namesDir, namesDir, "none", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return err
	}
	return unix.Mount("", namesDir, "", unix.MS_SHARED|unix.MS_REC, "")
}

// space is a namespace while it is furnished.
type space struct {
	fd netns.NsHandle
	nl *netlink.Handle
}

// namespace makes a named namespace whose lo is up.
func (m *machine) namespace(name string) (*space, error) { return m.namespaceWith(name, nil) }

// namespaceWith makes one with kernel parameters, which are written from within.
func (m *machine) namespaceWith(name string, settings map[string]string) (*space, error) {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return nil, err
	}
	s := &space{}
	var err error
	if s.fd, err = netns.Get(); err != nil {
		return nil, err
	}
	path := filepath.Join(namesDir, name)
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL, 0)
	if err != nil {
		return nil, err
	}
	_ = file.Close()
	if err := unix.Mount("/proc/thread-self/ns/net", path, "none", unix.MS_BIND, ""); err != nil {
		return nil, err
	}
	for key, value := range settings {
		if err := os.WriteFile(filepath.Join("/proc/sys", key), []byte(value), 0); err != nil {
			return nil, err
		}
	}
	if s.nl, err = netlink.NewHandle(unix.NETLINK_ROUTE); err != nil {
		return nil, err
	}
	lo := &netlink.GenericLink{LinkAttrs: netlink.LinkAttrs{Index: 1}}
	return s, errors.Join(s.nl.LinkSetUp(lo), netns.Set(m.home))
}

func (s *space) close() {
	s.nl.Close()
	_ = s.fd.Close()
}

// eth0 is the first interface of a new namespace after lo: its index is always 2.
var eth0 = &netlink.GenericLink{LinkAttrs: netlink.LinkAttrs{Index: 2}}

// veth is a cable whose other end is in a namespace, or beside it.
func veth(end netlink.LinkAttrs, peer string, at *space) *netlink.Veth {
	v := netlink.NewVeth(end)
	v.PeerName, v.PeerNumTxQueues, v.PeerNumRxQueues = peer, 1, 1
	if at != nil {
		v.PeerNamespace = netlink.NsFd(at.fd)
	}
	return v
}

// plug makes a cable from a port of a bridge of the host to eth0 of a namespace. Nobody
// speaks IPv6 on the port.
func (m *machine) plug(s *space, port string, bridge *netlink.Bridge, addr netip.Prefix) error {
	v := veth(named(port), "eth0", s)
	v.MasterIndex = bridge.Index
	if err := m.host.LinkAdd(v); err != nil {
		return err
	}
	return errors.Join(
		portUp(m.host, v),
		s.nl.AddrAdd(eth0, address(addr)),
		s.nl.LinkSetUp(eth0),
	)
}

func portUp(nl *netlink.Handle, port netlink.Link) error {
	const none = 1 // IN6_ADDR_GEN_MODE_NONE of linux/if_link.h
	return errors.Join(nl.LinkSetIP6AddrGenMode(port, none), nl.LinkSetUp(port))
}

func address(p netip.Prefix) *netlink.Addr {
	return &netlink.Addr{IPNet: ipNet(p)}
}

// named is an interface with one queue each way: without a word the kernel makes as many
// as there are processors, which takes as long as the rest.
func named(name string) netlink.LinkAttrs {
	a := netlink.NewLinkAttrs()
	a.Name, a.NumTxQueues, a.NumRxQueues = name, 1, 1
	return a
}

// group is the number that what stands on the host alone bears, so that one message
// deletes all of it.
const group = 77

// bridge makes a bridge, which is left down: as long as it is, a new port's packets are
// not flooded to all others.
func (m *machine) bridge(name string) (*netlink.Bridge, error) {
	b := &netlink.Bridge{LinkAttrs: named(name)}
	b.Group = group
	return b, m.host.LinkAdd(b)
}

// deleteGroup deletes the bridges and the cables between them at once.
func deleteGroup() error {
	req := nl.NewNetlinkRequest(unix.RTM_DELLINK, unix.NLM_F_ACK)
	req.AddData(nl.NewIfInfomsg(unix.AF_UNSPEC))
	req.AddData(nl.NewRtAttr(unix.IFLA_GROUP, nl.Uint32Attr(group)))
	_, err := req.Execute(unix.NETLINK_ROUTE, 0)
	return err
}

// forget lets go of the named namespaces h1, h2 and so on.
func forget(n int) error {
	for i := range n {
		path := filepath.Join(namesDir, host(i))
		if err := unix.Unmount(path, unix.MNT_DETACH); err != nil {
			return fmt.Errorf("unmounting %s: %w", path, err)
		}
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	return nil
}

// host is the name of a namespace.
func host(i int) string { return fmt.Sprintf("h%d", i+1) }

// nth is the n-th address of a network, with its length.
func nth(network netip.Prefix, n int) netip.Prefix {
	b := network.Addr().As4()
	for i := 3; n > 0; i-- {
		n += int(b[i])
		b[i] = byte(n)
		n >>= 8
	}
	return netip.PrefixFrom(netip.AddrFrom4(b), network.Bits())
}
