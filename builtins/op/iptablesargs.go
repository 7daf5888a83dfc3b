package op

import (
	"slices"
	"strings"
)

// iptablesArgs is a line of iptables' arguments, understood as far as it takes
// to tell what the line changes (iptables(8), "OPTIONS").
type iptablesArgs struct {
	table string
	verbs []string // the commands, in their short form: one, if the line is right
	chain string   // what the command is about
	more  string   // a rule's number, a policy, a chain's new name
	flags []string // options about printing and counters
	spec  []string // the rule, with options in their short form

	comment int  // where in spec a comment's text stands, or -1
	jump    int  // where in spec the target's option stands, or -1
	waits   bool // the line says how long the lock is waited for
	unsure  bool // part of the line could not be understood

	rest []string // what is not read yet
}

// kind says what an option is about.
type kind int

const (
	ofExtension kind = iota // one that iptables itself does not know
	ofRule
	ofLine
	command
)

// arity says what follows an option.
type arity int

const (
	nothing arity = iota
	aWord
	perhaps // a word, unless that is an option
)

// iptablesOptions are the options that iptables itself knows, by their short
// form.
var iptablesOptions = map[string]struct {
	kind  kind
	arity arity
}{
	"-A": {command, aWord}, "-C": {command, aWord}, "-D": {command, aWord}, "-I": {command, aWord},
	"-R": {command, aWord}, "-N": {command, aWord}, "-E": {command, aWord}, "-P": {command, aWord},
	"-L": {command, perhaps}, "-S": {command, perhaps}, "-F": {command, perhaps}, "-Z": {command, perhaps},
	"-X": {command, perhaps}, "-V": {command, nothing}, "-h": {command, perhaps},

	"-t": {ofLine, aWord}, "-w": {ofLine, perhaps}, "-W": {ofLine, perhaps}, "-v": {ofLine, nothing},
	"-n": {ofLine, nothing}, "-x": {ofLine, nothing}, "-c": {ofLine, aWord}, "-M": {ofLine, aWord},
	"-4": {ofLine, nothing}, "-6": {ofLine, nothing}, "--line-numbers": {ofLine, nothing},

	"-s": {ofRule, aWord}, "-d": {ofRule, aWord}, "-p": {ofRule, aWord}, "-i": {ofRule, aWord}, "-o": {ofRule, aWord},
	"-j": {ofRule, aWord}, "-g": {ofRule, aWord}, "-m": {ofRule, aWord}, "-f": {ofRule, nothing},

	// Extensions' options whose text may begin with a dash.
	"--comment": {ofExtension, aWord}, "--log-prefix": {ofExtension, aWord}, "--nflog-prefix": {ofExtension, aWord},
	"--string": {ofExtension, aWord}, "--hex-string": {ofExtension, aWord},
}

var iptablesLongOptions = map[string]string{
	"--append": "-A", "--check": "-C", "--delete": "-D", "--insert": "-I", "--replace": "-R", "--list": "-L",
	"--list-rules": "-S", "--flush": "-F", "--zero": "-Z", "--new-chain": "-N", "--delete-chain": "-X",
	"--policy": "-P", "--rename-chain": "-E", "--version": "-V", "--help": "-h",
	"--table": "-t", "--wait": "-w", "--wait-interval": "-W", "--verbose": "-v", "--numeric": "-n", "--exact": "-x",
	"--set-counters": "-c", "--modprobe": "-M", "--ipv4": "-4", "--ipv6": "-6", "--line-numbers": "--line-numbers",
	"--source": "-s", "--src": "-s", "--destination": "-d", "--dst": "-d", "--protocol": "-p",
	"--in-interface": "-i", "--out-interface": "-o", "--jump": "-j", "--goto": "-g", "--match": "-m", "--fragments": "-f",
}

// parseIptables reads a line of arguments, or a rule's words alone. It never
// fails: of what is wrong iptables itself complains.
func parseIptables(args []string) *iptablesArgs {
	p := &iptablesArgs{table: "filter", comment: -1, jump: -1, rest: args}
	for len(p.rest) > 0 {
		w := p.next()
		switch {
		case strings.HasPrefix(w, "--"):
			name, value, attached := strings.Cut(w, "=")
			p.option(shortOption(name, args), value, attached)
		case len(w) > 1 && w[0] == '-':
			p.letters(w)
		default:
			p.spec = append(p.spec, w)
		}
	}
	return p
}

func (p *iptablesArgs) next() string {
	if len(p.rest) == 0 {
		return ""
	}
	w := p.rest[0]
	p.rest = p.rest[1:]
	return w
}

