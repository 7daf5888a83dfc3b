package op

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"nsscript/builtins/kernel/abi"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"nsscript/builtins/kernel"
	"nsscript/builtins/near"
	"nsscript/builtins/picture"
)

// newMAC picks a random unicast address from the locally administered range
// (IEEE 802c). A link on the host is recorded with its address before it is
// made, so that it can be told from all others even if nsscript is ended before
// it could mark it. The first byte is the highest there is: a bridge takes the
// lowest address of its ports, so that one of the machine's own keeps its own.
func newMAC() string {
	mac := make(net.HardwareAddr, 6)
	_, _ = rand.Read(mac) // never fails (crypto/rand)
	mac[0] = 0xfe
	return mac.String()
}

func parseMAC(s string) net.HardwareAddr {
	if s == "" {
		return nil
	}
	mac, err := net.ParseMAC(s)
	if err != nil {
		return nil
	}
	return mac
}

// ref names an existing interface for a netlink request.
func ref(l *kernel.Link) netlink.Link {
	return &netlink.GenericLink{LinkAttrs: netlink.LinkAttrs{Index: l.Index, Name: l.Name}}
}

// FindLink returns the interface called name in a namespace of the lab, or an
// error that names those that there are.
func FindLink(s *System, ns, name string) (kernel.Space, *kernel.Link, error) {
	n, err := s.Peek(ns)
	if err != nil {
		return nil, nil, err
	}
	l, err := findLink(n, ns, name)
	return n, l, err
}

func findLink(n kernel.Space, ns, name string) (*kernel.Link, error) {
	l, err := n.Link(name)
	if errors.Is(err, unix.ENODEV) {
		return nil, noLink(n, ns, name)
	}
	if err != nil {
		return nil, failed(err, "interface %q in %s", name, quoteNS(ns))
	}
	return l, nil
}

func noLink(n kernel.Space, ns, name string) error {
	links, err := n.Links()
	if err != nil {
		return failed(err, "the interfaces of %s", quoteNS(ns))
	}
	names := make([]string, len(links))
	for i, l := range links {
		names[i] = l.Name
	}
	return &Error{Msg: fmt.Sprintf("%s has no interface %q", quoteNS(ns), name), Tip: near.Hint(names, name), Err: unix.ENODEV, Mute: true}
}

// taken is the error of a name that an interface already has, and that an argument
// has given.
func taken(ns, name, argument string) error {
	return takenName(ns, name, fmt.Sprintf("leave out `%s` for the next free one, or choose another", argument))
}

func takenName(ns, name, tip string) error {
	return &Error{Msg: fmt.Sprintf("%s already has an interface %q", quoteNS(ns), name), Tip: tip, Err: unix.EEXIST, Mute: true}
}

// mark writes the lab's mark on an interface that stands in a namespace that is
// not the lab's.
func (s *System) mark(ns string, h *netlink.Handle, l netlink.Link) error {
	if s.Owned(ns) {
		return nil
	}
	return h.LinkSetAlias(l, s.Mark)
}

// SetLink changes properties of an interface; nil leaves one as it is.
type SetLink struct {
	NS     string  `json:"ns"`
	Name   string  `json:"name"`
	Rename *string `json:"rename,omitempty"`
	MAC    *string `json:"mac,omitempty"`
	MTU    *int    `json:"mtu,omitempty"`    // bytes
	Master *string `json:"master,omitempty"` // name of a bridge, bond or VRF; "" to leave it
	Up     *bool   `json:"up,omitempty"`
	// Of a port: whether frames may go to no other isolated port, and whether they may
	// leave where they came in.
	Isolated *bool `json:"isolated,omitempty"`
	Hairpin  *bool `json:"hairpin,omitempty"`

	before *SetLink // how it was
}

func upDown(up bool) string {
	if up {
		return "up"
	}
	return "down"
}

// Commands is `ip link set`.
func (o *SetLink) Commands() []string {
	words := []string{"link", "set", "dev", o.Name}
	if o.MAC != nil {
		words = append(words, "address", *o.MAC)
	}
	if o.MTU != nil {
		words = append(words, "mtu", fmt.Sprint(*o.MTU))
	}
	if o.Master != nil {
		if *o.Master == "" {
			words = append(words, "nomaster")
		} else {
			words = append(words, "master", *o.Master)
		}
	}
	if o.Up != nil {
		words = append(words, upDown(*o.Up))
	}
	if o.Rename != nil {
		words = append(words, "name", *o.Rename)
	}
	cmds := o.portCommands()
	if len(words) > 4 {
		cmds = append([]string{ip(o.NS, words...)}, cmds...)
	}
	return cmds
}

// Inside is the namespace of the interface.
func (o *SetLink) Inside() []string { return []string{o.NS} }

