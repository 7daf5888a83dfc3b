//go:build linux

package trace

import (
	"errors"
	"fmt"
	"nsscript/builtins/probe"
	"time"

	"golang.org/x/sys/unix"
)

// The kernel stamps packets with the time only while somebody wants it, and begins
// with that a moment after the first has asked, in a worker. Without stamps the order of
// sightings in different namespaces is not known.

const (
	// stampTrial is an EtherType for experiments (IEEE 802, 88-B5), which no host
	// listens to.
	stampTrial = 0x88b5
	// stampDelay is how much later than it came a packet is read on trial.
	stampDelay = 200 * time.Microsecond
	// stampTries bounds the trials: some ten milliseconds.
	stampTries = 50
)

// awaitStamps waits until packets get time stamps, by frames that it sends to itself
// over lo of the calling thread's namespace. Where lo is down it cannot know, and does
// not wait. The socket for that is closed with those of the watcher: it takes a while.
func (w *watcher) awaitStamps() error {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("packet socket: %w", err)
	}
	w.spent = append(w.spent, fd)
	lo := &unix.SockaddrLinklayer{Protocol: probe.NetworkOrder(stampTrial), Ifindex: 1, Halen: 6}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1); err != nil {
		return fmt.Errorf("packet socket: %w", err)
	}
	if err := unix.Bind(fd, lo); err != nil {
		return nil
	}
	buf, oob := make([]byte, 64), make([]byte, 256)
	for range stampTries {
		if err := unix.Sendto(fd, make([]byte, 46), 0, lo); err != nil {
			return nil
		}
		time.Sleep(stampDelay)
		before := time.Now()
		_, n, _, _, err := unix.Recvmsg(fd, buf, oob, unix.MSG_DONTWAIT)
		if errors.Is(err, unix.EAGAIN) {
			continue
		}
		if err != nil {
			return nil
		}
		msgs, err := unix.ParseSocketControlMessage(oob[:n])
		if err != nil {
			return nil
		}
		for _, m := range msgs {
			// Without a stamp the kernel gives the time of reading.
			if m.Header.Level == unix.SOL_SOCKET && m.Header.Type == unix.SO_TIMESTAMPNS && timeOf(m.Data).Before(before) {
				return nil
			}
		}
	}
	return nil
}
