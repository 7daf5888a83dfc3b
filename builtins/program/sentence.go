package program

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// sentence is a rule of iptables in the words of the modules firewall and nat.
type sentence struct {
	text string   // the call; "" where these have no words for it
	both bool     // the call makes the rule for both IP versions
	spec []string // the rule itself, without the mark of a lab
}

// markPrefix begins the comment by which a lab knows its rules.
const markPrefix = "nsscript:"

// sentenceOf puts a rule into words.
func sentenceOf(ns, table, chain string, spec []string, v6 bool) sentence {
	s := sentence{spec: withoutMark(spec)}
	r := ruleWords{v6: v6, both: true}
	if !r.read(s.spec) {
		return s
	}
	c, ok := r.call(ns, table, chain)
	if ok {
		s.text, s.both = c.String(), r.both
	}
	return s
}

// withoutMark is a rule without the mark of a lab in its comment.
func withoutMark(spec []string) []string {
	for i := 0; i+1 < len(spec); i++ {
		if spec[i] != "--comment" || !strings.HasPrefix(spec[i+1], markPrefix) {
			continue
		}
		if _, own, found := strings.Cut(spec[i+1], ": "); found {
			spec = slices.Clone(spec)
			spec[i+1] = own
			return spec
		}
		from := i
		if i >= 2 && spec[i-2] == "-m" && spec[i-1] == "comment" {
			from = i - 2
		}
		return slices.Concat(spec[:from], spec[i+2:])
	}
	return spec
}

// ruleWords is what a rule says, in the terms of the modules' arguments.
type ruleWords struct {
	v6, both             bool
	src, dst, iface, out string
	proto                string
	ports                []string
	icmp                 string
	established          bool
	limit, burst         string
	comment              string
	target               string
	option, value        string // of the target
}

// implied are the matches that are named where an option of theirs is used.
var implied = []string{"tcp", "udp", "icmp", "icmp6", "multiport", "conntrack", "limit", "comment"}

// read takes a rule apart; it fails on all that the modules have no words for.
func (r *ruleWords) read(spec []string) bool {
	if len(spec)%2 != 0 {
		return false
	}
	for i := 0; i < len(spec); i += 2 {
		option, v := spec[i], spec[i+1]
		ok := true
		switch option {
		case "-m":
			ok = slices.Contains(implied, v)
		case "-s", "-d":
			ok = r.address(option, v)
		case "-i":
			r.iface = v
		case "-o":
			r.out = v
		case "-p":
			r.proto = v
		case "--dport", "--dports":
			r.ports = strings.Split(v, ",")
		case "--icmp-type", "--icmpv6-type":
			r.icmp = v
		case "--ctstate":
			r.established, ok = true, v == "RELATED,ESTABLISHED"
		case "--limit":
			r.limit = v
		case "--limit-burst":
			r.burst = v
		case "--comment":
			r.comment = v
		case "-j":
			r.target = v
		case "--reject-with", "--log-prefix", "--to-source", "--to-destination", "--to-ports":
			ok = r.option == ""
			r.option, r.value = option, v
		default:
			ok = false
		}
		if !ok {
			return false
		}
	}
	return r.sound()
}

func (r *ruleWords) address(option, v string) bool {
	p, err := netip.ParsePrefix(v)
	if err != nil {
		return false
	}
	if p.IsSingleIP() {
		v = p.Addr().String()
	}
	r.both = false
	if option == "-s" {
		r.src = v
	} else {
		r.dst = v
	}
	return true
}

// sound reports whether the parts are what the modules would make of the arguments.
func (r *ruleWords) sound() bool {
	transport := r.proto == "tcp" || r.proto == "udp"
	switch {
	case len(r.ports) > 0 && !transport, r.icmp != "" && !strings.Contains(r.proto, "icmp"), r.burst != "" && r.limit == "":
		return false
	case strings.HasSuffix(r.iface, "+") || strings.HasSuffix(r.out, "+"):
		return false
	}
	return true
}

// match adds the arguments that say which packets are meant.
func (r *ruleWords) match(c *call) {
	c.word("src", r.src)
	c.word("dst", r.dst)
	c.word("iface", r.iface)
	c.word("out", r.out)
	r.portArgs(c)
	if r.established {
		c.named("established", "True")
	}
	if r.burst != "" {
		r.limit += ":" + r.burst
	}
	c.word("limit", r.limit)
	c.word("comment", r.comment)
}

