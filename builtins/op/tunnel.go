package op

import (
	"cmp"
	"fmt"
	"net"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"nsscript/builtins/picture"
)

// AddTunnel makes an interface that sends packets in other packets to one host
// (ip-tunnel(8)).
type AddTunnel struct {
	NewLink
	Kind   string `json:"kind"` // a key of tunnelKinds
	Local  string `json:"local"`
	Remote string `json:"remote"`
	TTL    int    `json:"ttl,omitempty"` // hop limit of the outer packets; 0 for that of the inner one
	TOS    int    `json:"tos,omitempty"`
	Key    int    `json:"key,omitempty"` // of gre and vti
	Dev    string `json:"dev,omitempty"` // the interface that the packets leave by
}

// tunnelKind is what there is to know of a kind of tunnel.
type tunnelKind struct {
	v6    bool // its outer packets are IPv6
	keyed bool // it may have a key, by which several between the same hosts are told apart
	mtu   int  // 1500 bytes less the headers
	link  func(t *AddTunnel, dev uint32) netlink.Link
}

// TunnelV6 reports whether a kind of tunnel runs over IPv6.
func TunnelV6(kind string) bool { return tunnelKinds[kind].v6 }

// TunnelKeyed reports whether a kind of tunnel may have a key.
func TunnelKeyed(kind string) bool { return tunnelKinds[kind].keyed }

// TunnelKinds are the kinds that there are.
func TunnelKinds() []string {
	return []string{"gre", "gretap", "ipip", "sit", "vti", "ip6gre", "ip6gretap", "ip6tnl", "vti6"}
}

var tunnelKinds = map[string]tunnelKind{
	"gre":       {keyed: true, mtu: 1476, link: (*AddTunnel).gre},
	"gretap":    {keyed: true, mtu: 1462, link: (*AddTunnel).gretap},
	"ipip":      {mtu: 1480, link: (*AddTunnel).ipip},
	"sit":       {mtu: 1480, link: (*AddTunnel).sit},
	"vti":       {keyed: true, mtu: 1480, link: (*AddTunnel).vti},
	"ip6gre":    {v6: true, keyed: true, mtu: 1448, link: (*AddTunnel).gre},
	"ip6gretap": {v6: true, keyed: true, mtu: 1434, link: (*AddTunnel).gretap},
	"ip6tnl":    {v6: true, mtu: 1452, link: (*AddTunnel).ip6tnl},
	"vti6":      {v6: true, keyed: true, mtu: 1460, link: (*AddTunnel).vti},
}

// pathMTU has the tunnel find out how large its packets may be, without which the
// kernel takes no hop limit.
const pathMTU = 1

func (o *AddTunnel) ends() (local, remote net.IP) { return net.ParseIP(o.Local), net.ParseIP(o.Remote) }

func (o *AddTunnel) gre(dev uint32) netlink.Link {
	local, remote := o.ends()
	return &netlink.Gretun{LinkAttrs: o.attrs(), Local: local, Remote: remote, Ttl: o.ttl(), Tos: uint8(o.TOS), PMtuDisc: pathMTU, Link: dev, IKey: uint32(o.Key), OKey: uint32(o.Key)}
}

func (o *AddTunnel) gretap(dev uint32) netlink.Link {
	local, remote := o.ends()
	return &netlink.Gretap{LinkAttrs: o.attrs(), Local: local, Remote: remote, Ttl: o.ttl(), Tos: uint8(o.TOS), PMtuDisc: pathMTU, Link: dev, IKey: uint32(o.Key), OKey: uint32(o.Key)}
}

func (o *AddTunnel) ipip(dev uint32) netlink.Link {
	local, remote := o.ends()
	return &netlink.Iptun{LinkAttrs: o.attrs(), Local: local, Remote: remote, Ttl: o.ttl(), Tos: uint8(o.TOS), PMtuDisc: pathMTU, Link: dev, Proto: unix.IPPROTO_IPIP}
}

func (o *AddTunnel) sit(dev uint32) netlink.Link {
	local, remote := o.ends()
	return &netlink.Sittun{LinkAttrs: o.attrs(), Local: local, Remote: remote, Ttl: o.ttl(), Tos: uint8(o.TOS), PMtuDisc: pathMTU, Link: dev, Proto: unix.IPPROTO_IPV6}
}

