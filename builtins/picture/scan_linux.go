package picture

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"nsscript/builtins/kernel"
	"nsscript/builtins/kernel/abi"
)

func (s *scan) read(ctx context.Context, n *Namespace, src Source, o ScanOptions) error {
	links, err := src.NS.Links()
	if err != nil {
		return err
	}
	s.links(n, src, links)
	addrs, err := src.NS.Addrs(0)
	if err != nil {
		return err
	}
	for _, a := range addrs {
		if l := n.byIndex(a.Link); l != nil && !madeByKernel(a, s.raw[l]) {
			l.Addrs = append(l.Addrs, a)
			n.v6 = n.v6 || a.Prefix.Addr().Is6()
		}
	}
	routes, err := src.NS.RoutesOver(links)
	if err != nil {
		return err
	}
	for _, r := range routes {
		if !automatic(&r) && n.shows(&r) {
			n.Routes = append(n.Routes, r)
		}
	}
	if n.Rules, err = src.NS.Rules(); err != nil {
		return err
	}
	if err := n.readSysctls(src.NS, o.Sysctls); err != nil {
		return err
	}
	if o.Settings {
		if err := n.readSettings(src.NS, s.fresh); err != nil {
			return err
		}
	}
	if o.Chosen {
		n.readSysfs(src.NS)
		s.details(n)
		if err := n.readChosen(src.NS); err != nil {
			return err
		}
	}
	if o.Services && !src.Empty {
		if err := n.readServices(src.NS); err != nil {
			return err
		}
	}
	return n.readTables(ctx, src.NS, o.Iptables)
}

func (s *scan) links(n *Namespace, src Source, links []kernel.Link) {
	masters := map[*Link]int{}
	for _, k := range links {
		if src.Shows != nil && !src.Shows(k) {
			continue
		}
		state := k.State
		if state != "unknown" {
			state = k.OperState()
		}
		l := &Link{NS: n, Name: k.Name, Index: k.Index, Kind: k.Kind, MAC: k.MAC.String(), address: k.MAC.String(), MTU: k.MTU, Up: k.Up(), state: state, wired: k.Flags&abi.LinkLowerUp != 0, Options: k.Options, Alias: k.Alias, AltNames: k.AltNames}
		if l.Kind == "loopback" {
			l.MAC = ""
		}
		n.Links = append(n.Links, l)
		n.lastIndex = max(n.lastIndex, l.Index)
		s.raw[l] = k
		masters[l] = k.Master
	}
	slices.SortFunc(n.Links, func(a, b *Link) int { return a.Index - b.Index })
	for l, index := range masters {
		if index != 0 {
			l.Master = n.byIndex(index)
		}
	}
}

// connect finds the other ends of cables, and the devices that others stand on.
func (s *scan) connect(p *Picture) {
	type pair struct{ index, peer int }
	ends := map[pair][]*Link{}
	for _, n := range p.Namespaces {
		for _, l := range n.Links {
			ends[pair{l.Index, s.raw[l].Peer}] = append(ends[pair{l.Index, s.raw[l].Peer}], l)
		}
	}
	for _, n := range p.Namespaces {
		for _, l := range n.Links {
			k := s.raw[l]
			switch {
			case l.Peer != nil || k.Peer == 0:
			case k.Kind == "veth":
				for _, o := range ends[pair{k.Peer, k.Index}] {
					if o != l && o.Kind == "veth" && o.Peer == nil && s.of[n].PeerIn(&k, s.of[o.NS]) {
						l.Peer, o.Peer = o, l
						break
					}
				}
			case k.PeerNetNS < 0:
				l.standOn(n.byIndex(k.Peer))
			default:
				for _, o := range p.Namespaces {
					if s.of[n].PeerIn(&k, s.of[o]) {
						l.standOn(o.byIndex(k.Peer))
						break
					}
				}
			}
		}
	}
}

// bridgeSettings are what a bridge, and its ports, can be set to, and what is usual; times
// are in hundredths of a second (net/bridge/br_device.c).
var bridgeSettings = []struct{ file, option, usual string }{
	{"bridge/stp_state", "stp_state", "0"},
	{"bridge/priority", "priority", "32768"}, // IEEE 802.1D
	{"bridge/forward_delay", "forward_delay", "1500"},
	{"bridge/hello_time", "hello_time", "200"},
	{"bridge/max_age", "max_age", "2000"},
	{"bridge/ageing_time", "ageing_time", "30000"},
	{"bridge/multicast_snooping", "mcast_snooping", "1"},
	{"brport/isolated", "isolated", "0"},
	{"brport/hairpin_mode", "hairpin", "0"},
}

