package builtins

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"go.starlark.net/starlark"

	"nsscript/builtins/op"
	"nsscript/builtins/probe"
)

var probeSpecs = []spec{
	{
		sig: "ping(ns, target, *, count = 1, size = 56, ttl = None, df = False, interval = \"100ms\", timeout = \"1s\", dev = None)",
		doc: pingDoc,
		run: ping,
	},
	{
		sig: "connect(ns, target, port, *, proto = \"tcp\", send = None, timeout = \"1s\")",
		doc: connectDoc,
		run: connect,
	},
	httpSpec,
	tracerouteSpec,
	pingallSpec,
	throughputSpec,
	traceSpec,
	captureSpec,
}

func ping(c *call) (starlark.Value, error) {
	var ns *Namespace
	var target starlark.Value
	interval, timeout := duration(100*time.Millisecond), duration(time.Second)
	var dev devName
	req := probe.PingRequest{Count: 1, Size: 56}
	if err := c.unpack(&ns, &target, within{&req.Count, 1, 1000000, ""}, within{&req.Size, 0, 65507, "bytes"},
		within{&req.TTL, 1, 255, ""}, &req.DF, &interval, &timeout, &dev); err != nil {
		return nil, err
	}
	var err error
	if req.Dev, err = dev.in(ns, "dev"); err != nil {
		return nil, err
	}
	req.Interval, req.Timeout = interval.std(), timeout.std()
	return c.ping(c.pos(), ns, target, req)
}

// Ping pings a target that is given as in a script. The result is what the builtin
// returns; it is there with an error too, where something was sent.
func (s *Session) Ping(ns *Namespace, target string, req probe.PingRequest) (starlark.Value, error) {
	return s.ping("", ns, starlark.String(target), req)
}

func (s *Session) ping(pos string, ns *Namespace, target starlark.Value, req probe.PingRequest) (starlark.Value, error) {
	if req.Dev != "" {
		if _, _, err := op.FindLink(s.lab.System(), ns.name, req.Dev); err != nil {
			return nil, &argError{"dev", err}
		}
	}
	var err error
	if req.Target, err = s.target(ns, target, req.Dev); err != nil {
		return nil, err
	}
	if s.assume(pos, op.InNS(ns.name, pingWords(req)...)) {
		return pingResult(probe.PingResult{Sent: req.Count, Received: req.Count}), nil
	}
	k, err := ns.ready()
	if err != nil {
		return nil, err
	}
	r, err := probe.Ping(s.ctx, k, req)
	if r.Sent == 0 {
		return nil, s.interrupted(err)
	}
	s.probed(Asked{ns: ns, target: target, OK: r.Received == r.Sent, Got: pinged(r)}, req.Target)
	return pingResult(r), s.interrupted(err)
}

// interrupted prefers the fact that the run was interrupted over what followed
// from it.
func (s *Session) interrupted(err error) error {
	if s.ctx.Err() != nil && errors.Is(err, s.ctx.Err()) {
		return s.ctx.Err()
	}
	return err
}

// pingWords are those of the ping program for the same.
func pingWords(r probe.PingRequest) []string {
	w := []string{"ping", "-c", fmt.Sprint(r.Count)}
	add := func(yes bool, words ...string) {
		if yes {
			w = append(w, words...)
		}
	}
	add(r.Size != 56, "-s", fmt.Sprint(r.Size))
	add(r.TTL != 0, "-t", fmt.Sprint(r.TTL))
	add(r.DF, "-M", "do")
	add(r.Count > 1 && r.Interval != time.Second, "-i", fmt.Sprint(r.Interval.Seconds()))
	add(true, "-W", fmt.Sprint(r.Timeout.Seconds()))
	add(r.Dev != "", "-I", r.Dev)
	return append(w, r.Target.String())
}

// seconds is a length of time as a script has it: a number of seconds.
func seconds(d time.Duration) starlark.Value { return starlark.Float(d.Seconds()) }

