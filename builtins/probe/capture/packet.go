package capture

import (
	"sync"
	"time"

	"github.com/gopacket/gopacket/layers"
)

// LinkOf is what the packets of an interface begin with, by the kind of its link
// layer as the kernel calls it: ether, loopback, ipip …
func LinkOf(encap string) layers.LinkType {
	switch encap {
	case "ether", "loopback":
		return layers.LinkTypeEthernet
	case "none", "ipip", "tunnel6", "sit", "gre", "gre6", "ip6gre", "rawip":
		return layers.LinkTypeRaw
	}
	return layers.LinkTypeLinuxSLL
}

// Direction tells whether a packet came into the namespace or went out of it.
type Direction uint8

// The directions of a packet at an interface.
const (
	In  Direction = iota // for this host, a group, everybody or somebody else
	Out                  // sent by this namespace
)

func (d Direction) String() string {
	if d == Out {
		return "out"
	}
	return "in"
}

// Device is an interface on which packets were seen.
type Device struct {
	Space string // the namespace, as the one who started the tap calls it
	Name  string
	Index int
	Link  layers.LinkType // what its packets begin with
}

// Packet is a packet as one interface saw it.
type Packet struct {
	Time   time.Time
	Dev    *Device
	Dir    Direction
	Kind   uint8 // PACKET_HOST, PACKET_BROADCAST, PACKET_MULTICAST, PACKET_OTHERHOST or PACKET_OUTGOING
	Length int   // bytes, of which Data may be only the first
	Data   []byte

	flow *flowStart // where the numbers of its TCP connection begin
	once sync.Once
	seen *decoded
}

// Keep is a copy that stays valid, with at most so many bytes of the packet.
func (p *Packet) Keep(most int) *Packet {
	return &Packet{Time: p.Time, Dev: p.Dev, Dir: p.Dir, Kind: p.Kind, Length: p.Length,
		Data: append([]byte(nil), p.Data[:min(len(p.Data), most)]...), flow: p.flow}
}

// devices are those of one namespace that were met.
type devices struct {
	space string
	fd    int
	known map[int32]*Device
}
