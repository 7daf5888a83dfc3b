package kernel

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// LookupRoute asks the kernel's routing for one packet: the policy rules, the
// tables, the choice among several next hops (RTM_GETROUTE of rtnetlink(7)).
func (n *NetNS) LookupRoute(q RouteQuery) (RouteAnswer, error) {
	c, err := netlink.Dial(unix.NETLINK_ROUTE, &netlink.Config{NetNS: n.Fd()})
	if err != nil {
		return RouteAnswer{}, fmt.Errorf("netlink socket: %w", err)
	}
	defer func() { _ = c.Close() }()
	var a RouteAnswer
	if a.Err, err = a.ask(c, q, 0); err != nil {
		return a, err
	}
	match := RouteAnswer{}
	refused, err := match.ask(c, q, unix.RTM_F_FIB_MATCH)
	if err == nil && refused == 0 {
		a.Match, a.MatchType, a.Table = match.Match, match.Type, match.Table
	}
	return a, err
}

// ask puts the query and reads the answer. What the kernel refuses is no error.
func (a *RouteAnswer) ask(c *netlink.Conn, q RouteQuery, flags uint32) (refused unix.Errno, err error) {
	head := make([]byte, lenRtMsg)
	head[0], head[1] = unix.AF_INET, bitsV4
	if q.Dst.Is6() {
		head[0], head[1] = unix.AF_INET6, bitsV6
	}
	if q.Src.IsValid() {
		head[2] = head[1]
	}
	head[3] = q.TOS
	binary.NativeEndian.PutUint32(head[8:], flags|unix.RTM_F_LOOKUP_TABLE)
	e := netlink.NewAttributeEncoder()
	e.Bytes(unix.RTA_DST, q.Dst.AsSlice())
	if q.Src.IsValid() {
		e.Bytes(unix.RTA_SRC, q.Src.AsSlice())
	}
	if q.In != 0 {
		e.Uint32(unix.RTA_IIF, uint32(q.In))
	} else if q.Dst.Zone() != "" {
		return 0, errors.New("an address with a zone cannot be looked up")
	}
	if q.Out != 0 {
		e.Uint32(unix.RTA_OIF, uint32(q.Out))
	}
	if q.Mark != 0 {
		e.Uint32(unix.RTA_MARK, q.Mark)
	}
	if q.Proto == unix.IPPROTO_TCP || q.Proto == unix.IPPROTO_UDP {
		e.Uint8(unix.RTA_IP_PROTO, q.Proto)
		e.ByteOrder = binary.BigEndian
		e.Uint16(unix.RTA_SPORT, q.SrcPort)
		e.Uint16(unix.RTA_DPORT, q.DstPort)
	}
	attrs, err := e.Encode()
	if err != nil {
		return 0, err
	}
	replies, err := c.Execute(netlink.Message{
		Header: netlink.Header{Type: unix.RTM_GETROUTE, Flags: netlink.Request},
		Data:   append(head, attrs...),
	})
	if errors.As(err, &refused) {
		return refused, nil
	}
	if err != nil || len(replies) == 0 || len(replies[0].Data) < lenRtMsg {
		return 0, errors.Join(errors.New("the kernel gives no route"), err)
	}
	return 0, a.read(replies[0].Data)
}

// read reads an RTM_NEWROUTE.
func (a *RouteAnswer) read(msg []byte) error {
	a.Type = routeTypes[int(msg[7])]
	a.Table = int(msg[4])
	v6, bits := msg[0] == unix.AF_INET6, int(msg[1])
	dst := netip.IPv4Unspecified()
	if v6 {
		dst = netip.IPv6Unspecified()
	}
	d, err := netlink.NewAttributeDecoder(msg[lenRtMsg:])
	if err != nil {
		return err
	}
	for d.Next() {
		switch d.Type() {
		case unix.RTA_DST:
			dst, _ = netip.AddrFromSlice(d.Bytes())
		case unix.RTA_OIF:
			a.Out = int(d.Uint32())
		case unix.RTA_GATEWAY:
			a.Via, _ = netip.AddrFromSlice(d.Bytes())
		case unix.RTA_VIA: // an IPv4 route by an IPv6 gateway: the family, then the address
			if b := d.Bytes(); len(b) > 2 {
				a.Via, _ = netip.AddrFromSlice(b[2:])
			}
		case unix.RTA_PREFSRC:
			a.Src, _ = netip.AddrFromSlice(d.Bytes())
		case unix.RTA_TABLE:
			a.Table = int(d.Uint32())
		case unix.RTA_METRICS:
			d.Nested(func(m *netlink.AttributeDecoder) error {
				for m.Next() {
					if m.Type() == unix.RTAX_MTU {
						a.MTU = int(m.Uint32())
					}
				}
				return nil
			})
		}
	}
	a.Match = netip.PrefixFrom(dst, bits)
	return d.Err()
}
