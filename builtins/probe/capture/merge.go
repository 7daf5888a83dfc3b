package capture

import (
	"container/heap"
	"sync"
	"time"
)

// Window is how long a [Merger] holds a packet back. The kernel hands packets over
// some milliseconds after they have passed, of one namespace later than of another;
// one that comes later than that stands out of its place.
const Window = 100 * time.Millisecond

// Merger puts packets of several taps in the order of their times.
type Merger struct {
	keep int // bytes of each packet
	out  func(*Packet)

	mu   sync.Mutex
	held queue
	n    int
}

// NewMerger returns a merger that keeps so many bytes of each packet, and gives them
// to out, one after the other.
func NewMerger(keep int, out func(*Packet)) *Merger { return &Merger{keep: keep, out: out} }

// Add takes a packet; it may be called from several goroutines at once.
func (m *Merger) Add(p *Packet) {
	kept := p.Keep(m.keep)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.n++
	heap.Push(&m.held, queued{kept, m.n})
}

// Release gives out what has passed before a time, and reports whether that was
// something. It must not be called from several goroutines at once.
func (m *Merger) Release(before time.Time) bool {
	some := false
	for {
		m.mu.Lock()
		if len(m.held) == 0 || !m.held[0].p.Time.Before(before) {
			m.mu.Unlock()
			return some
		}
		p := heap.Pop(&m.held).(queued).p
		m.mu.Unlock()
		m.out(p)
		some = true
	}
}

// queued is a packet, and the how manyth it is: of packets of one time the first to
// come stays the first.
type queued struct {
	p *Packet
	n int
}

type queue []queued

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	if q[i].p.Time.Equal(q[j].p.Time) {
		return q[i].n < q[j].n
	}
	return q[i].p.Time.Before(q[j].p.Time)
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(queued)) }
func (q *queue) Pop() any {
	old := *q
	x := old[len(old)-1]
	old[len(old)-1] = queued{}
	*q = old[:len(old)-1]
	return x
}
