package builtins

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"nsscript/builtins/kernel"
	"nsscript/builtins/lab"
	"nsscript/builtins/op"
)

var topologySpecs = []spec{
	{
		sig: "namespace(name, *, forward = False, sysctls = {})",
		doc: namespaceBuiltinDoc,
		run: namespace,
	},
	{
		sig: "join(*, name = None, pid = None, path = None)",
		doc: joinDoc,
		run: join,
	},
	{
		sig: "veth(a, b, *, name = None, peer = None, addr = None, peer_addr = None, mac = None, peer_mac = None, mtu = None, up = True)",
		doc: vethDoc,
		run: veth,
	},
	{
		sig: "bridge(name, *, ns = host, addr = None, ports = [], stp = False, vlan_filtering = False, mtu = None, up = True)",
		doc: bridgeDoc,
		run: bridge,
	},
}

func namespace(c *call) (starlark.Value, error) {
	var name string
	var forward bool
	var sysctls *starlark.Dict
	if err := c.unpack(&name, &forward, &sysctls); err != nil {
		return nil, err
	}
	if name == op.Host {
		return nil, badArg("use `host`, or choose another name", "%q is what the namespace is called in which the lab stands", name)
	}
	if err := lab.CheckName("namespace", name); err != nil {
		return nil, err
	}
	if c.lab.System().Has(name) {
		return nil, badArg("choose another name", "the lab already has a namespace %q", name)
	}
	o := &op.AddNamespace{Name: name, Forward: forward}
	if sysctls != nil {
		for _, item := range sysctls.Items() {
			key, ok := starlark.AsString(item[0])
			if !ok {
				return nil, &argError{"sysctls", want("a sysctl key as string", item[0])}
			}
			if _, err := kernel.SysctlPath(key); err != nil {
				return nil, &argError{"sysctls", err}
			}
			v, err := sysctlValue(item[1])
			if err != nil {
				return nil, &argError{"sysctls", fmt.Errorf("%s: %w", key, err)}
			}
			o.Sysctls = append(o.Sysctls, kernel.Sysctl{Key: key, Value: v})
		}
	}
	if err := c.do(o); err != nil {
		return nil, err
	}
	return c.remember(&Namespace{s: c.Session, name: name}), nil
}

// remember keeps a namespace for those who look for all of them.
func (s *Session) remember(n *Namespace) *Namespace {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.namespaces = append(s.namespaces, n)
	return n
}

// everyNamespace lists the lab's namespaces that are not deleted, the host last.
func (s *Session) everyNamespace() []*Namespace {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := slices.DeleteFunc(slices.Clone(s.namespaces), func(n *Namespace) bool { return n.deleted })
	return append(list, s.host)
}

func join(c *call) (starlark.Value, error) {
	var name, path string
	var pid starlark.Value
	if err := c.unpack(&name, &pid, &path); err != nil {
		return nil, err
	}
	o := &op.JoinNamespace{Name: name, Path: path}
	switch {
	case pid == nil && path == "" && name == "":
		return nil, badArg("", "give name, pid or path")
	case pid != nil && path != "":
		return nil, badArg("", "give pid or path, not both")
	case pid != nil:
		if p, ok := pid.(*Process); ok {
			o.PID = p.start.PID
		} else if err := readInt(pid, &o.PID, 1, c.lastPID(), ""); err != nil {
			return nil, &argError{"pid", want("the id of a process", pid)}
		}
		o.Path, o.Job = fmt.Sprintf("/proc/%d/ns/net", o.PID), PlannedJob(o.PID)
		if name == "" {
			o.Name = fmt.Sprintf("pid%d", o.PID)
		}
	case path != "":
		if !filepath.IsAbs(path) {
			return nil, badArg("", "argument \"path\": want an absolute path, got %q", path)
		}
		if name == "" {
			o.Name = strings.TrimPrefix(filepath.Base(path), ".")
			if strings.HasPrefix(path, "/proc/") {
				o.Name = "pid" + strings.Split(path, "/")[2]
			}
		}
	default:
		o.Path = kernel.NetNSPath(name)
		if n, err := c.known(name, o.Path); err != nil {
			return nil, err
		} else if n != nil {
			return n, nil
		}
	}
	if err := lab.CheckName("namespace", o.Name); err != nil {
		return nil, err
	}
	if o.Name == op.Host || c.lab.System().Has(o.Name) {
		return nil, badArg("give it another one with `name`", "the lab already has a namespace %q", o.Name)
	}
	if c.lab.Planned() {
		o.Same = c.plannedTwin(o)
	}
	if err := c.do(o); err != nil {
		return nil, err
	}
	return c.remember(&Namespace{s: c.Session, name: o.Name, joined: true}), nil
}

