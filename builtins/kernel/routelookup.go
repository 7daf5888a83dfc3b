package kernel

import (
	"net/netip"

	"golang.org/x/sys/unix"
)

// RouteQuery asks what the kernel would do with a packet.
type RouteQuery struct {
	Dst, Src         netip.Addr // Src may be invalid for a packet that is sent from here
	In               int        // index of the interface that it came in on; 0 for one sent from here
	Out              int        // the VRF, or the interface, that one sent from here is bound to; 0 for none
	Mark             uint32
	TOS              uint8
	Proto            uint8  // IP protocol number
	SrcPort, DstPort uint16 // of TCP and UDP
}

// RouteAnswer is what the kernel decided.
type RouteAnswer struct {
	// Err is the kernel's refusal, 0 for none: ENETUNREACH where there is no
	// route, EHOSTUNREACH, EACCES and EINVAL for routes that lead nowhere.
	Err  unix.Errno
	Type string // unicast, local, broadcast, …
	Out  int    // index of the interface that it leaves by
	Via  netip.Addr
	Src  netip.Addr // the source address that the kernel prefers
	MTU  int        // bytes, where the route says so
	// Match is the table's entry that was chosen; the invalid prefix where there
	// is none. MatchType is its type.
	Match     netip.Prefix
	MatchType string
	Table     int
}

// The lengths of the two families' addresses, in bits.
const (
	bitsV4 = 32
	bitsV6 = 128
)

// lenRtMsg is the length of struct rtmsg.
const lenRtMsg = 12
