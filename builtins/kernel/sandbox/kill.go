//go:build linux

package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// grace is how long a process may take to end by itself after SIGTERM.
const grace = time.Second

// Kill ends a sandbox: all processes in it but the caller are asked to end (SIGTERM)
// and, if they are still there after a second, made to (SIGKILL), the keeper last.
// It returns when they are gone. On a sandbox that is gone already it does nothing.
func (s *Sandbox) Kill(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	a := s.around()
	if err := a.clear(ctx); err != nil {
		return err
	}
	if err := s.endKeeper(ctx); err != nil {
		return err
	}
	// Whoever came in meanwhile.
	if err := a.clear(ctx); err != nil {
		return err
	}
	s.closed = true
	if s.control != nil {
		s.control.Close()
		s.control = nil
	}
	s.spaces.close()
	return nil
}

// Kill ends the sandbox of that identity, and also what is left of one whose keeper is
// no more. If nothing is left it does nothing.
func Kill(ctx context.Context, id Identity) error {
	s, err := Open(id)
	if err == nil {
		return s.Kill(ctx)
	}
	if !errors.Is(err, ErrGone) {
		return err
	}
	return thisMachine().remains(id).clear(ctx)
}

func (s *Sandbox) endKeeper(ctx context.Context) error {
	if err := s.keeper.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("ending the keeper (process %d): %w", s.id.PID, err)
	}
	if s.reaped != nil {
		select {
		case <-s.reaped:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	defer s.keeper.Release()
	for {
		alive, err := thisMachine().lives(s.id)
		if err != nil || !alive {
			return err
		}
		if err := pause(ctx, 2*time.Millisecond); err != nil {
			return err
		}
	}
}

// clear ends all members.
func (a around) clear(ctx context.Context) error {
	deadline := time.Now().Add(grace)
	asked := map[int]uint64{} // when each began
	wait := time.Millisecond
	for {
		pids, err := a.members()
		if err != nil {
			return err
		}
		if len(pids) == 0 && !a.anyLeaving(asked) {
			return nil
		}
		late := time.Now().After(deadline)
		for _, pid := range pids {
			_, known := asked[pid]
			if !known {
				asked[pid], _ = a.startTime(pid)
			}
			switch {
			case late:
				a.signal(pid, unix.SIGKILL)
			case !known:
				a.signal(pid, unix.SIGTERM)
				a.signal(pid, unix.SIGCONT) // one that is stopped hears nothing else
			}
		}
		if err := pause(ctx, wait); err != nil {
			return fmt.Errorf("processes %v still run: %w", pids, err)
		}
		wait = min(2*wait, 20*time.Millisecond)
	}
}

// anyLeaving reports whether one of these processes is on its way out: it has left all
// namespaces, and so is no member any more, but still is.
func (a around) anyLeaving(began map[int]uint64) bool {
	for pid, start := range began {
		st, err := a.stat(pid)
		if err != nil || st.start != start || st.dead() {
			continue
		}
		if _, err := os.Readlink(fmt.Sprintf("%s/%d/ns/mnt", a.proc, pid)); errors.Is(err, fs.ErrNotExist) {
			return true
		}
	}
	return false
}

// signal sends a signal to a process, unless that is no member: its id may have been
// given away since.
func (a around) signal(pid int, sig syscall.Signal) {
	process, err := os.FindProcess(pid)
	if err != nil {
		return
	}
	defer process.Release()
	v := survey{around: a, users: map[string]bool{}, mounts: map[string]bool{}, nets: map[string]bool{}}
	if a.userNS == 0 {
		v.learn()
	}
	if v.member(pid) {
		_ = process.Signal(sig)
	}
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
