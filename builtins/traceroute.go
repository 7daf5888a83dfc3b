package builtins

import (
	"fmt"
	"net/netip"
	"time"

	"go.starlark.net/starlark"

	"nsscript/builtins/op"
	"nsscript/builtins/probe"
)

var tracerouteSpec = spec{
	sig: "traceroute(ns, target, *, max_hops = 30, timeout = \"1s\")",
	doc: tracerouteDoc,
	run: traceroute,
}

func traceroute(c *call) (starlark.Value, error) {
	var ns *Namespace
	var target starlark.Value
	timeout := duration(time.Second)
	req := probe.TracerouteRequest{MaxHops: 30}
	if err := c.unpack(&ns, &target, within{&req.MaxHops, 1, 255, ""}, &timeout); err != nil {
		return nil, err
	}
	ip, err := c.target(ns, target, "")
	if err != nil {
		return nil, err
	}
	req.Target, req.Timeout = ip, timeout.std()
	if c.assume(c.pos(), op.InNS(ns.name, "traceroute", "-n", "-I", "-q", "1",
		"-m", fmt.Sprint(req.MaxHops), "-w", fmt.Sprint(req.Timeout.Seconds()), ip.String())) {
		return c.plannedHops(ns.name, ip), nil
	}
	k, err := ns.ready()
	if err != nil {
		return nil, err
	}
	hops, err := probe.Traceroute(c.ctx, k, req)
	if err != nil {
		return nil, c.interrupted(err)
	}
	return listOf(hops, func(h probe.Hop) starlark.Value { return c.hop(h) }), nil
}

// hop is one line of a traceroute.
func (c *call) hop(h probe.Hop) starlark.Value {
	var ip, name, rtt starlark.Value = starlark.None, starlark.None, starlark.None
	text := fmt.Sprintf("%2d  *", h.TTL)
	if h.From.IsValid() {
		ip, name, rtt = starlark.String(h.From.String()), strOrNone(c.nameOf(h.From)), seconds(h.RTT)
		text = fmt.Sprintf("%2d  %s", h.TTL, h.From)
		if n, ok := starlark.AsString(name); ok {
			text += " (" + n + ")"
		}
		text += fmt.Sprintf("  %.3f ms", millis(h.RTT))
	}
	if h.Error != "" {
		text += "  " + h.Error
	}
	return &record{kind: "Hop", truth: h.From.IsValid() && h.Error == "", text: text, fields: []field{
		{"ttl", starlark.MakeInt(h.TTL)},
		{"ip", ip},
		{"rtt", rtt},
		{"name", name},
		{"error", strOrNone(h.Error)},
	}}
}

// nameOf is the name that the lab has for an address, "" for none.
func (c *call) nameOf(ip netip.Addr) string { return c.lab.NameOf(ip.WithZone("")) }

const tracerouteDoc = `
Finds the routers on the way to a target: echo requests may go through one router, then through two, and so on, and each that ends says where.

It sends what "traceroute -I" sends, several side by side. Where nobody answers from some hop on, one hop stands for all these.

target (target): an address, a Link, a Namespace or the name of one
max_hops (int, 1 to 255): through how many routers at most
timeout (duration): how long to wait for each answer
returns (list[Hop]): who answered, up to the target
errors: the target is no address, or has none
example:
    left, r, right = namespace("left"), namespace("r", forward = True), namespace("right")
    veth(left, r, addr = "10.0.1.1/24", peer_addr = "10.0.1.254/24")
    veth(right, r, addr = "10.0.2.1/24", peer_addr = "10.0.2.254/24")
    route(left, "default", via = "10.0.1.254")
    route(right, "default", via = "10.0.2.254")
    print([(h.ttl, h.ip, h.name) for h in traceroute(left, right)])
    #> [(1, "10.0.1.254", "r"), (2, "10.0.2.1", "right")]
command: ip netns exec NS traceroute -n -I TARGET
source: RFC 792, RFC 4443, traceroute(8)
`

const hopDoc = `
Who answered a probe that was allowed to go through so many routers; truthy where somebody did and it goes on from there.

ttl (int): the hop limit: 1 is the first router
ip (string | None): who answered; None for nobody
rtt (float | None, seconds): how long the answer took
name (string | None): the namespace of the lab that has this address
error (string | None): why it goes no further: net-unreachable, host-unreachable, admin-prohibited …
source: RFC 792, RFC 4443
`
