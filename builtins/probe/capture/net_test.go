//go:build linux

package capture

import (
	"fmt"
	"net"
	"nsscript/builtins/probe/internal/nettest"
	"os"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// testNS is a network namespace of one test's own. It is gone when the test is.
type testNS struct{ *nettest.NS }

// newNS makes a namespace with lo up, and without IPv6: no packets but the test's own.
func newNS(t testing.TB, name string) *testNS {
	t.Helper()
	return &testNS{nettest.New(t, name, "net/ipv6/conf/default/disable_ipv6=1")}
}

func (n *testNS) addr(dev, addr string) {
	n.T.Helper()
	a, err := netlink.ParseAddr(addr)
	n.Must(err)
	n.Must(n.NL.AddrAdd(n.Link(dev), a))
}

// cabled is two namespaces on a cable: a with eth0, 10.0.0.1, and b with eth0,
// 10.0.0.2. They know each other's MAC address, so that only the test's packets pass.
func cabled(t testing.TB) (a, b *testNS) {
	t.Helper()
	a, b = newNS(t, "a"), newNS(t, "b")
	attrs := netlink.NewLinkAttrs()
	attrs.Name = "eth0"
	a.Must(a.NL.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: "eth0", PeerNamespace: netlink.NsFd(b.FD)}))
	for _, n := range []*testNS{a, b} {
		n.Up("eth0")
	}
	for i, n := range []*testNS{a, b} {
		n.AwaitUp("eth0")
		n.addr("eth0", fmt.Sprintf("10.0.0.%d/24", i+1))
		other := []*testNS{b, a}[i]
		n.Must(n.NL.NeighAdd(&netlink.Neigh{LinkIndex: n.Link("eth0").Attrs().Index, State: netlink.NUD_PERMANENT,
			IP: net.IPv4(10, 0, 0, byte(2-i)), HardwareAddr: other.Link("eth0").Attrs().HardwareAddr}))
	}
	return a, b
}

// sender is a socket in n that sends datagrams to an address; send sends one. What
// comes back, an error that nobody listens, is not looked at.
func (n *testNS) sender(to string, port int) func([]byte) {
	n.T.Helper()
	fd := -1
	n.Must(n.Do(func() (err error) {
		fd, err = unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		return err
	}))
	n.T.Cleanup(func() { _ = unix.Close(fd) })
	addr := [4]byte(net.ParseIP(to).To4())
	return func(b []byte) {
		sa := &unix.SockaddrInet4{Port: port, Addr: addr}
		for {
			err := unix.Sendto(fd, b, 0, sa)
			if err == unix.ECONNREFUSED || err == unix.ENOBUFS || err == unix.EAGAIN {
				continue
			}
			n.Must(err)
			return
		}
	}
}

// listen keeps a datagram socket open in n, so that no errors are sent back.
func (n *testNS) listen(port int) {
	n.T.Helper()
	n.Must(n.Do(func() error {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		n.T.Cleanup(func() { _ = unix.Close(fd) })
		return unix.Bind(fd, &unix.SockaddrInet4{Port: port})
	}))
}

// sendFrame sends a frame as it stands.
func (n *testNS) sendFrame(dev string, frame []byte) {
	n.T.Helper()
	n.Must(n.Do(func() error {
		fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer func() { _ = unix.Close(fd) }()
		return unix.Sendto(fd, frame, 0, &unix.SockaddrLinklayer{Ifindex: n.Link(dev).Attrs().Index})
	}))
}

// tun makes an interface whose packets have no link header, and whose other end is
// the file.
func (n *testNS) tun(name, addr string) *os.File {
	n.T.Helper()
	var f *os.File
	n.Must(n.Do(func() error {
		fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		ifr, err := unix.NewIfreq(name)
		if err != nil {
			return err
		}
		ifr.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		f = os.NewFile(uintptr(fd), "tun")
		return unix.IoctlIfreq(fd, unix.TUNSETIFF, ifr)
	}))
	n.T.Cleanup(func() { _ = f.Close() })
	n.Up(name)
	n.addr(name, addr)
	return f
}

// udpPacket is a datagram of IPv4.
func udpPacket(src, dst string, sport, dport int, data string) []byte {
	ip := &layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocolUDP, SrcIP: net.ParseIP(src), DstIP: net.ParseIP(dst)}
	udp := &layers.UDP{SrcPort: layers.UDPPort(sport), DstPort: layers.UDPPort(dport)}
	_ = udp.SetNetworkLayerForChecksum(ip)
	buf := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, ip, udp, gopacket.Payload(data)); err != nil {
		panic(err)
	}
	return buf.Bytes()
}
