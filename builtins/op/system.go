package op

import (
	"fmt"
	"slices"
	"sort"
	"sync"

	"nsscript/builtins/kernel"
	"nsscript/builtins/picture"
)

// Host is the name of the namespace that a lab stands in.
const Host = picture.Host

// System is what operations act upon: the namespaces of one lab.
type System struct {
	// Mark is what the lab writes on what it makes outside its own
	// namespaces: an interface alias, a rule's comment.
	Mark string
	// Sign is what the processes of the lab bear in their environment; no other
	// lab, of whatever name, has the same.
	Sign string
	// Private says that the host namespace is the lab's own (a sandbox).
	Private bool
	// Ledger is nil where the lab borrows from nobody.
	Ledger Ledger
	// Leaving, if set, is told of each namespace that is about to be closed: a socket
	// in it would keep it alive.
	Leaving func(name string)
	// Rooms run the programs that are waited for.
	Rooms kernel.Rooms
	// Gathered, if set, is what the lab has put off.
	Gathered Gathered
	// Iptables finds the iptables programs.
	Iptables kernel.IptablesFinder
	// Picture, if set, is what operations change in place of the kernel: the lab is
	// only planned.
	Picture *picture.Picture

	maker kernel.Maker

	mu      sync.Mutex
	spaces  map[string]*space
	comings int          // and goings of namespaces so far
	risen   []risen      // what may not take packets yet
	late    []lateBridge // what is not set up yet
}

type space struct {
	ns    *kernel.NetNS
	owned bool
}

// NewSystem returns a system whose host is the given namespace.
func NewSystem(host *kernel.NetNS, mark string, private bool) *System {
	return &System{
		Mark: mark, Private: private, maker: newMaker(),
		spaces: map[string]*space{Host: {ns: host, owned: private}},
	}
}

// NewPlan returns a system that is only pictured, in a host of its own.
func NewPlan(p *picture.Picture) *System {
	return &System{Mark: MarkOf(p.Lab), Private: true, Picture: p}
}

// Planned reports whether the lab is only planned: there is no kernel to look at.
func (s *System) Planned() bool { return s.Picture != nil }

// Look returns what can be asked of the namespace that the lab calls name.
func (s *System) Look(name string) (kernel.Space, error) {
	if !s.Planned() && s.isOwed(name) {
		if err := s.CatchUp(); err != nil {
			return nil, err
		}
	}
	return s.Peek(name)
}

// Peek is Look for who does not mind that a bridge is not set up yet.
func (s *System) Peek(name string) (kernel.Space, error) {
	if !s.Planned() {
		return s.inKernel(name)
	}
	n := s.Picture.Namespace(name)
	if n == nil {
		return nil, noNamespace(name)
	}
	return picture.View{Namespace: n}, nil
}

// noNamespace is the error of a namespace that the lab does not have (any more).
func noNamespace(name string) error {
	return &Error{Msg: fmt.Sprintf("the lab has no namespace %q", name), Err: kernel.ErrClosed, Mute: true}
}

// NS returns the open namespace that the lab calls name.
func (s *System) NS(name string) (*kernel.NetNS, error) {
	if s.Planned() {
		return nil, &Error{Msg: "a plan looks at no kernel"}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	sp, ok := s.spaces[name]
	if !ok {
		return nil, noNamespace(name)
	}
	return sp.ns, nil
}

// Enter is NS for who does something in the namespace that is no operation.
func (s *System) Enter(name string) (*kernel.NetNS, error) {
	if err := s.CatchUp(); err != nil {
		return nil, err
	}
	return s.NS(name)
}

// Has reports whether the lab calls a namespace but the host by that name.
func (s *System) Has(name string) bool {
	if name == Host {
		return false
	}
	if s.Planned() {
		return s.Picture.Namespace(name) != nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.spaces[name] != nil
}

// Owned reports whether the lab owns the namespace, so that what is done in it
// need not be undone. A namespace that is not open (any more) is not owned.
func (s *System) Owned(name string) bool {
	if s.Planned() {
		n := s.Picture.Namespace(name)
		return n != nil && n.Owned && n.Name == name // what it was joined by is borrowed
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	sp, ok := s.spaces[name]
	return ok && sp.owned
}

// Names lists the namespaces but the host, sorted.
func (s *System) Names() []string {
	if s.Planned() {
		return slices.DeleteFunc(s.Picture.Names(), func(name string) bool { return name == Host })
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	names := make([]string, 0, len(s.spaces))
	for name := range s.spaces {
		if name != Host {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names
}

// called returns by what name the lab knows a namespace, "" for none.
func (s *System) called(id kernel.NSID) string {
	for _, name := range append([]string{Host}, s.Names()...) {
		if ns, err := s.NS(name); err == nil && ns.ID() == id {
			return name
		}
	}
	return ""
}

// Attach makes a namespace known under a name.
func (s *System) Attach(name string, ns *kernel.NetNS, owned bool) {
	s.Rooms.Leave()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spaces[name] = &space{ns: ns, owned: owned}
	s.comings++
}

// Comings counts the comings and goings of namespaces.
func (s *System) Comings() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.comings
}

// Detach closes a namespace and forgets it.
func (s *System) Detach(name string) {
	if s.Leaving != nil {
		s.Leaving(name)
	}
	s.Rooms.Leave()
	s.mu.Lock()
	sp := s.spaces[name]
	delete(s.spaces, name)
	s.comings++
	s.mu.Unlock()
	if sp != nil {
		sp.ns.Close()
	}
}

// Close closes all namespaces. A namespace ends only when nothing holds it, so
// this comes before waiting for one to be gone.
func (s *System) Close() {
	s.Rooms.Leave()
	s.mu.Lock()
	spaces := s.spaces
	s.spaces = map[string]*space{}
	s.mu.Unlock()
	s.maker.Close()
	for _, sp := range spaces {
		sp.ns.Close()
	}
}

// mine reports whether the lab made the interface: it bears the lab's mark, or
// stands in a namespace that is the lab's.
func (s *System) mine(ns string, l *kernel.Link) bool {
	return s.Owned(ns) || l.Alias == s.Mark
}

// NotOurs is the error of changing what the lab did not make in a namespace that
// is not its own.
func NotOurs(ns, what string) error {
	e := &Error{Msg: fmt.Sprintf("%s is not this lab's: in %s only what the lab made can be changed or removed", what, quoteNS(ns))}
	if ns == Host {
		e.Tip = "run the lab with --sandbox to have a host of its own"
	}
	return e
}

// quoteNS names a namespace in a sentence.
func quoteNS(name string) string {
	if name == Host {
		return "the host"
	}
	return fmt.Sprintf("namespace %q", name)
}
