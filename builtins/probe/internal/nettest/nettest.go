//go:build linux

// Package nettest makes network namespaces for tests.
package nettest

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// NS is a network namespace of one test's own. It is gone when the test is.
type NS struct {
	T    testing.TB
	Name string
	FD   int
	NL   *netlink.Handle
}

// New makes a namespace with lo up. Before that, sysctls are set in it, as in
// "net/ipv4/ip_forward=1".
func New(t testing.TB, name string, sysctls ...string) *NS {
	t.Helper()
	n := &NS{T: t, Name: name, FD: -1}
	err := OnThread(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("these tests need the right to make network namespaces: %w", err)
		}
		var err error
		n.FD, err = unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		n.NL, err = netlink.NewHandle(unix.NETLINK_ROUTE)
		return err
	})
	if err != nil {
		t.Fatalf("namespace %q: %v", name, err)
	}
	t.Cleanup(func() {
		n.NL.Close()
		_ = unix.Close(n.FD)
	})
	for _, s := range sysctls {
		n.Sysctl(s)
	}
	n.Up("lo")
	return n
}

// OnThread runs fn on a thread that ends with it, whatever fn did to it.
func OnThread(fn func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		done <- fn()
	}()
	return <-done
}

// Do runs fn on a thread in the namespace.
func (n *NS) Do(fn func() error) error {
	return OnThread(func() error {
		if err := unix.Setns(n.FD, unix.CLONE_NEWNET); err != nil {
			return err
		}
		return fn()
	})
}

// Must fails the test on an error.
func (n *NS) Must(err error) {
	n.T.Helper()
	if err != nil {
		n.T.Fatalf("namespace %q: %v", n.Name, err)
	}
}

// Sysctl sets one: "net/ipv4/ip_forward=1".
func (n *NS) Sysctl(setting string) {
	n.T.Helper()
	key, value, _ := strings.Cut(setting, "=")
	n.Must(n.Do(func() error { return os.WriteFile("/proc/sys/"+key, []byte(value), 0) }))
}

// Link finds an interface.
func (n *NS) Link(name string) netlink.Link {
	n.T.Helper()
	l, err := n.NL.LinkByName(name)
	n.Must(err)
	return l
}

// Up sets an interface up.
func (n *NS) Up(name string) {
	n.T.Helper()
	n.Must(n.NL.LinkSetUp(n.Link(name)))
}

// AwaitUp waits until an interface's carrier was seen. Until then an IPv6 address
// stays tentative even without duplicate address detection, and packets are dropped.
func (n *NS) AwaitUp(dev string) {
	n.T.Helper()
	for range 5000 {
		if n.Link(dev).Attrs().OperState == netlink.OperUp {
			return
		}
		time.Sleep(time.Millisecond)
	}
	n.T.Fatalf("namespace %q: %q does not come up", n.Name, dev)
}

// Log collects what a server writes.
type Log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write adds to the log.
func (l *Log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

// String is all that was written.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
