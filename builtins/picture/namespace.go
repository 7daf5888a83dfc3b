package picture

import (
	"maps"
	"nsscript/builtins/kernel/abi"
	"slices"

	"golang.org/x/sys/unix"

	"nsscript/builtins/kernel"
)

// mainRules are the policy rules that each namespace begins with (ip-rule(8)).
var mainRules = []kernel.Rule{
	{Priority: 0, Table: abi.TableLocal},
	{Priority: 32766, Table: abi.TableMain},
	{Priority: 32767, Table: abi.TableDefault},
}

// Add makes a namespace with its lo, which is down. The error is EEXIST where there
// is one of that name.
func (p *Picture) Add(name string) (*Namespace, error) {
	if p.byName[name] != nil {
		return nil, unix.EEXIST
	}
	return p.add(name, p.Namespaces[0].v6), nil
}

func (p *Picture) add(name string, v6 bool) *Namespace {
	n := &Namespace{Name: name, Sysctls: map[string]string{}, v6: v6}
	families := []int{unix.AF_INET}
	if v6 {
		families = append(families, unix.AF_INET6)
	}
	for _, family := range families {
		for _, r := range mainRules {
			if family == unix.AF_INET6 && r.Table == abi.TableDefault {
				continue
			}
			r.Family, r.Mask = family, ^uint32(0)
			n.Rules = append(n.Rules, r)
		}
	}
	n.link(&Link{Name: "lo", Kind: "loopback", MTU: 65536})
	p.Namespaces, p.byName[name] = append(p.Namespaces, n), n
	return n
}

// Alias gives a namespace another name. The error is EEXIST where there is one of that
// name.
func (p *Picture) Alias(name string, n *Namespace) error {
	if p.byName[name] != nil {
		return unix.EEXIST
	}
	p.byName[name] = n
	return nil
}

// Names lists by what names namespaces are known, sorted.
func (p *Picture) Names() []string { return slices.Sorted(maps.Keys(p.byName)) }

// Remove deletes a namespace with all that is in it, and the cables that lead into
// it.
func (p *Picture) Remove(n *Namespace) {
	for _, l := range slices.Clone(n.Links) {
		l.Delete()
	}
	p.Namespaces = slices.DeleteFunc(p.Namespaces, func(o *Namespace) bool { return o == n })
	maps.DeleteFunc(p.byName, func(_ string, o *Namespace) bool { return o == n })
}

// link enters an interface under the next free index.
func (n *Namespace) link(l *Link) {
	n.lastIndex++
	l.NS, l.Index = n, n.lastIndex
	n.Links = append(n.Links, l)
	l.inherit()
}

// inherit gives an interface that is new in its namespace what is set there for new
// ones and changes what it can do.
func (l *Link) inherit() {
	if off, ok := l.NS.Sysctls["net.ipv6.conf.default.disable_ipv6"]; ok {
		l.NS.Sysctls["net.ipv6.conf."+inKey(l.Name)+".disable_ipv6"] = off
	}
}
