package lab

import (
	"path/filepath"
	"sort"

	"nsscript/builtins/op"
)

// NamespacesOf lists the namespaces of the lab in a directory, by its journal.
func NamespacesOf(dir string) ([]string, error) {
	entries, err := ReadJournal(filepath.Join(dir, "journal"))
	if err != nil && len(entries) == 0 {
		return nil, err
	}
	have := map[string]bool{}
	for _, e := range entries {
		if !e.Live() {
			continue
		}
		switch o := e.Op.(type) {
		case *op.AddNamespace:
			have[o.Name] = true
		case *op.JoinNamespace:
			have[o.Name] = true
		case *op.DelNamespace:
			delete(have, o.Name)
		}
	}
	names := make([]string, 0, len(have))
	for n := range have {
		names = append(names, n)
	}
	sort.Strings(names)
	return names, nil
}

// Description is a lab's parts in the form of JSON.
type Description struct {
	Lab        string           `json:"lab"`
	Namespaces []NamespaceParts `json:"namespaces"`
}

// NamespaceParts is what stands in one namespace.
type NamespaceParts struct {
	Name   string      `json:"name"`
	Owned  bool        `json:"owned"`
	Links  []LinkParts `json:"links"`
	Routes []string    `json:"routes"`
}

// LinkParts is one interface.
type LinkParts struct {
	Name   string   `json:"name"`
	Kind   string   `json:"kind"`
	State  string   `json:"state"`
	MAC    string   `json:"mac,omitempty"`
	MTU    int      `json:"mtu"`
	Addrs  []string `json:"addrs"`
	Master string   `json:"master,omitempty"`
}

// Describe reads a lab's parts from the kernel.
func Describe(l *Lab) (*Description, error) {
	d := &Description{Lab: l.name}
	for _, name := range append([]string{op.Host}, l.sys.Names()...) {
		ns, err := l.sys.NS(name)
		if err != nil {
			continue
		}
		links, err := ns.Links()
		if err != nil {
			return nil, err
		}
		p := NamespaceParts{Name: name, Owned: l.sys.Owned(name), Links: []LinkParts{}, Routes: []string{}}
		names := map[int]string{}
		for _, k := range links {
			names[k.Index] = k.Name
		}
		foreign := name == op.Host && !l.Private()
		for _, k := range links {
			if k.Kind == "loopback" || foreign && k.Alias != l.sys.Mark {
				continue
			}
			addrs, err := ns.Addrs(k.Index)
			if err != nil {
				return nil, err
			}
			part := LinkParts{Name: k.Name, Kind: k.Kind, State: state(&k), MAC: k.MAC.String(), MTU: k.MTU, Master: names[k.Master], Addrs: []string{}}
			for _, a := range addrs {
				part.Addrs = append(part.Addrs, a.Prefix.String())
			}
			p.Links = append(p.Links, part)
		}
		if !foreign {
			routes, err := ns.Routes()
			if err != nil {
				return nil, err
			}
			for _, r := range routes {
				p.Routes = append(p.Routes, r.String())
			}
		}
		d.Namespaces = append(d.Namespaces, p)
	}
	return d, nil
}
