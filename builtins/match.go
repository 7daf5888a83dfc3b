package builtins

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"go.starlark.net/starlark"

	"nsscript/builtins/near"
	"nsscript/builtins/op"
)

// match says which packets a rule is about; its fields are the arguments of
// firewall.allow and of nat's builtins.
type match struct {
	src, dst    netList
	in, out     string
	proto       protoName
	tcp, udp    portSpec
	icmp        icmpSpec
	established bool
	limit       string
	comment     string
}

// netList is a list of addresses and networks; nil for all.
type netList []netip.Prefix

// readNets reads the source or destination of a rule: an address, a network, a
// Link, a Namespace, or a list of these.
func (c *call) readNets(name string, v starlark.Value) (netList, error) {
	if v == nil {
		return nil, nil
	}
	nets, err := c.nets(v)
	if err != nil {
		return nil, &argError{name, err}
	}
	slices.SortFunc(nets, func(a, b netip.Prefix) int { return a.Addr().Compare(b.Addr())*256 + a.Bits() - b.Bits() })
	return slices.Compact(nets), nil
}

func (c *call) nets(v starlark.Value) (netList, error) {
	single := func(a netip.Addr) netip.Prefix { return netip.PrefixFrom(a.WithZone(""), a.BitLen()) }
	switch v := v.(type) {
	case Network:
		return netList{v.p}, nil
	case Address:
		return netList{single(v.p.Addr())}, nil
	case starlark.String:
		if p, err := netip.ParsePrefix(string(v)); err == nil {
			return netList{p.Masked()}, nil
		}
		if a, err := netip.ParseAddr(string(v)); err == nil {
			return netList{single(a)}, nil
		}
		if c.lab.System().Has(string(v)) {
			return c.netsOf(string(v))
		}
		return nil, badArg(nearName(c.lab.System().Names(), string(v)), "want an address or a network such as \"10.0.0.0/24\", got %s", describe(v))
	case linkValue:
		ips, err := c.targets(v.link().n, v)
		if err != nil {
			return nil, err
		}
		var nets netList
		for _, ip := range ips {
			if !ip.IsLinkLocalUnicast() {
				nets = append(nets, single(ip))
			}
		}
		return nets, nil
	case *Namespace:
		if err := v.alive(); err != nil {
			return nil, err
		}
		return c.netsOf(v.name)
	case starlark.Iterable:
		it := v.Iterate()
		defer it.Done()
		var nets netList
		var x starlark.Value
		for it.Next(&x) {
			more, err := c.nets(x)
			if err != nil {
				return nil, err
			}
			nets = append(nets, more...)
		}
		if len(nets) == 0 {
			return nil, badArg("leave it out to match all", "the list is empty")
		}
		return nets, nil
	}
	return nil, want("an address, a network, a Link, a Namespace, or a list of these", v)
}

func (c *call) netsOf(ns string) (netList, error) {
	all, err := c.lab.Globals(ns)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, badArg("give it its addresses before the rules", "%s has no address", (&Namespace{name: ns}).title())
	}
	nets := make(netList, len(all))
	for i, p := range all {
		nets[i] = netip.PrefixFrom(p.Addr(), p.Addr().BitLen())
	}
	return nets, nil
}

// of keeps the addresses of one family.
func (l netList) of(v6 bool) netList {
	return slices.DeleteFunc(slices.Clone(l), func(p netip.Prefix) bool { return p.Addr().Is6() != v6 })
}

// portSpec is a port, a list of ports, or ranges such as "1000:2000", in the form
// of iptables.
type portSpec []string

func (p *portSpec) unpack(s *Session, v starlark.Value) error {
	const accepts = `a port from 1 to 65535, a list of ports, or a range such as "1000:2000"`
	switch v := v.(type) {
	case starlark.Int:
		var n port
		if n.unpack(s, v) != nil {
			return wantPort(accepts, v)
		}
		*p = append(*p, strconv.Itoa(int(n)))
	case starlark.String:
		for part := range strings.SplitSeq(string(v), ",") {
			low, high, isRange := strings.Cut(strings.Replace(strings.TrimSpace(part), "-", ":", 1), ":")
			a, err := strconv.ParseUint(low, 10, 16)
			b := a
			if err == nil && isRange {
				b, err = strconv.ParseUint(high, 10, 16)
			}
			if err != nil || a == 0 || b < a {
				return wantPort(accepts, v)
			}
			text := strconv.FormatUint(a, 10)
			if isRange {
				text += ":" + strconv.FormatUint(b, 10)
			}
			*p = append(*p, text)
		}
	case starlark.Iterable:
		it := v.Iterate()
		defer it.Done()
		var x starlark.Value
		for it.Next(&x) {
			if err := p.unpack(s, x); err != nil {
				return err
			}
		}
		if len(*p) == 0 {
			return wantPort(accepts, v)
		}
	default:
		return wantPort(accepts, v)
	}
	return nil
}

