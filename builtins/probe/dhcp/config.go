package dhcp

import (
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// Config says what a server gives out. It is plain data, so that it can be handed to
// the server as JSON.
type Config struct {
	Subnets []Subnet `json:"subnets"`
	Devices []string `json:"devices,omitempty"` // on which it serves; none for all
	// Reservations are addresses by the link-layer address of their owner.
	Reservations map[string]netip.Addr `json:"reservations,omitempty"`
}

// Subnet is what clients of one network are given.
type Subnet struct {
	Network   netip.Prefix `json:"network"`
	First     netip.Addr   `json:"first,omitzero"` // of the pool; none for reservations alone
	Last      netip.Addr   `json:"last,omitzero"`
	Routers   []netip.Addr `json:"routers,omitempty"`
	DNS       []netip.Addr `json:"dns,omitempty"`
	Domain    string       `json:"domain,omitempty"`
	LeaseTime int          `json:"lease_time"` // seconds
}

func (s *Subnet) leaseTime() time.Duration { return time.Duration(s.LeaseTime) * time.Second }

// ParsePool reads a pool: "10.0.0.100-10.0.0.199".
func ParsePool(text string) (first, last netip.Addr, err error) {
	a, b, ok := strings.Cut(text, "-")
	first, err1 := netip.ParseAddr(strings.TrimSpace(a))
	last, err2 := netip.ParseAddr(strings.TrimSpace(b))
	if !ok || err1 != nil || err2 != nil || !first.Is4() || !last.Is4() {
		return first, last, fmt.Errorf("%q is no pool of IPv4 addresses, such as %q", text, "10.0.0.100-10.0.0.199")
	}
	if last.Less(first) {
		return first, last, fmt.Errorf("the pool %q ends before it begins", text)
	}
	return first, last, nil
}

// Check says what cannot be in a subnet, if anything.
func (s *Subnet) Check() error {
	if !s.Network.Addr().Is4() {
		return fmt.Errorf("%s is no IPv4 network", s.Network)
	}
	for _, a := range []netip.Addr{s.First, s.Last} {
		if a.IsValid() && !s.usable(a) {
			return fmt.Errorf("%s is no address of a host in %s", a, s.Network)
		}
	}
	for _, r := range s.Routers {
		if !s.Network.Contains(r) {
			return fmt.Errorf("the router %s is not in %s, where clients could reach it", r, s.Network)
		}
	}
	return nil
}

// usable reports whether a host of the subnet can have an address.
func (s *Subnet) usable(a netip.Addr) bool {
	if !s.Network.Contains(a) {
		return false
	}
	if s.Network.Bits() > 30 {
		return true
	}
	return a != s.Network.Masked().Addr() && s.Network.Contains(a.Next())
}
