package picture

import (
	"bytes"
	"errors"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"

	"nsscript/builtins/kernel"
	"nsscript/builtins/kernel/abi"
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
	// Chosen has link-layer addresses left out that nobody has chosen, and reads all that
	// somebody may have chosen besides: what the kernel tells in /sys alone, neighbours
	// that were entered for good, the VLANs of ports, and how what is sent is shaped.
	Chosen   bool
	Services bool // read what listens
}

// scan is what is known while a picture is read.
type scan struct {
	raw map[*Link]kernel.Link
	of  map[*Namespace]*kernel.NetNS

	fresh map[string]string // parameters of a new namespace
}

// madeByKernel reports whether an address is one that each interface is given: a
// link-local one which follows from the interface's own address (RFC 4291, appendix A; an
// ipvlan's has a number in its middle) or, by a setting, from a secret (RFC 7217), or on
// what is no Ethernet from chance.
func madeByKernel(a kernel.Addr, of kernel.Link) bool {
	if !a.Prefix.Addr().Is6() || !a.Prefix.Addr().IsLinkLocalUnicast() {
		return false
	}
	if of.Encap != "ether" || len(of.MAC) != 6 || a.Flags&abi.AddrStablePrivacy != 0 {
		return true
	}
	b := a.Prefix.Addr().As16()
	return b[11] == 0xff && b[12] == 0xfe || bytes.Equal(b[9:11], of.MAC[1:3]) && bytes.Equal(b[13:], of.MAC[3:])
}

// likeKernels reports whether an address looks like one that each interface is given.
// Whose it is, is not known in a picture that was not read from the kernel.
func (l *Link) likeKernels(a kernel.Addr) bool {
	b := a.Prefix.Addr().As16()
	return a.Prefix.Addr().Is6() && a.Prefix.Addr().IsLinkLocalUnicast() && (encaps[l.Kind] != "" || b[11] == 0xff && b[12] == 0xfe)
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

// standOn notes the device that an interface stands on, if it is in the picture.
func (l *Link) standOn(lower *Link) {
	if lower != nil {
		l.Peer = lower
		lower.uppers = append(lower.uppers, l)
	}
}

// readSysctls reads parameters. One that the kernel does not have is left out.
func (n *Namespace) readSysctls(ns *kernel.NetNS, keys []string) error {
	for _, key := range keys {
		value, err := ns.ReadSysctl(key)
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