// nextValue is the next word, "" if that is an option.
func (p *iptablesArgs) nextValue() string {
	if len(p.rest) == 0 || p.rest[0] == "!" || strings.HasPrefix(p.rest[0], "-") {
		return ""
	}
	return p.next()
}

// letters reads short options written as one word: -A, -nvL, -tnat.
func (p *iptablesArgs) letters(w string) {
	for i := 1; i < len(w); i++ {
		o := "-" + w[i:i+1]
		known, ok := iptablesOptions[o]
		if !ok {
			// A value that begins with a dash, or an option that is not
			// known here.
			p.unsure = p.unsure || strings.ContainsAny(w, "ACDIRNEPFZX")
			p.spec = append(p.spec, w)
			return
		}
		if known.arity != nothing && i+1 < len(w) {
			p.option(o, w[i+1:], true)
			return
		}
		p.option(o, "", false)
	}
}

// option reads one option and what belongs to it.
func (p *iptablesArgs) option(o, value string, attached bool) {
	known := iptablesOptions[o]
	has := attached
	if !has && known.arity == aWord && len(p.rest) > 0 {
		value, has = p.next(), true
	}
	if !has && known.arity == perhaps {
		value = p.nextValue()
		has = value != ""
	}
	switch known.kind {
	case command:
		p.command(o, value)
	case ofLine:
		p.lineOption(o, value, has)
	case ofRule, ofExtension:
		if (o == "-j" || o == "-g") && p.jump < 0 {
			p.jump = len(p.spec)
		}
		p.spec = append(p.spec, o)
		if has {
			if o == "--comment" && p.comment < 0 {
				p.comment = len(p.spec)
			}
			p.spec = append(p.spec, value)
		}
	}
}

func (p *iptablesArgs) command(o, value string) {
	p.verbs = append(p.verbs, o)
	p.chain = value
	switch o {
	case "-P", "-E", "-R":
		p.more = p.nextValue()
	case "-I", "-D", "-L", "-S", "-Z":
		if len(p.rest) > 0 && isNumber(p.rest[0]) {
			p.more = p.next()
		}
	}
}

func isNumber(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// lineOption reads an option about the line as a whole. How long the lock is
// waited for is not left to the line.
func (p *iptablesArgs) lineOption(o, value string, has bool) {
	switch o {
	case "-t":
		p.table = value
		return
	case "-w", "-W":
		p.waits = true
		return
	}
	p.flags = append(p.flags, o)
	if has {
		p.flags = append(p.flags, value)
	}
	if o == "-c" { // packets and bytes, as two words or as one
		if v := p.nextValue(); v != "" {
			p.flags = append(p.flags, v)
		}
	}
}

// shortOption returns the short form of a long option. A command may be
// abbreviated (getopt_long(3)).
func shortOption(name string, args []string) string {
	if short, ok := iptablesLongOptions[name]; ok {
		return short
	}
	if name == "--pol" && slices.Contains(args, "policy") {
		return name // that of the match policy
	}
	found := map[string]bool{}
	short := ""
	for long, s := range iptablesLongOptions {
		if strings.HasPrefix(long, name) {
			found[s], short = true, s
		}
	}
	if len(found) == 1 && (iptablesOptions[short].kind == command || short == "-t") {
		return short
	}
	return name
}

// verb is the line's one command, "" where there is none, or several, or where
// the line is not understood.
func (p *iptablesArgs) verb() string {
	if len(p.verbs) != 1 || p.unsure {
		return ""
	}
	return p.verbs[0]
}

// reads reports whether the line changes nothing.
func (p *iptablesArgs) reads() bool {
	switch p.verb() {
	case "-L", "-S", "-C", "-V", "-h":
		return true
	}
	return false
}

// setsPolicy reports whether the line sets a policy of the filter table.
func (p *iptablesArgs) setsPolicy() bool { return p.verb() == "-P" && p.table == "filter" }

// line writes a command about the same table and chain.
func (p *iptablesArgs) line(verb string, words ...string) []string {
	var out []string
	if p.table != "filter" {
		out = []string{"-t", p.table}
	}
	out = append(out, verb)
	if p.chain != "" {
		out = append(out, p.chain)
	}
	return append(out, words...)
}

// again writes the line again, with other words for its rule, and without those
// about the lock.
func (p *iptablesArgs) again(spec []string) []string {
	var out []string
	if p.table != "filter" {
		out = []string{"-t", p.table}
	}
	out = append(out, p.flags...)
	for _, v := range p.verbs {
		out = append(out, v)
		if p.chain != "" {
			out = append(out, p.chain)
		}
		if p.more != "" {
			out = append(out, p.more)
		}
	}
	return append(out, spec...)
}
