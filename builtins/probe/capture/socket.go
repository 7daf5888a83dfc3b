package capture

// The ring's blocks. A packet lies in one block as a whole, and what does not fit
// into one is cut off: the kernel makes packets of up to 64 KiB itself, which a
// network card would cut into segments.
const (
	bigBlock    = 256 << 10
	smallBlock  = 128 << 10
	leastBlocks = 2
)

// DefaultRing is the memory of a tap's ring: a third of a second of full Ethernet
// frames at 50,000 a second, and more of smaller ones.
const DefaultRing = 16 << 20

// RingFor is the memory for each of several taps that run side by side: together
// about 256 MiB, or what they need at least.
func RingFor(taps int) int {
	return min(DefaultRing, max(leastBlocks*smallBlock, (256<<20)/max(taps, 1)))
}

// layout is how a ring is divided.
type layout struct{ block, blocks int }

func layoutOf(ring int) layout {
	l := layout{block: bigBlock}
	if ring < 4*bigBlock {
		l.block = smallBlock
	}
	l.blocks = max(leastBlocks, ring/l.block)
	return l
}

// frameSize has to be named and divide the block, though frames have any size.
const frameSize = 2048
