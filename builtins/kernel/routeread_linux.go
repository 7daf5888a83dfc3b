package kernel

import (
	"errors"
	"net"
	"slices"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// routes lists the routes of a family in all tables, without those that the kernel keeps
// of its own to remember what it looked up.
func (c *routeConn) routes(family int) ([]*netlink.Route, error) {
	r := nl.NewNetlinkRequest(unix.RTM_GETROUTE, unix.NLM_F_DUMP)
	r.AddData(&nl.RtMsg{RtMsg: unix.RtMsg{Family: uint8(family)}})
	var list []*netlink.Route
	var spoiled error
	_, err := c.exchange([]*nl.NetlinkRequest{r}, func(data []byte) {
		route, err := readRoute(slices.Clone(data)) // it keeps parts of it
		if err != nil {
			spoiled = errors.Join(spoiled, err)
			return
		}
		if route.Family == family && route.Flags&unix.RTM_F_CLONED == 0 {
			list = append(list, route)
		}
	})
	return list, errors.Join(err, spoiled)
}

// readRoute reads of an RTM_NEWROUTE what newRoute wants to know.
func readRoute(data []byte) (*netlink.Route, error) {
	if len(data) < unix.SizeofRtMsg {
		return nil, errShortRoute
	}
	msg := nl.DeserializeRtMsg(data)
	attrs, err := nl.ParseRouteAttr(data[unix.SizeofRtMsg:])
	if err != nil {
		return nil, err
	}
	r := &netlink.Route{
		Family: int(msg.Family), Scope: netlink.Scope(msg.Scope), Protocol: netlink.RouteProtocol(msg.Protocol),
		Table: int(msg.Table), Type: int(msg.Type), Flags: int(msg.Flags),
	}
	for _, a := range attrs {
		switch a.Attr.Type {
		case unix.RTA_DST:
			r.Dst = &net.IPNet{IP: a.Value, Mask: net.CIDRMask(int(msg.Dst_len), 8*len(a.Value))}
		case unix.RTA_GATEWAY:
			r.Gw = a.Value
		case unix.RTA_VIA:
			r.Via, err = readVia(a.Value)
		case unix.RTA_PREFSRC:
			r.Src = a.Value
		case unix.RTA_OIF:
			r.LinkIndex = int(nl.NativeEndian().Uint32(a.Value))
		case unix.RTA_PRIORITY:
			r.Priority = int(nl.NativeEndian().Uint32(a.Value))
		case unix.RTA_TABLE:
			r.Table = int(nl.NativeEndian().Uint32(a.Value))
		case unix.RTA_METRICS:
			r.MTU, err = readMTU(a.Value)
		case unix.RTA_MULTIPATH:
			r.MultiPath, err = readHops(a.Value)
		}
		if err != nil {
			return nil, err
		}
	}
	return r, nil
}

var errShortRoute = errors.New("netlink: a short route")

func readVia(value []byte) (*netlink.Via, error) {
	via := &netlink.Via{}
	return via, via.Decode(value)
}

// readMTU finds the MTU among a route's metrics.
func readMTU(value []byte) (mtu int, err error) {
	metrics, err := nl.ParseRouteAttr(value)
	for _, m := range metrics {
		if m.Attr.Type == unix.RTAX_MTU {
			mtu = int(nl.NativeEndian().Uint32(m.Value))
		}
	}
	return mtu, err
}

// readHops reads the next hops of a route that has several.
func readHops(value []byte) (hops []*netlink.NexthopInfo, err error) {
	for len(value) > 0 {
		if len(value) < unix.SizeofRtNexthop {
			return nil, errShortRoute
		}
		h := nl.DeserializeRtNexthop(value)
		n := int(h.RtNexthop.Len)
		if n < unix.SizeofRtNexthop || n > len(value) {
			return nil, errShortRoute
		}
		attrs, err := nl.ParseRouteAttr(value[unix.SizeofRtNexthop:n])
		if err != nil {
			return nil, err
		}
		hop := &netlink.NexthopInfo{LinkIndex: int(h.Ifindex), Hops: int(h.Hops), Flags: int(h.RtNexthop.Flags)}
		for _, a := range attrs {
			switch a.Attr.Type {
			case unix.RTA_GATEWAY:
				hop.Gw = a.Value
			case unix.RTA_VIA:
				if hop.Via, err = readVia(a.Value); err != nil {
					return nil, err
				}
			}
		}
		hops = append(hops, hop)
		value = value[min(len(value), nlAlign(n)):]
	}
	return hops, nil
}
