// Package capture sees the packets that pass through the interfaces of a network
// namespace, and puts them in words, as tcpdump does. It is plain Go over packet
// sockets: no external program, no libpcap.
//
//	Start          Options   Tap        the packets of one namespace, as they pass
//	NewFile        FileInfo  File       a pcapng file
//	NewMerger      …         Merger     packets of several taps, in the order of their times
//	Flows.Note, Packet.Summary          a line for each packet
//
// # What a tap sees
//
// A [Tap] is a packet socket (packet(7)) with a ring that it shares with the
// kernel (TPACKET_V3). The filter is attached before the socket is bound, so that
// nothing comes through that it does not let through, and the socket is bound
// before [Start] returns, so that every packet from then on is seen. What finds
// the ring full is counted by the kernel and told as [Tap.Dropped].
//
// The kernel hands packets over in blocks, when one is full or some milliseconds
// old. [Tap.Sync] waits for those that it has counted by now; so who has just
// received an answer finds it.
//
// On lo each packet passes twice, going out and coming in; only the second is kept,
// as libpcap does. A VLAN tag that the kernel has taken off is put back.
//
// # How the rooms are divided
//
//	tap.go      starting, stopping, keeping up with the kernel's count
//	socket.go   the packet socket: filter, ring, binding
//	ring.go     the ring: blocks to packets
//	packet.go   a packet and the interface it was seen on
//	file.go     pcapng
//	merge.go    the order of several taps' packets
//	summary.go  a packet as a line; link.go, ip.go, ip6.go, icmp.go, icmp6.go, tcp.go, udp.go, dns.go:
//	            what each protocol adds to it
//	flow.go     where the sequence numbers of a connection begin
package capture
