package kernel

import (
	"net/netip"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// AddRoute adds a route, as `ip route add` does.
func (n *NetNS) AddRoute(r *netlink.Route) error {
	if !plain(r) {
		h, err := n.Netlink()
		if err != nil {
			return err
		}
		return h.RouteAdd(r)
	}
	c, err := n.route()
	if err != nil {
		return err
	}
	_, err = c.change([]Change{plainRoute(r)})
	return err
}

// plain reports whether a route leads over one router, or none, and has nothing that
// plainRoute does not know.
func plain(r *netlink.Route) bool {
	return r.Dst != nil && len(r.MultiPath) == 0 && r.Via == nil && r.Src == nil && r.MTU == 0 && r.Type == 0 && r.Flags == 0 &&
		r.Table < 256
}

// plainRoute is the message for a plain route (rtnetlink(7)).
func plainRoute(r *netlink.Route) Change {
	req := nl.NewNetlinkRequest(unix.RTM_NEWROUTE, unix.NLM_F_CREATE|unix.NLM_F_EXCL|unix.NLM_F_ACK)
	msg := nl.NewRtMsg()
	msg.Family, msg.Scope = uint8(r.Family), uint8(r.Scope)
	if r.Table != 0 {
		msg.Table = uint8(r.Table)
	}
	req.AddData(msg)
	if bits, _ := r.Dst.Mask.Size(); bits > 0 {
		msg.Dst_len = uint8(bits)
		req.AddData(nl.NewRtAttr(unix.RTA_DST, inFamily(r.Family, r.Dst.IP)))
	}
	if r.Gw != nil {
		req.AddData(nl.NewRtAttr(unix.RTA_GATEWAY, inFamily(r.Family, r.Gw)))
	}
	if r.LinkIndex != 0 {
		req.AddData(nl.NewRtAttr(unix.RTA_OIF, nl.Uint32Attr(uint32(r.LinkIndex))))
	}
	if r.Priority != 0 {
		req.AddData(nl.NewRtAttr(unix.RTA_PRIORITY, nl.Uint32Attr(uint32(r.Priority))))
	}
	return Change{req}
}

// inFamily is an address in as many bytes as its family has.
func inFamily(family int, ip []byte) []byte {
	a, _ := netip.AddrFromSlice(ip)
	if family == unix.AF_INET {
		a = a.Unmap()
	}
	return a.AsSlice()
}