// icmpNames are types by their numbers in ICMP and in ICMPv6 (IANA).
var icmpNames = map[[2]string]string{
	{"8", "128"}: "echo-request", {"0", "129"}: "echo-reply", {"3", "1"}: "destination-unreachable", {"11", "3"}: "time-exceeded",
	{"12", "4"}: "parameter-problem", {"5", "137"}: "redirect", {"3/4", "2"}: "fragmentation-needed", {"3/3", "1/4"}: "port-unreachable",
	{"3/1", "1/3"}: "host-unreachable", {"3/0", "1/0"}: "network-unreachable", {"10", "133"}: "router-solicitation", {"9", "134"}: "router-advertisement",
	{"", "135"}: "neighbor-solicitation", {"", "136"}: "neighbor-advertisement", {"13", ""}: "timestamp-request",
}

// portArgs adds the protocol with its ports or its type.
func (r *ruleWords) portArgs(c *call) {
	switch {
	case len(r.ports) > 0:
		if len(r.ports) == 1 {
			c.named(r.proto, portText(r.ports[0]))
			return
		}
		var list []string
		for _, p := range r.ports {
			list = append(list, portText(p))
		}
		c.named(r.proto, "["+strings.Join(list, ", ")+"]")
	case r.icmp != "":
		name := r.icmp
		for numbers, n := range icmpNames {
			if !r.v6 && numbers[0] == r.icmp || r.v6 && numbers[1] == r.icmp {
				name = n
				r.both = r.both && numbers[0] != "" && numbers[1] != ""
			}
		}
		c.word("icmp", name)
	case r.proto == "icmp" && !r.v6, r.proto == "ipv6-icmp" && r.v6:
		c.named("icmp", "True")
	default:
		c.word("proto", r.proto)
	}
}

func portText(p string) string {
	if _, err := strconv.Atoi(p); err == nil {
		return p
	}
	return quote(p)
}

// call is the rule as a call of one of the modules.
func (r *ruleWords) call(ns, table, chain string) (c call, ok bool) {
	switch table {
	case "filter":
		return r.firewall(ns, chain)
	case "nat":
		return r.nat(ns, chain)
	}
	return c, false
}

func (r *ruleWords) firewall(ns, chain string) (c call, ok bool) {
	c.arg(ns)
	switch r.target {
	case "ACCEPT":
		c.fn, ok = "firewall.allow", r.option == ""
	case "DROP":
		c.fn, ok = "firewall.drop", r.option == ""
	case "REJECT":
		c.fn, ok = "firewall.reject", r.option == "--reject-with" && r.value == r.rejection()
	case "LOG":
		c.fn, ok = "firewall.log", r.option == "" || r.option == "--log-prefix"
		if r.option != "" {
			c.word("prefix", r.value)
		}
	}
	if chain != "FORWARD" {
		name := chain
		if chain == "INPUT" || chain == "OUTPUT" {
			name = strings.ToLower(chain)
		}
		c.word("chain", name)
	}
	r.match(&c)
	return c, ok
}

// rejection is how firewall.reject tells the sender.
func (r *ruleWords) rejection() string {
	switch {
	case r.proto == "tcp":
		return "tcp-reset"
	case r.v6:
		return "icmp6-port-unreachable"
	}
	return "icmp-port-unreachable"
}

func (r *ruleWords) nat(ns, chain string) (c call, ok bool) {
	c.arg(ns)
	if r.established || r.limit != "" || r.comment != "" || r.icmp != "" || r.proto != "" && len(r.ports) == 0 {
		return c, false
	}
	post := chain == "POSTROUTING" && r.iface == ""
	pre := chain == "PREROUTING" && r.out == "" && r.src == ""
	switch {
	case post && r.target == "MASQUERADE" && r.option == "" && r.proto == "":
		c.fn = "nat.masquerade"
	case post && r.target == "SNAT" && r.option == "--to-source" && plainTarget(r.value):
		c.fn, r.both = "nat.snat", false
		c.arg(quote(r.value))
	case pre && r.target == "DNAT" && r.option == "--to-destination" && plainTarget(r.value):
		c.fn, r.both = "nat.dnat", false
		c.arg(quote(r.value))
	case pre && r.target == "REDIRECT" && r.option == "--to-ports" && len(r.ports) > 0 && r.dst == "":
		if _, err := strconv.Atoi(r.value); err != nil {
			return c, false
		}
		c.fn = "nat.redirect"
		c.arg(r.value)
	default:
		return c, false
	}
	r.match(&c)
	return c, true
}

// plainTarget reports whether packets are sent to one address, perhaps at one port.
func plainTarget(s string) bool {
	if _, err := netip.ParseAddr(s); err == nil {
		return true
	}
	_, err := netip.ParseAddrPort(s)
	return err == nil
}
