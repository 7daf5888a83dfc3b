package kernel

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
)

// NSID identifies a network namespace for as long as it exists: the device and
// inode of its file in nsfs (namespaces(7)).
type NSID struct {
	Dev uint64 `json:"dev"`
	Ino uint64 `json:"ino"`
}

// NetNS is an open network namespace. Its methods may be used from several
// goroutines at once.
type NetNS struct {
	handle netns.NsHandle
	id     NSID
	home   bool // the namespace in which this process itself lives

	mu     sync.Mutex
	nl     *netlink.Handle
	rt     *routeConn
	watch  *addrWatch
	closed bool
}

// ErrNoNetNS is the error of opening a file that is no network namespace.
var ErrNoNetNS = errors.New("not a network namespace")

// ErrClosed is the error of a namespace that was closed.
var ErrClosed = errors.New("the namespace is closed")

// nsfsMagic is the file system type of namespace files (linux/magic.h).
const nsfsMagic = 0x6e736673

// ID returns what tells this namespace from all others.
func (n *NetNS) ID() NSID { return n.id }

// Fd returns the descriptor of the namespace, for netlink messages that name
// another namespace.
func (n *NetNS) Fd() int { return int(n.handle) }

// Close releases the namespace. A namespace that has no name and no process
// ends with its last descriptor.
func (n *NetNS) Close() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return
	}
	n.closed = true
	if n.nl != nil {
		n.nl.Close()
		n.nl = nil
	}
	if n.rt != nil {
		n.rt.close()
		n.rt = nil
	}
	if n.watch != nil {
		n.watch.close()
		n.watch = nil
	}
	_ = n.handle.Close()
}

// Do runs fn on a thread that is inside the namespace. The thread is locked to
// fn's goroutine; it is given back to Go only when it is proved to be home
// again, and ends otherwise.
//
// fn must not start goroutines that count on being in the namespace.
func (n *NetNS) Do(fn func() error) error {
	if n.home {
		return fn()
	}
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		// Without the matching unlock the runtime ends the thread together
		// with this goroutine.
		home, err := netns.GetFromPath("/proc/thread-self/ns/net")
		if err != nil {
			runtime.UnlockOSThread()
			done <- err
			return
		}
		defer func() { _ = home.Close() }()
		if err := netns.Set(n.handle); err != nil {
			runtime.UnlockOSThread()
			done <- fmt.Errorf("entering the namespace: %w", err)
			return
		}
		err = fn()
		if netns.Set(home) == nil {
			runtime.UnlockOSThread()
		}
		done <- err
	}()
	return <-done
}

// netlinkTimeout bounds one netlink exchange, so that a kernel that does not
// answer cannot hang a lab.
const netlinkTimeout = 60 * time.Second

// finalizing is how long finalizers may take that the collector has found.
const finalizing = 2 * time.Millisecond
