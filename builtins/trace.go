package builtins

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"go.starlark.net/starlark"

	"nsscript/builtins/kernel"
	"nsscript/builtins/op"
	"nsscript/builtins/probe"
	"nsscript/builtins/probe/trace"
)

var traceSpec = spec{
	sig: "trace(ns, target, *, tcp = None, udp = None, size = None, df = False, timeout = \"1s\")",
	doc: traceDoc,
	run: tracePacket,
}

func tracePacket(c *call) (starlark.Value, error) {
	var ns *Namespace
	var target starlark.Value
	var tcp, udp port
	size := -1
	timeout := duration(time.Second)
	req := trace.Request{}
	if err := c.unpack(&ns, &target, &tcp, &udp, within{&size, trace.MinSize, 65507, "bytes"}, &req.DF, &timeout); err != nil {
		return nil, err
	}
	switch {
	case tcp != 0 && udp != 0:
		return nil, badArg("", "give tcp or udp, not both")
	case tcp != 0:
		req.Proto, req.Port = trace.TCP, uint16(tcp)
	case udp != 0:
		req.Proto, req.Port = trace.UDP, uint16(udp)
	}
	if req.Size = size; size < 0 {
		req.Size = trace.DefaultSize(req.Proto)
	}
	ip, err := c.target(ns, target, "")
	if err != nil {
		return nil, err
	}
	if err := probe.CheckTarget(ip, ""); err != nil {
		return nil, &argError{"target", err}
	}
	req.From, req.Target, req.Timeout = ns.name, ip, timeout.std()
	req.To, req.Meant = c.meantBy(target, ip)
	if ip.IsMulticast() {
		return nil, manyHosts(ip)
	}
	if c.assume(c.pos(), op.InNS(ns.name, traceWords(&req)...)) {
		return c.plannedPath(ns, ip)
	}
	k, err := ns.ready()
	if err != nil {
		return nil, err
	}
	if many, err := standsForMany(k, ip); err != nil || many {
		return nil, errors.Join(err, manyHosts(ip))
	}
	if req.Spaces, err = c.watched(); err != nil {
		return nil, err
	}
	req.Rules = &ruleReader{c: c}
	w, err := trace.Follow(c.ctx, req)
	if err != nil {
		return nil, c.interrupted(err)
	}
	return c.pathOf(w)
}

func manyHosts(ip netip.Addr) error {
	return &argError{"target", badArg("", "%s stands for many hosts: one packet to one host can be followed", ip)}
}

// standsForMany reports whether an address is that of a group, or a broadcast address.
func standsForMany(k *kernel.NetNS, ip netip.Addr) (bool, error) {
	if ip.Zone() != "" {
		return false, nil
	}
	r, err := k.LookupRoute(kernel.RouteQuery{Dst: ip})
	return err == nil && r.Err == 0 && r.Type == "broadcast", err
}

// meantBy is the namespace that a target stands for; meant is set where it was not
// given by its address.
func (c *call) meantBy(target starlark.Value, ip netip.Addr) (name string, meant bool) {
	switch v := target.(type) {
	case *Namespace:
		return v.name, true
	case linkValue:
		return v.link().n.name, true
	case starlark.String:
		if _, err := c.lab.System().Look(string(v)); err == nil {
			return string(v), true
		}
	}
	return c.nameOf(ip), false
}

// watched are all namespaces of the lab.
func (c *call) watched() ([]trace.Space, error) {
	var list []trace.Space
	for _, name := range append([]string{op.Host}, c.lab.System().Names()...) {
		k, err := c.lab.System().NS(name)
		if err != nil {
			return nil, err
		}
		shown, err := c.lab.Looks(name)
		if err != nil {
			return nil, err
		}
		list = append(list, trace.Space{Name: name, NS: k, Shown: shown})
	}
	return list, nil
}

