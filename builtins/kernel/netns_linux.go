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

// reportOnce switches the netlink package to hand over the kernel's extended
// acknowledgement with every error.
var reportOnce = sync.OnceFunc(func() { nl.EnableErrorMessageReporting = true })

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

// route returns the namespace's socket for what is asked often.
func (n *NetNS) route() (*routeConn, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return nil, ErrClosed
	}
	if n.rt != nil {
		return n.rt, nil
	}
	err := n.Do(func() error {
		c, err := openRoute()
		n.rt = c
		return err
	})
	if err != nil {
		return nil, err
	}
	return n.rt, nil
}

// Home opens the network namespace in which this process lives.
func Home() (*NetNS, error) {
	n, err := OpenNetNS("/proc/self/ns/net")
	if err == nil {
		n.home = true
	}
	return n, err
}