func pingResult(r probe.PingResult) starlark.Value {
	loss := 0.0
	if r.Sent > 0 {
		loss = 100 * float64(r.Sent-r.Received) / float64(r.Sent)
	}
	text := fmt.Sprintf("%d sent, %d received, %.3g%% lost", r.Sent, r.Received, loss)
	times := [3]starlark.Value{starlark.None, starlark.None, starlark.None}
	if r.Received > 0 {
		text += fmt.Sprintf(", round trip min/avg/max %.3f/%.3f/%.3f ms", millis(r.Min), millis(r.Avg), millis(r.Max))
		times = [3]starlark.Value{seconds(r.Min), seconds(r.Avg), seconds(r.Max)}
	}
	if r.Error != "" {
		text += ": " + r.Error
		if r.MTU != 0 {
			text += fmt.Sprintf(" (mtu %d)", r.MTU)
		}
		if r.ErrorFrom.IsValid() {
			text += " from " + r.ErrorFrom.String()
		}
	}
	return &record{kind: "PingResult", truth: r.Sent > 0 && r.Received == r.Sent, text: text, fields: []field{
		{"sent", starlark.MakeInt(r.Sent)},
		{"received", starlark.MakeInt(r.Received)},
		{"loss", starlark.Float(loss)},
		{"min", times[0]}, {"avg", times[1]}, {"max", times[2]},
		{"error", strOrNone(r.Error)},
		{"error_from", addrOrNone(r.ErrorFrom)},
		{"mtu", intOrNone(r.MTU)},
	}}
}

func millis(d time.Duration) float64 { return d.Seconds() * 1000 }

func addrOrNone(a netip.Addr) starlark.Value {
	if !a.IsValid() {
		return starlark.None
	}
	return starlark.String(a.String())
}

func connect(c *call) (starlark.Value, error) {
	var ns *Namespace
	var target, send starlark.Value
	var to port
	proto := "tcp"
	timeout := duration(time.Second)
	if err := c.unpack(&ns, &target, &to, &proto, &send, &timeout); err != nil {
		return nil, err
	}
	if proto != "tcp" && proto != "udp" {
		return nil, badArg("", "argument \"proto\": want \"tcp\" or \"udp\", got %q", proto)
	}
	req := probe.ConnectRequest{Proto: proto, Timeout: timeout.std()}
	switch v := send.(type) {
	case nil:
	case starlark.String:
		req.Send, req.HasSend = []byte(v), true
	case starlark.Bytes:
		req.Send, req.HasSend = []byte(v), true
	default:
		return nil, &argError{"send", want("a string or bytes", send)}
	}
	ip, err := c.target(ns, target, "")
	if err != nil {
		return nil, err
	}
	req.Target = netip.AddrPortFrom(ip, uint16(to))
	if c.assume(c.pos(), op.RunCommand(ns.name, ncWords(req), nil, "", req.Send)) {
		return connResult(req, probe.ConnectResult{OK: true, Reply: req.Send, Remote: req.Target}), nil
	}
	k, err := ns.ready()
	if err != nil {
		return nil, err
	}
	r, err := probe.Connect(c.ctx, k, req)
	if err != nil {
		return nil, c.interrupted(err)
	}
	c.probed(Asked{ns: ns, target: target, proto: proto, port: int(to), OK: r.OK, Got: outcome(r.Error, r.ErrorFrom)}, ip)
	return connResult(req, r), nil
}

// ncWords are those of the nc program for the same.
func ncWords(r probe.ConnectRequest) []string {
	w := []string{"nc"}
	if !r.HasSend {
		w = append(w, "-z")
	}
	if r.Proto == "udp" {
		w = append(w, "-u")
	}
	return append(w, "-w", fmt.Sprint(max(1, int(r.Timeout.Seconds()))), r.Target.Addr().String(), fmt.Sprint(r.Target.Port()))
}

// shownReply is how many characters of a reply are printed.
const shownReply = 1000

