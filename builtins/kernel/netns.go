package kernel

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"sync"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
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
	closed bool
}

// ErrNoNetNS is the error of opening a file that is no network namespace.
var ErrNoNetNS = errors.New("not a network namespace")

// ErrClosed is the error of a namespace that was closed.
var ErrClosed = errors.New("the namespace is closed")

// Home opens the network namespace in which this process lives.
func Home() (*NetNS, error) {
	n, err := OpenNetNS("/proc/self/ns/net")
	if err == nil {
		n.home = true
	}
	return n, err
}

// OpenNetNS opens the network namespace whose file is at path, such as
// /run/netns/red or /proc/1234/ns/net.
func OpenNetNS(path string) (*NetNS, error) {
	h, err := netns.GetFromPath(path)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	n, err := newNetNS(h)
	if err != nil {
		_ = h.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return n, nil
}

// nsfsMagic is the file system type of namespace files (linux/magic.h).
const nsfsMagic = 0x6e736673

func newNetNS(h netns.NsHandle) (*NetNS, error) {
	var fs unix.Statfs_t
	if err := unix.Fstatfs(int(h), &fs); err != nil {
		return nil, err
	}
	if int64(fs.Type) != nsfsMagic {
		return nil, ErrNoNetNS
	}
	if typ, err := unix.IoctlRetInt(int(h), unix.NS_GET_NSTYPE); err == nil && typ != unix.CLONE_NEWNET {
		return nil, errors.New("a namespace, but not of the network kind")
	}
	var st unix.Stat_t
	if err := unix.Fstat(int(h), &st); err != nil {
		return nil, err
	}
	return &NetNS{handle: h, id: NSID{Dev: st.Dev, Ino: st.Ino}}, nil
}

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

// InNewNetNS runs fn on a thread that is inside a new network namespace, which ends
// with it.
func InNewNetNS(fn func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // for good: the thread ends with the goroutine
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			done <- err
			return
		}
		done <- fn()
	}()
	return <-done
}

// netlinkTimeout bounds one netlink exchange, so that a kernel that does not
// answer cannot hang a lab.
const netlinkTimeout = 60 * time.Second

// reportOnce switches the netlink package to hand over the kernel's extended
// acknowledgement with every error.
var reportOnce = sync.OnceFunc(func() { nl.EnableErrorMessageReporting = true })

// Netlink returns the route netlink handle of the namespace.
func (n *NetNS) Netlink() (*netlink.Handle, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return nil, ErrClosed
	}
	if n.nl != nil {
		return n.nl, nil
	}
	err := n.Do(func() error {
		h, err := openNetlink()
		n.nl = h
		return err
	})
	if err != nil {
		return nil, err
	}
	return n.nl, nil
}

// finalizing is how long finalizers may take that the collector has found.
const finalizing = 2 * time.Millisecond

// openNetlink opens a handle in the namespace of the calling thread.
func openNetlink() (*netlink.Handle, error) {
	reportOnce()
	h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		// When bind(2) fails, the package closes the descriptor and yet leaves it to
		// a finalizer, which closes whatever bears its number by then. It runs
		// here, before anything else is opened.
		runtime.GC()
		time.Sleep(finalizing)
		return nil, fmt.Errorf("netlink socket: %w", err)
	}
	if err := h.SetSocketTimeout(netlinkTimeout); err != nil {
		h.Close()
		return nil, err
	}
	if err := askExtendedAck(h); err != nil {
		h.Close()
		return nil, err
	}
	return h, nil
}

// askExtendedAck sets NETLINK_EXT_ACK on the handle's sockets. The netlink
// package sets it only on sockets that it opens per request, and offers no way
// to the sockets of a handle, so they are reached by reflection.
func askExtendedAck(h *netlink.Handle) error {
	sockets := reflect.ValueOf(h).Elem().FieldByName("sockets")
	if sockets.Kind() != reflect.Map {
		return errors.New("netlink handle: no map of sockets")
	}
	for it := sockets.MapRange(); it.Next(); {
		s := (*nl.NetlinkSocket)(it.Value().Elem().FieldByName("Socket").UnsafePointer())
		// A kernel before 4.12 has no extended acknowledgement: its errors
		// are then plain errnos.
		if err := s.SetExtAck(true); err != nil && !errors.Is(err, unix.ENOPROTOOPT) {
			return err
		}
	}
	return nil
}
