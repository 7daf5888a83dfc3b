package probe

import (
	"context"
	"time"

	"nsscript/builtins/kernel"
)

// blockSize is how many namespaces meet how many others at once. Each two that
// meet make two entries of the kernel's neighbour table, which is one for all
// namespaces and holds 1,024 by default (net.ipv4.neigh.default.gc_thresh3).
const blockSize = 14

// PingAll sends one echo request of each pair: of one block of namespaces and another
// one after the other, and those of two blocks side by side. Where there are several
// blocks, the namespaces forget between two of them whom they have met.
//
// The error is ctx's, or tells that the requests could not be tried.
func PingAll(ctx context.Context, spaces []*kernel.NetNS, pairs []*PingPair, timeout time.Duration) error {
	c := &crowd{spaces: spaces, pinger: pairPinger{spaces: spaces}, timeout: timeout, meetings: map[meeting][]*PingPair{}}
	defer c.pinger.close()
	for _, p := range pairs {
		m := meeting{p.From / blockSize, p.To / blockSize}
		c.meetings[m] = append(c.meetings[m], p)
	}
	if len(spaces) > 2*blockSize {
		if err := c.remember(); err != nil {
			return err
		}
	}
	blocks := (len(spaces) + blockSize - 1) / blockSize
	for i := range blocks {
		for j := i; j < blocks; j++ {
			if err := c.meet(ctx, i, j); err != nil {
				return err
			}
		}
	}
	return nil
}

// crowd is the namespaces of a PingAll.
type crowd struct {
	spaces   []*kernel.NetNS
	meetings map[meeting][]*PingPair
	timeout  time.Duration
	pinger   pairPinger
	known    []map[kernel.NeighborKey]bool // whom each knew before; nil where all may meet
}

// meeting is two blocks, of which the first sends to the second.
type meeting struct{ from, to int }

// remember notes whom the namespaces know.
func (c *crowd) remember() error {
	c.known = make([]map[kernel.NeighborKey]bool, len(c.spaces))
	for i, k := range c.spaces {
		var err error
		if c.known[i], err = k.KnownNeighbors(); err != nil {
			return err
		}
	}
	return nil
}

// meet has the namespaces of two blocks ping one another. The second of two pings when
// it has been pinged: it knows the first by then, and need not ask everybody on their
// network who that is, which costs more than all else.
func (c *crowd) meet(ctx context.Context, i, j int) error {
	var there, back []*PingPair
	for _, p := range c.meetings[meeting{i, j}] {
		if i == j && p.From > p.To {
			back = append(back, p)
		} else {
			there = append(there, p)
		}
	}
	if i != j {
		back = c.meetings[meeting{j, i}]
	}
	if err := c.pinger.ping(ctx, append(there, back...), c.timeout); err != nil {
		return err
	}
	return c.forget(i, j)
}

// forget has the namespaces of two blocks forget whom they have met.
func (c *crowd) forget(i, j int) error {
	if c.known == nil {
		return nil
	}
	for n, k := range c.spaces {
		if n/blockSize != i && n/blockSize != j {
			continue
		}
		if err := k.ForgetNeighbors(c.known[n]); err != nil {
			return err
		}
	}
	return nil
}
