package probe

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
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

// Traceroute sends echo requests with growing hop limits (as traceroute -I does) and
// returns who answered them, up to the target, or to whoever said that there is no
// way on. Of hops at the end at which nobody answers the first stands for all.
func Traceroute(ctx context.Context, ns Namespace, req TracerouteRequest) ([]Hop, error) {
	if req.MaxHops < 1 || req.MaxHops > maxTTL {
		return nil, fmt.Errorf("%d hops: 1 to %d are possible", req.MaxHops, maxTTL)
	}
	var hops []Hop
	width := 1
	for first := 1; first <= req.MaxHops; first = len(hops) + 1 {
		some, err := tryHops(ctx, ns, req, first, min(first+width-1, req.MaxHops))
		if err != nil {
			return nil, err
		}
		if width == 1 && some[0].silent() {
			// A second time: it may be one that tells only once a second.
			if some[0], err = tryHop(ctx, ns, req, first); err != nil {
				return nil, err
			}
		}
		if some[0].silent() {
			width = hopsAtOnce
		}
		for _, h := range some {
			hops = append(hops, h)
			if h.Reached || h.Error != "" {
				return hops, nil
			}
		}
	}
	return withoutSilence(hops), nil
}

// tryHops tries a range of hop limits side by side.
func tryHops(ctx context.Context, ns Namespace, req TracerouteRequest, first, last int) ([]Hop, error) {
	hops := make([]Hop, last-first+1)
	errs := make([]error, len(hops))
	var all sync.WaitGroup
	for i := range hops {
		all.Go(func() {
			hops[i], errs[i] = tryHop(ctx, ns, req, first+i)
		})
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return hops, nil
}

func tryHop(ctx context.Context, ns Namespace, req TracerouteRequest, ttl int) (Hop, error) {
	r, err := Ping(ctx, ns, PingRequest{Target: req.Target, Count: 1, Size: 32, TTL: ttl, Timeout: req.Timeout})
	h := Hop{TTL: ttl}
	switch {
	case err != nil:
		return h, err
	case r.Received > 0:
		h.From, h.RTT, h.Reached = req.Target, r.Min, true
	case r.Error == TTLExceeded:
		h.From, h.RTT = r.ErrorFrom, r.ErrorRTT
	case r.Error != Timeout:
		h.From, h.RTT, h.Error = r.ErrorFrom, r.ErrorRTT, r.Error
	}
	return h, nil
}

// withoutSilence leaves one of the hops at the end at which nobody answered.
func withoutSilence(hops []Hop) []Hop {
	n := len(hops)
	for n > 1 && hops[n-1].silent() && hops[n-2].silent() {
		n--
	}
	return hops[:n]
}
