//go:build linux

package pen

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// rounds is how many last cables are waited for, one after the other. The first one may
// overtake what a mount namespace held that has just ended (the kernel lets go of a batch
// of mounts in the background, the last one first), and may end in one batch with others;
// the second one comes after all of it.
const rounds = 2

// settle waits until the kernel has ended all namespaces that were let go before. It
// does so in the background, one batch after the other. So one more namespace is let go,
// with the one end of a cable in it: when the other end is gone, it is its turn.
func settle() error {
	if err := alone(); err != nil {
		return err
	}
	host, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return err
	}
	defer host.Close()
	for range rounds {
		if err := lastCable(host); err != nil {
			return err
		}
		if err := cableGone(host); err != nil {
			return err
		}
	}
	return nil
}

func cableGone(host *netlink.Handle) error {
	for ; ; time.Sleep(time.Millisecond) {
		_, err := host.LinkByName(cable)
		var gone netlink.LinkNotFoundError
		if errors.As(err, &gone) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// alone waits until the other processes of the pen have ended.
func alone() error {
	const patience = 20 * time.Second
	for began := time.Now(); ; time.Sleep(time.Millisecond) {
		pids, err := left()
		if err != nil || len(pids) == 0 {
			return err
		}
		if time.Since(began) > patience {
			name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pids[0]))
			return errors.Join(fmt.Errorf("%d processes are left, such as %q", len(pids), bytes.TrimSpace(name)), err)
		}
	}
}

const (
	cable = "settle"
	held  = "/run/held" // a file to mount a namespace over
)

// lastCable leaves a cable whose other end is in a namespace that nobody has any more: it
// was held by a mount of a thread that has ended, as that of a sandbox is by its keeper's.
func lastCable(host *netlink.Handle) error {
	made := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() != os.Getpid() {
			made <- holdCable(host)
			return // the thread is locked and ends with the goroutine
		}
		// The process' first thread would not end. While this one has it, another
		// goroutine has not.
		made <- lastCable(host)
		runtime.UnlockOSThread()
	}()
	return <-made
}

func holdCable(host *netlink.Handle) error {
	if err := unix.Unshare(unix.CLONE_FS | unix.CLONE_NEWNS | unix.CLONE_NEWNET); err != nil {
		return err
	}
	last, err := netns.Get()
	if err != nil {
		return err
	}
	defer func() { _ = last.Close() }()
	if err := unix.Mount("/proc/thread-self/ns/net", held, "none", unix.MS_BIND, ""); err != nil {
		return err
	}
	v := netlink.NewVeth(netlink.LinkAttrs{Name: cable})
	v.PeerName, v.PeerNamespace = "end", netlink.NsFd(last)
	return host.LinkAdd(v)
}
