package kernel

import (
	"errors"

	rtnl "github.com/mdlayher/netlink"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// dump asks until the kernel gives an answer that is of one piece.
func dump[T any](ask func() ([]T, error)) ([]T, error) {
	var list []T
	var err error
	for range dumpTries {
		list, err = ask()
		if !errors.Is(err, netlink.ErrDumpInterrupted) {
			return list, err
		}
	}
	return list, err
}

// dumpMessages is dump for a request of one message.
func dumpMessages(c *rtnl.Conn, request rtnl.Message) ([]rtnl.Message, error) {
	request.Header.Flags = rtnl.Request | rtnl.Dump
	return dump(func() ([]rtnl.Message, error) {
		msgs, err := c.Execute(request)
		for _, m := range msgs {
			if m.Header.Flags&unix.NLM_F_DUMP_INTR != 0 {
				return nil, netlink.ErrDumpInterrupted
			}
		}
		return msgs, err
	})
}