func (o *AddTunnel) vti(dev uint32) netlink.Link {
	local, remote := o.ends()
	return &netlink.Vti{LinkAttrs: o.attrs(), Local: local, Remote: remote, Link: dev, IKey: uint32(o.Key), OKey: uint32(o.Key)}
}

func (o *AddTunnel) ip6tnl(dev uint32) netlink.Link {
	local, remote := o.ends()
	return &netlink.Ip6tnl{LinkAttrs: o.attrs(), Local: local, Remote: remote, Ttl: o.ttl(), Tos: uint8(o.TOS), Link: dev, EncapLimit: encapLimit}
}

// Of IPv6's tunnels the hop limit must be given, and is 64 for `ip` (RFC 2473), which
// also lets packets pass through four more tunnels.
const (
	hopLimit6  = 64
	encapLimit = 4
)

func (o *AddTunnel) ttl() uint8 {
	if _, remote := o.ends(); remote.To4() == nil {
		return uint8(cmp.Or(o.TTL, hopLimit6))
	}
	return uint8(o.TTL)
}

// keyed reports whether packets bear the key, so that tunnels can be told apart by it:
// that of vti is a mark for IPsec.
func (o *AddTunnel) keyed() bool {
	return tunnelKinds[o.Kind].keyed && o.Kind != "vti" && o.Kind != "vti6"
}

func (o *AddTunnel) twin() string {
	what := fmt.Sprintf("%s has a tunnel of kind %s from %s to %s already", quoteNS(o.NS), o.Kind, o.Local, o.Remote)
	if o.keyed() {
		what += "; with a `key` there can be several"
	}
	return what
}

// options are those that a picture has.
func (o *AddTunnel) options() [][2]string {
	list := [][2]string{{"local", o.Local}, {"remote", o.Remote}}
	ttl := o.TTL
	if o.Kind == "sit" || o.Kind == "ip6gre" || o.Kind == "ip6gretap" {
		ttl = cmp.Or(ttl, hopLimit6) // of sit it is the kernel's own default (net/ipv6/sit.c)
	}
	if ttl != 0 && o.Kind != "ip6tnl" {
		list = append(list, [2]string{"ttl", fmt.Sprint(ttl)})
	}
	if o.Key != 0 {
		list = append(list, [2]string{"key", fmt.Sprint(o.Key)})
	}
	return list
}

// allOptions are those that were given.
func (o *AddTunnel) allOptions() [][2]string {
	list := [][2]string{{"local", o.Local}, {"remote", o.Remote}}
	ttl := o.TTL
	if o.Kind == "sit" {
		ttl = cmp.Or(ttl, hopLimit6)
	}
	for _, w := range []struct {
		name  string
		value int
	}{{"ttl", ttl}, {"tos", o.TOS}, {"key", o.Key}} {
		if w.value != 0 {
			list = append(list, [2]string{w.name, fmt.Sprint(w.value)})
		}
	}
	if o.Dev != "" {
		list = append(list, [2]string{"dev", o.Dev})
	}
	return list
}

// Commands are those of `ip link`.
func (o *AddTunnel) Commands() []string {
	return o.commands(kindWords(o.Kind, o.allOptions())...)
}

// Model adds the interface.
func (o *AddTunnel) Model(p *picture.Picture) error {
	var dev *picture.Link
	if o.Dev != "" {
		var err error
		if dev, err = picturedLink(p, o.NS, o.Dev); err != nil {
			return err
		}
	}
	n, err := pictured(p, o.NS)
	if err != nil {
		return err
	}
	for _, l := range n.Links {
		if l.Kind == o.Kind && l.Name != o.Name && l.Option("local") == o.Local && l.Option("remote") == o.Remote && (!o.keyed() || l.Option("key") == optional(o.Key)) {
			return &Error{Msg: o.twin()}
		}
	}
	mtu := tunnelKinds[o.Kind].mtu
	if o.Key != 0 && o.keyed() {
		mtu -= 4 // the key in GRE's header
	}
	l, err := o.model(p, o.Kind, mtu, o.options()...)
	if err != nil {
		return err
	}
	l.Peer = dev
	return o.modelFinish(l)
}

// optional is the text of a number, "" for 0.
func optional(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}