// readSysfs leaves out the link-layer addresses that the kernel has picked, and notes
// what bridges and their ports are set to. Where /sys cannot be read, all
// addresses count as chosen by nobody.
func (n *Namespace) readSysfs(ns *kernel.NetNS) {
	sys, err := ns.Sysfs()
	if err == nil {
		defer sys.Close()
	}
	for _, l := range n.Links {
		if err != nil || sys.Of(l.Name, "addr_assign_type") != kernel.AddressSet {
			l.MAC = ""
		}
		if err != nil || l.Kind != "bridge" && l.Master == nil {
			continue
		}
		var set [][2]string
		for _, s := range bridgeSettings {
			if v := sys.Of(l.Name, s.file); v != "" && v != s.usual {
				set = append(set, [2]string{s.option, v})
			}
		}
		l.Options = slices.Concat(set, l.Options)
	}
}

// readChosen reads what somebody has chosen and what is neither an interface, an address
// nor a route.
func (n *Namespace) readChosen(ns *kernel.NetNS) error {
	neighbors, err := ns.Neighbors()
	if err != nil {
		return err
	}
	for _, e := range neighbors {
		if e.State == "PERMANENT" && n.Link(e.Dev) != nil {
			n.Neighbors = append(n.Neighbors, e)
		}
	}
	// The kernel keeps them in no order.
	slices.SortFunc(n.Neighbors, func(a, b kernel.Neigh) int { return cmp.Or(strings.Compare(a.Dev, b.Dev), a.IP.Compare(b.IP)) })
	if slices.ContainsFunc(n.Links, func(l *Link) bool { return l.Option("vlan_filtering") != "" }) {
		vlans, err := ns.PortVLANs()
		if err != nil {
			return err
		}
		for _, l := range n.Links {
			l.VLANs = vlans[l.Index]
		}
	}
	queues, err := ns.Queues()
	for index, kind := range queues {
		l := n.byIndex(index)
		if l == nil {
			continue
		}
		if shape, shaped, err := ns.ShapeOf(index); err == nil && shaped {
			l.Shape = &shape
		} else {
			l.Queue = kind
		}
	}
	return err
}

// readTables reads the packet filters, if a finder of the programs is given.
func (n *Namespace) readTables(ctx context.Context, ns *kernel.NetNS, finder *kernel.IptablesFinder) error {
	if finder == nil {
		return nil
	}
	for _, v6 := range []bool{false, true} {
		x, err := finder.Find(v6)
		var missing *kernel.MissingError
		if errors.As(err, &missing) {
			continue // without the program there are no rules of its making
		}
		if err != nil {
			return err
		}
		names, err := x.Tables(ns)
		if err != nil {
			return err
		}
		for _, name := range names {
			listed, err := x.ListChains(ctx, ns, name)
			if err != nil {
				return err
			}
			t := &Table{V6: v6, Name: name}
			for _, c := range listed {
				chain := &Chain{Name: c.Name, Policy: c.Policy}
				for _, r := range c.Rules {
					chain.Rules = append(chain.Rules, r.Spec)
				}
				t.Chains = append(t.Chains, chain)
			}
			n.Tables = append(n.Tables, t)
		}
	}
	return nil
}

// Scan reads namespaces from the kernel. Not pictured is what the kernel makes by
// itself for every interface: link-local IPv6 addresses, and the routes to them and to
// groups. A namespace that ends meanwhile is left out.
func Scan(ctx context.Context, lab string, sources []Source, o ScanOptions) (*Picture, error) {
	p := &Picture{Lab: lab, byName: map[string]*Namespace{}}
	s := scan{raw: map[*Link]kernel.Link{}, of: map[*Namespace]*kernel.NetNS{}}
	if o.Settings {
		s.fresh = freshSettings()
	}
	read, err := s.readAll(ctx, sources, o)
	if err != nil {
		return nil, err
	}
	for i, src := range sources {
		one := read[src.NS.ID()]
		switch {
		case one.gone:
		case one.first == i:
			p.Namespaces, s.of[one.n] = append(p.Namespaces, one.n), src.NS
			maps.Copy(s.raw, one.raw)
			fallthrough
		default:
			p.byName[src.Name] = one.n
		}
	}
	s.connect(p)
	return p, nil
}

// reading is a namespace while it is read.
type reading struct {
	scan
	n     *Namespace
	first int  // of the sources that are this namespace
	gone  bool // it ended meanwhile
}

// readAll reads the namespaces that are the sources, several at a time.
func (s *scan) readAll(ctx context.Context, sources []Source, o ScanOptions) (map[kernel.NSID]*reading, error) {
	all := map[kernel.NSID]*reading{}
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, src := range sources {
		if all[src.NS.ID()] != nil {
			continue
		}
		one := &reading{scan: scan{raw: map[*Link]kernel.Link{}, fresh: s.fresh}, first: i,
			n: &Namespace{Name: src.Name, Owned: src.Owned, Note: src.Note, Sysctls: map[string]string{}, scanned: true}}
		all[src.NS.ID()] = one
		group.Go(func() error {
			err := one.read(ctx, one.n, src, o)
			if one.gone = errors.Is(err, kernel.ErrClosed) || kernel.IsGone(err); one.gone {
				return nil
			}
			return err
		})
	}
	return all, group.Wait()
}
