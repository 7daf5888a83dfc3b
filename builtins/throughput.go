package builtins

import (
	"fmt"
	"time"

	"go.starlark.net/starlark"

	"nsscript/builtins/op"
	"nsscript/builtins/probe"
)

var throughputSpec = spec{
	sig: "throughput(src, dst, *, seconds = 1, streams = 1)",
	doc: throughputDoc,
	run: throughput,
}

// longestThroughput is how long a measurement may take, in seconds.
const longestThroughput = 3600

func throughput(c *call) (starlark.Value, error) {
	var from, to *Namespace
	length := duration(time.Second)
	req := probe.ThroughputRequest{Streams: 1}
	if err := c.unpack(&from, &to, &length, within{&req.Streams, 1, 128, ""}); err != nil {
		return nil, err
	}
	if req.Duration = length.std(); req.Duration <= 0 || req.Duration > longestThroughput*time.Second {
		return nil, &argError{"seconds", badArg("", "want more than 0 and at most %d seconds", longestThroughput)}
	}
	ips, err := c.nearest(from, to.name)
	if err != nil {
		return nil, &argError{"dst", err}
	}
	ip := ips[0]
	c.assume(c.pos(), op.InNS(to.name, "iperf3", "-s", "-1", "-D"))
	if c.assume(c.pos(), op.InNS(from.name, "iperf3", "-c", ip.String(), "-t", fmt.Sprint(req.Duration.Seconds()), "-P", fmt.Sprint(req.Streams))) {
		return throughputResult(from, to, probe.ThroughputResult{Bytes: int64(plannedRate / 8 * req.Duration.Seconds()), Elapsed: req.Duration}), nil
	}
	sender, err := from.ready()
	if err != nil {
		return nil, err
	}
	receiver, err := to.real()
	if err != nil {
		return nil, err
	}
	req.To, req.Target = receiver, ip
	r, err := probe.Throughput(c.ctx, sender, req)
	if err != nil {
		return nil, c.interrupted(err)
	}
	return throughputResult(from, to, r), nil
}

// plannedRate is what a plan takes for the rate of any way, in bits per second.
const plannedRate = 1e9

func throughputResult(from, to *Namespace, r probe.ThroughputResult) starlark.Value {
	rate := 0.0
	if r.Elapsed > 0 {
		rate = float64(r.Bytes) * 8 / r.Elapsed.Seconds()
	}
	text := fmt.Sprintf("%s → %s: %s, %d bytes in %.2f s, %d retransmits", from.name, to.name, rateText(rate), r.Bytes, r.Elapsed.Seconds(), r.Retransmits)
	if r.Error != "" {
		text = fmt.Sprintf("%s → %s: %s", from.name, to.name, r.Error)
	}
	return &record{kind: "Throughput", truth: r.Error == "" && r.Bytes > 0, text: text, fields: []field{
		{"bits_per_second", starlark.Float(rate)},
		{"bytes", starlark.MakeInt64(r.Bytes)},
		{"retransmits", starlark.MakeInt(r.Retransmits)},
		{"error", strOrNone(r.Error)},
	}}
}

// rateText is a rate in the unit that suits it.
func rateText(bits float64) string {
	for _, u := range []struct {
		at   float64
		name string
	}{{1e9, "Gbit/s"}, {1e6, "Mbit/s"}, {1e3, "kbit/s"}} {
		if bits >= u.at {
			return fmt.Sprintf("%.3g %s", bits/u.at, u.name)
		}
	}
	return fmt.Sprintf("%.0f bit/s", bits)
}

const throughputDoc = `
Sends as much as possible over TCP from one namespace to another, and says how much came; needs no program.

src (Namespace): who sends
dst (Namespace): who receives, on a port that the kernel chooses
seconds (duration): how long
streams (int, 1 to 128): connections side by side
returns (Throughput): truthy when something came
errors: dst has no address
example:
    red, blue = namespace("red"), namespace("blue")
    veth(red, blue, addr = "10.0.0.1/24", peer_addr = "10.0.0.2/24")
    r = throughput(red, blue, seconds = 0.1)
    print(r.bits_per_second > 1000000, r.error)
    #> True None
command: ip netns exec DST iperf3 -s -1 -D
    ip netns exec SRC iperf3 -c DST -t SECONDS -P STREAMS
source: RFC 9293, tcp(7)
`

const throughputResultDoc = `
How much came from one namespace to another; truthy when something did.

bits_per_second (float): the rate at which it came
bytes (int): how much came
retransmits (int): segments that were sent again
error (string | None): refused, timeout, unreachable or reset, where a connection could not be opened
source: tcp(7)
`
