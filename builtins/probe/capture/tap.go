package capture

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"nsscript/builtins/probe"
)

// Options say what a tap sees and who is given it.
type Options struct {
	Space       string               // what the namespace is called
	Dev         string               // the interface, "" for all
	Filter      []bpf.RawInstruction // a program that returns how much of a packet is wanted; nil for all packets
	SnapLen     int                  // bytes of each packet, where there is no filter
	Ring        int                  // bytes of memory; 0 for DefaultRing
	Promiscuous bool                 // with Dev: also what the interface would not take
	Delay       time.Duration        // how long the kernel may collect packets; 0 for the default

	// Each is given every packet, on one goroutine, one after the other. The packet
	// is valid until Each returns.
	Each func(*Packet)
	// Idle, if set, is called after Each when there is no further packet for now.
	Idle func()
}

// defaultDelay is how long the kernel collects packets in a block before it hands
// over what it has.
const defaultDelay = 10 * time.Millisecond

// MaxSnapLen is the largest part of a packet that is kept, as tcpdump's.
const MaxSnapLen = 262144

// Tap is a running capture in one namespace.
type Tap struct {
	o    Options
	file *os.File
	conn syscall.RawConn
	ring *ring

	begun time.Time

	mu      sync.Mutex
	counted uint64        // packets that the kernel has put into the ring
	dropped uint64        // and those for which there was no room
	read    uint64        // packets that Each was given, or that were seen twice
	moved   chan struct{} // closed when read grows, or the end is there
	ended   bool
	err     error

	stop     sync.Once
	stopping chan struct{} // closed by Stop
	done     chan struct{}
}

// ErrGone is the error of a tap whose interface was deleted.
var ErrGone = errors.New("the interface is gone")

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

// downPause is how often it is looked whether an interface that went down is there
// still: the kernel tells of the one and not of the other.
const downPause = 50 * time.Millisecond

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

// pause waits a moment for an interface that is down. It returns false once the tap is stopped.
func (t *Tap) pause(down bool) bool {
	if down {
		select {
		case <-t.stopping:
		case <-time.After(downPause):
		}
	}
	select {
	case <-t.stopping:
		return false
	default:
		return true
	}
}

func (t *Tap) nameOf(index int32) (name string) {
	_ = t.conn.Control(func(fd uintptr) { name = nameOf(int(fd), index) }) // closed: it has none
	return name
}

// advance notes that packets were read.
func (t *Tap) advance(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.read += uint64(n)
	close(t.moved)
	t.moved = make(chan struct{})
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

// Begun is the moment from which packets are seen.
func (t *Tap) Begun() time.Time { return t.begun }

// Done is closed when the tap has ended, by Stop or because its interface is gone.
func (t *Tap) Done() <-chan struct{} { return t.done }

// lastPackets is how long Stop waits for packets that the kernel has counted.
const lastPackets = time.Second

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
