package capture

import (
	"unsafe"
)

// ring reads what the kernel writes into the memory that a packet socket shares
// with it: blocks, each of which belongs to the one or the other, and holds a list
// of packets (the kernel's Documentation/networking/packet_mmap.rst).
type ring struct {
	mem   []byte
	block int
	next  int // the block that is filled next
	devs  *devices
	frame []byte // a packet that had to be put together
}

// Offsets in struct tpacket_block_desc: version, offset_to_priv, then the header.
const (
	blockStatus  = 8
	blockPackets = 12
	blockFirst   = 16
)

func (r *ring) status() *uint32 {
	return (*uint32)(unsafe.Pointer(&r.mem[r.next*r.block+blockStatus]))
}

// vlanTag is the size of a VLAN tag, which stands behind the two MAC addresses.
const (
	vlanTag = 4
	macs    = 12
)
