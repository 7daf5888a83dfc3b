//go:build linux

package floor

import (
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
)

// The fat tree of @std//topo.star: with k ports there are k pods of k/2 edges and k/2
// aggregations, (k/2)² cores, and k/2 hosts on a bridge in each edge.

// node is a namespace of the fat tree. The kernel gives the interfaces of a namespace the
// numbers from 1 on, in the order in which they are made.
type node struct {
	*space
	last int // the number of the newest interface
}

func (n *node) next() netlink.LinkAttrs {
	n.last++
	a := named(fmt.Sprintf("eth%d", n.last-2))
	a.Index = n.last
	return a
}

// fatTree is one that is being built.
type fatTree struct {
	*machine
	half  int
	names int // how many namespaces there are
	cores []*node
}

func fatTreeUp(k int) error {
	m, err := newMachine()
	if err != nil {
		return err
	}
	if err := mountNames(); err != nil {
		return err
	}
	t := &fatTree{machine: m, half: k / 2}
	if t.cores, err = t.routers(t.half * t.half); err != nil {
		return err
	}
	for p := range k {
		if err := t.pod(p); err != nil {
			return err
		}
	}
	return nil
}

func fatTreeDown(k int) error { return forget(k*k*k/4 + 5*k*k/4) }

// node makes a namespace.
func (t *fatTree) node(settings map[string]string) (*node, error) {
	s, err := t.namespaceWith(host(t.names), settings)
	t.names++
	return &node{s, 1}, err
}

// routers make namespaces that forward, and share flows among equal ways.
func (t *fatTree) routers(n int) ([]*node, error) {
	settings := map[string]string{
		"net/ipv4/ip_forward":                "1",
		"net/ipv4/conf/all/rp_filter":        "2",
		"net/ipv4/fib_multipath_hash_policy": "1",
		"net/ipv6/fib_multipath_hash_policy": "1",
	}
	var list []*node
	for range n {
		r, err := t.node(settings)
		if err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, nil
}

// part is a network of a pod: of an edge's hosts, or of an aggregation's cables.
func part(pod, i int) netip.Prefix {
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(pod), byte(i), 0}), 24)
}

// cable is the address of an end, 1 or 2, of the i-th cable of a network.
func cable(network netip.Prefix, i, end int) netip.Prefix {
	return netip.PrefixFrom(nth(network, 4*i+end).Addr(), 30)
}

// pod builds a pod and connects it with the cores.
func (t *fatTree) pod(p int) error {
	aggs, err := t.routers(t.half)
	if err != nil {
		return err
	}
	edges, err := t.routers(t.half)
	if err != nil {
		return err
	}
	for a, agg := range aggs {
		net := part(p, t.half+a)
		for e, edge := range edges {
			if err := join(agg, edge, net, e); err != nil {
				return err
			}
		}
		for c := range t.half {
			if err := join(agg, t.cores[a*t.half+c], net, t.half+c); err != nil {
				return err
			}
		}
	}
	for e, edge := range edges {
		if err := t.access(edge, part(p, e)); err != nil {
			return err
		}
	}
	if err := t.podRoutes(p, aggs, edges); err != nil {
		return err
	}
	for _, n := range append(aggs, edges...) {
		n.close()
	}
	return nil
}

// join makes the i-th cable of a network between two namespaces.
func join(a, b *node, network netip.Prefix, i int) error {
	far := &netlink.GenericLink{LinkAttrs: b.next()}
	v := veth(a.next(), far.Name, b.space)
	if err := a.nl.LinkAdd(v); err != nil {
		return err
	}
	return first(
		func() error { return a.nl.AddrAdd(v, address(cable(network, i, 1))) },
		func() error { return b.nl.AddrAdd(far, address(cable(network, i, 2))) },
		func() error { return a.nl.LinkSetUp(v) },
		func() error { return b.nl.LinkSetUp(far) },
	)
}

// first does one thing after the other up to the first error.
func first(steps ...func() error) error {
	for _, do := range steps {
		if err := do(); err != nil {
			return err
		}
	}
	return nil
}

// access gives an edge a bridge with hosts.
func (t *fatTree) access(edge *node, network netip.Prefix) error {
	sw := &netlink.Bridge{LinkAttrs: edge.next()}
	gateway := nth(network, 1)
	if err := first(
		func() error { return edge.nl.LinkAdd(sw) },
		func() error { return edge.nl.AddrAdd(sw, address(gateway)) },
	); err != nil {
		return err
	}
	for i := range t.half {
		h, err := t.node(nil)
		if err != nil {
			return err
		}
		v := veth(edge.next(), "eth0", h.space)
		v.MasterIndex = sw.Index
		if err := first(
			func() error { return edge.nl.LinkAdd(v) },
			func() error { return portUp(edge.nl, v) },
			func() error { return h.nl.AddrAdd(eth0, address(nth(network, i+2))) },
			func() error { return h.nl.LinkSetUp(eth0) },
			func() error { return h.via(everything, gateway.Addr()) },
		); err != nil {
			return err
		}
		h.close()
	}
	return edge.nl.LinkSetUp(sw)
}
