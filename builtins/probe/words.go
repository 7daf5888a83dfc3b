package probe

import (
	"errors"

	"golang.org/x/sys/unix"
)

// The words of [PingResult.Error], [ConnectResult.Error] and of the other results.
const (
	Timeout = "timeout" // nothing came in time

	// Ping: a router, the target or the own kernel refused the packet.
	NetUnreachable    = "net-unreachable"    // no route to that network
	HostUnreachable   = "host-unreachable"   // the last router cannot find the host
	ProtoUnreachable  = "proto-unreachable"  // the host knows no such protocol
	PortUnreachable   = "port-unreachable"   // what a firewall's plain REJECT says
	AdminProhibited   = "admin-prohibited"   // a firewall or a prohibit route
	FragNeeded        = "frag-needed"        // too big for a link on the way: see PingResult.MTU
	TTLExceeded       = "ttl-exceeded"       // the hop limit ran out on the way
	ReassemblyTimeout = "reassembly-timeout" // not all fragments arrived
	ParameterProblem  = "parameter-problem"  // a header that the other side does not understand
	NoBufferSpace     = "no-buffer-space"    // the own kernel has no room: a full queue, or a full table of neighbours (net.ipv4.neigh.default.gc_thresh3)

	// Connect.
	Refused     = "refused"     // nobody listens there, or a firewall says so
	Unreachable = "unreachable" // no way there, or it is forbidden
	Reset       = "reset"       // the other side broke the connection off

	// HTTP.
	Malformed = "malformed" // what came is no HTTP, or it ended too early
)

// sendWord names why the own kernel did not send a packet, or returns "" for an
// error that is none of the network's. See ip-route(8) for the errnos of
// the special routes: unreachable, prohibit, and blackhole with its EINVAL,
// which counts as net-unreachable here: the packet cannot leave, and the kernel
// says so at once.
func sendWord(err error) string {
	var errno unix.Errno
	if !errors.As(err, &errno) {
		return ""
	}
	switch errno {
	case unix.ENETUNREACH, unix.ENETDOWN, unix.EADDRNOTAVAIL, unix.ENODEV, unix.ENXIO, unix.EINVAL:
		return NetUnreachable
	case unix.EHOSTUNREACH, unix.EHOSTDOWN:
		return HostUnreachable
	case unix.EACCES, unix.EPERM: // EPERM: dropped by the own OUTPUT chain
		return AdminProhibited
	case unix.EMSGSIZE:
		return FragNeeded
	case unix.ENOBUFS:
		return NoBufferSpace
	}
	return ""
}
