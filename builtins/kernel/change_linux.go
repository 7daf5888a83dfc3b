package kernel

import (
	"net/netip"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"nsscript/builtins/kernel/abi"
)

// Change is a change of one interface, ready to be sent (rtnetlink(7)).
type Change struct{ request *nl.NetlinkRequest }

func changeLink(index int, attrs ...*nl.RtAttr) Change {
	r, _ := linkRequest(unix.RTM_SETLINK, unix.NLM_F_ACK, index)
	for _, a := range attrs {
		r.AddData(a)
	}
	return Change{r}
}

// SetUp sets the interface with that index up.
func SetUp(index int) Change {
	r, msg := linkRequest(unix.RTM_SETLINK, unix.NLM_F_ACK, index)
	msg.Change, msg.Flags = unix.IFF_UP, unix.IFF_UP
	return Change{r}
}

// SetMaster makes the interface a port of a bridge, or a part of a bond or a VRF.
func SetMaster(index, master int) Change {
	return changeLink(index, nl.NewRtAttr(unix.IFLA_MASTER, nl.Uint32Attr(uint32(master))))
}

// SetAlias gives the interface an alias.
func SetAlias(index int, alias string) Change {
	return changeLink(index, nl.NewRtAttr(unix.IFLA_IFALIAS, []byte(alias)))
}

// addrGenNone is IN6_ADDR_GEN_MODE_NONE (linux/if_link.h).
const addrGenNone = 1

// SetNoLinkLocal keeps the interface from giving itself an IPv6 address, and with it
// from telling all others of it.
func SetNoLinkLocal(index int) Change {
	spec := nl.NewRtAttr(unix.IFLA_AF_SPEC, nil)
	inet6 := spec.AddRtAttr(unix.AF_INET6, nil)
	inet6.AddRtAttr(unix.IFLA_INET6_ADDR_GEN_MODE, nl.Uint8Attr(addrGenNone))
	return changeLink(index, spec)
}

// NewAddr gives the interface an address, as `ip addr add … brd + nodad` does: an IPv4
// one with its subnet's broadcast address, an IPv6 one that is usable at once, with no
// duplicate-address detection (RFC 4862, 5.4; IFA_F_NODAD).
func NewAddr(index int, p netip.Prefix) Change {
	family := unix.AF_INET
	if p.Addr().Is6() {
		family = unix.AF_INET6
	}
	r := nl.NewNetlinkRequest(unix.RTM_NEWADDR, unix.NLM_F_CREATE|unix.NLM_F_EXCL|unix.NLM_F_ACK)
	msg := nl.NewIfAddrmsg(family)
	msg.Index, msg.Prefixlen = uint32(index), uint8(p.Bits())
	r.AddData(msg)
	addr := p.Addr().AsSlice()
	r.AddData(nl.NewRtAttr(unix.IFA_LOCAL, addr))
	r.AddData(nl.NewRtAttr(unix.IFA_ADDRESS, addr))
	switch {
	case p.Addr().Is6():
		msg.IfAddrmsg.Flags = abi.AddrNoDAD
	case p.Addr().IsLoopback():
		msg.Scope = abi.ScopeHost // as lo's own, of whose subnet it may be
	}
	if p.Addr().Is4() && p.Bits() < 31 {
		r.AddData(nl.NewRtAttr(unix.IFA_BROADCAST, broadcast(p)))
	}
	return Change{r}
}

// broadcast is the last address of an IPv4 subnet (RFC 919).
func broadcast(p netip.Prefix) []byte {
	b := p.Addr().As4()
	for i := range b {
		host := min(max(8*(i+1)-p.Bits(), 0), 8) // bits of this byte
		b[i] |= byte(1<<host - 1)
	}
	return b[:]
}

// Change has the kernel carry out changes of interfaces of the namespace, in order and
// in one call. On an error it returns which of them has failed; those after it are
// tried all the same.
func (n *NetNS) Change(changes ...Change) (failed int, err error) {
	if len(changes) == 0 {
		return 0, nil
	}
	c, err := n.route()
	if err != nil {
		return 0, err
	}
	return c.change(changes)
}
