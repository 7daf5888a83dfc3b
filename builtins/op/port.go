package op

import (
	"fmt"
)

func noPort(ns, name string) error {
	return &Error{Msg: fmt.Sprintf("interface %q in %s is no port of a bridge", name, quoteNS(ns)), Tip: "plug it in first: br.attach(…)"}
}

func (o *SetLink) portCommands() []string {
	name := o.Name
	if o.Rename != nil {
		name = *o.Rename
	}
	words := []string{"link", "set", "dev", name}
	for _, p := range []struct {
		name  string
		value *bool
	}{{"isolated", o.Isolated}, {"hairpin", o.Hairpin}} {
		if p.value != nil {
			words = append(words, p.name, map[bool]string{true: "on", false: "off"}[*p.value])
		}
	}
	if len(words) == 4 {
		return nil
	}
	return []string{bridgeCommand(o.NS, words...)}
}
