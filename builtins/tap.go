package builtins

import (
	"errors"
	"net/netip"
	"slices"
	"time"

	"github.com/gopacket/gopacket/layers"
	"golang.org/x/net/bpf"

	"nsscript/builtins/kernel"
	"nsscript/builtins/op"
	"nsscript/builtins/probe/capture"
	"nsscript/builtins/probe/filter"
)

// TapOptions say what is seen of a namespace's packets.
type TapOptions struct {
	Dev     string // the interface; "" or AnyDev for all
	Filter  string // in the language of tcpdump, where the lab's names are hosts
	SnapLen int
	Ring    int           // bytes; 0 for the usual
	Delay   time.Duration // how late packets may come; 0 for the usual
	Each    func(*capture.Packet)
	Idle    func()
}

// AnyDev stands for all interfaces of a namespace.
const AnyDev = "any"

// Tap begins to see the packets of a namespace.
func (s *Session) Tap(ns *Namespace, o TapOptions) (*capture.Tap, error) {
	with, err := s.readTap(ns, o)
	if err != nil {
		return nil, err
	}
	return startTap(ns, with)
}

// startTap begins what readTap has read.
func startTap(ns *Namespace, with capture.Options) (*capture.Tap, error) {
	k, err := ns.ready()
	if err != nil {
		return nil, err
	}
	return capture.Start(k, with)
}

// readTap finds out what is wrong with a tap, before anything is begun.
func (s *Session) readTap(ns *Namespace, o TapOptions) (with capture.Options, err error) {
	if err := ns.alive(); err != nil {
		return with, err
	}
	with = capture.Options{Space: ns.name, SnapLen: o.SnapLen, Ring: o.Ring, Delay: o.Delay, Each: o.Each, Idle: o.Idle}
	kind := filter.AnyDevice
	if o.Dev != "" && o.Dev != AnyDev {
		_, l, err := op.FindLink(s.lab.System(), ns.name, o.Dev)
		if err != nil {
			return with, &argError{"dev", err}
		}
		with.Dev, kind = l.Name, deviceKind(l)
		with.Promiscuous = ns.owned() || l.Alias == s.lab.System().Mark
	}
	if with.Filter, err = s.compileFilter(o.Filter, kind, o.SnapLen); err != nil {
		return with, &argError{"filter", err}
	}
	return with, nil
}

// Devices are the interfaces that a namespace has now, as its packets name them.
func (s *Session) Devices(ns *Namespace) ([]*capture.Device, error) {
	k, err := ns.real()
	if err != nil {
		return nil, err
	}
	links, err := k.Links()
	if err != nil {
		return nil, err
	}
	list := make([]*capture.Device, len(links))
	for i, l := range links {
		list[i] = &capture.Device{Space: ns.name, Name: l.Name, Index: l.Index, Link: capture.LinkOf(l.Encap)}
	}
	return list, nil
}

// deviceKind is what the packets of an interface begin with.
func deviceKind(l *kernel.Link) filter.LinkType {
	if capture.LinkOf(l.Encap) == layers.LinkTypeEthernet {
		return filter.EthernetDevice
	}
	return filter.IPDevice
}

// compileFilter makes a program of a filter; of "" none.
func (s *Session) compileFilter(text string, kind filter.LinkType, snaplen int) ([]bpf.RawInstruction, error) {
	if text == "" {
		return nil, nil
	}
	program, err := filter.Compile(text, filter.Options{Link: kind, SnapLen: uint32(snaplen), Resolve: s.hostAddrs})
	var wrong *filter.Error
	if !errors.As(err, &wrong) {
		return program, err
	}
	problem := wrong.Problem
	if wrong.Err != nil {
		problem = wrong.Err.Error()
	}
	hint := wrong.Hint
	var h interface{ Hint() string }
	if hint == "" && errors.As(wrong.Err, &h) {
		hint = h.Hint()
	}
	if wrong.Word == "" {
		return nil, badArg(hint, "at the end of %q: %s", text, problem)
	}
	return nil, badArg(hint, "%q in column %d of %q: %s", wrong.Word, wrong.Pos+1, text, problem)
}

// hostAddrs are the addresses of a namespace of the lab, by its name in a filter.
func (s *Session) hostAddrs(name string) ([]netip.Addr, error) {
	names := append(s.lab.System().Names(), op.Host)
	if !slices.Contains(names, name) {
		return nil, badArg(nearName(names, name), "the lab has no namespace %q", name)
	}
	list, err := s.lab.Globals(name)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, badArg("", "%s has no address", (&Namespace{name: name}).title())
	}
	ips := make([]netip.Addr, len(list))
	for i, p := range list {
		ips[i] = p.Addr()
	}
	return ips, nil
}
