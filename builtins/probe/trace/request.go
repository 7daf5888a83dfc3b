package trace

import (
	"net/netip"
	"time"

	"nsscript/builtins/kernel"
)

// Proto is what kind of probe is sent.
type Proto int

// The kinds of probes.
const (
	ICMP Proto = iota // an echo request, of ICMP or ICMPv6 as the target wants
	TCP               // a handshake, with Size also so many bytes of data after it
	UDP               // a datagram
)

// Space is a namespace that is watched.
type Space struct {
	Name string
	NS   *kernel.NetNS
	// Shown tells which of its interfaces are looked at, by their index; nil for all.
	Shown func(index int) bool
}

// Request says what to send and where to look.
type Request struct {
	Spaces []Space // all namespaces, the sender among them
	From   string  // the one that sends
	To     string  // the one that has the target, "" for none
	Meant  bool    // To was asked for by its name, not by an address that others may have too
	Target netip.Addr
	Proto  Proto
	Port   uint16 // of TCP and UDP
	// Size is how many bytes of payload the probe has, at least MinSize. With TCP, 0
	// asks for a handshake only.
	Size    int
	DF      bool // forbid IPv4 routers to fragment it
	Timeout time.Duration
	Rules   Ruleset
}

// MinSize is the least payload by which a probe can be known, in bytes.
const MinSize = lenToken

// Ruleset reads the rules of iptables.
type Ruleset interface {
	// Rules lists a table's rules as iptables has them.
	Rules(space string, v6, legacy bool, table string) ([]kernel.ListedRule, error)
	// Policy returns the policy of a built-in chain: ACCEPT or DROP.
	Policy(space string, v6, legacy bool, table, chain string) (string, error)
}

// lenToken is the length of the random bytes by which a probe is known.
const lenToken = 8
