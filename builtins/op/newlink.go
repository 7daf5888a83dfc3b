package op

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"nsscript/builtins/kernel"
	"nsscript/builtins/picture"
)

// NewLink is what the operations that make an interface of one kind or another have
// in common.
type NewLink struct {
	NS    string   `json:"ns"`
	Name  string   `json:"name"`
	Addrs []string `json:"addrs,omitempty"`
	MAC   string   `json:"mac,omitempty"`
	MTU   int      `json:"mtu,omitempty"` // bytes; 0 for the kind's default
	Up    bool     `json:"up"`
	// Stamp is the group of interfaces (ip-link(8)) in which one is made that stands
	// in a namespace which is not the lab's: it can be recognised by that until it
	// bears the lab's mark.
	Stamp uint32 `json:"stamp,omitempty"`
	// Temp is the name that it bears until it is in its namespace, where another has
	// its name in the one that it comes from: old kernels, such as 6.1, look for the
	// name there.
	Temp string `json:"temp,omitempty"`
	Made bool   `json:"made,omitempty"` // set once the kernel has made it
}

// Prepare picks the stamp.
func (o *NewLink) Prepare(s *System) error {
	if s.Owned(o.NS) || s.Planned() {
		return nil
	}
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	o.Stamp = binary.NativeEndian.Uint32(b[:])>>1 | 1
	return nil
}

// Over is the interface that another one stands on.
type Over struct {
	NS  string `json:"ns"`
	Dev string `json:"dev"`
}

// prepareOver is Prepare for an interface that stands on another one.
func (o *NewLink) prepareOver(s *System, over Over) error {
	if err := o.Prepare(s); err != nil || over.NS == o.NS {
		return err
	}
	n, err := s.Look(over.NS)
	if err != nil {
		return err
	}
	if _, err := n.Link(o.Name); err == nil {
		o.Temp = "new-" + strings.ToLower(rand.Text()[:8])
	}
	return nil
}

// attrs are the attributes that an interface is made with.
func (o *NewLink) attrs() netlink.LinkAttrs {
	a := netlink.NewLinkAttrs()
	a.Name, a.MTU, a.HardwareAddr, a.Group = o.Name, o.MTU, parseMAC(o.MAC), o.Stamp
	return a
}

// make has the kernel make an interface that stands on none. twin says, for the kinds
// of which there cannot be two alike, what another one has already.
func (o *NewLink) make(s *System, l netlink.Link, twin string) (*kernel.NetNS, *kernel.Link, error) {
	return o.makeFrom(s, o.NS, l, twin)
}

// makeOver has the kernel make an interface on another one, be it in another
// namespace.
func (o *NewLink) makeOver(s *System, over Over, twin string, link func(netlink.LinkAttrs) netlink.Link) (*kernel.NetNS, *kernel.Link, error) {
	_, lower, err := openLink(s, over.NS, over.Dev)
	if err != nil {
		return nil, nil, err
	}
	attrs := o.attrs()
	attrs.ParentIndex = lower.Index
	if over.NS != o.NS {
		n, err := s.NS(o.NS)
		if err != nil {
			return nil, nil, err
		}
		attrs.Namespace = netlink.NsFd(n.Fd())
	}
	if o.Temp != "" {
		attrs.Name = o.Temp
	}
	return o.makeFrom(s, over.NS, link(attrs), twin)
}

// makeFrom sends the request in the namespace from, and marks what was made.
func (o *NewLink) makeFrom(s *System, from string, l netlink.Link, twin string) (*kernel.NetNS, *kernel.Link, error) {
	n, err := s.NS(o.NS)
	if err != nil {
		return nil, nil, err
	}
	sender, err := s.NS(from)
	if err != nil {
		return nil, nil, err
	}
	h, err := sender.Netlink()
	if err != nil {
		return nil, nil, err
	}
	if err := h.LinkAdd(l); err != nil {
		return nil, nil, o.explain(err, n, l.Type(), twin)
	}
	o.Made = true
	if h, err = n.Netlink(); err != nil {
		return nil, nil, err
	}
	made, err := o.named(n, h)
	if err != nil {
		return nil, nil, err
	}
	if err := s.mark(o.NS, h, ref(made)); err != nil {
		return nil, nil, failed(err, "marking interface %q", o.Name)
	}
	if o.Stamp != 0 {
		if err := h.LinkSetGroup(ref(made), 0); err != nil {
			return nil, nil, failed(err, "interface %q", o.Name)
		}
	}
	return n, made, nil
}

// named finds the interface that was made, and gives it its name.
func (o *NewLink) named(n *kernel.NetNS, h *netlink.Handle) (*kernel.Link, error) {
	if o.Temp != "" {
		made, err := n.Link(o.Temp)
		if err == nil {
			err = h.LinkSetName(ref(made), o.Name)
		}
		if errors.Is(err, unix.EEXIST) {
			// Nothing is to be undone then: what has the name may be the lab's as well.
			if err := h.LinkDel(ref(made)); err != nil {
				return nil, failed(err, "deleting interface %q in %s", o.Temp, quoteNS(o.NS))
			}
			return nil, o.taken()
		}
		if err != nil {
			return nil, failed(err, "naming interface %q in %s", o.Name, quoteNS(o.NS))
		}
	}
	made, err := n.Link(o.Name)
	if err != nil {
		return nil, failed(err, "interface %q in %s", o.Name, quoteNS(o.NS))
	}
	return made, nil
}

