package capture

import (
	"encoding/binary"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/gopacket/gopacket/layers"
	"golang.org/x/sys/unix"
)

// ready reports whether the kernel has handed the next block over.
func (r *ring) ready() bool { return atomic.LoadUint32(r.status())&unix.TP_STATUS_USER != 0 }

// read gives the packets of the next block to each, and the block back to the
// kernel. It returns how many the block held.
func (r *ring) read(each func(*Packet)) int {
	b := r.mem[r.next*r.block : (r.next+1)*r.block]
	n := int(binary.NativeEndian.Uint32(b[blockPackets:]))
	at := binary.NativeEndian.Uint32(b[blockFirst:])
	for range n {
		h := (*unix.Tpacket3Hdr)(unsafe.Pointer(&b[at]))
		if p := r.packet(b[at:], h); p != nil {
			each(p)
		}
		at += h.Next_offset
	}
	atomic.StoreUint32(r.status(), unix.TP_STATUS_KERNEL)
	r.next = (r.next + 1) % (len(r.mem) / r.block)
	return n
}

// sllOffset is where the address stands behind a packet's header.
const sllOffset = (unix.SizeofTpacket3Hdr + unix.TPACKET_ALIGNMENT - 1) / unix.TPACKET_ALIGNMENT * unix.TPACKET_ALIGNMENT

// packet is what stands in a frame, valid until the block is given back; nil for
// one that is seen a second time.
func (r *ring) packet(frame []byte, h *unix.Tpacket3Hdr) *Packet {
	addr := (*unix.RawSockaddrLinklayer)(unsafe.Pointer(&frame[sllOffset]))
	p := &Packet{
		Time: time.Unix(int64(h.Sec), int64(h.Nsec)), Kind: addr.Pkttype,
		Dev: r.devs.at(addr.Ifindex, addr.Hatype), Length: int(h.Len), Data: frame[h.Mac : uint32(h.Mac)+h.Snaplen],
	}
	if addr.Pkttype == unix.PACKET_OUTGOING {
		p.Dir = Out
		if addr.Hatype == unix.ARPHRD_LOOPBACK {
			return nil // it comes in in a moment
		}
	}
	switch p.Dev.Link {
	case layers.LinkTypeEthernet:
		if h.Status&unix.TP_STATUS_VLAN_VALID != 0 {
			r.tag(p, h)
		}
	case layers.LinkTypeRaw:
		r.strip(p, h)
	default:
		r.strip(p, h)
		r.cook(p, addr)
	}
	return p
}

// tag puts back the VLAN tag that the kernel holds beside the packet.
func (r *ring) tag(p *Packet, h *unix.Tpacket3Hdr) {
	if len(p.Data) < macs {
		return
	}
	tpid := uint16(unix.ETH_P_8021Q)
	if h.Status&unix.TP_STATUS_VLAN_TPID_VALID != 0 {
		tpid = h.Hv1.Vlan_tpid
	}
	r.frame = append(r.frame[:0], p.Data[:macs]...)
	r.frame = binary.BigEndian.AppendUint16(r.frame, tpid)
	r.frame = binary.BigEndian.AppendUint16(r.frame, uint16(h.Hv1.Vlan_tci))
	r.frame = append(r.frame, p.Data[macs:]...)
	p.Data, p.Length = r.frame, p.Length+vlanTag
}

// strip leaves off what stands before the network's header.
func (r *ring) strip(p *Packet, h *unix.Tpacket3Hdr) {
	head := min(int(h.Net)-int(h.Mac), len(p.Data))
	if head > 0 {
		p.Data, p.Length = p.Data[head:], p.Length-head
	}
}

// cook puts the header before a packet that stands in for any link's
// (LINKTYPE_LINUX_SLL).
func (r *ring) cook(p *Packet, addr *unix.RawSockaddrLinklayer) {
	r.frame = binary.BigEndian.AppendUint16(r.frame[:0], uint16(addr.Pkttype))
	r.frame = binary.BigEndian.AppendUint16(r.frame, addr.Hatype)
	r.frame = binary.BigEndian.AppendUint16(r.frame, uint16(addr.Halen))
	r.frame = append(r.frame, addr.Addr[:]...)
	r.frame = binary.NativeEndian.AppendUint16(r.frame, addr.Protocol)
	head := len(r.frame)
	r.frame = append(r.frame, p.Data...)
	p.Data, p.Length = r.frame, p.Length+head
}
