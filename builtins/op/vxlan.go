package op

import (
	"fmt"
	"net/netip"

	"nsscript/builtins/picture"
)

// AddVXLAN makes the end of an Ethernet that is carried in UDP (RFC 7348).
type AddVXLAN struct {
	NewLink
	VNI      int      `json:"vni"`
	Remotes  []string `json:"remotes,omitempty"` // where unknown frames go: one group or host, or several hosts
	Local    string   `json:"local,omitempty"`
	Dev      string   `json:"dev,omitempty"` // the interface that the packets leave by
	Port     int      `json:"port"`          // UDP
	TTL      int      `json:"ttl,omitempty"`
	Learning bool     `json:"learning"` // it notes behind which host an address is
}

func (o *AddVXLAN) twin() string {
	return fmt.Sprintf("%s has a VXLAN of the number %d and the port %d already", quoteNS(o.NS), o.VNI, o.Port)
}

// options are those that a picture has.
func (o *AddVXLAN) options() [][2]string {
	list := [][2]string{{"id", fmt.Sprint(o.VNI)}}
	if len(o.Remotes) == 1 {
		word := "remote"
		if ip, err := netip.ParseAddr(o.Remotes[0]); err == nil && ip.IsMulticast() {
			word = "group"
		}
		list = append(list, [2]string{word, o.Remotes[0]})
	}
	if o.Local != "" {
		list = append(list, [2]string{"local", o.Local})
	}
	return append(list, [2]string{"dstport", fmt.Sprint(o.Port)})
}

// allOptions are those and the others.
func (o *AddVXLAN) allOptions() [][2]string {
	list := o.options()
	if o.Dev != "" {
		list = append(list, [2]string{"dev", o.Dev})
	}
	if o.TTL != 0 {
		list = append(list, [2]string{"ttl", fmt.Sprint(o.TTL)})
	}
	if !o.Learning {
		list = append(list, [2]string{"nolearning", ""})
	}
	return list
}

// Commands are those of `ip link` and `bridge fdb`.
func (o *AddVXLAN) Commands() []string {
	all := o.commands(kindWords("vxlan", o.allOptions())...)
	cmds := all[:1:1]
	if len(o.Remotes) > 1 {
		for _, r := range o.Remotes {
			cmds = append(cmds, bridgeCommand(o.NS, "fdb", "append", "00:00:00:00:00:00", "dev", o.Name, "dst", r))
		}
	}
	return append(cmds, all[1:]...)
}

// Model adds the interface.
func (o *AddVXLAN) Model(p *picture.Picture) error {
	mtu := 0
	if o.Dev != "" {
		lower, err := picturedLink(p, o.NS, o.Dev)
		if err != nil {
			return err
		}
		mtu = lower.MTU - vxlanHead(o.Remotes, o.Local)
	}
	n, err := pictured(p, o.NS)
	if err != nil {
		return err
	}
	for _, l := range n.Links {
		if l.Kind == "vxlan" && l.Name != o.Name && l.Option("id") == fmt.Sprint(o.VNI) && l.Option("dstport") == fmt.Sprint(o.Port) {
			return &Error{Msg: o.twin()}
		}
	}
	l, err := o.model(p, "vxlan", mtu, o.options()...)
	if err != nil {
		return err
	}
	return o.modelFinish(l)
}

// vxlanHead is how much longer a frame becomes: by Ethernet's, IP's, UDP's and VXLAN's
// headers (linux/if_vxlan.h, VXLAN_HEADROOM).
func vxlanHead(remotes []string, local string) int {
	for _, text := range append([]string{local}, remotes...) {
		if ip, err := netip.ParseAddr(text); err == nil && ip.Is6() {
			return 14 + 40 + 8 + 8
		}
	}
	return 14 + 20 + 8 + 8
}
