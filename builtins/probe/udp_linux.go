package probe

import (
	"context"
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// mayFragment leaves the don't-fragment flag off.
func (c *call) mayFragment() (err error) {
	if cerr := c.sock.control(func(fd int) {
		err = unix.SetsockoptInt(fd, unix.SOL_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_DONT)
	}); cerr != nil {
		return cerr
	}
	return err
}

// udp sends one datagram and waits for one.
//
// A datagram that a router finds too big is sent again, as Ping does: the
// kernel then knows the MTU of the path and makes fragments.
func (c *call) udp(ctx context.Context) error {
	if err := c.names(); err != nil {
		return err
	}
	if c.req.Target.Addr().Is4() {
		if err := c.mayFragment(); err != nil {
			return err
		}
	}
	datagram := []byte("\n")
	if c.req.HasSend {
		datagram = c.req.Send
	}
	buf := make([]byte, 64<<10)
	var until time.Time
	pause := time.Duration(0)
	for copies := 0; ; {
		// Only the first copy leaves before anything was heard.
		if copies == 0 || pause > 0 && copies < maxCopies {
			sent := time.Now()
			_, err := c.write(ctx, datagram)
			if errors.Is(err, unix.EMSGSIZE) { // what a router said about the copy before
				pause = max(pause, firstPause)
			} else if err != nil {
				return err
			}
			copies++
			c.begun = sent
		}
		until = c.deadline
		if pause > 0 && copies < maxCopies && time.Now().Add(pause).Before(until) {
			until = time.Now().Add(pause)
		}
		n, err := c.read(ctx, buf, until)
		switch {
		case err == nil:
			c.res.RTT = time.Since(c.begun)
			c.res.Reply = append([]byte{}, buf[:n]...)
			return nil
		case errors.Is(err, unix.EMSGSIZE):
			pause = max(pause, firstPause)
		case errors.Is(err, os.ErrDeadlineExceeded) && time.Now().Before(c.deadline):
			pause *= 2
		default:
			return err
		}
	}
}