// multiportSlots is how many ports one rule can name; a range takes two
// (iptables-extensions(8), multiport).
const multiportSlots = 15

// groups splits the ports into what fits into one rule each.
func (p portSpec) groups() []portSpec {
	var groups []portSpec
	var now portSpec
	used := 0
	for _, one := range p {
		slots := 1 + strings.Count(one, ":")
		if used+slots > multiportSlots {
			groups, now, used = append(groups, now), nil, 0
		}
		now, used = append(now, one), used+slots
	}
	return append(groups, now)
}

// words are those of a match on destination ports.
func (p portSpec) words(proto string) []string {
	w := []string{"-p", proto}
	if len(p) == 1 {
		return append(w, "-m", proto, "--dport", p[0])
	}
	return append(w, "-m", "multiport", "--dports", strings.Join(p, ","))
}

// protoName is the name or the number of a protocol.
type protoName string

func (p *protoName) unpack(_ *Session, v starlark.Value) error {
	n := 0
	switch v := v.(type) {
	case starlark.Int:
		if readInt(v, &n, 0, 255, "") == nil {
			*p = protoName(v.String())
			return nil
		}
	case starlark.String:
		if v != "" && !strings.HasPrefix(string(v), "-") && !strings.ContainsAny(string(v), " \t\n\x00") {
			*p = protoName(strings.ToLower(string(v)))
			return nil
		}
	}
	return want(`the name or the number of a protocol, such as "gre" or 47`, v)
}

// icmpSpec is True for all ICMP, or a type by its name.
type icmpSpec string

const anyICMP icmpSpec = "any"

// icmpTypes are the numbers of ICMP's and ICMPv6's types (IANA), as iptables
// prints them.
var icmpTypes = map[icmpSpec][2]string{
	"echo-request":            {"8", "128"},
	"echo-reply":              {"0", "129"},
	"destination-unreachable": {"3", "1"},
	"time-exceeded":           {"11", "3"},
	"parameter-problem":       {"12", "4"},
	"redirect":                {"5", "137"},
	"fragmentation-needed":    {"3/4", "2"},
	"packet-too-big":          {"3/4", "2"},
	"port-unreachable":        {"3/3", "1/4"},
	"host-unreachable":        {"3/1", "1/3"},
	"network-unreachable":     {"3/0", "1/0"},
	"ttl-exceeded":            {"11", "3"},
	"router-solicitation":     {"10", "133"},
	"router-advertisement":    {"9", "134"},
	"neighbor-solicitation":   {"", "135"},
	"neighbor-advertisement":  {"", "136"},
	"timestamp-request":       {"13", ""},
}

func (i *icmpSpec) unpack(_ *Session, v starlark.Value) error {
	switch v := v.(type) {
	case starlark.Bool:
		if !v {
			return badArg("leave it out to match every protocol", "icmp = False would match nothing")
		}
		*i = anyICMP
		return nil
	case starlark.Int:
		n := 0
		if readInt(v, &n, 0, 255, "") == nil {
			*i = icmpSpec(strconv.Itoa(n))
			return nil
		}
	case starlark.String:
		if v != "" && strings.Trim(string(v), "0123456789/") == "" {
			*i = icmpSpec(v)
			return nil
		}
		name := icmpSpec(strings.ReplaceAll(string(v), "_", "-"))
		if name == "ping" {
			name = "echo-request"
		}
		if name == anyICMP {
			*i = anyICMP
			return nil
		}
		if _, ok := icmpTypes[name]; !ok {
			var names []string
			for n := range icmpTypes {
				names = append(names, string(n))
			}
			return badArg(near.Hint(names, string(name)), "no ICMP type is called %q", string(v))
		}
		*i = name
		return nil
	}
	return want(`True, or the name of an ICMP type such as "echo-request"`, v)
}

// words are those of a match on ICMP, nil where the family has no such type.
func (i icmpSpec) words(v6 bool) []string {
	if i == anyICMP {
		if v6 {
			return []string{"-p", "ipv6-icmp"}
		}
		return []string{"-p", "icmp"}
	}
	number := string(i)
	if types, named := icmpTypes[i]; named {
		number = types[0]
		if v6 {
			number = types[1]
		}
	}
	switch {
	case number == "":
		return nil
	case v6:
		return []string{"-p", "ipv6-icmp", "-m", "icmp6", "--icmpv6-type", number}
	}
	return []string{"-p", "icmp", "-m", "icmp", "--icmp-type", number}
}

