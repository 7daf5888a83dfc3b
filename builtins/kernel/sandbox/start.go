//go:build linux

package sandbox

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// Options say what kind of sandbox to make.
type Options struct {
	User  bool   // make a user namespace; needed without root
	Label string // the keeper's name in ps; "nsscript: sandbox" if empty
	// Origin is by what Find finds the sandbox when all that was noted of it is lost.
	Origin string
	Closed *Closed  // if set, what is not meant for the sandbox is not to be found in it
	Share  []string // of netns, xtables.lock and nsscript: which of the machine's are seen in /run after all
}

// A Sandbox is one set of namespaces and the keeper in them. Its methods may be
// called from several goroutines.
type Sandbox struct {
	id     Identity
	spaces spaces
	keeper *os.Process
	reaped chan struct{} // closed when the keeper, a child of ours, has been waited for; nil for a foreign one

	mu      sync.Mutex
	control *os.File // the starter's end of the keeper's pipe, until Keep
	closed  bool
}

// Start makes a sandbox. Its keeper ends with this process until Keep was called.
// What the machine does not allow is reported as a *[Missing].
func Start(ctx context.Context, opts Options) (*Sandbox, error) {
	return thisMachine().start(ctx, opts)
}

// birth is what a starter holds while the keeper grows up.
type birth struct {
	child  *child
	report *os.File
	order  order
	ids    mapped
}

func (m machine) start(ctx context.Context, opts Options) (*Sandbox, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	b, err := m.bear(opts)
	if err != nil {
		return nil, err
	}
	defer b.report.Close()
	// Whatever raise waits for ends when the keeper is dead.
	stop := context.AfterFunc(ctx, func() { _ = b.child.process.Kill() })
	s, err := m.raise(ctx, b, opts)
	if !stop() {
		err = ctx.Err()
	}
	if err != nil {
		b.child.control.Close()
		b.child.end()
		if s != nil {
			s.spaces.close()
		}
		return nil, err
	}
	go s.reap()
	return s, nil
}

// raise brings a newborn keeper to the point where the sandbox is ready.
func (m machine) raise(ctx context.Context, b *birth, opts Options) (*Sandbox, error) {
	if opts.User {
		var err error
		if b.ids, err = m.mapIDs(ctx, b.child.process.Pid); err != nil {
			return nil, m.refused("mapping the ids of the sandbox", err, true)
		}
	} else {
		b.ids.sub = true
	}
	if _, err := b.child.control.Write([]byte{goByte}); err != nil {
		return nil, fmt.Errorf("sandbox: starting the keeper: %w", err)
	}
	var wrong *birthError
	if err := b.child.started(); errors.As(err, &wrong) {
		return nil, m.refused(wrong.Error(), wrong.errno, opts.User)
	} else if err != nil {
		return nil, err
	}
	rep, err := readReport(b.report)
	if err != nil {
		return nil, err
	}
	if rep.Step != "" {
		return nil, m.refused(rep.Step, rep.Errno, opts.User)
	}
	return m.adopt(b, rep)
}

// markPrefix begins the name of the tmpfs on a sandbox's /run.
const markPrefix = "nsscript-"

// bear forks the keeper into new namespaces, where it waits for its go.
func (m machine) bear(opts Options) (*birth, error) {
	b := &birth{order: order{User: opts.User, Mark: markPrefix + rand.Text(), Origin: opts.Origin, Share: opts.Share, Closed: opts.Closed}}
	text, err := json.Marshal(b.order)
	if err != nil {
		return nil, err
	}
	null, err := os.OpenFile("/dev/null", os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	report, said, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer said.Close()

	flags := uintptr(unix.CLONE_NEWNS | unix.CLONE_NEWNET)
	if opts.Closed != nil {
		flags |= unix.CLONE_NEWPID | unix.CLONE_NEWIPC
	}
	if opts.User {
		flags |= unix.CLONE_NEWUSER
	}
	label := opts.Label
	if label == "" {
		label = "nsscript: sandbox"
	}
	b.report = report
	b.child, err = fork(birthPlan{
		flags:   flags,
		session: true,
		hold:    true,
		files:   []*os.File{null, null, null, said}, // and controlFile
		dirs:    []string{"/"},
		paths:   []string{m.proc + "/self/exe"},
		argv:    []string{label, keeperName},
		// The keeper sleeps: it needs neither many threads nor a collector that wakes up.
		envv: []string{orderEnv + "=" + string(text), "GOMAXPROCS=1", "GOGC=off"},
	})
	if err != nil {
		report.Close()
		return nil, m.refused(bearing, err, opts.User)
	}
	return b, nil
}

func readReport(from io.Reader) (report, error) {
	var rep report
	if err := json.NewDecoder(from).Decode(&rep); errors.Is(err, io.EOF) {
		return rep, errors.New("sandbox: the keeper ended before it was ready")
	} else if err != nil {
		return rep, fmt.Errorf("sandbox: the keeper's report: %w", err)
	}
	return rep, nil
}

// adopt turns a keeper that is ready into a Sandbox.
func (m machine) adopt(b *birth, rep report) (*Sandbox, error) {
	id, held, err := m.look(b.child.process.Pid, b.order)
	if err != nil {
		return nil, m.concealed(err)
	}
	id.SubIDs, id.Reason, id.Remedy, id.Notes = b.ids.sub, b.ids.reason, b.ids.remedy, rep.Notes
	s := &Sandbox{
		id:      id,
		spaces:  held,
		keeper:  b.child.process,
		control: b.child.control,
		reaped:  make(chan struct{}),
	}
	return s, nil
}

// look tells who a keeper is, and opens its namespaces.
func (m machine) look(pid int, o order) (id Identity, held spaces, err error) {
	began, err := m.startTime(pid)
	if err != nil {
		return id, held, err
	}
	boot, err := m.bootID()
	if err != nil {
		return id, held, err
	}
	held, err = m.openSpaces(pid, o.User, o.Closed != nil)
	return Identity{
		PID: pid, StartTime: began, BootID: boot, Mark: o.Mark, User: o.User, Closed: o.Closed != nil,
		UserNS: held.inode(held.user), MountNS: held.inode(held.mount), NetNS: held.inode(held.net),
	}, held, err
}

// identify tells who a keeper is.
func (m machine) identify(pid int, o order) (Identity, error) {
	id, held, err := m.look(pid, o)
	held.close()
	return id, err
}

// reap waits for the keeper, so that it leaves no zombie.
func (s *Sandbox) reap() {
	_, _ = s.keeper.Wait()
	close(s.reaped)
}

// Keep lets the sandbox live on without this process. Calling it again, or on a
// sandbox from [Open], does nothing.
func (s *Sandbox) Keep() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.control == nil {
		return nil
	}
	_, err := s.control.Write([]byte{keepByte})
	s.control.Close()
	s.control = nil
	if errors.Is(err, unix.EPIPE) {
		return ErrGone
	}
	return err
}

// Identity says which sandbox this is, for [Open] in a later command.
func (s *Sandbox) Identity() Identity { return s.id }

// Close lets go of the sandbox without ending it; one that was not kept ends by
// itself. Calling it twice is fine.
func (s *Sandbox) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	if s.control != nil {
		s.control.Close()
		s.control = nil
	}
	if s.reaped == nil {
		_ = s.keeper.Release()
	}
	s.spaces.close()
	return nil
}
