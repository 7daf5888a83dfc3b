package probe

import "net/netip"

// PingPair is one of many namespaces that sends one echo request to another.
type PingPair struct {
	From, To int        // their places among the namespaces
	Target   netip.Addr // of the second

	Error     string     // filled in: "" for a reply, else what Ping says
	ErrorFrom netip.Addr // who said so
}
