// Package probe sends packets into a network namespace and says what came back:
// it is what ping, nc and a small server would be if they were functions. It is
// plain Go over Linux sockets: no external program, no subprocess, no scripts.
//
// # Where a probe is sent from
//
// A socket belongs for ever to the network namespace of the thread that made it
// (network_namespaces(7)). So a probe enters its [Namespace] only to make the
// socket, and uses it from any thread afterwards, through Go's poller: a
// probe that waits holds no thread, and ends at once when its context does. [PingAll]
// alone waits on one thread for thousands of answers.
//
// # What a probe returns
//
//	Ping        PingRequest        PingResult        ICMP and ICMPv6 echo
//	PingAll     []*PingPair                          one echo request from each of many to many
//	Connect     ConnectRequest     ConnectResult     one TCP connection or UDP datagram
//	HTTP        HTTPRequest        HTTPResult        one request of HTTP/1.1
//	Traceroute  TracerouteRequest  []Hop             who ends echo requests on their way
//	Throughput  ThroughputRequest  ThroughputResult  as much TCP as goes through
//	Listen      ServeOptions       Server            TCP and UDP echo, HTTP
//
// What the network did is a result, never a Go error: "nobody answered" and "a
// router said no" are what the caller wanted to know. [PingResult], [ConnectResult]
// and the others carry it as one word, listed in words.go ([Timeout],
// [NetUnreachable], [Refused] …), with the address of whoever said so. A Go
// error means that the question could not be put: a request out of range, no
// right to open a raw socket, no such interface, a cancelled context.
//
// # How ping works
//
// [Ping] opens one raw socket, on which the kernel hands over every ICMP message
// that the namespace receives. Filters leave only echo replies with our
// identifier and error messages; the code then holds each message against the
// probes in flight (identifier, sequence number, target, payload). An error
// message is recognised by the packet that it quotes (RFC 792, RFC 4443 §3).
// Probes leave by the clock, not by the replies, so that count probes need about
// (count−1)·interval.
//
// # How the rooms are divided
//
//	ping.go      the request, the result, the probes in flight
//	pingall.go   many namespaces that ping one another, in blocks; pingpairs.go: their sockets
//	icmp.go      messages: an echo request to bytes, bytes to an answer
//	rawsocket.go the raw socket: options, filters, time stamps
//	connect.go   the request, the result; tcp.go and udp.go: the two protocols
//	dial.go      a TCP connection for who speaks a protocol: http.go, throughput.go
//	traceroute.go pings with growing hop limits
//	errqueue.go  the kernel's error queue: who said no, and the local MTU
//	socket.go    a non-blocking socket that a context can interrupt
//	words.go     the words for what went wrong, and the errnos behind them
//	serve.go     the server; servetcp.go, serveudp.go, servehttp.go: its protocols
//	listen.go    listening sockets for both IP versions, and their errors
//	filter/      tcpdump's filters as programs for a packet socket
package probe

// Namespace is where a probe is sent from. Do runs fn on a locked OS thread
// inside that namespace and returns its error, or the reason why the namespace
// could not be entered.
type Namespace interface {
	Do(fn func() error) error
}
