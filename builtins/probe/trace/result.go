package trace

import (
	"net/netip"
	"time"
)

// Walk is what became of a probe.
type Walk struct {
	From, To  string // namespaces; To is "" where no namespace has the target
	Proto     Proto
	Port      uint16
	Size      int
	DF        bool
	Src, Dst  netip.Addr // as the probe was sent; Src is invalid where it was not
	Steps     []Step
	Delivered bool          // it reached a socket, or the host itself where that answers
	Replied   bool          // the answer came back to where the probe was sent
	At        string        // the namespace that it was delivered to
	RTT       time.Duration // from the first sighting to the answer's last
	Death     *Death        // nil where nothing was lost
	Notes     []string
	Lost      int // packets that the kernel could not show
}

// Step is a line of the walk: an interface that the packet passed, or a decision
// about it.
type Step struct {
	Space   string
	Dev     string
	Dir     string        // "in", "out"; "" for a decision
	Time    time.Duration // since the first sighting; of an interface only
	Stage   string        // of a decision: routing, FORWARD, nat PREROUTING …
	Verdict string        // of a decision of the packet filter: ACCEPT, DROP, DNAT …
	Text    string
	Back    bool // of the answer or of an error message
	Hidden  bool // an interface that the next step shows: the other end of its cable
}

// The reasons for which a probe, or its answer, is lost.
const (
	NoRoute          = "no-route"
	UnreachableRoute = "unreachable-route"
	LinkDown         = "link-down"
	NoCarrier        = "no-carrier"
	ARPFailed        = "arp-failed"
	ForwardingOff    = "forwarding-off"
	RPFilter         = "rp-filter"
	FirewallDrop     = "firewall-drop"
	FirewallReject   = "firewall-reject"
	FragNeeded       = "frag-needed"
	TTLExceeded      = "ttl-exceeded"
	NoListener       = "no-listener"
	Martian          = "martian"
	WrongHost        = "wrong-host"
	AsymmetricReturn = "asymmetric-return"
	Unknown          = "unknown"
)

// Death is where and why a packet was lost.
type Death struct {
	Space  string
	Reason string
	Cause  string // of AsymmetricReturn: the reason for which the answer was lost
	Text   string // a sentence that names the place and the cause

	// What there is to know for a remedy.
	Dev                string // the interface that it came in on, or should leave by
	PeerSpace, PeerDev string // the other end of that cable
	Table, Chain       string // of the packet filter
	Legacy             bool   // of the legacy one
	Rule               int    // the rule's place from 1, 0 for the policy
	RuleText           string
	Hook               string // the chain of iptables that the same hook calls: FORWARD …
	Gone               bool   // a rule led away from the chain, so that one at its end is not reached
	Elsewhere          bool   // something listens on the port, at another address
	Family             string // of a table of nft's own: inet, bridge …; "" for iptables
	Proto              uint8  // IP protocol
	Src, Dst           netip.Addr
	SrcPort, DstPort   uint16
	Via                netip.Addr // the next hop
	Size, MTU          int        // bytes
	Back               bool       // it was the answer
	In                 string     // the interface that it came in on
	Match              netip.Prefix
	MatchType          string

	flow flow
}

// flow is what NAT may change of a packet.
type flow struct {
	src, dst     netip.Addr
	sport, dport uint16
}
