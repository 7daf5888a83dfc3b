// Package trace follows one packet through a lab: it sends a probe, looks at every
// interface of every namespace what passes, and finds out where the probe, or its
// answer, died and why. It is plain Go over Linux sockets and netlink, and needs no
// rights but those over the namespaces.
//
// # How a probe is known
//
// Addresses, ports and marks change on the way; what stays is the payload, and TCP's
// sequence numbers. Echo messages and datagrams begin with eight random bytes; a TCP
// connection is given a random sequence number before it is opened (tcp(7),
// TCP_REPAIR). ICMP error messages quote the packet that they are about, so they are
// known by the same. See [identity].
//
// # What is seen
//
//	sightings  a packet socket in each namespace, with the kernel's time stamps and
//	           the direction; a filter leaves it nothing but the probe, ARP and
//	           neighbour discovery
//	runs       nf_tables' tracing, switched on for the probe alone by a table that
//	           belongs to a socket and goes with it; legacy tables speak through the
//	           log's group 0. Only in namespaces that have tables
//	routing    RTM_GETROUTE with the packet's interface, mark and ports
//	the rest   neighbour tables, interfaces, sysctls, bridges' databases, and the
//	           namespace's counters before and after
//
// # How the rooms are divided
//
//	trace.go    the request; sending, watching, waiting
//	probe.go    how the packets of one probe are known
//	packet.go   headers, read as far as they go
//	watch.go    packet sockets
//	send.go     the probe's own socket
//	path.go     from sightings to the way of one packet
//	runs.go     from the packet filter's events to decisions
//	walk.go     the way of the probe and of its answer, told in steps
//	answer.go   what a host does with what is for it, and the way back
//	death.go    where and why: the reasons
//	arrival.go, routes.go, leaving.go, bridges.go  how packets die: taken in, without a
//	            route, at an interface or its cable, between a bridge's ports
//	text.go     the walk as it is printed
package trace
