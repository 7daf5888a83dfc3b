package op

import (
	"cmp"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

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

func (o *NewLink) taken() error {
	e := takenName(o.NS, o.Name, "choose another name")
	return untouched(e)
}

// busyTip says why an interface is busy (EBUSY).
const busyTip = "only one can have an interface's packets: the bridge that it is a port of, macvlans or ipvlans on it"

// refused words an error that only the kernel can explain.
func (o *NewLink) refused(err error, kind string) error {
	e := &Error{Msg: fmt.Sprintf("%s %q in %s", kind, o.Name, quoteNS(o.NS)), Err: err}
	if errors.Is(err, unix.EBUSY) {
		e.Tip = busyTip
	}
	return e
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
	switch {
	case errors.Is(err, unix.EEXIST):
		return nil, o.taken()
	case err != nil:
		return nil, o.refused(err, kind)
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
