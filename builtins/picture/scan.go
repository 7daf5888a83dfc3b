package picture

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"

	"nsscript/builtins/kernel"
)

// Source is a namespace of the kernel that a picture is made of.
type Source struct {
	Name  string // what it is called in the picture
	NS    *kernel.NetNS
	Owned bool
	Note  string
	Empty bool // no process lives in it, and nothing listens
	// Shows tells, if set, which interfaces are in the picture.
	Shows func(kernel.Link) bool
}

// ScanOptions say what is read besides interfaces, addresses, routes and rules.
type ScanOptions struct {
	Sysctls  []string // the keys that are read
	Iptables *kernel.IptablesFinder
	// Settings has those kernel parameters read that decide on packets, and of these
	// the ones kept that a new namespace does not have so.
	Settings bool
	// Chosen has link-layer addresses left out that nobody has chosen, and asks for
	// what the kernel tells in /sys alone.
	Chosen   bool
	Services bool // read what listens
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
	for _, src := range sources {
		n := &Namespace{Name: src.Name, Owned: src.Owned, Note: src.Note, Sysctls: map[string]string{}, scanned: true}
		err := s.read(ctx, n, src, o)
		if errors.Is(err, kernel.ErrClosed) || kernel.IsGone(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		p.Namespaces, p.byName[n.Name] = append(p.Namespaces, n), n
		s.of[n] = src.NS
	}
	s.connect(p)
	return p, nil
}

// scan is what is known while a picture is read.
type scan struct {
	raw map[*Link]kernel.Link
	of  map[*Namespace]*kernel.NetNS

	fresh map[string]string // parameters of a new namespace
}

func (s *scan) read(ctx context.Context, n *Namespace, src Source, o ScanOptions) error {
	if err := s.links(n, src); err != nil {
		return err
	}
	addrs, err := src.NS.Addrs(0)
	if err != nil {
		return err
	}
	for _, a := range addrs {
		if l := n.byIndex(a.Link); l != nil && !madeByKernel(a) {
			l.Addrs = append(l.Addrs, a)
			n.v6 = n.v6 || a.Prefix.Addr().Is6()
		}
	}
	routes, err := src.NS.Routes()
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
	}
	if o.Services && !src.Empty {
		if err := n.readServices(src.NS); err != nil {
			return err
		}
	}
	return n.readTables(ctx, src.NS, o.Iptables)
}

func (s *scan) links(n *Namespace, src Source) error {
	links, err := src.NS.Links()
	if err != nil {
		return err
	}
	masters := map[*Link]int{}
	for _, k := range links {
		if src.Shows != nil && !src.Shows(k) {
			continue
		}
		l := &Link{NS: n, Name: k.Name, Index: k.Index, Kind: k.Kind, MAC: k.MAC.String(), MTU: k.MTU, Up: k.Up(), state: k.State, wired: k.Flags&unix.IFF_LOWER_UP != 0, Options: k.Options, Alias: k.Alias}
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
	return nil
}

// madeByKernel reports whether an address is one that each interface is given.
func madeByKernel(a kernel.Addr) bool {
	return a.Prefix.Addr().Is6() && a.Prefix.Addr().IsLinkLocalUnicast()
}

// automatic reports whether a route is one that each interface with IPv6 has, or lo on
// older kernels.
func automatic(r *kernel.Route) bool {
	return r.Family == unix.AF_INET6 && r.Protocol == "kernel" && r.Dst.IsValid() &&
		(r.Dst.Addr().IsLoopback() || r.Dst.Addr().IsLinkLocalUnicast() || r.Dst.Addr().IsMulticast())
}

// shows reports whether the interfaces of a route are in the picture.
func (n *Namespace) shows(r *kernel.Route) bool {
	return !slices.ContainsFunc(r.Hops, func(h kernel.NextHop) bool { return h.Index != 0 && n.byIndex(h.Index) == nil })
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

// standOn notes the device that an interface stands on, if it is in the picture.
func (l *Link) standOn(lower *Link) {
	if lower != nil {
		l.Peer = lower
		lower.uppers = append(lower.uppers, l)
	}
}

// readSysctls reads parameters. One that the kernel does not have is left out.
func (n *Namespace) readSysctls(ns *kernel.NetNS, keys []string) error {
	if len(keys) == 0 {
		return nil
	}
	return ns.Do(func() error {
		for _, key := range keys {
			value, err := kernel.Sysctl{Key: key}.Read()
			var missing *kernel.NoSysctlError
			if errors.As(err, &missing) {
				continue
			}
			if err != nil {
				return err
			}
			n.Sysctls[key] = value
		}
		return nil
	})
}

// readSysfs leaves out the link-layer addresses that the kernel has picked, and notes
// which bridges speak the spanning tree protocol. Where /sys cannot be read, all
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
		if err == nil && l.Kind == "bridge" && sys.Of(l.Name, "bridge/stp_state") != "0" {
			l.Options = slices.Insert(l.Options, 0, [2]string{"stp_state", "1"})
		}
	}
}

// details adds what `ip -d link` says of interfaces besides their options.
func (s *scan) details(n *Namespace) {
	for _, l := range n.Links {
		k := s.raw[l]
		l.Options = slices.Concat(l.Options, k.Details)
		if k.Under != 0 {
			l.standOn(n.byIndex(k.Under))
		}
	}
}

// readServices notes what listens, but for the kernel's own sockets: those of VXLANs.
func (n *Namespace) readServices(ns *kernel.NetNS) error {
	list, err := ns.Listeners()
	for _, listener := range list {
		port := strconv.Itoa(listener.Port)
		own := slices.ContainsFunc(n.Links, func(l *Link) bool {
			return listener.Proto == "udp" && l.Kind == "vxlan" && l.Option("dstport") == port
		})
		if !own {
			n.Services = append(n.Services, listener.Proto+" "+port)
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