// traceWords are those of the program that comes nearest.
func traceWords(r *trace.Request) []string {
	switch r.Proto {
	case trace.TCP:
		return []string{"nc", "-v", "-z", r.Target.String(), fmt.Sprint(r.Port)}
	case trace.UDP:
		return []string{"nc", "-v", "-u", r.Target.String(), fmt.Sprint(r.Port)}
	}
	return []string{"ping", "-c", "1", "-s", fmt.Sprint(r.Size), r.Target.String()}
}

// ruleReader reads the rules that decided about a packet, each table once.
type ruleReader struct {
	c    *call
	have map[string][]kernel.ListedRule
}

func (r *ruleReader) program(space string, v6, legacy bool) (*kernel.Iptables, *kernel.NetNS, error) {
	x, err := r.c.lab.System().Iptables.FindVariant(v6, legacy)
	if err != nil {
		return nil, nil, err
	}
	k, err := r.c.lab.System().NS(space)
	return x, k, err
}

// Rules lists the rules of a table.
func (r *ruleReader) Rules(space string, v6, legacy bool, table string) ([]kernel.ListedRule, error) {
	key := fmt.Sprint(space, v6, legacy, table)
	if list, ok := r.have[key]; ok {
		return list, nil
	}
	x, k, err := r.program(space, v6, legacy)
	if err != nil {
		return nil, err
	}
	list, err := x.List(r.c.ctx, k, table)
	if r.have == nil {
		r.have = map[string][]kernel.ListedRule{}
	}
	r.have[key] = list
	return list, err
}

// Policy returns the policy of a built-in chain.
func (r *ruleReader) Policy(space string, v6, legacy bool, table, chain string) (string, error) {
	x, k, err := r.program(space, v6, legacy)
	if err != nil {
		return "", err
	}
	return x.Policy(r.c.ctx, k, table, chain)
}

// pathOf turns a walk into a value.
func (c *call) pathOf(w *trace.Walk) (starlark.Value, error) {
	text := w.String()
	hint, err := c.remedy(w)
	if err != nil {
		return nil, err
	}
	if hint != "" {
		text += "\n  hint: " + hint
	}
	var at starlark.Value = starlark.None
	reason, cause := "", ""
	if d := w.Death; d != nil {
		n, err := c.Find(d.Space)
		if err != nil {
			return nil, err
		}
		at, reason, cause = n, d.Reason, d.Cause
	}
	hops := make([]starlark.Value, len(w.Steps))
	for i := range w.Steps {
		n, err := c.Find(w.Steps[i].Space)
		if err != nil {
			return nil, err
		}
		hops[i] = walkHop(n, &w.Steps[i])
	}
	return path{
		text: text, delivered: w.Delivered, replied: w.Replied, hops: hops, at: at,
		reason: reason, cause: cause, verdict: w.Verdict(), hint: hint,
	}.value(), nil
}

// path is what a Path is made of.
type path struct {
	text               string
	delivered, replied bool
	hops               []starlark.Value
	at                 starlark.Value // where it died
	reason, cause      string
	verdict, hint      string
}

func (p path) value() starlark.Value {
	return &record{kind: "Path", truth: p.reason == "", text: p.text, fields: []field{
		{"delivered", starlark.Bool(p.delivered)},
		{"replied", starlark.Bool(p.replied)},
		{"hops", starlark.NewList(p.hops)},
		{"dropped_at", p.at},
		{"reason", strOrNone(p.reason)},
		{"cause", strOrNone(p.cause)},
		{"verdict", starlark.String(p.verdict)},
		{"hint", strOrNone(p.hint)},
	}}
}

