package builtins

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"go.starlark.net/starlark"

	"nsscript/builtins/near"
	"nsscript/builtins/op"
)

// linkArgs are the arguments that all builtins have which make an interface.
type linkArgs struct {
	name ifName
	addr addresses
	mac  mac
	mtu  mtu
	up   bool
}

// in is the interface as it is to be made in a namespace.
func (a *linkArgs) in(n *Namespace) op.NewLink {
	return op.NewLink{NS: n.name, Name: string(a.name), Addrs: a.addr, MAC: string(a.mac), MTU: int(a.mtu), Up: a.up}
}

// made does an operation that makes an interface, and returns that.
func (c *call) made(n *Namespace, name ifName, o op.Op) (starlark.Value, error) {
	if err := c.do(o); err != nil {
		return nil, err
	}
	return n.findLink(string(name))
}

// lowerLink is an interface that another one is to stand on.
type lowerLink struct{ *Link }

func (l *lowerLink) unpack(_ *Session, v starlark.Value) error {
	switch v := v.(type) {
	case linkValue:
		l.Link = v.link()
		_, err := l.read()
		return err
	case starlark.String:
		return badArg(fmt.Sprintf("ns.link(%q) is the interface of that name in the namespace ns", string(v)), "want a Link, got %s", describe(v))
	case *Namespace:
		return badArg("v.link(name) is an interface of it", "want a Link, got %s", describe(v))
	}
	return want("a Link", v)
}

// devNames are interfaces of one namespace: Links or names.
type devNames []devName

func (l *devNames) unpack(s *Session, v starlark.Value) error {
	it, ok := v.(starlark.Iterable)
	if !ok {
		return want("a list of Links", v)
	}
	iter := it.Iterate()
	defer iter.Done()
	var x starlark.Value
	for iter.Next(&x) {
		var d devName
		if err := d.unpack(s, x); err != nil {
			return err
		}
		*l = append(*l, d)
	}
	return nil
}

// in returns the names, for interfaces of ns.
func (l devNames) in(ns *Namespace, arg string) ([]string, error) {
	var names []string
	for _, d := range l {
		name, err := d.in(ns, arg)
		if err != nil {
			return nil, err
		}
		if slices.Contains(names, name) {
			return nil, &argError{arg, badArg("", "%q is there twice", name)}
		}
		names = append(names, name)
	}
	return names, nil
}

// choice is one of several words.
type choice struct {
	to *string
	of []string
}

func (c choice) unpack(_ *Session, v starlark.Value) error {
	s, ok := starlark.AsString(v)
	if !ok || !slices.Contains(c.of, s) {
		quoted := make([]string, len(c.of))
		for i, w := range c.of {
			quoted[i] = strconv.Quote(w)
		}
		accepts := strings.Join(quoted[:len(quoted)-1], ", ") + " or " + quoted[len(quoted)-1]
		return badArg(near.Hint(c.of, s), "want %s, got %s", accepts, describe(v))
	}
	*c.to = s
	return nil
}

// percentage is a share in percent: a number, or a string such as "1.5%".
type percentage float64

func (p *percentage) unpack(_ *Session, v starlark.Value) error {
	f, ok := starlark.AsFloat(v)
	if s, isText := starlark.AsString(v); isText {
		n, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(s, "%")), 64)
		f, ok = n, err == nil
	}
	if !ok || !(f >= 0 && f <= 100) {
		return want(`percent: a number from 0 to 100, or a string such as "1.5%"`, v)
	}
	*p = percentage(f)
	return nil
}

// rate is a number of bits a second, or a string such as "10mbit".
type rate uint64

// rateUnits are the endings of a rate, in small letters.
var rateUnits = []struct {
	end  string
	bits float64
}{
	{"kbit", 1e3}, {"mbit", 1e6}, {"gbit", 1e9}, {"tbit", 1e12}, {"bit", 1},
	{"kbps", 8e3}, {"mbps", 8e6}, {"gbps", 8e9}, {"bps", 8},
}

// leastRate is below what a packet would take minutes.
const leastRate = 1000

func (r *rate) unpack(_ *Session, v starlark.Value) error {
	const accepts = `a rate such as "10mbit", or a number of bits a second`
	f, ok := starlark.AsFloat(v)
	if s, isText := starlark.AsString(v); isText {
		text := strings.ToLower(strings.ReplaceAll(s, " ", ""))
		ok = false
		for _, u := range rateUnits {
			if number, has := strings.CutSuffix(text, u.end); has {
				n, err := strconv.ParseFloat(number, 64)
				f, ok = n*u.bits, err == nil
				break
			}
		}
		if !ok {
			return badArg(rateHint(text), "want %s, got %s", accepts, describe(v))
		}
	}
	if !ok || !(f >= leastRate && f <= math.MaxUint32*8e3) {
		return want(fmt.Sprintf("%s, of %d bits at least", accepts, leastRate), v)
	}
	*r = rate(f)
	return nil
}

// rateHint is how a rate that was written otherwise is written.
func rateHint(text string) string {
	number := strings.TrimRight(text, "abcdefghijklmnopqrstuvwxyz/")
	if _, err := strconv.ParseFloat(number, 64); err != nil {
		return ""
	}
	switch unit := strings.TrimPrefix(text, number); unit {
	case "":
		return fmt.Sprintf("write %s for bits, or %q", number, number+"mbit")
	case "k", "m", "g", "t":
		return fmt.Sprintf("write %q", number+unit+"bit")
	case "kbit/s", "mbit/s", "gbit/s", "kb/s", "mb/s", "gb/s":
		return fmt.Sprintf("write %q", number+unit[:1]+"bit")
	}
	return ""
}
