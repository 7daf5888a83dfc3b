package probe

import (
	"context"
	"fmt"
	"sync"
)

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
