// Package probe sends packets and says what became of them, and holds the
// servers that answer. It is plain Go: no Starlark, no external program.
//
//   - [Ping] sends ICMP and ICMPv6 echo requests over a raw socket.
//   - [Connect] opens a TCP or UDP connection, and may send and read something.
//   - [Listen] makes a [Server] for TCP, UDP and HTTP.
//
// A socket belongs for ever to the network namespace in which it was made. So a
// probe opens its socket inside a [Namespace] and uses it from anywhere.
//
// What the network answers is a result; an error is only what kept the probe
// from being made, such as a missing right or an interruption.
package probe

// Namespace is where a probe is sent from. Do runs fn on a locked thread that is
// inside the namespace.
type Namespace interface {
	Do(fn func() error) error
}
