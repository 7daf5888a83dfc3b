package dhcp

import (
	"context"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

const (
	serverPort = 67
	clientPort = 68
)

// broadcast is the link-layer address of all.
var broadcast = net.HardwareAddr{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

// packet is a UDP datagram with its IP header.
func packet(from, to netip.AddrPort, payload []byte) ([]byte, error) {
	ip := &layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocolUDP, SrcIP: from.Addr().AsSlice(), DstIP: to.Addr().AsSlice()}
	udp := &layers.UDP{SrcPort: layers.UDPPort(from.Port()), DstPort: layers.UDPPort(to.Port())}
	if err := udp.SetNetworkLayerForChecksum(ip); err != nil {
		return nil, err
	}
	b := gopacket.NewSerializeBuffer()
	err := gopacket.SerializeLayers(b, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, ip, udp, gopacket.Payload(payload))
	return b.Bytes(), err
}

// payloadOf is what a UDP datagram to a port holds. The checksum is not looked at: that
// of a packet that never left the machine is not filled in.
func payloadOf(b []byte, port uint16) (payload []byte, ok bool) {
	var ip layers.IPv4
	if ip.DecodeFromBytes(b, gopacket.NilDecodeFeedback) != nil || ip.Protocol != layers.IPProtocolUDP || ip.FragOffset != 0 {
		return nil, false
	}
	var udp layers.UDP
	if udp.DecodeFromBytes(ip.Payload, gopacket.NilDecodeFeedback) != nil || uint16(udp.DstPort) != port {
		return nil, false
	}
	return udp.Payload, true
}

// toClients is a filter for datagrams to clients: IPv4, UDP, no later fragment, and the
// port.
var toClients = []bpf.Instruction{
	bpf.LoadAbsolute{Off: 9, Size: 1},
	bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: unix.IPPROTO_UDP, SkipTrue: 6},
	bpf.LoadAbsolute{Off: 6, Size: 2},
	bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: 0x1fff, SkipTrue: 4},
	bpf.LoadMemShift{Off: 0},
	bpf.LoadIndirect{Off: 2, Size: 2},
	bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: clientPort, SkipTrue: 1},
	bpf.RetConstant{Val: 1 << 16},
	bpf.RetConstant{Val: 0},
}

// wire is a packet socket of a client.
type wire struct {
	file  *os.File
	conn  syscall.RawConn
	index int
	stop  func() bool
}

func (w *wire) close() {
	w.stop()
	_ = w.file.Close()
}

// receive returns the next datagram to a client. The error is os.ErrDeadlineExceeded when
// none came in time.
func (w *wire) receive(ctx context.Context, until time.Time) ([]byte, error) {
	if err := w.file.SetReadDeadline(until); err != nil {
		return nil, err
	}
	// The deadline set by the end of ctx may have come first.
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	buf := make([]byte, 1<<16)
	for {
		n, err := w.file.Read(buf)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			return nil, err
		}
		if b, ok := payloadOf(buf[:n], clientPort); ok {
			return b, nil
		}
	}
}