func connResult(req probe.ConnectRequest, r probe.ConnectResult) starlark.Value {
	text := fmt.Sprintf("%s %s: connected in %.3f ms", req.Proto, req.Target, millis(r.RTT))
	rtt := seconds(r.RTT)
	if !r.OK {
		text, rtt = fmt.Sprintf("%s %s: %s", req.Proto, req.Target, r.Error), starlark.None
		if r.ErrorFrom.IsValid() {
			text += " from " + r.ErrorFrom.String()
		}
	}
	var reply starlark.Value = starlark.None
	if len(r.Reply) > 0 || req.HasSend && r.OK {
		reply = starlark.String(r.Reply)
	}
	if said := []rune(strings.TrimRight(strings.ToValidUTF8(string(r.Reply), "�"), "\r\n")); len(said) > shownReply {
		text += "\n" + string(said[:shownReply]) + "…"
	} else if len(said) > 0 {
		text += "\n" + string(said)
	}
	addr := func(a netip.AddrPort) starlark.Value {
		if !a.IsValid() {
			return starlark.None
		}
		return starlark.String(a.String())
	}
	return &record{kind: "ConnResult", truth: r.OK, text: text, fields: []field{
		{"ok", starlark.Bool(r.OK)},
		{"error", strOrNone(r.Error)},
		{"rtt", rtt},
		{"reply", reply},
		{"local", addr(r.Local)},
		{"remote", addr(r.Remote)},
	}}
}

const pingDoc = `
Sends ICMP echo requests and says what became of them; needs no program.

target (target): an address, a Link, a Namespace or the name of one
count (int, 1 to 1000000): how many requests
size (int, 0 to 65507 bytes): how much data each carries; the packet is 28 bytes larger, 48 with IPv6
ttl (int, 1 to 255): through how many routers they may go
df (bool): they may not be fragmented
interval (duration): the time from one to the next
timeout (duration): how long to wait for each answer
dev (string | Link): the interface by which they leave
returns (PingResult): truthy when nothing was lost
errors: the target is no address, or has none
example:
    red, blue = namespace("red"), namespace("blue")
    veth(red, blue, addr = "10.0.0.1/24", peer_addr = "10.0.0.2/24")
    r = ping(red, blue, count = 3, interval = "10ms")
    print(r.received, r.error)
    #> 3 None
command: ip netns exec NS ping -c COUNT TARGET
source: RFC 792, RFC 4443
`

const pingResultDoc = `
What became of echo requests; truthy when all were answered.

sent (int): requests sent
received (int): answers
loss (float, percent): of the requests
min (float | None, seconds): the shortest round trip
avg (float | None, seconds): the mean round trip
max (float | None, seconds): the longest round trip
error (string | None): timeout, net-unreachable, host-unreachable, port-unreachable, admin-prohibited, frag-needed, ttl-exceeded …
error_from (string | None): the router that said so
mtu (int | None, bytes): the largest packet, where the error is frag-needed
source: RFC 792, RFC 4443
`

const connectDoc = `
Connects to a TCP or UDP port and says what came of it.

target (target): an address, a Link, a Namespace or the name of one
port (int, 1 to 65535): the port
proto (string): "tcp" or "udp"
send (string | bytes): what to send; the reply is read
timeout (duration): how long it may take
returns (ConnResult): truthy when the connection was made; with UDP, when an answer came
errors: the target is no address, or has none
example:
    red, blue = namespace("red"), namespace("blue")
    veth(red, blue, addr = "10.0.0.1/24", peer_addr = "10.0.0.2/24")
    print(connect(red, blue, 80).error)
    #> refused
command: ip netns exec NS nc -z TARGET PORT
source: RFC 9293, RFC 768
`

const connResultDoc = `
What came of a connection; truthy when it was made.

ok (bool): whether it was made
error (string | None): refused, timeout, unreachable or reset
rtt (float | None, seconds): how long the handshake took
reply (string | None): what came back, where something was sent
local (string | None): the own address and port
remote (string | None): the other address and port
source: RFC 9293, RFC 768
`