// walkHop is one step of a walk.
func walkHop(n *Namespace, s *trace.Step) starlark.Value {
	var at starlark.Value = starlark.None
	stage := s.Stage
	if s.Dir != "" {
		at, stage = seconds(s.Time), "link"
	}
	text := n.name + " " + stage
	if s.Dir != "" {
		text = n.name + " " + s.Dir + " " + s.Dev
	}
	for _, w := range []string{s.Verdict, s.Text} {
		if w != "" {
			text += " " + w
		}
	}
	return &record{kind: "WalkHop", text: text, fields: []field{
		{"ns", n},
		{"dev", strOrNone(s.Dev)},
		{"direction", strOrNone(s.Dir)},
		{"time", at},
		{"stage", starlark.String(stage)},
		{"verdict", strOrNone(s.Verdict)},
		{"text", starlark.String(s.Text)},
		{"back", starlark.Bool(s.Back)},
	}}
}

const traceDoc = `
Follows one packet over every interface of every namespace of the lab, and names the place and the cause of its death.

It sends a real probe: an echo request, or with tcp a handshake (and with size so many bytes after it), or with udp a datagram. Everywhere it looks at what passes, asks the routing what it decides, and has the packet filter say by which rule; nothing of that stays behind. It waits as long as the packet may still arrive.

target (target): an address, a Link, a Namespace or the name of one
tcp (port): open a TCP connection to this port; it is reset at once
udp (port): send a datagram to this port
size (int, 8 to 65507, bytes): the payload; without it 56 of ICMP, 8 of UDP, none of TCP
df (bool): forbid routers to fragment it
timeout (duration): how long to wait for the answer
returns (Path): prints as the walk; truthy when the probe arrived and no answer was lost
errors: the target is no address, or has none; the right to look is missing
example:
    web, fw, db = namespace("web"), namespace("fw", forward = True), namespace("db")
    veth(web, fw, addr = "10.0.1.10/24", peer_addr = "10.0.1.1/24")
    veth(db, fw, addr = "10.0.3.10/24", peer_addr = "10.0.3.1/24")
    route(web, "default", via = "10.0.1.1")
    route(db, "default", via = "10.0.3.1")
    firewall.policy(fw, forward = "drop")
    path = trace(web, db, tcp = 5432)
    print(path.reason, path.dropped_at.name)
    #> firewall-drop fw
    print(path.verdict)
    #> ✗ dropped in fw, chain FORWARD, by its policy
    print(path.hint)
    #> firewall.allow(fw, src = web, dst = db, tcp = 5432); firewall.allow(fw, established = True)
command: nsscript trace [LAB/]NS TARGET --tcp PORT
source: packet(7), rtnetlink(7), nft(8) "MONITOR", iptables-extensions(8) "TRACE"
`

const pathDoc = `
The way of one packet through the lab; truthy when it arrived and no answer was lost.

delivered (bool): it reached the socket or the host that it was for
replied (bool): the answer came back
hops (list[WalkHop]): what it passed and what was decided about it, in order, with the way back
dropped_at (Namespace | None): where the probe, or its answer, died
reason (string | None): why: no-route, unreachable-route, link-down, no-carrier, arp-failed, forwarding-off, rp-filter, firewall-drop, firewall-reject, frag-needed, ttl-exceeded, no-listener, martian, wrong-host, asymmetric-return (the answer was lost) or unknown
cause (string | None): with asymmetric-return, the reason for which the answer was lost
verdict (string): the last line of the walk, in words
hint (string | None): a line of nsscript that would mend it
source: packet(7), rtnetlink(7)
`

const walkHopDoc = `
A step of a packet's way: an interface that it passed, or a decision about it; never truthy.

ns (Namespace): where
dev (string | None): the interface; None for a decision
direction (string | None): "in" or "out" of the namespace; None for a decision
time (float | None, seconds): since the packet was seen first; None for a decision
stage (string): "link" for an interface; routing, or the chain of the packet filter, such as FORWARD or "nat PREROUTING"
verdict (string | None): of the packet filter: ACCEPT, DROP, REJECT, DNAT …
text (string): what was seen or decided, in words
back (bool): whether it is on the way back
source: packet(7), nft(8)
`
