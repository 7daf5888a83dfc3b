package filter

import (
	"encoding/binary"
	"testing"

	"golang.org/x/net/bpf"
)

// packet is one as a program sees it: its bytes, and what the kernel knows of it.
type packet struct {
	name string
	data []byte
	meta
}

type meta struct {
	network  int // where SKF_NET_OFF counts from
	protocol uint16
	tagged   bool
	tci      uint16
	direct   uint32 // PACKET_HOST, PACKET_OUTGOING …
	ifindex  uint32
	device   uint32 // ARPHRD_ETHER …
}

const maxSteps = 100000

// run is the kernel's interpreter (bpf(4), linux/filter.h). Unlike the VM of
// golang.org/x/net/bpf it has the kernel's extensions, 32-bit offsets, and jumps
// backwards, which libpcap makes for protochain.
func run(prog []bpf.RawInstruction, p packet) uint32 {
	var a, x uint32
	var m [16]uint32
	for pc, steps := 0, 0; steps < maxSteps; pc, steps = pc+1, steps+1 {
		i := prog[pc]
		k := i.K
		operand := k
		if i.Op&0x08 != 0 {
			operand = x
		}
		switch i.Op & 0x07 {
		case 0, 1: // ld, ldx
			v, ok := p.load(i, x, m[:])
			if !ok {
				return 0
			}
			if i.Op&0x07 == 0 {
				a = v
			} else {
				x = v
			}
		case 2:
			m[k] = a
		case 3:
			m[k] = x
		case 4:
			if i.Op>>4 == 3 || i.Op>>4 == 9 {
				if operand == 0 {
					return 0
				}
			}
			a = arithmetic(i.Op>>4, a, operand)
		case 5:
			taken := false
			switch i.Op >> 4 {
			case 0:
				pc += int(int32(k))
				continue
			case 1:
				taken = a == operand
			case 2:
				taken = a > operand
			case 3:
				taken = a >= operand
			case 4:
				taken = a&operand != 0
			}
			if taken {
				pc += int(i.Jt)
			} else {
				pc += int(i.Jf)
			}
		case 6:
			if i.Op&0x10 != 0 {
				return a
			}
			return k
		case 7:
			if i.Op&0x80 != 0 {
				a = x
			} else {
				x = a
			}
		}
	}
	return 0
}

func arithmetic(op uint16, a, b uint32) uint32 {
	switch op {
	case 0:
		return a + b
	case 1:
		return a - b
	case 2:
		return a * b
	case 3:
		return a / b
	case 4:
		return a | b
	case 5:
		return a & b
	case 6:
		return a << (b & 31)
	case 7:
		return a >> (b & 31)
	case 8:
		return -a
	case 9:
		return a % b
	}
	return a ^ b
}

func (p packet) load(i bpf.RawInstruction, x uint32, m []uint32) (uint32, bool) {
	off := i.K
	switch i.Op & 0xe0 {
	case 0x00:
		return i.K, true
	case 0x60:
		return m[i.K], true
	case 0x80:
		return uint32(len(p.data)), true
	case 0xa0:
		b, ok := p.bytes(i.K, 1)
		if !ok {
			return 0, false
		}
		return uint32(b[0]&0xf) * 4, true
	case 0x40:
		off += x
	case 0x20:
		if v, ok := p.extension(i.K); ok {
			return v, true
		}
	}
	size := map[uint16]int{0: 4, 0x08: 2, 0x10: 1}[i.Op&0x18]
	b, ok := p.bytes(off, size)
	if !ok {
		return 0, false
	}
	switch size {
	case 1:
		return uint32(b[0]), true
	case 2:
		return uint32(binary.BigEndian.Uint16(b)), true
	}
	return binary.BigEndian.Uint32(b), true
}

func (p packet) bytes(off uint32, size int) ([]byte, bool) {
	at := int(int32(off))
	if at < 0 {
		if off < netOffset {
			return nil, false
		}
		at = int(off-netOffset) + p.network
	}
	if at+size > len(p.data) {
		return nil, false
	}
	return p.data[at : at+size], true
}

// extension is the loads from SKF_AD_OFF on.
func (p packet) extension(k uint32) (uint32, bool) {
	switch k - 0xfffff000 {
	case 0:
		return uint32(p.protocol), true
	case 4:
		return p.direct, true
	case 8:
		return p.ifindex, true
	case 28:
		return p.device, true
	case 44:
		return uint32(p.tci), true
	case 48:
		if p.tagged {
			return 1, true
		}
		return 0, true
	}
	return 0, false
}

// valid holds a program to the rules of the kernel's bpf_check_classic.
func valid(t testing.TB, prog []bpf.RawInstruction) {
	t.Helper()
	if len(prog) == 0 || len(prog) > maxInstructions || prog[len(prog)-1].Op&0x07 != 6 {
		t.Fatalf("%d instructions, the last %+v", len(prog), prog[len(prog)-1:])
	}
	stored := make([]uint16, len(prog)+1)
	for i := range stored {
		stored[i] = 0xffff
	}
	stored[0] = 0
	for pc, i := range prog {
		now := stored[pc]
		reach := func(skip uint32) {
			to := pc + 1 + int(skip)
			if to >= len(prog) {
				t.Fatalf("%d: a jump to %d of %d", pc, to, len(prog))
			}
			stored[to] &= now
		}
		switch class := i.Op & 0x07; {
		case class == 5 && i.Op>>4 == 0:
			reach(i.K)
			continue
		case class == 5:
			reach(uint32(i.Jt))
			reach(uint32(i.Jf))
			continue
		case class == 6:
			continue
		case class == 2 || class == 3:
			if i.K > 15 {
				t.Fatalf("%d: scratch word %d", pc, i.K)
			}
			now |= 1 << i.K
		case class < 2 && i.Op&0xe0 == 0x60:
			if i.K > 15 || now&(1<<i.K) == 0 {
				t.Fatalf("%d: scratch word %d is read before it is stored", pc, i.K)
			}
		case class == 0 && i.Op&0xe0 == 0x20 && i.K >= 0xfffff000:
			if _, ok := (packet{}).extension(i.K); !ok {
				t.Fatalf("%d: a load from %#x", pc, i.K)
			}
		case class == 4 && i.Op&0x08 == 0 && (i.Op>>4 == 3 || i.Op>>4 == 9) && i.K == 0:
			t.Fatalf("%d: division by 0", pc)
		case class == 4 && i.Op&0x08 == 0 && (i.Op>>4 == 6 || i.Op>>4 == 7) && i.K > 31:
			t.Fatalf("%d: a shift by %d", pc, i.K)
		}
		stored[pc+1] &= now
	}
}
