package lab

import (
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"nsscript/builtins/kernel"
	"nsscript/builtins/op"
)

// Held is which namespaces a lab has by its journal, and who those are that are its own.
type Held struct {
	spaces map[string]*kernel.NSID
	err    error // of the journal
}

// HeldBy reads the journal of the lab in a directory.
func HeldBy(dir string) *Held {
	r := journalReader{bySeq: map[int]*Entry{}, wants: func(kind string) bool { return strings.HasSuffix(kind, "Namespace") }}
	err := r.read(filepath.Join(dir, "journal"))
	return &Held{namespacesOf(r.entries), err}
}

// HeldIn is Held by the names in a directory, without a journal.
func HeldIn(dir string) *Held {
	entries, err := os.ReadDir(dir)
	h := &Held{map[string]*kernel.NSID{}, err}
	for _, e := range entries {
		h.spaces[e.Name()] = nil
	}
	return h
}

// Names are the names of the namespaces. Where a part of the journal cannot be read,
// they are those that the rest tells of.
func (h *Held) Names() ([]string, error) {
	if h.err != nil && len(h.spaces) == 0 {
		return nil, h.err
	}
	return slices.Sorted(maps.Keys(h.spaces)), nil
}

func namespacesOf(entries []*Entry) map[string]*kernel.NSID {
	have := map[string]*kernel.NSID{}
	for _, e := range entries {
		if !e.Live() {
			continue
		}
		switch o := e.Op.(type) {
		case *op.AddNamespace:
			have[o.Name] = &o.ID
		case *op.JoinNamespace:
			have[o.Name] = nil
		case *op.DelNamespace:
			delete(have, o.Name)
		}
	}
	return have
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
	// Resolver is whom programs ask for names, as resolv.conf(5) has it in one line.
	Resolver string `json:"resolver,omitempty"`
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

// shownLink is an interface that the lab shows.
type shownLink struct {
	kernel.Link
	master string // the bridge that it is a port of, "" for none
	addrs  []kernel.Addr
}

// global are its addresses but the link-local ones.
func (k *shownLink) global() []string {
	var list []string
	for _, a := range k.addrs {
		if a.Global() {
			list = append(list, a.Prefix.String())
		}
	}
	return list
}

// shownLinks are the interfaces that the lab shows of a namespace: all but lo, and of
// the machine's own those that it has made. links are all that there are.
func (l *Lab) shownLinks(name string, ns kernel.Space, links []kernel.Link) ([]shownLink, error) {
	all, err := ns.Addrs(0)
	if err != nil {
		return nil, err
	}
	names, addrs := map[int]string{}, map[int][]kernel.Addr{}
	for _, k := range links {
		names[k.Index] = k.Name
	}
	for _, a := range all {
		addrs[a.Link] = append(addrs[a.Link], a)
	}
	var shown []shownLink
	for _, k := range links {
		if k.Kind == "loopback" || l.Foreign(name) && k.Alias != l.sys.Mark {
			continue
		}
		shown = append(shown, shownLink{k, names[k.Master], addrs[k.Index]})
	}
	return shown, nil
}

// Looks returns which interfaces of a namespace the lab may look at: nil for all. On
// the machine's own they are those that the lab has made, and lo.
func (l *Lab) Looks(name string) (func(index int) bool, error) {
	if !l.Foreign(name) {
		return nil, nil
	}
	ns, err := l.sys.Look(name)
	if err != nil {
		return nil, err
	}
	links, err := ns.Links()
	if err != nil {
		return nil, err
	}
	may := map[int]bool{}
	for _, k := range links {
		may[k.Index] = k.Kind == "loopback" || k.Alias == l.sys.Mark
	}
	return func(index int) bool { return may[index] }, nil
}

// Foreign reports whether a namespace is the machine's own, of which only what the
// lab has made is the lab's.
func (l *Lab) Foreign(name string) bool { return name == op.Host && !l.Private() }

// shownSpace is what the lab shows of a namespace.
type shownSpace struct {
	name     string
	links    []shownLink
	routes   []kernel.Route
	resolver string
}

// shownSpaces reads all namespaces, several at a time: the host first, then the others
// by their names.
func (l *Lab) shownSpaces() ([]*shownSpace, error) {
	names := append([]string{op.Host}, l.sys.Names()...)
	spaces := make([]*shownSpace, len(names))
	var all errgroup.Group
	all.SetLimit(runtime.GOMAXPROCS(0))
	for i, name := range names {
		all.Go(func() (err error) {
			spaces[i], err = l.shownSpace(name)
			return err
		})
	}
	err := all.Wait()
	return slices.DeleteFunc(spaces, func(s *shownSpace) bool { return s == nil }), err
}

// shownSpace reads a namespace; one that is gone meanwhile is nil.
func (l *Lab) shownSpace(name string) (*shownSpace, error) {
	ns, err := l.sys.Look(name)
	if err != nil {
		return nil, nil
	}
	s := &shownSpace{name: name}
	links, err := ns.Links()
	if err != nil {
		return nil, err
	}
	if s.links, err = l.shownLinks(name, ns, links); err != nil {
		return nil, err
	}
	if !l.Foreign(name) {
		if s.routes, err = ns.RoutesOver(links); err != nil {
			return nil, err
		}
	}
	s.resolver, err = l.resolverLine(name)
	return s, err
}

// LinksOf are the names of the interfaces that the lab shows of a namespace: all but
// lo, and of the machine's own those that it has made.
func (l *Lab) LinksOf(name string) ([]string, error) {
	ns, err := l.sys.Look(name)
	if err != nil {
		return nil, err
	}
	all, err := ns.Links()
	if err != nil {
		return nil, err
	}
	links, err := l.shownLinks(name, ns, all)
	names := make([]string, len(links))
	for i, k := range links {
		names[i] = k.Name
	}
	return names, err
}

// Describe reads a lab's parts from the kernel.
func Describe(l *Lab) (*Description, error) {
	spaces, err := l.shownSpaces()
	if err != nil {
		return nil, err
	}
	d := &Description{Lab: l.name}
	for _, s := range spaces {
		p := NamespaceParts{Name: s.name, Owned: l.sys.Owned(s.name), Links: []LinkParts{}, Routes: []string{}, Resolver: s.resolver}
		for _, k := range s.links {
			part := LinkParts{Name: k.Name, Kind: k.Kind, State: state(&k.Link), MAC: k.MAC.String(), MTU: k.MTU, Master: k.master, Addrs: []string{}}
			for _, a := range k.addrs {
				part.Addrs = append(part.Addrs, a.Prefix.String())
			}
			p.Links = append(p.Links, part)
		}
		for _, r := range s.routes {
			p.Routes = append(p.Routes, r.String())
		}
		d.Namespaces = append(d.Namespaces, p)
	}
	return d, nil
}
