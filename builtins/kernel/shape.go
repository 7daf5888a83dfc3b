package kernel

import (
	"fmt"
	"math"
	"time"
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

// tbfLimit is how many bytes wait at most for the rate.
func (s Shape) tbfLimit() int {
	packets := s.Limit
	if s.Emulates() {
		packets = s.queue()
	}
	return max(packets*packetSize, s.Burst)
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
