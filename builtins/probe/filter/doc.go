// Package filter compiles tcpdump's filter language, pcap-filter(7), to classic
// BPF: the programs that SO_ATTACH_FILTER takes (socket(7)). It needs neither
// libpcap nor tcpdump.
//
// # From text to program
//
//	compile.go  the way from one end to the other
//	lex.go      the text as words
//	parse.go    words as a tree of primitives joined by and, or, not
//	parsearith.go its comparisons of numbers
//	tree.go     that tree
//	lower.go    primitives as conditions on values in the packet, from left to right:
//	            host.go, port.go, proto.go, chain.go, llc.go, encap.go, geneve.go, arith.go
//	link.go     where a kind of link has its headers
//	cond.go     conditions and values
//	simplify.go conditions that share something brought together
//	code.go     conditions as instructions that jump past what is already decided
//	asm.go      labels as distances
//	names.go    protocols, ports and constants by name
//	error.go    what is wrong with a filter, and where
//
// # Where the headers are
//
// A [LinkType] says what the first bytes of a packet are. Three of them are for
// packets already read, as in a capture file. The other three are for a packet
// socket (packet(7)), where the kernel knows more than the bytes say, and a filter
// asks it by loads from negative offsets (linux/filter.h): it has taken the outer
// VLAN tag out of the packet, it knows the direction, and on a device without link
// header it knows the protocol. On [AnyDevice], which mixes devices with and without
// Ethernet headers, a program is two: it first asks of what kind the device is, and
// what a kind of device has not (a VLAN, an Ethernet address) is false there.
//
// vlan, mpls, pppoes and geneve move the headers for all that stands to the right of
// them, whatever and, or and not say: pcap-filter(7) wants it so.
//
// # What a load beyond the end means
//
// It ends the program, and the packet is not accepted: so "not port 80" refuses a
// packet too short to have a protocol. What libpcap's programs load and when is
// therefore part of what a filter means, and the tests hold this package to it.
//
// # What differs from libpcap
//
// A field of a protocol in the right operand of an operator checks that protocol as
// in the left one; libpcap forgets it: "1 + tcp[0] = 5" looks into UDP too. A chain of
// headers (protochain) ends after eight of them, since the kernel knows no loops, and
// goes on past an authentication header. A net may be written "10/8", and a protocol
// after "proto" without backslash. A division by a constant that comes out as 0 is
// refused, and so is a shift by one of more than 31.
//
// "ip broadcast" is refused, since the mask of a net is not known here, and "gateway",
// which needs a table of Ethernet addresses; and with them all that only 802.11, ATM or
// a BSD's pf has. A host's name is looked up by the caller: see [Options].
package filter
