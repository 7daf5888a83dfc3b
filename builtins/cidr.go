package builtins

import (
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"sync"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

var cidrSpecs = []spec{{
	sig: "cidr(s)",
	doc: cidrDoc,
	run: func(c *call) (starlark.Value, error) {
		var n Network
		if err := c.unpack(&n); err != nil {
			return nil, err
		}
		return n, nil
	},
}}

// Network is a block of addresses.
type Network struct{ p netip.Prefix }

var (
	_ starlark.HasAttrs   = Network{}
	_ starlark.Iterable   = Network{}
	_ starlark.HasBinary  = Network{}
	_ starlark.Comparable = Network{}
)

func (n *Network) unpack(_ *Session, v starlark.Value) error {
	switch v := v.(type) {
	case Network:
		*n = v
		return nil
	case Address:
		*n = Network{v.p.Masked()}
		return nil
	case starlark.String:
		if p, err := netip.ParsePrefix(string(v)); err == nil {
			*n = Network{p.Masked()}
			return nil
		}
		if _, err := netip.ParseAddr(string(v)); err == nil {
			return badArg(fmt.Sprintf("write %q or the like", string(v)+"/24"), "%q has no prefix length", string(v))
		}
	}
	return want(`a network such as "10.0.0.0/24"`, v)
}

func (n Network) String() string        { return n.p.String() }
func (n Network) Type() string          { return "Network" }
func (n Network) Freeze()               {}
func (n Network) Truth() starlark.Bool  { return true }
func (n Network) Hash() (uint32, error) { return starlark.String(n.p.String()).Hash() }

// CompareSameType orders networks by address, then by prefix length.
func (n Network) CompareSameType(op syntax.Token, y starlark.Value, _ int) (bool, error) {
	return comparePrefixes(op, n.p, y.(Network).p)
}

func comparePrefixes(op syntax.Token, a, b netip.Prefix) (bool, error) {
	c := a.Addr().Compare(b.Addr())
	if c == 0 {
		c = a.Bits() - b.Bits()
	}
	switch op {
	case syntax.EQL:
		return c == 0, nil
	case syntax.NEQ:
		return c != 0, nil
	case syntax.LT:
		return c < 0, nil
	case syntax.LE:
		return c <= 0, nil
	case syntax.GT:
		return c > 0, nil
	default:
		return c >= 0, nil
	}
}

// Binary is `x in network`.
func (n Network) Binary(op syntax.Token, y starlark.Value, side starlark.Side) (starlark.Value, error) {
	if op != syntax.IN || side == starlark.Left {
		return nil, nil
	}
	ok, err := n.contains(y)
	return starlark.Bool(ok), err
}

func (n Network) contains(v starlark.Value) (bool, error) {
	switch v := v.(type) {
	case Address:
		return n.p.Contains(v.p.Addr()), nil
	case Network:
		return n.p.Bits() <= v.p.Bits() && n.p.Contains(v.p.Addr()), nil
	case starlark.String:
		if a, err := netip.ParseAddr(string(v)); err == nil {
			return n.p.Contains(a), nil
		}
		if p, err := netip.ParsePrefix(string(v)); err == nil {
			return n.p.Bits() <= p.Bits() && n.p.Contains(p.Addr()), nil
		}
	case linkValue:
		addrs, err := v.link().addrs()
		if err != nil {
			return false, err
		}
		for _, a := range addrs {
			if n.p.Contains(a.Prefix.Addr()) {
				return true, nil
			}
		}
		return false, nil
	}
	return false, want(`an address, or a network such as "10.0.0.0/24"`, v)
}

// AttrNames lists the fields and methods.
func (n Network) AttrNames() []string {
	return attrNames(networkFields, networkMethods)
}

// labless is a session for methods that only compute.
var labless = sync.OnceValue(func() *Session { return &Session{bound: map[*spec]*builtin{}} })

// Attr returns a field or method.
func (n Network) Attr(name string) (starlark.Value, error) {
	if f, ok := networkFields[name]; ok {
		return f(n), nil
	}
	if m := labless().method(n, name, networkMethods); m != nil {
		return m, nil
	}
	return nil, noAttr(n, name)
}

var networkFields = map[string]func(Network) starlark.Value{
	"prefix":  func(n Network) starlark.Value { return starlark.MakeInt(n.p.Bits()) },
	"version": func(n Network) starlark.Value { return version(n.p.Addr()) },
	"ip":      func(n Network) starlark.Value { return starlark.String(n.p.Addr().String()) },
	"network": func(n Network) starlark.Value { return n },
	"netmask": func(n Network) starlark.Value { return starlark.String(maskOf(n.p).String()) },
	"broadcast": func(n Network) starlark.Value {
		if n.p.Addr().Is6() {
			return starlark.None
		}
		return starlark.String(n.last().String())
	},
}

var networkMethods = []spec{
	{sig: "host(network, n)", doc: networkHostDoc, run: networkHost},
	{sig: "subnets(network, prefix)", doc: networkSubnetsDoc, run: networkSubnets},
	{
		sig: "contains(network, x)", doc: networkContainsDoc,
		run: func(c *call) (starlark.Value, error) {
			ok, err := c.args[0].(Network).contains(c.args[1])
			if err != nil {
				return nil, &argError{"x", err}
			}
			return starlark.Bool(ok), nil
		},
	},
}

func version(a netip.Addr) starlark.Value {
	if a.Is4() {
		return starlark.MakeInt(4)
	}
	return starlark.MakeInt(6)
}

func maskOf(p netip.Prefix) netip.Addr {
	ones := new(big.Int).Lsh(big.NewInt(1), uint(p.Addr().BitLen()))
	ones.Sub(ones, big.NewInt(1))
	host := new(big.Int).Lsh(big.NewInt(1), uint(p.Addr().BitLen()-p.Bits()))
	return addrFromInt(ones.Sub(ones, host.Sub(host, big.NewInt(1))), p.Addr().Is4())
}

func addrToInt(a netip.Addr) *big.Int { return new(big.Int).SetBytes(a.AsSlice()) }

func addrFromInt(i *big.Int, v4 bool) netip.Addr {
	b := make([]byte, 16)
	if v4 {
		b = make([]byte, 4)
	}
	a, _ := netip.AddrFromSlice(i.FillBytes(b))
	return a
}

// size is the number of addresses.
func (n Network) size() *big.Int {
	return new(big.Int).Lsh(big.NewInt(1), uint(n.p.Addr().BitLen()-n.p.Bits()))
}

func (n Network) at(i *big.Int) netip.Addr {
	return addrFromInt(new(big.Int).Add(i, addrToInt(n.p.Addr())), n.p.Addr().Is4())
}

func (n Network) last() netip.Addr {
	return n.at(new(big.Int).Sub(n.size(), big.NewInt(1)))
}

// hosts returns the first and the last number of a host: the network's own
// address is none, nor is IPv4's broadcast address; in a network of one or two
// addresses all are hosts (RFC 3021, RFC 6164).
func (n Network) hosts() (first, last *big.Int) {
	size := n.size()
	last = new(big.Int).Sub(size, big.NewInt(1))
	if size.Cmp(big.NewInt(2)) <= 0 {
		return big.NewInt(0), last
	}
	if n.p.Addr().Is4() {
		last.Sub(last, big.NewInt(1))
	}
	return big.NewInt(1), last
}

// networkHost is network.host(n): the n-th address; counted from the end where n
// is negative, -1 being the last host.
func networkHost(c *call) (starlark.Value, error) {
	n := c.args[0].(Network)
	k, ok := c.args[1].(starlark.Int)
	if !ok {
		return nil, &argError{"n", want("a whole number", c.args[1])}
	}
	i := k.BigInt()
	first, last := n.hosts()
	if i.Sign() < 0 {
		i.Add(i, last).Add(i, big.NewInt(1))
	}
	if i.Sign() < 0 || i.Cmp(n.size()) >= 0 {
		return nil, badArg(fmt.Sprintf("its hosts are numbers %s to %s", first, last), "%s has no address number %s", n, k)
	}
	return Address{netip.PrefixFrom(n.at(i), n.p.Bits())}, nil
}

// maxSubnets bounds what one call of subnets returns.
const maxSubnets = 1 << 16

// networkSubnets is network.subnets(prefix): the networks of that length in it.
func networkSubnets(c *call) (starlark.Value, error) {
	n := c.args[0].(Network)
	bits := n.p.Addr().BitLen()
	var prefix int
	if err := readInt(c.args[1], &prefix, n.p.Bits(), bits, ""); err != nil {
		return nil, &argError{"prefix", badArg("", "want a length from %d to %d for %s, got %s", n.p.Bits(), bits, n, describe(c.args[1]))}
	}
	count := prefix - n.p.Bits()
	if count > 16 {
		return nil, badArg("take them in two steps", "%s has 2^%d subnets of length %d; at most %d are listed", n, count, prefix, maxSubnets)
	}
	list := make([]starlark.Value, 1<<count)
	step := new(big.Int).Lsh(big.NewInt(1), uint(bits-prefix))
	for i := range list {
		list[i] = Network{netip.PrefixFrom(n.at(new(big.Int).Mul(step, big.NewInt(int64(i)))), prefix)}
	}
	return starlark.NewList(list), nil
}

// Iterate gives the addresses of the hosts.
func (n Network) Iterate() starlark.Iterator {
	first, last := n.hosts()
	return &hostIterator{n: n, next: n.at(first), left: new(big.Int).Add(new(big.Int).Sub(last, first), big.NewInt(1))}
}

type hostIterator struct {
	n    Network
	next netip.Addr
	left *big.Int
}

func (it *hostIterator) Next(p *starlark.Value) bool {
	if it.left.Sign() <= 0 {
		return false
	}
	*p = Address{netip.PrefixFrom(it.next, it.n.p.Bits())}
	it.next = it.next.Next()
	it.left.Sub(it.left, big.NewInt(1))
	return true
}

func (it *hostIterator) Done() {}

// Address is an address with the length of its subnet's prefix.
type Address struct{ p netip.Prefix }

var (
	_ starlark.HasAttrs   = Address{}
	_ starlark.Comparable = Address{}
)

func (a Address) String() string        { return a.p.String() }
func (a Address) Type() string          { return "Address" }
func (a Address) Freeze()               {}
func (a Address) Truth() starlark.Bool  { return true }
func (a Address) Hash() (uint32, error) { return starlark.String(a.p.String()).Hash() }

// CompareSameType orders addresses.
func (a Address) CompareSameType(op syntax.Token, y starlark.Value, _ int) (bool, error) {
	return comparePrefixes(op, a.p, y.(Address).p)
}

// AttrNames lists the fields.
func (a Address) AttrNames() []string { return []string{"ip", "network", "prefix", "version"} }

// Attr returns a field.
func (a Address) Attr(name string) (starlark.Value, error) {
	switch name {
	case "ip":
		return starlark.String(a.p.Addr().String()), nil
	case "prefix":
		return starlark.MakeInt(a.p.Bits()), nil
	case "network":
		return Network{a.p.Masked()}, nil
	case "version":
		return version(a.p.Addr()), nil
	}
	return nil, noAttr(a, name)
}

// unpack reads an address with a prefix length.
func (a *Address) unpack(_ *Session, v starlark.Value) error {
	switch v := v.(type) {
	case Address:
		*a = v
	case starlark.String:
		p, err := parseAddress(string(v))
		if err != nil {
			return err
		}
		*a = Address{p}
	default:
		return want(`an address such as "10.0.0.1/24"`, v)
	}
	return checkHost(a.p)
}

func parseAddress(s string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(s)
	if err == nil && p.Addr().Is4In6() {
		return p, badArg(fmt.Sprintf("write %q", p.Addr().Unmap().String()+"/24"), "%q is an IPv4 address in IPv6 writing", s)
	}
	if err == nil {
		return p, nil
	}
	if ip, rest, ok := strings.Cut(s, "%"); ok {
		_, length, _ := strings.Cut(rest, "/")
		return p, badArg(fmt.Sprintf("write %q", strings.TrimSuffix(ip+"/"+length, "/")), "%q names an interface: an address to give has none", s)
	}
	if strings.ContainsAny(s, ", ") {
		return p, badArg(`several stand in a list: ["10.0.0.1/24", "10.0.1.1/24"]`, "%q is no address", s)
	}
	if ip, aerr := netip.ParseAddr(s); aerr == nil {
		length := "/24"
		if ip.Is6() {
			length = "/64"
		}
		return p, badArg(fmt.Sprintf("write %q, or whatever length the subnet has", s+length), "%q has no prefix length", s)
	}
	if ip, length, ok := strings.Cut(s, "/"); ok {
		if a, err := netip.ParseAddr(ip); err == nil {
			if hint := maskHint(ip, length); hint != "" {
				return p, badArg(hint, "%q: a prefix length is a number, not a netmask", s)
			}
			return p, badArg("", "%q: a prefix length is a number from 0 to %d, not %q", s, a.BitLen(), length)
		}
	}
	return p, badArg("", "%q is no address: want one such as \"10.0.0.1/24\" or \"2001:db8::1/64\"", s)
}

// maskHint writes an address with a netmask as one with a prefix length, "" where
// there is no such mask.
func maskHint(ip, mask string) string {
	m := net.ParseIP(mask).To4()
	if m == nil {
		return ""
	}
	ones, bits := net.IPMask(m).Size()
	if bits == 0 {
		return ""
	}
	return fmt.Sprintf("write \"%s/%d\"", ip, ones)
}

// checkHost refuses addresses that no interface can have.
func checkHost(p netip.Prefix) error {
	ip := p.Addr()
	switch {
	case ip.IsMulticast():
		return badArg("", "%s is a multicast address, an interface cannot have it", ip)
	case ip.IsUnspecified():
		return badArg("", "%s stands for no address, an interface cannot have it", ip)
	case ip.Is4() && p.Bits() < 31 && ip == p.Masked().Addr():
		return badArg(fmt.Sprintf("its first host is %s", Address{netip.PrefixFrom(ip.Next(), p.Bits())}),
			"%s is the address of the network itself, not of a host in it", p)
	case ip.Is4() && p.Bits() < 31 && ip == (Network{p.Masked()}).last():
		return badArg("", "%s is the broadcast address of its network, not that of a host", p)
	}
	return nil
}

// addresses is one address or a list of them.
type addresses []string

func (l *addresses) unpack(s *Session, v starlark.Value) error {
	if it, ok := v.(starlark.Iterable); ok {
		if _, isNet := v.(Network); !isNet {
			iter := it.Iterate()
			defer iter.Done()
			var x starlark.Value
			for iter.Next(&x) {
				var a Address
				if err := a.unpack(s, x); err != nil {
					return err
				}
				*l = append(*l, a.String())
			}
			if len(*l) == 0 {
				return badArg("leave it out for none", "the list is empty")
			}
			return nil
		}
	}
	var a Address
	if err := a.unpack(s, v); err != nil {
		return err
	}
	*l = append(*l, a.String())
	return nil
}

const cidrDoc = `
A network, from which addresses and subnets are taken.

What an address has beyond the prefix length is left out: cidr("10.0.0.5/24") is the network 10.0.0.0/24.

s (string | Network | Address): such as "10.0.0.0/24" or "2001:db8::/64"
returns (Network): the network
errors: it is no network
example:
    net = cidr("10.0.0.0/24")
    print(net.host(1), net.netmask, "10.0.0.7" in net)
    #> 10.0.0.1/24 255.255.255.0 True
source: RFC 4632, RFC 4291
`

const networkDoc = `
A network. To iterate over it gives the addresses of its hosts.

ip (string): its own address
prefix (int, bits): the length of the prefix
netmask (string): the same as a mask
broadcast (string | None): the last address; None for IPv6
version (int): 4 or 6
network (Network): itself
example:
    print([a.ip for a in cidr("192.0.2.0/30")])
    #> ["192.0.2.1", "192.0.2.2"]
source: RFC 4632, RFC 4291
`

const networkHostDoc = `
The n-th address of the network.

n (int): 1 is the first host; -1 the last, counted from the end
returns (Address): the address, with the network's prefix length
errors: the network has no address of that number; the message says which it has
example:
    print(cidr("10.0.0.0/24").host(-1))
    #> 10.0.0.254/24
source: RFC 4632, RFC 4291
`

const networkSubnetsDoc = `
The networks of a longer prefix in it, in order.

prefix (int, bits): the length of their prefix
returns (list[Network]): the networks, at most 65,536
errors: the prefix is shorter than the network's, or there are too many
example:
    print(cidr("10.0.0.0/24").subnets(26)[1])
    #> 10.0.0.64/26
source: RFC 4632
`

const networkContainsDoc = `
Tells whether an address or a network lies in it; the same as "x in network".

x (string | Address | Network | Link): a Link does where one of its addresses does
returns (bool): whether it lies in it
errors: x is no address
example:
    print(cidr("10.0.0.0/8").contains("10.1.2.3"))
    #> True
source: RFC 4632
`

const addressDoc = `
An address with the length of its subnet's prefix: 10.0.0.1/24.

ip (string): the address alone
prefix (int, bits): the length of the prefix
network (Network): the subnet that it is in
version (int): 4 or 6
example:
    a = cidr("10.0.0.0/24").host(5)
    print(a.ip, a.network)
    #> 10.0.0.5 10.0.0.0/24
source: RFC 4632, RFC 4291
`
