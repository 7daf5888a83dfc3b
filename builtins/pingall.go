package builtins

import (
	"fmt"
	"slices"
	"time"

	"go.starlark.net/starlark"

	"nsscript/builtins/kernel"
	"nsscript/builtins/op"
	"nsscript/builtins/probe"
)

var pingallSpec = spec{
	sig: "pingall(namespaces = None, *, timeout = \"1s\")",
	doc: pingallDoc,
	run: pingall,
}

// pair is one namespace that pings another.
type pair struct {
	probe.PingPair
	from, to *Namespace
}

func pingall(c *call) (starlark.Value, error) {
	var given starlark.Value
	timeout := duration(time.Second)
	if err := c.unpack(&given, &timeout); err != nil {
		return nil, err
	}
	list, err := c.pinged(given)
	if err != nil {
		return nil, &argError{"namespaces", err}
	}
	pairs, err := c.pairsOf(list)
	if err != nil {
		return nil, err
	}
	for _, p := range pairs {
		if p.Error == "" && c.told() {
			c.assume(c.pos(), op.InNS(p.from.name, pingWords(p.request(timeout.std()))...))
		}
	}
	if c.lab.Planned() {
		return matrix(list, pairs), nil
	}
	if err := c.lab.System().Settle(); err != nil {
		return nil, err
	}
	if err := c.pingPairs(list, pairs, timeout.std()); err != nil {
		return nil, c.interrupted(err)
	}
	return matrix(list, pairs), nil
}

// pinged are the namespaces that ping one another: those given, or all of the lab
// that have an address.
func (c *call) pinged(given starlark.Value) ([]*Namespace, error) {
	var list []*Namespace
	if given == nil {
		for _, n := range c.everyNamespace() {
			addrs, err := c.lab.Globals(n.name)
			if err != nil {
				return nil, err
			}
			if n != c.host && len(addrs) > 0 {
				list = append(list, n)
			}
		}
		return list, nil
	}
	values, ok := given.(starlark.Iterable)
	if !ok {
		return nil, want("a list of Namespaces", given)
	}
	it := values.Iterate()
	defer it.Done()
	var v starlark.Value
	for it.Next(&v) {
		n, err := c.asNamespace(v)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(list, n) {
			list = append(list, n)
		}
	}
	return list, nil
}

// pairsOf are all ordered pairs.
func (c *call) pairsOf(list []*Namespace) ([]pair, error) {
	var pairs []pair
	for i, from := range list {
		for j, to := range list {
			if from == to {
				continue
			}
			p := pair{PingPair: probe.PingPair{From: i, To: j, Error: noAddress}, from: from, to: to}
			ips, err := c.lab.Nearest(from.name, to.name)
			if err != nil {
				return nil, err
			}
			if len(ips) > 0 {
				p.Target, p.Error = ips[0], ""
			}
			pairs = append(pairs, p)
		}
	}
	return pairs, nil
}

// noAddress is why a namespace without an address is not reached.
const noAddress = "no-address"

// pingPairs pings all pairs of which the second has an address.
func (c *call) pingPairs(list []*Namespace, pairs []pair, timeout time.Duration) error {
	spaces := make([]*kernel.NetNS, len(list))
	for i, n := range list {
		var err error
		if spaces[i], err = n.real(); err != nil {
			return err
		}
	}
	var pings []*probe.PingPair
	for i := range pairs {
		if pairs[i].Error == "" {
			pings = append(pings, &pairs[i].PingPair)
		}
	}
	return probe.PingAll(c.ctx, spaces, pings, timeout)
}

// pairAt is one of the pairs of so many namespaces, by the places of its two in
// their list.
func pairAt(pairs []pair, of, from, to int) *pair {
	n := from*(of-1) + to
	if to > from {
		n--
	}
	return &pairs[n]
}

func (p *pair) request(timeout time.Duration) probe.PingRequest {
	return probe.PingRequest{Target: p.Target, Count: 1, Size: 56, Timeout: timeout}
}

