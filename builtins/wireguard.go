package builtins

import (
	"fmt"
	"net"
	"net/netip"
	"slices"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
	"golang.zx2c4.com/wireguard/wgctrl/wgtypes"

	"nsscript/builtins/op"
)

var wireguardSpecs = []spec{
	{
		sig: "wireguard(ns, name, *, key = None, port = None, fwmark = None, addr = None, mtu = None, up = True)",
		doc: wireguardDoc,
		run: wireguard,
	},
	{
		sig: "wireguard_key()", doc: wireguardKeyDoc,
		run: func(*call) (starlark.Value, error) {
			key, err := wgtypes.GeneratePrivateKey()
			if err != nil {
				return nil, err
			}
			return keyPair(key), nil
		},
	},
}

func keyPair(private wgtypes.Key) *record {
	return &record{kind: "WireguardKey", truth: true, fields: []field{
		{"private", starlark.String(private.String())},
		{"public", starlark.String(private.PublicKey().String())},
	}}
}

// Wireguard is a Link that has a key and peers.
type Wireguard struct{ Link }

var (
	_ starlark.HasAttrs   = (*Wireguard)(nil)
	_ starlark.Comparable = (*Wireguard)(nil)
)

// Type is Wireguard.
func (w *Wireguard) Type() string { return "Wireguard" }

// CompareSameType tells whether two values name one interface.
func (w *Wireguard) CompareSameType(tok syntax.Token, y starlark.Value, depth int) (bool, error) {
	return w.Link.CompareSameType(tok, y, depth)
}

// AttrNames lists fields and methods.
func (w *Wireguard) AttrNames() []string {
	names := append(attrNames(linkFields, linkMethods), attrNames(wireguardFields, wireguardMethods)...)
	slices.Sort(names)
	return slices.Compact(names) // `peer` is a field of other Links
}

// Attr returns a field or a method.
func (w *Wireguard) Attr(name string) (starlark.Value, error) {
	if f, ok := wireguardFields[name]; ok {
		return f(w)
	}
	if m := w.n.s.method(w, name, wireguardMethods); m != nil {
		return m, nil
	}
	return w.attr(w, name)
}

var wireguardFields = map[string]func(*Wireguard) (starlark.Value, error){
	"public_key": func(w *Wireguard) (starlark.Value, error) {
		key, err := w.publicKey()
		return strOrNone(key), err
	},
}

// publicKey is the key by which others know the interface, "" where the lab did not
// make it.
func (w *Wireguard) publicKey() (string, error) {
	if _, err := w.read(); err != nil {
		return "", err
	}
	public := ""
	w.n.s.lab.Made(func(o op.Op) bool {
		add, ok := o.(*op.AddWireguard)
		if ok && add.NS == w.n.name && add.Name == w.name {
			if key, err := wgtypes.ParseKey(add.Key); err == nil {
				public = key.PublicKey().String()
			}
		}
		return false
	})
	return public, nil
}

var wireguardMethods = []spec{{
	sig: "peer(wireguard, key, allowed, *, endpoint = None, keepalive = None, preshared = None)",
	doc: wireguardPeerDoc,
	run: wireguardPeer,
}}

func wireguard(c *call) (starlark.Value, error) {
	var ns *Namespace
	var key wireguardKey
	o := &op.AddWireguard{}
	a := linkArgs{up: true}
	if err := c.unpack(&ns, &a.name, &key, within{&o.Port, 1, 65535, ""}, within{&o.FwMark, 1, 1<<31 - 1, ""}, &a.addr, &a.mtu, &a.up); err != nil {
		return nil, err
	}
	if key == "" {
		private, err := wgtypes.GeneratePrivateKey()
		if err != nil {
			return nil, err
		}
		key = wireguardKey(private.String())
	}
	o.NewLink, o.Key = a.in(ns), string(key)
	return c.made(ns, a.name, o)
}

// wireguardKey is a private or preshared key: as text, or that of a key pair.
type wireguardKey string

func (k *wireguardKey) unpack(_ *Session, v starlark.Value) error {
	if r, ok := v.(*record); ok && r.kind == "WireguardKey" {
		v = r.fields[0].value
	}
	return readKey((*string)(k), v)
}

// peerKey is the key by which a peer is known: as text, of a key pair, or that of the
// interface at the other end.
type peerKey string

func (k *peerKey) unpack(_ *Session, v starlark.Value) error {
	switch x := v.(type) {
	case *record:
		if x.kind == "WireguardKey" {
			v = x.fields[1].value
		}
	case *Wireguard:
		public, err := x.publicKey()
		if err != nil {
			return err
		}
		if public == "" {
			return badArg("give its public key as text", "the key of %q is not known: the lab did not make it", x.name)
		}
		v = starlark.String(public)
	}
	return readKey((*string)(k), v)
}

func readKey(to *string, v starlark.Value) error {
	s, ok := starlark.AsString(v)
	if ok {
		if _, err := wgtypes.ParseKey(s); err == nil {
			*to = s
			return nil
		}
	}
	what := describe(v)
	if ok {
		what = "a string that is none" // a key is not for messages
	}
	return badArg("wireguard_key() makes a pair", "want a key of 32 bytes in base64, as `wg genkey` prints it, got %s", what)
}

