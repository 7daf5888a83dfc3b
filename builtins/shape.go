package builtins

import (
	"go.starlark.net/starlark"

	"nsscript/builtins/kernel"
	"nsscript/builtins/op"
)

var shapeSpecs = []spec{
	{
		sig: "shape(link, *, rate = None, delay = None, jitter = None, loss = None, duplicate = None, reorder = None, corrupt = None, burst = None, limit = None)",
		doc: shapeDoc,
		run: shape,
	},
	{
		sig: "unshape(link)", doc: unshapeDoc,
		run: func(c *call) (starlark.Value, error) {
			l, err := c.linkArg()
			if err != nil {
				return nil, err
			}
			return c.args[0], c.do(&op.SetShape{NS: l.n.name, Dev: l.name})
		},
	},
	{sig: "offload(link, **features)", doc: offloadDoc, run: offload},
}

func shape(c *call) (starlark.Value, error) {
	l, err := c.linkArg()
	if err != nil {
		return nil, err
	}
	var speed rate
	var delay, jitter duration
	var loss, duplicate, reorder, corrupt percentage
	s := &kernel.Shape{}
	if err := c.unpack(nil, &speed, &delay, &jitter, &loss, &duplicate, &reorder, &corrupt,
		within{&s.Burst, 1600, 1 << 30, "bytes"}, within{&s.Limit, 1, 1 << 20, "packets"}); err != nil {
		return nil, err
	}
	s.Rate, s.Delay, s.Jitter = uint64(speed), delay.std(), jitter.std()
	s.Loss, s.Duplicate, s.Reorder, s.Corrupt = float64(loss), float64(duplicate), float64(reorder), float64(corrupt)
	switch {
	case s.Rate == 0 && !s.Emulates():
		return nil, badArg("link.unshape() takes a shape away", "give rate, delay, jitter, loss, duplicate, reorder or corrupt")
	case s.Jitter > 0 && s.Delay == 0:
		return nil, &argError{"jitter", badArg("give a delay too", "the jitter is about a delay")}
	case s.Reorder > 0 && s.Delay == 0:
		return nil, &argError{"reorder", badArg("give a delay too", "packets overtake others only where these are delayed")}
	case s.Burst > 0 && s.Rate == 0:
		return nil, &argError{"burst", badArg("give a rate too", "without a rate all is sent at once")}
	}
	return c.args[0], c.do(&op.SetShape{NS: l.n.name, Dev: l.name, Shape: s})
}

func offload(c *call) (starlark.Value, error) {
	l, err := c.linkArg()
	if err != nil {
		return nil, err
	}
	if len(c.rest) == 0 {
		return nil, badArg("for example link.offload(tso = False, gso = False)", "nothing to switch")
	}
	o := &op.SetOffload{NS: l.n.name, Dev: l.name, Features: map[string]bool{}}
	for _, kv := range c.rest {
		name := string(kv[0].(starlark.String))
		var on bool
		if err := c.read(kv[1], &on); err != nil {
			return nil, &argError{name, err}
		}
		o.Features[name] = on
	}
	return c.args[0], c.do(o)
}

const shapeDoc = `
Makes the interface like a real line: what it sends is slowed down, delayed, lost and so on. What it receives is shaped at the other end.

It replaces an earlier shape, also while packets flow; a rate alone needs less of the kernel (sch_tbf) than the rest (sch_netem).

rate (rate, at least 1000 bits a second): how fast it sends: "10mbit", "1gbit", or a number of bits a second
delay (duration): how much later each packet arrives
jitter (duration): by how much that varies
loss (percent): how many packets are lost: 1, 0.5 or "0.5%"
duplicate (percent): how many arrive twice
reorder (percent): how many are not delayed, and so overtake the others
corrupt (percent): how many arrive with a wrong bit
burst (int, 1600 to 1073741824 bytes): with a rate, how much is sent at once after a pause; left out, what is sent in 4 milliseconds
limit (int, 1 to 1048576 packets): how many wait before others are dropped; left out, 1000, or what is sent in a tenth of a second
returns (Link): the interface
errors: jitter or reorder without delay; burst without rate; the kernel has no netem (CONFIG_NET_SCH_NETEM): then rate alone works
example:
    red, blue = namespace("red"), namespace("blue")
    a, b = veth(red, blue, addr = "10.0.0.1/24", peer_addr = "10.0.0.2/24")
    a.shape(rate = "20mbit")
    print(10e6 < throughput(red, blue).bits_per_second, throughput(red, blue).bits_per_second < 25e6)
    #> True True
    if kernel.has("netem"):
        a.shape(rate = "20mbit", delay = "30ms")
        print(ping(red, blue).min >= 0.03)
        #> True
command: tc -n NS qdisc replace dev NAME root tbf rate RATE burst BURST limit LIMIT
    tc -n NS qdisc replace dev NAME root netem delay DELAY JITTER loss LOSS%
source: tc-netem(8), tc-tbf(8)
`

const unshapeDoc = `
Takes the shape away again: the interface sends at once.

returns (Link): the interface
example:
    red, blue = namespace("red"), namespace("blue")
    a, b = veth(red, blue, addr = "10.0.0.1/24", peer_addr = "10.0.0.2/24")
    a.shape(rate = "1mbit")
    a.unshape()
    print(throughput(red, blue, seconds = 0.2).bits_per_second > 10e6)
    #> True
command: tc -n NS qdisc del dev NAME root
source: tc(8)
`

const offloadDoc = `
Switches on or off what the interface does in place of the kernel, such as cutting large packets up: without it packets look as on a real line.

features (bool): what is switched, as "ethtool -K" calls them: tx, rx, sg, tso, gso, gro, lro, rxvlan, txvlan; or a name that "ethtool -k" lists, with _ for -
returns (Link): the interface
errors: the interface has no such feature, or it cannot be changed
example:
    red, blue = namespace("red"), namespace("blue")
    a, b = veth(red, blue, addr = "10.0.0.1/24", peer_addr = "10.0.0.2/24")
    a.offload(tso = False, gso = False, tx = False)
    print(ping(red, blue).received)
    #> 1
command: ip netns exec NS ethtool -K NAME tso off
source: ethtool(8)
`