// matrix is what became of all pairs.
func matrix(list []*Namespace, pairs []pair) starlark.Value {
	sent := 0
	var failures []starlark.Value
	for i := range pairs {
		p := &pairs[i]
		if p.Error != noAddress {
			sent++
		}
		if p.Error != "" {
			failures = append(failures, p.failure())
		}
	}
	ok := len(failures) == 0 && len(pairs) > 0
	return &record{kind: "Matrix", truth: ok, text: matrixText(list, pairs, len(failures)), fields: []field{
		{"ok", starlark.Bool(ok)},
		{"sent", starlark.MakeInt(sent)},
		{"received", starlark.MakeInt(len(pairs) - len(failures))},
		{"failures", starlark.NewList(failures)},
	}}
}

func (p *pair) failure() starlark.Value {
	text := fmt.Sprintf("%s → %s: %s", p.from.name, p.to.name, p.Error)
	if p.ErrorFrom.IsValid() {
		text += " from " + p.ErrorFrom.String()
	}
	return &record{kind: "Unreached", text: text, fields: []field{
		{"src", p.from},
		{"dst", p.to},
		{"error", starlark.String(p.Error)},
		{"error_from", addrOrNone(p.ErrorFrom)},
	}}
}

// widestMatrix is how many namespaces are shown as a table; of more, only the
// failures are listed, so many of them at most.
const (
	widestMatrix = 16
	mostFailures = 20
)

// matrixText is a table of who reaches whom, in lines, and by which words it does
// not.
func matrixText(list []*Namespace, pairs []pair, failures int) string {
	text := fmt.Sprintf("%d of %d pairs reach each other", len(pairs)-failures, len(pairs))
	if len(list) <= widestMatrix && len(list) > 1 {
		text += "\n" + matrixTable(list, pairs)
	}
	told := 0
	for i := range pairs {
		if pairs[i].Error == "" {
			continue
		}
		if told++; told > mostFailures {
			text += fmt.Sprintf("\n… and %d more", failures-mostFailures)
			break
		}
		text += "\n" + pairs[i].failure().String()
	}
	return text
}

func matrixTable(list []*Namespace, pairs []pair) string {
	head := []string{"FROM \\ TO"}
	for _, n := range list {
		head = append(head, n.name)
	}
	rows := [][]string{head}
	for i, from := range list {
		row := []string{from.name}
		for j := range list {
			mark := "·"
			if i != j {
				if mark = "✓"; pairAt(pairs, len(list), i, j).Error != "" {
					mark = "✗"
				}
			}
			row = append(row, mark)
		}
		rows = append(rows, row)
	}
	return align(rows)
}

const pingallDoc = `
Has each namespace ping each other one, side by side, and says who reaches whom.

namespaces (list[Namespace]): those that take part; without it all of the lab that have an address, except the host
timeout (duration): how long to wait for each answer
returns (Matrix): truthy when all reach one another
errors: a namespace was deleted
example:
    red, blue, green = namespace("red"), namespace("blue"), namespace("green")
    veth(red, blue, addr = "10.0.0.1/24", peer_addr = "10.0.0.2/24")
    veth(green, blue, addr = "10.0.1.1/24", peer_addr = "10.0.1.2/24")
    m = pingall(timeout = "100ms")
    print(m.received, m.failures[0])
    #> 4 red → green: net-unreachable
    print(pingall([red, blue]).ok)
    #> True
command: ip netns exec NS ping -c 1 TARGET
source: RFC 792, RFC 4443
`

const matrixDoc = `
Who reaches whom; truthy when all reach one another.

ok (bool): whether they do
sent (int): requests sent: one for each pair whose second has an address
received (int): answers
failures (list[Unreached]): the pairs of which the second was not reached
source: RFC 792, RFC 4443
`

const unreachedDoc = `
A pair of namespaces of which the second did not answer the first; never truthy.

src (Namespace): who asked
dst (Namespace): who was asked
error (string): timeout, net-unreachable and so on as of ping, or no-address
error_from (string | None): the router that said so
source: RFC 792, RFC 4443
`
