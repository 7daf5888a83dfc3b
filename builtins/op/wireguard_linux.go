package op

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/vishvananda/netlink"
	"golang.zx2c4.com/wireguard/wgctrl/wgtypes"

	"nsscript/builtins/kernel"
)

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
