package op

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"nsscript/builtins/kernel"
	"nsscript/builtins/near"
	"nsscript/builtins/picture"
)

// AddNamespace makes a network namespace with a name in /run/netns.
type AddNamespace struct {
	Name    string          `json:"name"`
	Forward bool            `json:"forward,omitempty"` // turn IPv4 and IPv6 forwarding on
	Sysctls []kernel.Sysctl `json:"sysctls,omitempty"`
	ID      kernel.NSID     `json:"id"` // filled in by Do
}

// defaults make a namespace answer at once and always
// (Documentation/networking/ip-sysctl.rst): duplicate-address detection would
// delay link-local addresses by a second, and the limit on ICMP errors would turn
// the seventh "host unreachable" into silence.
var defaults = []kernel.Sysctl{
	{Key: "net.ipv4.icmp_ratelimit", Value: "0"},
	{Key: "net.ipv6.icmp.ratelimit", Value: "0"},
	{Key: "net.ipv6.conf.default.accept_dad", Value: "0"},
}

// forwarding turns a namespace into a router.
var forwarding = []kernel.Sysctl{
	{Key: "net.ipv4.ip_forward", Value: "1"},
	{Key: "net.ipv6.conf.all.forwarding", Value: "1"},
}

func (o *AddNamespace) settings() []kernel.Sysctl {
	list := slices.Clone(defaults)
	if o.Forward {
		list = append(list, forwarding...)
	}
	if !HasIPv6() {
		list = slices.DeleteFunc(list, func(s kernel.Sysctl) bool { return strings.HasPrefix(s.Key, "net.ipv6.") })
	}
	return append(list, o.Sysctls...)
}

// HasIPv6 reports whether the kernel was built and started with IPv6.
var HasIPv6 = sync.OnceValue(func() bool {
	_, err := os.Stat("/proc/sys/net/ipv6")
	_, none := os.Stat("/proc/sys/net") // where a lab can only be planned, it does
	return err == nil || none != nil
})

// Commands are `ip netns add` and the namespace's settings.
func (o *AddNamespace) Commands() []string {
	cmds := []string{
		sh("ip", "netns", "add", o.Name),
	}
	cmds = append(cmds, sysctlCommand(o.Name, o.settings()...))
	return append(cmds, ip(o.Name, "link", "set", "lo", "up"))
}

// Inside is nothing: the namespace is a thing of its own.
func (o *AddNamespace) Inside() []string { return nil }

func (o *AddNamespace) exists(tip string) error {
	return &Error{Msg: fmt.Sprintf("there is already a namespace %q", o.Name), Tip: tip, Err: fs.ErrExist, Mute: true}
}

// Model adds the namespace.
func (o *AddNamespace) Model(p *picture.Picture) error {
	n, err := p.Add(o.Name)
	if err != nil {
		return o.exists("choose another name")
	}
	n.Owned = true
	for _, s := range o.Sysctls {
		if _, err := (picture.View{Namespace: n}).ReadSysctl(s.Key); err != nil {
			return SysctlError(o.Name, s.Key, err)
		}
	}
	for _, s := range o.settings() {
		n.SetSysctl(s.Key, s.Value)
	}
	n.Link("lo").SetUp(true)
	return nil
}

// JoinNamespace makes an existing namespace known to the lab.
type JoinNamespace struct {
	Name string      `json:"name"` // what the lab calls it
	PID  int         `json:"pid,omitempty"`
	Job  int         `json:"job,omitempty"` // the process is only planned, the lab's how-manieth
	Path string      `json:"path"`
	ID   kernel.NSID `json:"id"`
	// Same is what the lab calls it already, "" for nothing; filled in by Do, or by who
	// plans it.
	Same string `json:"same,omitempty"`
}

