package builtins

import (
	"slices"
	"time"

	"nsscript/builtins/lab"
	"nsscript/builtins/op"
)

// Continue has a session, whose lab was only planned so far, go on in the lab as it was
// built meanwhile, by another process that has run the same. The values that the script
// has made stand for what has the same names there: a script need not be run again to
// look at what it has built.
//
// Namespaces that somebody else has made in the lab's sandbox are the lab's as well.
func (s *Session) Continue(l *lab.Lab) {
	s.lab = l
	l.System().Leaving = s.leave
	for _, name := range l.System().Names() {
		if s.NamespaceNamed(name) == nil {
			s.remember(&Namespace{s: s, name: name, joined: !l.System().Owned(name)})
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.assumptions, s.checks, s.services, s.asked = 0, nil, plannedServices{}, nil
	for _, p := range s.planned {
		p.adopt(l)
	}
	s.planned = nil
}

// adopt has a planned process stand for the one that was started.
func (p *Process) adopt(l *lab.Lab) {
	entries := l.Entries()
	i := slices.IndexFunc(entries, func(e *lab.Entry) bool {
		o, ok := e.Op.(*op.StartProcess)
		return ok && o.Job == p.start.Job
	})
	if i < 0 {
		p.planEnd()
		return
	}
	p.start = entries[i].Op.(*op.StartProcess)
	go p.watch()
}

// adoptedLook is the time between two looks at a process that is no child of this one.
const adoptedLook = 20 * time.Millisecond

// watch waits for the end of a process that another one has started, whose status only
// that one is told.
func (p *Process) watch() {
	for {
		if alive, err := p.start.Alive(); err != nil || !alive {
			p.planEnd()
			return
		}
		time.Sleep(adoptedLook)
	}
}