// protocols are the variants of a match: one rule for each.
func (m *match) protocols(v6 bool) [][]string {
	var all [][]string
	if m.tcp != nil {
		for _, g := range m.tcp.groups() {
			all = append(all, g.words("tcp"))
		}
	}
	if m.udp != nil {
		for _, g := range m.udp.groups() {
			all = append(all, g.words("udp"))
		}
	}
	if m.icmp != "" {
		if w := m.icmp.words(v6); w != nil {
			all = append(all, w)
		}
		return all
	}
	if m.proto != "" {
		proto := string(m.proto)
		if v6 && proto == "icmp" {
			proto = "ipv6-icmp"
		}
		all = append(all, []string{"-p", proto})
	}
	if len(all) == 0 {
		all = [][]string{nil}
	}
	return all
}

// families tells for which IP versions there are rules: those in which every
// address list has a member, both where no address is named.
func (m *match) families(more ...netList) ([]bool, error) {
	var list []bool
	for _, v6 := range []bool{false, true} {
		ok := !v6 || op.HasIPv6()
		for _, l := range append([]netList{m.src, m.dst}, more...) {
			ok = ok && (l == nil || len(l.of(v6)) > 0)
		}
		if ok {
			list = append(list, v6)
		}
	}
	if len(list) == 0 {
		return nil, badArg("", "source and destination have no IP version in common")
	}
	return list, nil
}

// specs turns the match into the words of concrete rules of one family, without
// their target.
func (m *match) specs(v6 bool) [][]string {
	each := func(l netList) []string {
		if l == nil {
			return []string{""}
		}
		var s []string
		for _, p := range l.of(v6) {
			s = append(s, p.String())
		}
		return s
	}
	var all [][]string
	for _, src := range each(m.src) {
		for _, dst := range each(m.dst) {
			for _, proto := range m.protocols(v6) {
				w := make([]string, 0, 16)
				add := func(flag, value string) {
					if value != "" {
						w = append(w, flag, value)
					}
				}
				add("-s", src)
				add("-d", dst)
				add("-i", m.in)
				add("-o", m.out)
				w = append(w, proto...)
				if m.established {
					w = append(w, "-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED")
				}
				if m.limit != "" {
					rate, burst, _ := strings.Cut(m.limit, ":")
					w = append(w, "-m", "limit", "--limit", rate)
					if burst != "" {
						w = append(w, "--limit-burst", burst)
					}
				}
				if m.comment != "" {
					w = append(w, "-m", "comment", "--comment", m.comment)
				}
				all = append(all, w)
			}
		}
	}
	return all
}

// rules are the concrete rules of a match with a target, in a chain.
func (m *match) rules(table, chain string, target func(v6 bool) []string) ([]op.FilterRule, error) {
	families, err := m.families()
	if err != nil {
		return nil, err
	}
	var rules []op.FilterRule
	for _, v6 := range families {
		for _, spec := range m.specs(v6) {
			rules = append(rules, op.FilterRule{V6: v6, Table: table, Chain: chain, Spec: append(spec, target(v6)...)})
		}
	}
	if len(rules) == 0 {
		return nil, badArg("", "no packet of this IP version could match")
	}
	return rules, nil
}

// limitUnits are the units of a rate as iptables prints them.
var limitUnits = map[string]string{"s": "sec", "sec": "sec", "second": "sec", "m": "min", "min": "min", "minute": "min",
	"h": "hour", "hour": "hour", "d": "day", "day": "day"}

// readLimit reads a rate such as "10/second" or, with a burst, "10/second:20".
func readLimit(s string) (string, error) {
	rate, burst, hasBurst := strings.Cut(s, ":")
	n, unit, ok := strings.Cut(rate, "/")
	k, err := strconv.ParseUint(n, 10, 32)
	u, known := limitUnits[strings.ToLower(unit)]
	if !ok || err != nil || k == 0 || !known {
		return "", badArg("", "argument \"limit\": want a rate such as \"10/second\", got %q", s)
	}
	text := fmt.Sprintf("%d/%s", k, u)
	if hasBurst {
		b, err := strconv.ParseUint(burst, 10, 32)
		if err != nil || b == 0 {
			return "", badArg("", "argument \"limit\": want a burst after the colon, as in \"10/second:20\", got %q", s)
		}
		text += fmt.Sprintf(":%d", b)
	}
	return text, nil
}