func (o *JoinNamespace) explain(err error) error {
	switch {
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		return &Error{
			Msg: fmt.Sprintf("%s may not be opened", o.Path), Err: err,
			Tip: "in a sandbox only the namespaces of processes inside this lab's sandbox can be joined: start the process with spawn()",
		}
	case o.PID != 0 && errors.Is(err, fs.ErrNotExist):
		return &Error{Msg: fmt.Sprintf("there is no process %d", o.PID)}
	case errors.Is(err, fs.ErrNotExist):
		return &Error{Msg: fmt.Sprintf("there is no namespace at %s", o.Path), Tip: near.Hint(kernelNames(), o.Name)}
	}
	return &Error{Msg: err.Error()}
}

func kernelNames() []string {
	names, err := kernel.NetNSNames()
	if err != nil {
		return nil
	}
	return names
}

// Undo forgets the namespace; it is never deleted.
func (o *JoinNamespace) Undo(_ context.Context, s *System) error {
	s.Detach(o.Name)
	return nil
}

// Commands give the namespace a name, where it has none, so that `ip -n` finds
// it.
func (o *JoinNamespace) Commands() []string {
	switch {
	case o.Job != 0 && o.Same == Host:
		return []string{sh("ip", "netns", "attach", o.Name) + " $$"} // the shell that runs this
	case o.Job != 0 && o.Same != "":
		// By its own name, since the process may not have arrived there yet.
		return named(kernel.NetNSPath(o.Same), o.Name)
	case o.Job != 0:
		return []string{fmt.Sprintf("%s $job%d", sh("ip", "netns", "attach", o.Name), o.Job)}
	case o.PID != 0:
		return []string{sh("ip", "netns", "attach", o.Name, fmt.Sprint(o.PID))}
	case o.Path != kernel.NetNSPath(o.Name):
		return named(o.Path, o.Name)
	}
	return nil
}

// named are the commands that give the namespace of a file a name.
func named(path, name string) []string {
	at := kernel.NetNSPath(name)
	return []string{sh("touch", at), sh("mount", "--bind", path, at)}
}

// Inside is nothing.
func (o *JoinNamespace) Inside() []string { return nil }

// Model adds the namespace, of which nothing more is known, or its other name.
func (o *JoinNamespace) Model(p *picture.Picture) error {
	n := p.Namespace(o.Same)
	var err error
	if n != nil {
		err = p.Alias(o.Name, n)
	} else if n, err = p.Add(o.Name); err == nil {
		n.Link("lo").SetUp(true)
	}
	if err != nil {
		return &Error{Msg: fmt.Sprintf("there is already a namespace %q", o.Name), Err: err, Mute: true}
	}
	return nil
}

// DelNamespace deletes a namespace of the lab before the lab ends.
type DelNamespace struct {
	Name   string   `json:"name"`
	Cables []string `json:"cables,omitempty"` // that lead out of it, filled in by Prepare
}

// Prepare notes the cables. The kernel deletes them a moment after the namespace; until
// then their other ends would look as if they were alive, and keep their names.
func (o *DelNamespace) Prepare(s *System) error {
	ns, err := s.Look(o.Name)
	if err != nil {
		return err
	}
	links, err := ns.Links()
	if err != nil {
		return failed(err, "the interfaces of %s", quoteNS(o.Name))
	}
	o.Cables = nil
	for _, l := range links {
		if l.Kind == "veth" && l.PeerNetNS >= 0 {
			o.Cables = append(o.Cables, l.Name)
		}
	}
	return nil
}

// Undo does nothing: what was deleted was the lab's own.
func (o *DelNamespace) Undo(context.Context, *System) error { return nil }

// Commands are `ip link del` for the cables that lead out, and `ip netns del`.
func (o *DelNamespace) Commands() []string {
	var cmds []string
	for _, name := range o.Cables {
		cmds = append(cmds, ip(o.Name, "link", "del", "dev", name))
	}
	return append(cmds, sh("ip", "netns", "del", o.Name))
}

// Inside is nothing.
func (o *DelNamespace) Inside() []string { return nil }

// Model removes the namespace and the cables that lead into it.
func (o *DelNamespace) Model(p *picture.Picture) error {
	n, err := pictured(p, o.Name)
	if err != nil {
		return err
	}
	if !n.Owned {
		return NotOurs(o.Name, quoteNS(o.Name))
	}
	p.Remove(n)
	return nil
}
