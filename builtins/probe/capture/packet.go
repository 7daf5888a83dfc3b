package capture

import (
	"strconv"
	"sync"
	"time"

	"github.com/gopacket/gopacket/layers"
	"golang.org/x/sys/unix"
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

// linkOf is what the packets of an interface of this hardware type (ARPHRD_… of
// linux/if_arp.h) begin with.
func linkOf(hardware uint16) layers.LinkType {
	switch hardware {
	case unix.ARPHRD_ETHER, unix.ARPHRD_LOOPBACK:
		return layers.LinkTypeEthernet
	case unix.ARPHRD_NONE, unix.ARPHRD_TUNNEL, unix.ARPHRD_TUNNEL6, unix.ARPHRD_SIT, unix.ARPHRD_IPGRE, unix.ARPHRD_IP6GRE, unix.ARPHRD_RAWIP:
		return layers.LinkTypeRaw
	}
	return layers.LinkTypeLinuxSLL
}

// devices are those of one namespace that were met.
type devices struct {
	space string
	fd    int
	known map[int32]*Device
}

// at returns an interface by its index, with the name that it had when it was
// first met.
func (d *devices) at(index int32, hardware uint16) *Device {
	if dev := d.known[index]; dev != nil {
		return dev
	}
	dev := &Device{Space: d.space, Name: nameOf(d.fd, index), Index: int(index), Link: linkOf(hardware)}
	if dev.Name == "" {
		dev.Name = "if" + strconv.Itoa(int(index)) // it is gone already
	}
	d.known[index] = dev
	return dev
}

// nameOf is the name of an interface in the namespace of a socket (netdevice(7)),
// "" if there is none of that index.
func nameOf(fd int, index int32) string {
	ifr, err := unix.NewIfreq("?") // no interface is called so; the name must not be empty
	if err != nil {
		return ""
	}
	ifr.SetUint32(uint32(index))
	if unix.IoctlIfreq(fd, unix.SIOCGIFNAME, ifr) != nil {
		return ""
	}
	return ifr.Name()
}

// indexOf is the reverse of nameOf; 0 if there is none.
func indexOf(fd int, name string) int {
	ifr, err := unix.NewIfreq(name)
	if err != nil || unix.IoctlIfreq(fd, unix.SIOCGIFINDEX, ifr) != nil {
		return 0
	}
	return int(int32(ifr.Uint32()))
}