// Model changes the interface.
func (o *SetLink) Model(p *picture.Picture) error {
	l, err := picturedLink(p, o.NS, o.Name)
	if err != nil {
		return err
	}
	if err := modelOurs(l); err != nil {
		return err
	}
	if o.MAC != nil {
		l.SetMAC(*o.MAC)
	}
	if o.MTU != nil {
		l.SetMTU(*o.MTU)
	}
	if o.Master != nil {
		if *o.Master == "" {
			l.SetMaster(nil)
		} else if err := modelMaster(l, *o.Master); err != nil {
			return err
		}
	}
	if (o.Isolated != nil || o.Hairpin != nil) && (l.Master == nil || l.Master.Kind != "bridge") {
		return noPort(o.NS, o.Name)
	}
	if o.Up != nil {
		l.SetUp(*o.Up)
	}
	if o.Rename != nil && l.Rename(*o.Rename) != nil {
		return takenName(o.NS, *o.Rename, "")
	}
	return nil
}

// modelOurs refuses to change what there is in a namespace that is not the lab's.
func modelOurs(l *picture.Link) error {
	if !l.NS.Owned && l.Kind == "loopback" {
		return NotOurs(l.NS.Name, fmt.Sprintf("interface %q", l.Name))
	}
	return nil
}

// DelLink deletes an interface.
type DelLink struct {
	NS   string `json:"ns"`
	Name string `json:"name"`
}

// Undo does nothing: what was deleted was the lab's own.
func (o *DelLink) Undo(context.Context, *System) error { return nil }

// Commands is `ip link del`.
func (o *DelLink) Commands() []string { return []string{ip(o.NS, "link", "del", "dev", o.Name)} }

// Inside is the namespace of the interface.
func (o *DelLink) Inside() []string { return []string{o.NS} }

// Model removes the interface and what goes with it.
func (o *DelLink) Model(p *picture.Picture) error {
	l, err := picturedLink(p, o.NS, o.Name)
	if err != nil {
		return err
	}
	if err := modelOurs(l); err != nil {
		return err
	}
	l.Delete()
	return nil
}

// MoveLink moves an interface to another namespace, where it is brought up
// again if it was up; its addresses and routes are lost, as with
// `ip link set netns`.
type MoveLink struct {
	NS   string `json:"ns"`
	Name string `json:"name"`
	To   string `json:"to"`
	Up   bool   `json:"up"` // filled in by Prepare
}

// Prepare notes whether the interface is up.
func (o *MoveLink) Prepare(s *System) error {
	_, l, err := FindLink(s, o.NS, o.Name)
	if err != nil {
		return err
	}
	if !s.mine(o.NS, l) {
		return NotOurs(o.NS, fmt.Sprintf("interface %q", o.Name))
	}
	o.Up = l.Up()
	return nil
}

// Commands is `ip link set netns`.
func (o *MoveLink) Commands() []string {
	cmd := ip(o.NS, "link", "set", "dev", o.Name, "netns")
	if o.To == Host {
		cmd += " $$" // the namespace of the shell that runs this
	} else {
		cmd += " " + ShellWord(o.To)
	}
	cmds := []string{cmd}
	if o.Up {
		cmds = append(cmds, ip(o.To, "link", "set", "dev", o.Name, "up"))
	}
	return cmds
}

// Inside is where the interface went.
func (o *MoveLink) Inside() []string { return []string{o.To} }

// taken is the error of a name that an interface has where this one goes.
func (o *MoveLink) taken() error {
	return untouched(takenName(o.To, o.Name, "rename one of them first: link.set(name = …)"))
}

// Model moves the interface.
func (o *MoveLink) Model(p *picture.Picture) error {
	l, err := picturedLink(p, o.NS, o.Name)
	if err != nil {
		return err
	}
	if err := modelOurs(l); err != nil {
		return err
	}
	to, err := pictured(p, o.To)
	if err != nil {
		return err
	}
	if l.Move(to) != nil {
		return o.taken()
	}
	l.SetUp(o.Up)
	return nil
}

// masterError words why an interface cannot become a port.
func masterError(err error, port, master string) error {
	if errors.Is(err, abi.Full) || errors.Is(err, unix.ENOBUFS) || errors.Is(err, unix.ENOSPC) {
		return &Error{
			Msg: fmt.Sprintf("bridge %q is full: a Linux bridge holds 1,023 ports", master), Err: err, Mute: true,
			Tip: "use several bridges and connect them",
		}
	}
	e := &Error{Msg: fmt.Sprintf("making interface %q a port of %q", port, master), Err: err}
	switch {
	case errors.Is(err, unix.ELOOP):
		e.Msg, e.Mute = fmt.Sprintf("a bridge cannot be a port: making %q one of %q", port, master), true
		e.Tip = "connect two bridges with a cable: veth(br0, br1)"
	case errors.Is(err, unix.EOPNOTSUPP):
		e.Msg, e.Mute = fmt.Sprintf("interface %q is neither a bridge nor another kind that has ports", master), true
	case errors.Is(err, unix.EBUSY):
		e.Tip = busyTip
	}
	return e
}