// known is the namespace that the lab has under a name, if the machine calls the same one
// so.
func (s *Session) known(name, path string) (*Namespace, error) {
	n := s.NamespaceNamed(name)
	if n == nil || n == s.host {
		return nil, nil
	}
	if s.lab.Planned() {
		return n, nil
	}
	same, err := s.lab.Holds(name, path)
	if err != nil || !same {
		return nil, err
	}
	return n, nil
}

// end is where one end of a cable goes: into a namespace, or into a bridge in
// it.
type end struct {
	n      *Namespace
	bridge *Link
}

func (e *end) unpack(s *Session, v starlark.Value) error {
	switch v := v.(type) {
	case *Namespace:
		e.n = v
		return v.alive()
	case *Bridge:
		_, err := v.peek()
		e.n, e.bridge = v.n, &v.Link
		return err
	case *Link:
		return badArg("", "want a Namespace or a Bridge, got the Link %q, which is neither", v.name)
	}
	return badArg(s.meantNamespace(v), "want a Namespace or a Bridge, got %s", describe(v))
}

// vethArgs are what veth and attach take.
type vethArgs struct {
	a, b           end
	name, peer     ifName
	addr, peerAddr addresses
	mac, peerMAC   mac
	mtu            mtu
	up             bool
}

func veth(c *call) (starlark.Value, error) {
	args := vethArgs{up: true}
	if err := c.unpack(&args.a, &args.b, &args.name, &args.peer, &args.addr, &args.peerAddr,
		&args.mac, &args.peerMAC, &args.mtu, &args.up); err != nil {
		return nil, err
	}
	a, b, err := args.make(c)
	if err != nil {
		return nil, err
	}
	return starlark.Tuple{a, b}, nil
}

// make makes the cable.
func (v *vethArgs) make(c *call) (a, b starlark.Value, err error) {
	if v.a.n.name == v.b.n.name && v.name != "" && v.name == v.peer {
		return nil, nil, badArg("", "both ends would be called %q in %s", v.name, v.a.n.title())
	}
	if err := v.fillNames(); err != nil {
		return nil, nil, err
	}
	o := &op.AddVeth{
		A:   op.End{NS: v.a.n.name, Name: string(v.name), Addrs: v.addr, MAC: string(v.mac)},
		B:   op.End{NS: v.b.n.name, Name: string(v.peer), Addrs: v.peerAddr, MAC: string(v.peerMAC)},
		MTU: int(v.mtu), Up: v.up,
	}
	if v.a.bridge != nil {
		o.A.Bridge, o.A.BridgeIndex = v.a.bridge.name, v.a.bridge.index
	}
	if v.b.bridge != nil {
		o.B.Bridge, o.B.BridgeIndex = v.b.bridge.name, v.b.bridge.index
	}
	if err := c.do(o); err != nil {
		return nil, nil, err
	}
	la, lb := o.Ends()
	return v.a.n.linkValue(la), v.b.n.linkValue(lb), nil
}

// fillNames chooses the names that were left out: the next free ethN in a
// namespace, NS-ethN on a bridge after what is plugged in there.
func (v *vethArgs) fillNames() error {
	var err error
	here := v.a.n.name == v.b.n.name
	taken := map[string]bool{}
	if here {
		taken[string(v.name)], taken[string(v.peer)] = true, true
	}
	pick := func(e end, other end, otherName ifName) (ifName, error) {
		var name string
		if e.bridge == nil {
			name, err = e.n.freeName("eth%d", taken)
		} else {
			who := other.n.name
			if other.bridge != nil {
				who = other.bridge.name
			}
			if otherName != "" && other.bridge == nil {
				name, err = e.n.portName(who, string(otherName), taken)
			} else {
				name, err = e.n.portName(who, "", taken)
			}
		}
		if here {
			taken[name] = true
		}
		return ifName(name), err
	}
	// The end in a namespace is named first: a port is named after it.
	if v.name == "" && v.a.bridge == nil {
		if v.name, err = pick(v.a, v.b, v.peer); err != nil {
			return err
		}
	}
	if v.peer == "" {
		if v.peer, err = pick(v.b, v.a, v.name); err != nil {
			return err
		}
	}
	if v.name == "" {
		v.name, err = pick(v.a, v.b, v.peer)
	}
	return err
}

