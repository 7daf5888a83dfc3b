package program

import (
	"slices"
	"strings"

	"nsscript/builtins/picture"
)

// filters writes the packet filters: what the modules firewall and nat say, in their
// words, and the rest as iptables has it.
func (w *writer) filters() {
	w.section("Firewall and NAT")
	for _, n := range w.p.Namespaces {
		f := &filter{ns: w.spaces[n]}
		for _, t := range []string{"raw", "mangle", "nat", "filter", "security"} {
			f.table(n.Table(false, t), n.Table(true, t))
		}
		f.flush()
		for _, text := range f.lines {
			w.line("%s", text)
		}
	}
}

// filter is the packet filters of one namespace.
type filter struct {
	ns    string
	lines []string
	// raw are commands of one program that stand together.
	raw      []string
	rawV6    bool
	rawTable string // the table of the last one
}

// say adds a call of a builtin.
func (f *filter) say(text string) {
	f.flush()
	f.lines = append(f.lines, text)
}

// command adds a command of iptables.
func (f *filter) command(v6 bool, table string, words ...string) {
	if len(f.raw) > 0 && f.rawV6 != v6 {
		f.flush()
	}
	f.rawV6 = v6
	if slices.ContainsFunc(words, func(w string) bool { return strings.ContainsAny(w, "\n\r") }) {
		f.flush()
		if table != "filter" {
			words = append([]string{"-t", table}, words...)
		}
		f.lines = append(f.lines, call{programOf(v6), []string{f.ns, list(words)}}.String())
		return // it would not stay on its line
	}
	if len(f.raw) > 0 && f.rawTable != table {
		f.raw = append(f.raw, "")
	}
	f.rawTable = table
	if table != "filter" {
		words = append([]string{"-t", table}, words...)
	}
	f.raw = append(f.raw, shellWords(words))
}

// flush writes the commands that stand together as one call.
func (f *filter) flush() {
	program := programOf(f.rawV6)
	switch {
	case len(f.raw) == 1:
		f.lines = append(f.lines, call{program, []string{f.ns, quote(f.raw[0])}}.String())
	case len(f.raw) > 1:
		var lines []string
		for _, c := range f.raw {
			if c != "" {
				c = "    " + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(c)
			}
			lines = append(lines, c)
		}
		f.lines = append(f.lines, program+"("+f.ns+", \"\"\"\n"+strings.Join(lines, "\n")+"\n\"\"\")")
	}
	f.raw = nil
}

func programOf(v6 bool) string {
	if v6 {
		return "ip6tables"
	}
	return "iptables"
}

// shellWords joins words such that a shell would split them again.
func shellWords(words []string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		if word == "" || strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.,:/+=%@!") != "" {
			word = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
		}
		quoted[i] = word
	}
	return strings.Join(quoted, " ")
}

// table writes one table of both IP versions.
func (f *filter) table(v4, v6 *picture.Table) {
	f.policies(v4, v6)
	for _, t := range []*picture.Table{v4, v6} {
		for _, c := range chains(t) {
			if c.Policy == "" {
				f.command(t.V6, t.Name, "-N", c.Name)
			}
		}
	}
	var done []string
	for _, t := range []*picture.Table{v4, v6} {
		for _, c := range chains(t) {
			if slices.Contains(done, c.Name) {
				continue
			}
			done = append(done, c.Name)
			f.chain(t.Name, c.Name, rulesOf(v4, c.Name), rulesOf(v6, c.Name))
		}
	}
}

func chains(t *picture.Table) []*picture.Chain {
	if t == nil {
		return nil
	}
	return t.Chains
}

func rulesOf(t *picture.Table, chain string) [][]string {
	if c := t.Chain(chain); c != nil {
		return c.Rules
	}
	return nil
}

// policies sets what becomes of packets that no rule decides on.
func (f *filter) policies(v4, v6 *picture.Table) {
	drops := func(t *picture.Table, chain string) bool {
		c := t.Chain(chain)
		return c != nil && c.Policy != "" && c.Policy != "ACCEPT"
	}
	both := call{"firewall.policy", []string{f.ns}}
	for _, t := range []*picture.Table{v4, v6} {
		for _, c := range chains(t) {
			if !drops(t, c.Name) {
				continue
			}
			if t.Name != "filter" || !drops(v4, c.Name) || !drops(v6, c.Name) {
				f.command(t.V6, t.Name, "-P", c.Name, c.Policy)
			} else if t == v4 {
				both.named(strings.ToLower(c.Name), quote("drop"))
			}
		}
	}
	if len(both.args) > 1 {
		f.say(both.String())
	}
}

// chain writes the rules of a chain. A rule that names no address is one call if both IP
// versions have it; those between stay in their order.
func (f *filter) chain(table, chain string, v4, v6 [][]string) {
	said4, said6 := f.sentences(table, chain, v4, false), f.sentences(table, chain, v6, true)
	if !worded(slices.Concat(said4, said6)) {
		for _, s := range said4 {
			f.command(false, table, append([]string{"-A", chain}, s.spec...)...)
		}
		for _, s := range said6 {
			f.command(true, table, append([]string{"-A", chain}, s.spec...)...)
		}
		return
	}
	next := 0
	one := func(s sentence, isV6 bool) {
		if s.text != "" && !s.both {
			f.say(s.text)
			return
		}
		f.command(isV6, table, append([]string{"-A", chain}, s.spec...)...)
	}
	for _, s := range said4 {
		at := -1
		if s.text != "" && s.both {
			at = slices.IndexFunc(said6[next:], func(o sentence) bool { return o.both && o.text == s.text })
		}
		if at < 0 {
			one(s, false)
			continue
		}
		for _, o := range said6[next : next+at] {
			one(o, true)
		}
		next += at + 1
		f.say(s.text)
	}
	for _, o := range said6[next:] {
		one(o, true)
	}
}

// sentences puts the rules of a chain into words.
func (f *filter) sentences(table, chain string, rules [][]string, v6 bool) []sentence {
	said := make([]sentence, len(rules))
	for i, spec := range rules {
		said[i] = sentenceOf(f.ns, table, chain, spec, v6)
	}
	return said
}

// longest is how many rules a chain may have that is put into words: each is a step of
// its own, while those of iptables are done at once.
const longest = 100

// worded reports whether a chain is put into words: one that is changing from words to
// iptables' and back all the time is read better as iptables has it.
func worded(rules []sentence) bool {
	words := 0
	for _, s := range rules {
		if s.text != "" {
			words++
		}
	}
	return len(rules) <= longest && 2*words >= len(rules)
}
