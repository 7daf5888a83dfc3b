package op

import (
	"context"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/vishvananda/netlink"
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

// Do makes the interface and gives it its key.
func (o *AddWireguard) Do(_ context.Context, s *System) error {
	n, l, err := o.make(s, &netlink.Wireguard{LinkAttrs: o.attrs()}, "")
	if err != nil {
		return err
	}
	key, err := wgtypes.ParseKey(o.Key)
	if err != nil {
		return failed(err, "the key of %q", o.Name)
	}
	cfg := wgtypes.Config{PrivateKey: &key}
	if o.Port != 0 {
		cfg.ListenPort = &o.Port
	}
	if o.FwMark != 0 {
		cfg.FirewallMark = &o.FwMark
	}
	if err := configureWireguard(n, o.Name, cfg); err != nil {
		return failed(err, "configuring %q in %s", o.Name, quoteNS(o.NS))
	}
	return o.finish(s, n, l)
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

// Do tells the kernel of the peer.
func (o *SetWireguardPeer) Do(_ context.Context, s *System) error {
	n, l, err := openLink(s, o.NS, o.Dev)
	if err != nil {
		return err
	}
	if !s.mine(o.NS, l) {
		return NotOurs(o.NS, fmt.Sprintf("interface %q", o.Dev))
	}
	key, err := wgtypes.ParseKey(o.Key)
	if err != nil {
		return failed(err, "the key of a peer of %q", o.Dev)
	}
	peer := wgtypes.PeerConfig{PublicKey: key, ReplaceAllowedIPs: true}
	for _, a := range o.Allowed {
		_, network, err := net.ParseCIDR(a)
		if err != nil {
			return failed(err, "a network of a peer of %q", o.Dev)
		}
		peer.AllowedIPs = append(peer.AllowedIPs, *network)
	}
	if o.Endpoint != "" {
		if peer.Endpoint, err = net.ResolveUDPAddr("udp", o.Endpoint); err != nil {
			return failed(err, "the endpoint of a peer of %q", o.Dev)
		}
	}
	if o.Keepalive != 0 {
		every := time.Duration(o.Keepalive) * time.Second
		peer.PersistentKeepaliveInterval = &every
	}
	if o.Preshared != "" {
		psk, err := wgtypes.ParseKey(o.Preshared)
		if err != nil {
			return failed(err, "the preshared key of a peer of %q", o.Dev)
		}
		peer.PresharedKey = &psk
	}
	if err := configureWireguard(n, o.Dev, wgtypes.Config{Peers: []wgtypes.PeerConfig{peer}}); err != nil {
		return failed(err, "a peer of %q in %s", o.Dev, quoteNS(o.NS))
	}
	return nil
}

// Undo forgets the peer.
func (o *SetWireguardPeer) Undo(_ context.Context, s *System) error {
	n, l, err := openLink(s, o.NS, o.Dev)
	if err != nil || !s.mine(o.NS, l) {
		return nil // the interface is gone, and its peers with it
	}
	key, err := wgtypes.ParseKey(o.Key)
	if err != nil {
		return failed(err, "the key of a peer of %q", o.Dev)
	}
	err = configureWireguard(n, o.Dev, wgtypes.Config{Peers: []wgtypes.PeerConfig{{PublicKey: key, Remove: true, UpdateOnly: true}}})
	if err != nil && !kernel.IsGone(err) {
		return failed(err, "forgetting a peer of %q in %s", o.Dev, quoteNS(o.NS))
	}
	return nil
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
