package doc

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"nsscript/builtins/near"
)

// A Call is how a function is called: with so many arguments by position, and
// these by name.
type Call struct {
	Positional int
	Names      []string
	Open       bool // more are given, in a list or a dict: *args, **kwargs
}

// A Refusal is why a function does not take a call: arguments that it does not have,
// or one that it wants and that is missing.
type Refusal struct {
	Msg, Tip string
	// Name is the index of the name in [Call.Names] that is wrong, -1 for none.
	Name int
}

// Takes reports whether a function of this signature and these arguments can be
// called so; bound are the arguments at the beginning that it has already, such
// as the value that a method is of, which count to the positional ones.
func Takes(signature string, args []Arg, bound int, call Call) *Refusal {
	given := make([]bool, len(args))
	positional, rest := 0, ""
	for _, a := range args {
		switch {
		case a.Rest != "":
			rest += a.Rest + " "
		case !a.ByName:
			positional++
		}
	}
	if call.Positional > positional && !strings.HasPrefix(rest, "* ") {
		return tooMany(args, bound, call.Positional-bound)
	}
	for i := range min(call.Positional, positional) {
		given[i] = true
	}
	for n, name := range call.Names {
		i := slices.IndexFunc(args, func(a Arg) bool { return a.Name == name && a.Rest == "" })
		switch {
		case i < 0 && strings.HasSuffix(rest, "** "):
			continue
		case i < 0:
			return &Refusal{Msg: fmt.Sprintf("unexpected keyword argument %q", name), Tip: meant(boundSignature(signature, bound), args[bound:], name), Name: n}
		case given[i]:
			return &Refusal{Msg: fmt.Sprintf("argument %q is given twice", name), Name: n}
		}
		given[i] = true
	}
	for i, a := range args {
		if !given[i] && !a.Optional && !call.Open {
			return &Refusal{Msg: fmt.Sprintf("missing argument %q", a.Name), Tip: "the call is " + boundSignature(signature, bound), Name: -1}
		}
	}
	return nil
}

// boundSignature is the signature without arguments that are given already.
func boundSignature(signature string, bound int) string {
	if bound > 0 {
		return BoundSignature(signature)
	}
	return signature
}

func tooMany(args []Arg, bound, given int) *Refusal {
	var positional, byName []string
	for _, a := range args {
		switch {
		case a.Rest != "":
		case a.ByName:
			byName = append(byName, a.Name)
		default:
			positional = append(positional, a.Name)
		}
	}
	positional = positional[bound:]
	e := &Refusal{Name: -1}
	switch len(positional) {
	case 0:
		e.Msg = fmt.Sprintf("takes no positional arguments, got %d", given)
	case 1:
		e.Msg = fmt.Sprintf("takes 1 positional argument (%s), got %d", positional[0], given)
	default:
		e.Msg = fmt.Sprintf("takes %d positional arguments (%s), got %d", len(positional), strings.Join(positional, ", "), given)
	}
	switch {
	case slices.Equal(positional, []string{"cmd"}), slices.Equal(positional, []string{"ns", "cmd"}):
		e.Tip = `a command is one string, "ls -l", or a list, ["ls", "-l"]`
	case len(byName) > 0:
		e.Tip = fmt.Sprintf("these are given by name, as %s = …: %s", byName[0], strings.Join(byName, ", "))
	}
	return e
}

// otherWords are names that arguments have in other tools, each with those that
// they may have here.
var otherWords = map[string][]string{
	"ip": {"addr", "target"}, "address": {"addr"}, "ipaddr": {"addr"}, "peer_ip": {"peer_addr"}, "peer_address": {"peer_addr"},
	"gateway": {"via"}, "gw": {"via"}, "nexthop": {"via"}, "next_hop": {"via"},
	"device": {"dev", "out", "iface"}, "interface": {"dev", "iface", "out"}, "iface": {"dev", "iif", "out"}, "dev": {"iface", "out"},
	"in_": {"iface", "iif"}, "iif": {"iface"}, "oif": {"out"}, "in_iface": {"iface", "iif"}, "out_iface": {"out", "oif"},
	"out": {"iface", "dev"}, "mark": {"fwmark"}, "lookup": {"table"}, "pref": {"priority"}, "prio": {"priority"}, "c": {"count"}, "n": {"count"}, "w": {"timeout"}, "interval": {"every"}, "tcp": {"port"}, "udp": {"port"},
	"destination": {"dst"}, "dest": {"dst", "to"}, "source": {"src"}, "from_": {"src"}, "to": {"dst", "target", "port"}, "host": {"target"},
	"port": {"tcp", "udp"}, "ports": {"tcp", "udp"}, "dport": {"tcp", "udp"}, "protocol": {"proto"}, "state": {"established"}, "ctstate": {"established"},
	"interfaces": {"ports"}, "members": {"ports"}, "peer_name": {"peer"}, "hwaddr": {"mac"}, "ether": {"mac"},
	"cwd": {"dir"}, "environment": {"env"}, "stdin": {"input"}, "data": {"send", "input"}, "payload": {"send", "reply"},
	"latency": {"delay"}, "bandwidth": {"rate"}, "speed": {"rate"}, "packet_loss": {"loss"}, "vid": {"id", "vids"}, "tag": {"id", "vids"}, "group": {"remote"}, "dstport": {"port"}, "slaves": {"members"},
	"netns": {"ns"}, "namespace": {"ns"}, "hops": {"ttl"}, "dont_fragment": {"df"}, "desc": {"description"},
}

// otherWord is the hint for a name that an argument has in other tools, "" where
// there is no such argument.
func otherWord(args []Arg, name string) string {
	var words []string
	for _, word := range otherWords[strings.ToLower(name)] {
		if slices.ContainsFunc(args, func(a Arg) bool { return a.Name == word }) {
			words = append(words, fmt.Sprintf("%q", word))
		}
	}
	if len(words) == 0 {
		return ""
	}
	return "did you mean " + strings.Join(words, " or ") + "?"
}

// meant is the hint for an argument that there is not.
func meant(signature string, args []Arg, name string) string {
	if hint := otherWord(args, name); hint != "" {
		return hint
	}
	names := make([]string, len(args))
	for i, a := range args {
		names[i] = a.Name
	}
	if best := near.Name(names, name); best != "" {
		return near.DidYouMean(best)
	}
	if other := near.Name(slices.Collect(maps.Keys(otherWords)), name); other != "" {
		if hint := otherWord(args, other); hint != "" {
			return hint
		}
	}
	return "the call is " + signature
}
