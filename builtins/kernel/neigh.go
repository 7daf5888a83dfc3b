package kernel

import (
	"fmt"
	"net"
	"net/netip"
)

// Neigh is an entry of the neighbour table (ARP, IPv6 neighbour discovery).
type Neigh struct {
	IP    netip.Addr
	MAC   net.HardwareAddr
	Dev   string
	State string // REACHABLE, STALE, PERMANENT, … (ip-neighbour(8))
}

// String prints the entry on one line as `ip neigh` does.
func (e *Neigh) String() string {
	s := e.IP.String()
	if e.Dev != "" {
		s += " dev " + e.Dev
	}
	if len(e.MAC) > 0 {
		s += " lladdr " + e.MAC.String()
	}
	return fmt.Sprintf("%s %s", s, e.State)
}

// FDBEntry is an entry of a bridge's forwarding database.
type FDBEntry struct {
	MAC  net.HardwareAddr
	Port string
	VLAN int
	// Local is set for the bridge's and its ports' own addresses.
	Local bool
}

// String prints the entry as `bridge fdb` does.
func (e *FDBEntry) String() string {
	s := e.MAC.String() + " dev " + e.Port
	if e.VLAN != 0 {
		s += fmt.Sprintf(" vlan %d", e.VLAN)
	}
	if e.Local {
		s += " permanent"
	}
	return s
}
