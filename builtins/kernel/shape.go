package kernel

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Shape is what becomes of the packets that an interface sends (tc-netem(8),
// tc-tbf(8)).
type Shape struct {
	Rate      uint64        `json:"rate,omitempty"`  // bits a second; 0 for any
	Burst     int           `json:"burst,omitempty"` // bytes that may be sent at once, with a rate
	Limit     int           `json:"limit,omitempty"` // packets that wait at most, for their delay or, where there is none, for the rate
	Delay     time.Duration `json:"delay,omitempty"`
	Jitter    time.Duration `json:"jitter,omitempty"`
	Loss      float64       `json:"loss,omitempty"`      // percent
	Duplicate float64       `json:"duplicate,omitempty"` // percent
	Reorder   float64       `json:"reorder,omitempty"`   // percent, that overtake those delayed
	Corrupt   float64       `json:"corrupt,omitempty"`   // percent
}

// The handles of the queueing disciplines that shape an interface: what is delayed,
// lost and so on, and what is slowed down. Where there are both, the second stands
// behind the first.
const (
	netemHandle = 0x8a
	tbfHandle   = 0x8b
)

// Emulates reports whether the shape is more than a rate.
func (s Shape) Emulates() bool {
	return s.Delay > 0 || s.Jitter > 0 || s.Loss > 0 || s.Duplicate > 0 || s.Reorder > 0 || s.Corrupt > 0
}

// Whole returns the shape with what was left out: how much may be sent at once, and
// how much waits.
func (s Shape) Whole() Shape {
	if s.Rate > 0 && s.Burst == 0 {
		s.Burst = max(int(s.Rate/8/burstParts), leastBurst)
	}
	if s.Limit == 0 {
		s.Limit = packetsWaiting
		if !s.Emulates() {
			s.Limit = s.queue()
		}
	}
	return s
}

// queue is how many packets wait for the rate.
func (s Shape) queue() int { return max(int(s.Rate/8/queueParts/packetSize), 10) }

const (
	burstParts     = 250  // what is sent at once lasts 4 ms
	queueParts     = 10   // what waits lasts 100 ms
	leastBurst     = 3200 // two packets
	packetSize     = 1514
	packetsWaiting = 1000 // the default of netem
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

func (s Shape) tbf(index int, parent uint32) netlink.Qdisc {
	rate := max(s.Rate/8, 1)
	return &netlink.Tbf{
		QdiscAttrs: netlink.QdiscAttrs{LinkIndex: index, Handle: netlink.MakeHandle(tbfHandle, 0), Parent: parent},
		Rate:       rate, Limit: uint32(s.tbfLimit()), Buffer: netlink.Xmittime(rate, uint32(s.Burst)),
	}
}

// tbfLimit is how many bytes wait at most for the rate.
func (s Shape) tbfLimit() int {
	packets := s.Limit
	if s.Emulates() {
		packets = s.queue()
	}
	return max(packets*packetSize, s.Burst)
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

// percent turns a share of all that fits into 32 bits.
func percent(share uint32) float64 {
	return math.Round(float64(share)/math.MaxUint32*1e6) / 1e4
}

// ShapeCommands are the commands that shape what dev sends, each without the words
// that name the namespace.
func ShapeCommands(dev string, s Shape) [][]string {
	s = s.Whole()
	handle := func(major int) string { return fmt.Sprintf("%x:", major) }
	tbf := []string{"handle", handle(tbfHandle), "tbf", "rate", fmt.Sprintf("%dbit", s.Rate), "burst", fmt.Sprint(s.Burst), "limit", fmt.Sprint(s.tbfLimit())}
	if !s.Emulates() {
		return [][]string{append([]string{"tc", "qdisc", "replace", "dev", dev, "root"}, tbf...)}
	}
	netem := []string{"tc", "qdisc", "replace", "dev", dev, "root", "handle", handle(netemHandle), "netem", "limit", fmt.Sprint(s.Limit)}
	if s.Delay > 0 || s.Jitter > 0 {
		netem = append(netem, "delay", fmt.Sprintf("%dus", s.Delay.Microseconds()))
	}
	if s.Jitter > 0 {
		netem = append(netem, fmt.Sprintf("%dus", s.Jitter.Microseconds()))
	}
	for _, p := range []struct {
		name  string
		value float64
	}{{"loss", s.Loss}, {"duplicate", s.Duplicate}, {"reorder", s.Reorder}, {"corrupt", s.Corrupt}} {
		if p.value > 0 {
			netem = append(netem, p.name, fmt.Sprintf("%g%%", p.value))
		}
	}
	cmds := [][]string{netem}
	if s.Rate > 0 {
		cmds = append(cmds, append([]string{"tc", "qdisc", "replace", "dev", dev, "parent", handle(netemHandle) + "1"}, tbf...))
	}
	return cmds
}
