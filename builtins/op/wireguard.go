package op

import (
	"fmt"
	"strings"

	"golang.zx2c4.com/wireguard/wgctrl"
	"golang.zx2c4.com/wireguard/wgctrl/wgtypes"

	"nsscript/builtins/kernel"
	"nsscript/builtins/picture"
)

// wireguardMTU is 1500 bytes less the headers of IPv6, UDP and WireGuard.
const wireguardMTU = 1420

// AddWireguard makes an end of a WireGuard network (wg(8)).
type AddWireguard struct {
	NewLink
	Key    string `json:"key"`            // the private one
	Port   int    `json:"port,omitempty"` // UDP; 0 for one that the kernel picks
	FwMark int    `json:"fwmark,omitempty"`
}

// configureWireguard talks to the kernel's WireGuard in a namespace.
func configureWireguard(n *kernel.NetNS, dev string, cfg wgtypes.Config) error {
	return n.Do(func() error {
		c, err := wgctrl.New()
		if err != nil {
			return err
		}
		defer func() { _ = c.Close() }()
		return c.ConfigureDevice(dev, cfg)
	})
}

// Commands are those of `ip link` and `wg`.
func (o *AddWireguard) Commands() []string {
	all := o.commands("wireguard")
	set := InNS(o.NS, "wg", "set", o.Name)
	if o.Port != 0 {
		set += fmt.Sprintf(" listen-port %d", o.Port)
	}
	if o.FwMark != 0 {
		set += fmt.Sprintf(" fwmark %d", o.FwMark)
	}
	set += " private-key /dev/stdin <<< " + ShellWord(o.Key)
	return append([]string{all[0], set}, all[1:]...)
}

// Model adds the interface.
func (o *AddWireguard) Model(p *picture.Picture) error {
	l, err := o.model(p, "wireguard", wireguardMTU)
	if err != nil {
		return err
	}
	return o.modelFinish(l)
}

// SetWireguardPeer has a WireGuard interface know a peer, which it may know already
// with other properties.
type SetWireguardPeer struct {
	NS        string   `json:"ns"`
	Dev       string   `json:"dev"`
	Key       string   `json:"key"`                // the peer's public one
	Allowed   []string `json:"allowed"`            // the networks behind it
	Endpoint  string   `json:"endpoint,omitempty"` // ADDRESS:PORT; "" waits for it to call
	Keepalive int      `json:"keepalive,omitempty"`
	Preshared string   `json:"preshared,omitempty"`
}

// Commands is `wg set`.
func (o *SetWireguardPeer) Commands() []string {
	words := []string{"wg", "set", o.Dev, "peer", o.Key}
	if o.Preshared != "" {
		words = append(words, "preshared-key", "/dev/stdin")
	}
	if o.Endpoint != "" {
		words = append(words, "endpoint", o.Endpoint)
	}
	if o.Keepalive != 0 {
		words = append(words, "persistent-keepalive", fmt.Sprint(o.Keepalive))
	}
	cmd := InNS(o.NS, append(words, "allowed-ips", strings.Join(o.Allowed, ","))...)
	if o.Preshared != "" {
		cmd += " <<< " + ShellWord(o.Preshared)
	}
	return []string{cmd}
}

// Inside is the namespace of the interface.
func (o *SetWireguardPeer) Inside() []string { return []string{o.NS} }

// Model looks whether there is the interface.
func (o *SetWireguardPeer) Model(p *picture.Picture) error {
	_, err := picturedLink(p, o.NS, o.Dev)
	return err
}
