package probe

import (
	"net/netip"

	"golang.org/x/sys/unix"
)

// queuedError is an entry of a socket's error queue (ip(7), IP_RECVERR): why a
// packet was not delivered, and who said so.
type queuedError struct {
	errno  unix.Errno
	origin uint8  // unix.SO_EE_ORIGIN_ICMP, …
	info   uint32 // the MTU, with EMSGSIZE
	from   netip.Addr
}
