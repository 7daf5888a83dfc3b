package capture

import (
	"errors"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/net/bpf"
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

// downPause is how often it is looked whether an interface that went down is there
// still: the kernel tells of the one and not of the other.
const downPause = 50 * time.Millisecond

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

// advance notes that packets were read.
func (t *Tap) advance(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.read += uint64(n)
	close(t.moved)
	t.moved = make(chan struct{})
}

// Begun is the moment from which packets are seen.
func (t *Tap) Begun() time.Time { return t.begun }

// Done is closed when the tap has ended, by Stop or because its interface is gone.
func (t *Tap) Done() <-chan struct{} { return t.done }

// lastPackets is how long Stop waits for packets that the kernel has counted.
const lastPackets = time.Second
