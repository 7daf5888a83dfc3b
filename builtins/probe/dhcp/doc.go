// Package dhcp gives out addresses and obtains them, as the Dynamic Host Configuration
// Protocol does (RFC 2131, RFC 2132). The messages on the wire are those of
// github.com/insomniacslk/dhcp.
//
// A [Server] has subnets; which of them a client is in tells the interface that a
// message came in by or, where a relay passed it on, the relay's address in it. A
// [Relay] passes on the messages of clients to servers that are elsewhere.
//
// [Obtain] is a client: it asks for a lease and returns it, and changes nothing.
// A client has no address yet: it sends and receives whole IP packets on its
// interface (packet(7)), as all clients do; so no firewall of its own namespace is in its way.
package dhcp
