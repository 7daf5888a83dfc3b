package kernel

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// Maker makes network namespaces, on a thread of its own that is never anything else's.
//
// Making one is a third of the work of a node, and needs nothing of the rest: where a
// script makes many that are alike, the next ones are made while it does something else
// with the last. The zero value is ready to use.
type Maker struct {
	// ProcFS, if set, returns the root of a procfs that nothing else uses.
	ProcFS func() (int, error)

	mu    sync.Mutex
	lines []*line // the one that was used last is the last
	tasks chan *line
	made  chan newborn
}

// line is the namespaces of one kind.
type line struct {
	setup Setup
	count int // that were taken
	asked int // of the thread, and have not come
	ready []newborn
}

// newborn is what came of making a namespace.
type newborn struct {
	line *line
	ns   *NetNS
	err  error
}

// For so many namespaces alike that were made one is made ahead, and at most so many
// are, of so many kinds: a fabric has hosts and routers by turns.
const (
	aheadAfter = 2
	mostAhead  = 4
	mostLines  = 3
)

// Add makes a network namespace called name, with lo up, as
// `ip netns add NAME; ip -n NAME link set lo up` does. The error is fs.ErrExist
// when the name is taken.
func (m *Maker) Add(name string, setup Setup) (*NetNS, error) {
	path := NetNSPath(name)
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	_ = unix.Close(fd)
	n, err := m.take(setup)
	if err == nil {
		// Who finds it by its name finds it marked.
		if err = unix.Mount(fmt.Sprintf("/proc/self/fd/%d", n.Fd()), path, "none", unix.MS_BIND, ""); err != nil {
			n.Close()
			err = &os.PathError{Op: "mount --bind", Path: path, Err: err}
		}
	}
	if err != nil {
		_ = os.Remove(path)
		return nil, err
	}
	return n, nil
}

// take returns a new namespace, and has others like it made ahead.
func (m *Maker) take(setup Setup) (*NetNS, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	l := m.lineOf(setup)
	early := l.asked+len(l.ready) > 0
	m.ask(l, 1+min(l.count/aheadAfter, mostAhead))
	b := m.next(l)
	if b.err != nil {
		m.drop(l)
		l.count = 0
		if early { // what was missing then may be there now
			m.ask(l, 1)
			b = m.next(l)
		}
	}
	l.count++
	return b.ns, b.err
}

// lineOf returns the line of a kind. The one that was not used for longest makes room for
// a new one.
func (m *Maker) lineOf(setup Setup) *line {
	i := slices.IndexFunc(m.lines, func(l *line) bool {
		return l.setup.Alias == setup.Alias && slices.Equal(l.setup.Sysctls, setup.Sysctls)
	})
	l := &line{setup: setup}
	switch {
	case i >= 0:
		l = m.lines[i]
		m.lines = slices.Delete(m.lines, i, i+1)
	case len(m.lines) == mostLines:
		m.drop(m.lines[0])
		m.lines = slices.Delete(m.lines, 0, 1)
	}
	m.lines = append(m.lines, l)
	return l
}

// ask sees to it that so many of a line are there, or are being made.
func (m *Maker) ask(l *line, n int) {
	if m.tasks == nil {
		// There is room for all that can be asked for, so that nobody waits to ask.
		m.tasks, m.made = make(chan *line, mostLines*(1+mostAhead)), make(chan newborn, mostLines*(1+mostAhead))
		go serve(m.tasks, m.made, procSys{fresh: m.ProcFS})
	}
	for ; l.asked+len(l.ready) < n; l.asked++ {
		m.tasks <- l
	}
}

// next waits for one of a line.
func (m *Maker) next(l *line) newborn {
	for len(l.ready) == 0 {
		b := <-m.made
		b.line.asked--
		b.line.ready = append(b.line.ready, b)
	}
	b := l.ready[0]
	l.ready = slices.Delete(l.ready, 0, 1)
	return b
}

// drop gives up what was made ahead.
func (m *Maker) drop(l *line) {
	for l.asked+len(l.ready) > 0 {
		if b := m.next(l); b.ns != nil {
			b.ns.Close()
		}
	}
}

// Close gives up what was made ahead, and the thread.
func (m *Maker) Close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, l := range m.lines {
		m.drop(l)
	}
	m.lines = nil
	if m.tasks != nil {
		close(m.tasks)
		m.tasks = nil
	}
}

// serve makes namespaces until there is nothing more to come. Its thread waits at home,
// so that it keeps none of them alive, and ends with it, since it is not unlocked.
func serve(tasks <-chan *line, made chan<- newborn, proc procSys) {
	runtime.LockOSThread()
	home, err := netns.GetFromPath("/proc/thread-self/ns/net")
	if err == nil {
		defer func() { _ = home.Close() }()
	}
	defer proc.close()
	for l := range tasks {
		b := newborn{line: l, err: err}
		if err == nil {
			b.ns, b.err = bear(l.setup, &proc, home)
		}
		made <- b
	}
}

// bear makes a namespace and leaves it.
func bear(setup Setup, proc *procSys, home netns.NsHandle) (*NetNS, error) {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return nil, fmt.Errorf("unshare: %w", namespaceLimit(err))
	}
	n, err := furnish(setup, proc)
	if back := netns.Set(home); back != nil && err == nil {
		n.Close()
		return nil, fmt.Errorf("leaving a new namespace: %w", back)
	}
	return n, err
}

// loIndex is the index of lo, the first interface of every namespace.
const loIndex = 1

// furnish opens the namespace of the calling thread, and sets it up.
func furnish(setup Setup, proc *procSys) (*NetNS, error) {
	h, err := netns.GetFromPath("/proc/thread-self/ns/net")
	if err != nil {
		return nil, err
	}
	n, err := newNetNS(h)
	if err != nil {
		_ = h.Close()
		return nil, err
	}
	if err := n.furnish(setup, proc); err != nil {
		n.Close()
		return nil, err
	}
	return n, nil
}

func (n *NetNS) furnish(setup Setup, proc *procSys) (err error) {
	if err := proc.write(setup.Sysctls); err != nil {
		return err
	}
	if n.rt, err = openRoute(); err != nil {
		return err
	}
	changes := []Change{SetUp(loIndex)}
	if setup.Alias != "" {
		changes = append(changes, SetAlias(loIndex, setup.Alias))
	}
	if which, err := n.rt.change(changes); err != nil {
		return fmt.Errorf("%s lo: %w", []string{"setting up", "marking"}[which], err)
	}
	return nil
}
