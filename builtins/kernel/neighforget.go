package kernel

import (
	"net/netip"
)

// NeighborKey tells the neighbours of a namespace from one another.
type NeighborKey struct {
	Link int
	IP   netip.Addr
}

// The attributes of a neighbour table, and the place of a count among its statistics
// (linux/neighbour.h, struct ndt_stats).
const (
	ndtaName       = 1
	ndtaStats      = 7
	ndtsTableFulls = 10
)
