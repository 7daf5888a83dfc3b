package capture

import (
	"context"
	"errors"
	"fmt"
	"nsscript/builtins/probe"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// count asks the kernel for its numbers, which begin anew with each question.
func (t *Tap) count() {
	t.mu.Lock()
	defer t.mu.Unlock()
	_ = t.conn.Control(func(fd uintptr) { // closed: there is nothing to add
		if st, err := unix.GetsockoptTpacketStatsV3(int(fd), unix.SOL_PACKET, unix.PACKET_STATISTICS); err == nil {
			t.counted += uint64(st.Packets - st.Drops)
			t.dropped += uint64(st.Drops)
		}
	})
}

// Start begins to see packets. Every packet that passes after it has returned is
// given to o.Each. The tap lasts until Stop.
func Start(ns probe.Namespace, o Options) (*Tap, error) {
	if o.SnapLen == 0 {
		o.SnapLen = MaxSnapLen
	}
	if o.Ring == 0 {
		o.Ring = DefaultRing
	}
	if o.Delay == 0 {
		o.Delay = defaultDelay
	}
	l := layoutOf(o.Ring)
	fd, mem, err := openSocket(ns, &o, l)
	if err != nil {
		return nil, err
	}
	index := 0
	if o.Dev != "" {
		if index = indexOf(fd, o.Dev); index == 0 {
			err = fmt.Errorf("no interface %q: %w", o.Dev, unix.ENODEV)
		}
	}
	begun := time.Now()
	if err == nil {
		err = bind(fd, index, o.Promiscuous)
	}
	if err != nil {
		return nil, errors.Join(err, unix.Munmap(mem), unix.Close(fd))
	}
	t := &Tap{o: o, begun: begun, moved: make(chan struct{}), done: make(chan struct{}), stopping: make(chan struct{})}
	t.ring = &ring{mem: mem, block: l.block, devs: &devices{space: o.Space, fd: fd, known: map[int32]*Device{}}}
	t.file = os.NewFile(uintptr(fd), "packets")
	if t.conn, err = t.file.SyscallConn(); err != nil {
		return nil, errors.Join(err, unix.Munmap(mem), t.file.Close())
	}
	go t.run(int32(index))
	return t, nil
}

// run reads until the tap is stopped or its interface is gone.
func (t *Tap) run(index int32) {
	var gone error
	for down := false; gone == nil; {
		err := t.conn.Read(func(fd uintptr) bool {
			if t.ring.ready() {
				return true
			}
			errno, _ := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_ERROR)
			down = down || errno == int(unix.ENETDOWN)
			return down
		})
		if t.ring.ready() {
			down = false
		}
		for t.ring.ready() {
			t.advance(t.ring.read(t.o.Each))
		}
		if t.o.Idle != nil {
			t.o.Idle()
		}
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) || !t.pause(down) {
			break
		}
		if down && index != 0 && t.nameOf(index) == "" {
			gone = ErrGone
		}
	}
	t.finish(gone)
}

func (t *Tap) nameOf(index int32) (name string) {
	_ = t.conn.Control(func(fd uintptr) { name = nameOf(int(fd), index) }) // closed: it has none
	return name
}

func (t *Tap) finish(err error) {
	t.count()
	t.mu.Lock()
	t.ended, t.err = true, err
	close(t.moved)
	t.mu.Unlock()
	_ = unix.Munmap(t.ring.mem)
	_ = t.file.Close()
	close(t.done)
}

// Dropped is how many packets the kernel could not hand over, because the ring was
// full.
func (t *Tap) Dropped() uint64 {
	t.count()
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.dropped
}

// Sync waits until Each was given all packets that the kernel has seen so far.
func (t *Tap) Sync(ctx context.Context) error {
	t.count()
	t.mu.Lock()
	upto := t.counted
	t.mu.Unlock()
	for {
		t.mu.Lock()
		read, ended, moved := t.read, t.ended, t.moved
		t.mu.Unlock()
		if read >= upto || ended {
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Stop ends the tap, after what was seen until now was given to Each. Calling it
// again does nothing. It returns why the tap had ended before, if it had.
func (t *Tap) Stop() error {
	t.stop.Do(func() {
		var err error
		if cerr := t.conn.Control(func(fd uintptr) { err = attach(int(fd), nil, 0) }); cerr == nil && err == nil {
			ctx, cancel := context.WithTimeout(context.Background(), lastPackets)
			defer cancel()
			_ = t.Sync(ctx) // late ones are given up
		}
		close(t.stopping)
		_ = t.file.SetReadDeadline(time.Unix(1, 0)) // wakes the reader
	})
	<-t.done
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}
