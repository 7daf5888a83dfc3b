package kernel

import (
	"errors"
	"math"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// SetShape shapes what the interface sends. What it sends meanwhile is not lost where
// only figures change.
func (n *NetNS) SetShape(index int, s Shape) error {
	h, err := n.Netlink()
	if err != nil {
		return err
	}
	s = s.Whole()
	if !s.Emulates() {
		return h.QdiscReplace(s.tbf(index, netlink.HANDLE_ROOT))
	}
	if err := h.QdiscReplace(s.netem(index)); err != nil {
		return err
	}
	behind := netlink.MakeHandle(netemHandle, 1)
	if s.Rate > 0 {
		return h.QdiscReplace(s.tbf(index, behind))
	}
	err = h.QdiscDel(s.tbf(index, behind))
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.EINVAL) {
		return nil // there was none
	}
	return err
}

// Unshape lets the interface send at once again; what waits is lost.
func (n *NetNS) Unshape(index int) error {
	h, err := n.Netlink()
	if err != nil {
		return err
	}
	q, _, err := n.shapers(index)
	if err != nil || q == nil {
		return err
	}
	return h.QdiscDel(q)
}

// shapers returns the queueing disciplines of a shape, nil where there is none: that
// at the root, and what stands behind it.
func (n *NetNS) shapers(index int) (root, behind netlink.Qdisc, err error) {
	h, err := n.Netlink()
	if err != nil {
		return nil, nil, err
	}
	list, err := dump(func() ([]netlink.Qdisc, error) {
		return h.QdiscList(&netlink.GenericLink{LinkAttrs: netlink.LinkAttrs{Index: index}})
	})
	if err != nil {
		return nil, nil, err
	}
	for _, q := range list {
		a := q.Attrs()
		if a.LinkIndex != index || a.Handle != netlink.MakeHandle(netemHandle, 0) && a.Handle != netlink.MakeHandle(tbfHandle, 0) {
			continue
		}
		if a.Parent == netlink.HANDLE_ROOT {
			root = q
		} else {
			behind = q
		}
	}
	return root, behind, nil
}

func (s Shape) tbf(index int, parent uint32) netlink.Qdisc {
	rate := max(s.Rate/8, 1)
	return &netlink.Tbf{
		QdiscAttrs: netlink.QdiscAttrs{LinkIndex: index, Handle: netlink.MakeHandle(tbfHandle, 0), Parent: parent},
		Rate:       rate, Limit: uint32(s.tbfLimit()), Buffer: netlink.Xmittime(rate, uint32(s.Burst)),
	}
}

func (s Shape) netem(index int) netlink.Qdisc {
	return netlink.NewNetem(
		netlink.QdiscAttrs{LinkIndex: index, Handle: netlink.MakeHandle(netemHandle, 0), Parent: netlink.HANDLE_ROOT},
		netlink.NetemQdiscAttrs{
			Latency: uint32(s.Delay.Microseconds()), Jitter: uint32(s.Jitter.Microseconds()), Limit: uint32(s.Limit),
			Loss: float32(s.Loss), Duplicate: float32(s.Duplicate), ReorderProb: float32(s.Reorder), CorruptProb: float32(s.Corrupt),
		})
}

// fromTicks turns the units of packet schedulers into time.
func fromTicks(ticks uint32) time.Duration {
	return time.Duration(float64(ticks) / netlink.TickInUsec() * float64(time.Microsecond)).Round(time.Microsecond)
}

// ShapeOf returns how the interface is shaped; the second result is whether it is.
func (n *NetNS) ShapeOf(index int) (s Shape, shaped bool, err error) {
	root, behind, err := n.shapers(index)
	if err != nil {
		return s, false, err
	}
	for _, q := range []netlink.Qdisc{root, behind} {
		switch q := q.(type) {
		case *netlink.Netem:
			s.Delay, s.Jitter = fromTicks(q.Latency), fromTicks(q.Jitter)
			s.Loss, s.Duplicate = percent(q.Loss), percent(q.Duplicate)
			s.Reorder, s.Corrupt = percent(q.ReorderProb), percent(q.CorruptProb)
			s.Limit = int(q.Limit)
		case *netlink.Tbf:
			s.Rate = q.Rate * 8
			s.Burst = int(math.Round(float64(q.Rate) * fromTicks(q.Buffer).Seconds()))
			if !s.Emulates() {
				s.Limit = int(q.Limit) / packetSize
			}
		}
	}
	return s, root != nil, nil
}