// freeName returns the first name of a pattern that no interface has.
func (n *Namespace) freeName(pattern string, taken map[string]bool) (string, error) {
	return n.firstFree(pattern, func(i int) string { return fmt.Sprintf(pattern, i) }, taken)
}

// firstFree returns the first of numbered names that no interface has. pattern tells
// them from others.
func (n *Namespace) firstFree(pattern string, name func(int) string, taken map[string]bool) (string, error) {
	ns, err := n.peek()
	if err != nil {
		return "", err
	}
	first := n.s.lab.FirstNumber(n.name, pattern)
	for i := first; ; i++ {
		free := name(i)
		if taken[free] {
			continue
		}
		if _, err := ns.Link(free); err != nil {
			if !kernel.IsGone(err) {
				return "", err
			}
			if len(taken) == 0 {
				n.s.lab.Numbered(n.name, pattern, i+1)
			}
			return free, nil
		}
	}
}

// portName names a bridge's port after what is plugged into it: who-ethN, cut to
// the kernel's 15 bytes.
func (n *Namespace) portName(who, device string, taken map[string]bool) (string, error) {
	const longest = 15
	join := func(tail string) string {
		return who[:min(len(who), max(longest-len(tail), 1))] + tail
	}
	ns, err := n.peek()
	if err != nil {
		return "", err
	}
	if strings.HasPrefix(device, "eth") && len(device) < longest-2 {
		name := join("-" + device)
		if _, err := ns.Link(name); !taken[name] && kernel.IsGone(err) {
			return name, nil
		}
	}
	return n.firstFree(join("-eth0"), func(i int) string { return join(fmt.Sprintf("-eth%d", i)) }, taken)
}

func bridge(c *call) (starlark.Value, error) {
	var name ifName
	ns := c.host
	var addrs addresses
	var ports starlark.Value
	o := &op.AddBridge{Up: true}
	var size mtu
	if err := c.unpack(&name, &ns, &addrs, &ports, &o.STP, &o.VLANFiltering, &size, &o.Up); err != nil {
		return nil, err
	}
	plugs, err := c.readPorts(ports)
	if err != nil {
		return nil, &argError{"ports", err}
	}
	o.NS, o.Name, o.Addrs, o.MTU = ns.name, string(name), addrs, int(size)
	if err := c.do(o); err != nil {
		return nil, err
	}
	v, err := ns.findLink(o.Name)
	if err != nil {
		return nil, err
	}
	br, ok := v.(*Bridge)
	if !ok {
		return nil, badArg("", "the kernel made %q, but no bridge", o.Name)
	}
	for _, p := range plugs {
		switch p := p.(type) {
		case linkValue:
			err = enslave(c, &br.Link, p.link())
		case *Namespace:
			args := vethArgs{a: end{n: p}, b: end{n: ns, bridge: &br.Link}, up: true}
			_, _, err = args.make(c)
		}
		if err != nil {
			return nil, err
		}
	}
	return br, nil
}

// readPorts checks what is to be plugged into a bridge.
func (c *call) readPorts(v starlark.Value) ([]starlark.Value, error) {
	if v == nil {
		return nil, nil
	}
	it, ok := v.(starlark.Iterable)
	if !ok {
		return nil, want("a list of Namespaces and Links", v)
	}
	var list []starlark.Value
	iter := it.Iterate()
	defer iter.Done()
	var x starlark.Value
	for iter.Next(&x) {
		switch x := x.(type) {
		case linkValue:
			if _, err := x.link().read(); err != nil {
				return nil, err
			}
		case *Namespace:
			if err := x.alive(); err != nil {
				return nil, err
			}
		default:
			return nil, want("a Namespace or a Link", x)
		}
		list = append(list, x)
	}
	return list, nil
}

