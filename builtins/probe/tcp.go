package probe

import (
	"context"
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// silence ends a reply whose end the other side does not mark.
	silence = 100 * time.Millisecond
	// greeting is how long a greeting is waited for, besides two round trips.
	greeting = 20 * time.Millisecond
)

func (c *call) closeWrite() (err error) {
	if cerr := c.sock.control(func(fd int) { err = unix.Shutdown(fd, unix.SHUT_WR) }); cerr != nil {
		return cerr
	}
	return err
}

// greeting takes what a server says unasked. To close the sending side first lets a
// server that waits for the end of our words close in turn.
func (c *call) greeting(ctx context.Context) error {
	if err := c.closeWrite(); err != nil {
		return err
	}
	until := time.Now().Add(greeting + 2*c.res.RTT)
	if until.After(c.deadline) {
		until = c.deadline
	}
	buf := make([]byte, 4096)
	for {
		n, err := c.read(ctx, buf, until)
		c.keep(buf[:n])
		if errors.Is(err, os.ErrDeadlineExceeded) || err == nil && n == 0 {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (c *call) readReply(ctx context.Context, written <-chan error) error {
	buf := make([]byte, 64<<10)
	until := c.deadline
	for {
		n, err := c.read(ctx, buf, until)
		c.keep(buf[:n])
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			if len(c.res.Reply) == 0 {
				return err
			}
			if len(written) > 0 || !time.Now().Before(c.deadline) {
				return nil
			}
		case err != nil:
			return err
		case n == 0:
			return nil
		}
		if until = time.Now().Add(silence); until.After(c.deadline) {
			until = c.deadline
		}
	}
}

// keep adds to the reply, up to its bound.
func (c *call) keep(b []byte) {
	c.res.Reply = append(c.res.Reply, b[:min(len(b), MaxReply-len(c.res.Reply))]...)
}