func wireguardPeer(c *call) (starlark.Value, error) {
	w, ok := c.args[0].(*Wireguard)
	if !ok {
		return nil, want("a Wireguard", c.args[0])
	}
	if _, err := c.linkArg(); err != nil {
		return nil, err
	}
	var key peerKey
	var preshared wireguardKey
	var allowed, endpoint starlark.Value
	var keepalive duration
	if err := c.unpack(nil, &key, &allowed, &endpoint, &keepalive, &preshared); err != nil {
		return nil, err
	}
	o := &op.SetWireguardPeer{NS: w.n.name, Dev: w.name, Key: string(key), Preshared: string(preshared)}
	nets, err := c.allowedNets(allowed)
	if err != nil {
		return nil, err
	}
	o.Allowed = nets
	if endpoint != nil {
		if o.Endpoint, err = c.peerEndpoint(w.n, endpoint); err != nil {
			return nil, &argError{"endpoint", err}
		}
	}
	o.Keepalive = int(keepalive.std().Seconds())
	if keepalive != 0 && (o.Keepalive < 1 || o.Keepalive > 65535) {
		return nil, &argError{"keepalive", badArg("", "want 1 to 65535 seconds, got %s", keepalive.std())}
	}
	return w, c.do(o)
}

// allowedNets reads the networks behind a peer.
func (c *call) allowedNets(v starlark.Value) ([]string, error) {
	nets, err := c.readNets("allowed", v)
	if err != nil {
		return nil, err
	}
	var list []string
	for _, n := range nets {
		list = append(list, n.String())
	}
	return list, nil
}

// peerEndpoint is where a peer is reached: "ADDRESS:PORT", or a target and a port in a
// tuple.
func (c *call) peerEndpoint(ns *Namespace, v starlark.Value) (string, error) {
	const accepts = `"ADDRESS:PORT", or (target, port)`
	if s, ok := starlark.AsString(v); ok {
		if ap, err := netip.ParseAddrPort(s); err == nil {
			return ap.String(), nil
		}
		return "", want(accepts, v)
	}
	t, ok := v.(starlark.Tuple)
	if !ok || len(t) != 2 {
		return "", want(accepts, v)
	}
	var p port
	if err := p.unpack(c.Session, t[1]); err != nil {
		return "", err
	}
	ips, err := c.targets(ns, t[0])
	if err != nil {
		return "", err
	}
	return net.JoinHostPort(ips[0].String(), fmt.Sprint(int(p))), nil
}

const wireguardDoc = `
An end of a WireGuard network: packets to its peers travel encrypted in UDP packets. Needs no program.

name (string, at most 15 bytes): the interface's name
key (string | WireguardKey): its private key, in base64; left out, a new one
port (int, 1 to 65535): the UDP port at which its peers reach it; left out, a free one
fwmark (int, 1 to 2147483647): the mark that the encrypted packets bear, for rule()
addr (address | list[address]): its addresses
mtu (int, 68 to 65535 bytes): the largest packet; left out, 1420
up (bool): brings it up
returns (Wireguard): the interface
errors: an interface of that name is there already; the key is none; the kernel has no WireGuard (CONFIG_WIREGUARD)
example:
    if kernel.has("wireguard"):
        hub, road = namespace("hub"), namespace("road")
        veth(hub, road, addr = "192.0.2.1/24", peer_addr = "192.0.2.2/24")
        a = wireguard(hub, "wg0", port = 51820, addr = "10.8.0.1/24")
        b = wireguard(road, "wg0", addr = "10.8.0.2/24")
        a.peer(b, "10.8.0.2/32")
        b.peer(a, "10.8.0.0/24", endpoint = "192.0.2.1:51820")
        print(ping(road, "10.8.0.1", timeout = "3s").received)
        #> 1
command: ip -n NS link add NAME type wireguard
    ip netns exec NS wg set NAME private-key FILE listen-port PORT
    ip -n NS link set NAME up
source: wg(8), https://www.wireguard.com/
`

const wireguardKeyDoc = `
A new pair of WireGuard keys.

returns (WireguardKey): the private and the public one
example:
    pair = wireguard_key()
    print(len(pair.private), pair.private == pair.public)
    #> 44 False
command: wg genkey
    wg pubkey
source: wg(8)
`

const wireguardKeyTypeDoc = `
A pair of WireGuard keys.

private (string): for the interface that is to have it
public (string): for its peers
source: wg(8)
`

const wireguardTypeDoc = `
An end of a WireGuard network: a Link that has a key and peers.

is (Link): all that a Link has
public_key (string | None): the key by which its peers know it; None for one that the lab did not make
example:
    if kernel.has("wireguard"):
        wg0 = wireguard(namespace("hub"), "wg0")
        print(wg0.kind, len(wg0.public_key))
        #> wireguard 44
source: wg(8)
`

const wireguardPeerDoc = `
Has the interface know a peer; one that it knows already gets these properties.

key (Wireguard | WireguardKey | string): the other end, or its public key
allowed (address | Network | list): the networks behind the peer: what goes there is sent to it, and what it sends must come from there. Routes are not made
endpoint (string | tuple): where the peer is reached: "192.0.2.1:51820", or (target, port); left out, it calls first
keepalive (duration): how often it sends something when there is nothing to say, in whole seconds, so that NAT routers do not forget it
preshared (string | WireguardKey): a secret that both ends know besides
returns (Wireguard): the interface
errors: the key is none; a network is none
example:
    if kernel.has("wireguard"):
        hub = namespace("hub")
        wg0 = wireguard(hub, "wg0", port = 51820, addr = "10.8.0.1/24")
        for i in range(2):
            wg0.peer(wireguard_key(), "10.8.0.%d/32" % (i + 2), keepalive = "25s")
        print(wg0.name)
        #> wg0
command: ip netns exec NS wg set NAME peer KEY allowed-ips NETWORKS endpoint ADDRESS:PORT
source: wg(8)
`