// explain says why the kernel has not made the interface.
func (o *NewLink) explain(err error, n kernel.Space, kind, twin string) error {
	if errors.Is(err, unix.EEXIST) {
		if _, lerr := n.Link(o.Name); lerr == nil {
			return o.taken()
		}
		if twin != "" {
			return &Error{Msg: twin, Err: err, Mute: true}
		}
	}
	if lacks := kernel.Lacks(kind, err); lacks != nil {
		return lacks
	}
	return failed(err, "%s %q in %s", kind, o.Name, quoteNS(o.NS))
}

func (o *NewLink) taken() error {
	e := takenName(o.NS, o.Name, "choose another name")
	return untouched(e)
}

// finish gives the interface its addresses and brings it up.
func (o *NewLink) finish(s *System, n *kernel.NetNS, l *kernel.Link) error {
	h, err := n.Netlink()
	if err != nil {
		return err
	}
	for _, a := range o.Addrs {
		if err := addAddr(h, l, o.NS, a); err != nil {
			return err
		}
	}
	if !o.Up {
		return nil
	}
	if err := h.LinkSetUp(ref(l)); err != nil {
		return failed(err, "setting interface %q in %s up", o.Name, quoteNS(o.NS))
	}
	s.awaits(n, l.Index)
	return awaitIPv6(n, l.Index, o.Addrs)
}

// Undo deletes the interface.
func (o *NewLink) Undo(_ context.Context, s *System) error {
	if s.Owned(o.NS) && !o.Made {
		return nil // it may be another one's
	}
	stamped := func(l *kernel.Link) bool { return o.Stamp != 0 && l.Group == o.Stamp }
	if o.Temp != "" {
		if err := removeIf(s, o.NS, o.Temp, stamped); err != nil {
			return err
		}
	}
	return removeIf(s, o.NS, o.Name, stamped)
}

// Inside is the interface's namespace.
func (o *NewLink) Inside() []string { return []string{o.NS} }

// commands are those of `ip link add`, with the words of the kind, and of what
// follows on it.
func (o *NewLink) commands(kind ...string) []string {
	add := ip(o.NS, slices.Concat([]string{"link", "add"}, linkName(o.Name), o.words(), []string{"type"}, kind)...)
	return append([]string{add}, o.finishCommands()...)
}

// commandsOver is commands for an interface that stands on another one.
func (o *NewLink) commandsOver(over Over, kind ...string) []string {
	add := ip(over.NS, append([]string{"link", "add", "link", over.Dev, "name", cmp.Or(o.Temp, o.Name)}, o.words()...)...)
	switch {
	case o.NS == over.NS:
	case o.NS == Host:
		add += " netns $$" // the namespace of the shell that runs this
	default:
		add += " netns " + ShellWord(o.NS)
	}
	add += " type " + sh(kind...)
	cmds := []string{add}
	if o.Temp != "" {
		cmds = append(cmds, ip(o.NS, "link", "set", "dev", o.Temp, "name", o.Name))
	}
	return append(cmds, o.finishCommands()...)
}

func (o *NewLink) words() []string {
	var w []string
	if o.MTU != 0 {
		w = append(w, "mtu", fmt.Sprint(o.MTU))
	}
	if o.MAC != "" {
		w = append(w, "address", o.MAC)
	}
	return w
}

func (o *NewLink) finishCommands() []string {
	var cmds []string
	for _, a := range o.Addrs {
		cmds = append(cmds, addrCommand(o.NS, o.Name, a))
	}
	if o.Up {
		cmds = append(cmds, ip(o.NS, "link", "set", "dev", o.Name, "up"))
	}
	return cmds
}

// model adds the interface to a picture. mtu is that of the kind.
func (o *NewLink) model(p *picture.Picture, kind string, mtu int, options ...[2]string) (*picture.Link, error) {
	n, err := pictured(p, o.NS)
	if err != nil {
		return nil, err
	}
	if o.MTU != 0 {
		mtu = o.MTU
	}
	l, err := n.AddLink(picture.NewLink{Name: o.Name, Kind: kind, MAC: o.MAC, MTU: mtu})
	if err != nil {
		return nil, o.taken()
	}
	l.Options = options
	return l, nil
}

// modelOver is model for an interface that stands on another one.
func (o *NewLink) modelOver(p *picture.Picture, over Over, kind string, options ...[2]string) (*picture.Link, error) {
	n, err := pictured(p, o.NS)
	if err != nil {
		return nil, err
	}
	lower, err := picturedLink(p, over.NS, over.Dev)
	if err != nil {
		return nil, err
	}
	l, err := n.AddUpper(lower, picture.NewLink{Name: o.Name, Kind: kind, MAC: o.MAC, MTU: o.MTU})
	if err != nil {
		return nil, o.taken()
	}
	l.Options = options
	return l, nil
}

// modelFinish gives the pictured interface what finish gives the kernel's.
func (o *NewLink) modelFinish(l *picture.Link) error {
	if err := modelAddrs(l, o.Addrs); err != nil {
		return err
	}
	l.SetUp(o.Up)
	return nil
}
