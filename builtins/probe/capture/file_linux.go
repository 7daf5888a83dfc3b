package capture

import (
	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/pcapgo"
	"golang.org/x/sys/unix"
)

// receptions are how a packet was received, as the file says it.
var receptions = map[uint8]pcapgo.NgEpbFlag{
	unix.PACKET_HOST: pcapgo.NgEpbFlagReceptionTypeUnicast, unix.PACKET_BROADCAST: pcapgo.NgEpbFlagReceptionTypeBroadcast,
	unix.PACKET_MULTICAST: pcapgo.NgEpbFlagReceptionTypeMulticast, unix.PACKET_OTHERHOST: pcapgo.NgEpbFlagReceptionTypePromiscuous,
}

// Write adds a packet.
func (f *File) Write(p *Packet) {
	if f.err != nil {
		return
	}
	id := f.id(p.Dev)
	if f.err != nil {
		return
	}
	flags := &pcapgo.NgEpbFlags{Direction: pcapgo.NgEpbFlagDirectionInbound, Reception: receptions[p.Kind]}
	if p.Dir == Out {
		flags.Direction = pcapgo.NgEpbFlagDirectionOutbound
	}
	f.count[id]++
	f.fail(f.w.WritePacketWithOptions(gopacket.CaptureInfo{Timestamp: p.Time, InterfaceIndex: id, CaptureLength: len(p.Data), Length: p.Length},
		p.Data, pcapgo.NgPacketOptions{Flags: flags}))
}