const namespaceBuiltinDoc = `
A new network namespace, with its lo up, which "ip netns list" shows too.

It ends with the lab. Duplicate-address detection and the limit on ICMP errors are off in it, so that it answers at once and always.

name (string): letters, digits, ".", "_" and "-"; at most 63 of them
forward (bool): makes it a router: net.ipv4.ip_forward and net.ipv6.conf.all.forwarding are set
sysctls (dict[string, any]): kernel parameters to set in it
returns (Namespace): the new namespace
errors: the lab, or the machine, has a namespace of that name; the name holds a character that may not be in it
example:
    red = namespace("red")
    r1 = namespace("r1", forward = True, sysctls = {"net.ipv4.conf.all.rp_filter": 0})
    print(red, r1.forward)
    #> red True
command: ip netns add NAME
    ip -n NAME link set lo up
    ip netns exec NAME sysctl -w net.ipv4.ip_forward=1
source: ip-netns(8), network_namespaces(7)
`

const joinDoc = `
A namespace that is there already, such as a container's; it is never deleted, and what the lab adds to it is taken back.

One of the three says where it is. In a sandbox only what runs in the sandbox can be joined. One that the lab has already gets another name.

name (string): as "ip netns list" shows it; one that the lab has made is that one; with pid or path, the name that the lab gives it
pid (int | Process): a process in it
path (string): its file, an absolute path
returns (Namespace): the namespace
errors: there is no such namespace or process, or it may not be entered
example:
    red = namespace("red")
    p = spawn(red, "sleep 60")
    box = join(pid = p, name = "box")
    print(box, box.owned)
    #> box False
command: ip netns attach NAME PID
source: ip-netns(8), setns(2)
`

const vethDoc = `
A virtual cable between two namespaces; an end at a Bridge becomes its port.

a (Namespace | Bridge): where the first end goes
b (Namespace | Bridge): where the second end goes
name (string, at most 15 bytes): the first end's name; left out, the next free ethN in a namespace, NS-ethN at a bridge
peer (string, at most 15 bytes): the second end's name
addr (address | list[address]): the first end's addresses, with the length of the prefix: "10.0.0.1/24"
peer_addr (address | list[address]): the second end's addresses
mac (string): the first end's link-layer address, such as "02:00:00:00:00:01"
peer_mac (string): the second end's link-layer address
mtu (int, 68 to 65535 bytes): the largest packet, of both ends
up (bool): brings both ends up
returns (tuple[Link, Link]): both ends, in the order of a and b
errors: an interface of that name is there already; a name is too long; an address is there already, or has no prefix length; a bridge has 1,023 ports
example:
    red, blue = namespace("red"), namespace("blue")
    a, b = veth(red, blue, addr = "10.0.0.1/24", peer_addr = "10.0.0.2/24")
    print(a.name, b.name, blue.ip)
    #> eth0 eth0 10.0.0.2
command: ip -n A link add NAME type veth peer name PEER netns B
    ip -n A addr add ADDR dev NAME
    ip -n A link set NAME up
source: veth(4), ip-link(8)
`

const bridgeDoc = `
A switch, on the host or in a namespace, into which namespaces are plugged.

name (string, at most 15 bytes): the interface's name
ns (Namespace): where it stands
addr (address | list[address]): its own addresses, as docker0 has one
ports (list[Namespace | Link]): what is plugged in at once: a Namespace over a new veth, a Link as it is
stp (bool): the spanning tree protocol, for loops of switches
vlan_filtering (bool): ports are told apart by VLAN
mtu (int, 68 to 65535 bytes): the largest packet
up (bool): brings it up
returns (Bridge): the switch
errors: an interface of that name is there already; a port is in another namespace
example:
    red, blue = namespace("red"), namespace("blue")
    br0 = bridge("br0", ports = [red, blue])
    red.link("eth0").add_addr("10.0.0.1/24")
    blue.link("eth0").add_addr("10.0.0.2/24")
    print([p.name for p in br0.ports], ping(red, blue).received)
    #> ["red-eth0", "blue-eth0"] 1
command: ip link add NAME type bridge
    ip link set NAME up
    ip link set PORT master NAME
source: bridge(8), ip-link(8)
`
