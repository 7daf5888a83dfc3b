package probe

import (
	"net/netip"
	"time"
)

// TracerouteRequest says whose routers are asked for.
type TracerouteRequest struct {
	Target  netip.Addr    // IPv4 or IPv6; link-local with the interface as its zone
	MaxHops int           // the largest hop limit that is tried, 1 to 255
	Timeout time.Duration // for the answer to each probe
}

// Hop is who answered a probe that was allowed to go so far.
type Hop struct {
	TTL     int
	From    netip.Addr // invalid if nobody answered, or the own kernel refused
	RTT     time.Duration
	Reached bool   // the target itself
	Error   string // why it goes no further, "" for a router on the way and for the target
}

func (h *Hop) silent() bool { return !h.From.IsValid() && h.Error == "" }

// hopsAtOnce is how many hop limits are tried side by side once a hop was silent: up
// to there each answer comes at once, and a router that tells only so often that it
// knows no way on (net.ipv4.route.error_cost) is not asked more than needed.
const hopsAtOnce = 8

// withoutSilence leaves one of the hops at the end at which nobody answered.
func withoutSilence(hops []Hop) []Hop {
	n := len(hops)
	for n > 1 && hops[n-1].silent() && hops[n-2].silent() {
		n--
	}
	return hops[:n]
}
