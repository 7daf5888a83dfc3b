package op

import (
	"slices"
	"strconv"
	"strings"

	"nsscript/builtins/picture"
)

// Model does to the pictured tables what the command does to the kernel's. What it
// does not understand changes nothing: only iptables itself could tell.
func (o *RunIptables) Model(p *picture.Picture) error {
	a := parseIptables(o.Args)
	if a.reads() || a.verb() == "" || !slices.Contains(FilterTables, a.table) {
		_, err := pictured(p, o.NS)
		return err
	}
	t, err := picturedTable(p, o.NS, o.V6, a.table)
	if err != nil {
		return err
	}
	return modelSaid(a.model(t), o.NS)
}

func (p *iptablesArgs) model(t *picture.Table) error {
	number, _ := strconv.Atoi(p.more)
	switch p.verb() {
	case "-A", "-I":
		at := 0
		if p.verb() == "-I" {
			at = max(number, 1)
		}
		for _, spec := range p.each() {
			if err := t.Insert(p.chain, at, spec); err != nil {
				return err
			}
		}
		return nil
	case "-D":
		if number > 0 {
			return t.DeleteAt(p.chain, number)
		}
		for _, spec := range p.each() {
			if err := t.Delete(p.chain, spec, false); err != nil {
				return err
			}
		}
		return nil
	case "-R":
		if err := t.DeleteAt(p.chain, number); err != nil {
			return err
		}
		return t.Insert(p.chain, number, p.spec)
	case "-N":
		return t.AddChain(p.chain)
	case "-E":
		return t.RenameChain(p.chain, p.more)
	case "-P":
		return t.SetPolicy(p.chain, p.more)
	case "-F":
		return t.Flush(p.chain)
	case "-X":
		return t.DeleteChain(p.chain)
	}
	return nil
}

// each writes the rule once for each of the addresses that it lists with commas, as
// iptables does.
func (p *iptablesArgs) each() [][]string {
	specs := [][]string{p.spec}
	for i, w := range p.spec {
		if w != "-s" && w != "-d" || i+1 >= len(p.spec) {
			continue
		}
		var all [][]string
		for _, spec := range specs {
			for addr := range strings.SplitSeq(spec[i+1], ",") {
				one := slices.Clone(spec)
				one[i+1] = addr
				all = append(all, one)
			}
		}
		specs = all
	}
	return specs
}
