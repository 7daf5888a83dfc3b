//go:build linux

package filter

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/vishvananda/netlink"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// inNamespace runs fn on a thread in a network namespace of its own, without IPv6, so
// that nobody sends there but the test.
func inNamespace(t *testing.T, fn func()) {
	t.Helper()
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // for ever: the thread ends with the goroutine
		err := unix.Unshare(unix.CLONE_NEWNET)
		if err == nil {
			err = os.WriteFile("/proc/sys/net/ipv6/conf/default/disable_ipv6", []byte("1"), 0)
		}
		if err != nil {
			done <- fmt.Errorf("these tests need the right to make network namespaces: %w", err)
			return
		}
		defer close(done)
		fn()
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// listen opens a packet socket on a device, 0 for all, that takes what a program lets
// through from its first packet on.
func listen(ifindex int, program []bpf.RawInstruction) (int, error) {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	if err := attach(fd, program); err != nil {
		unix.Close(fd)
		return -1, err
	}
	all := binary.BigEndian.Uint16(binary.NativeEndian.AppendUint16(nil, unix.ETH_P_ALL))
	return fd, errors.Join(
		unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_AUXDATA, 1),
		unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: all, Ifindex: ifindex}))
}

func attach(fd int, program []bpf.RawInstruction) error {
	list := make([]unix.SockFilter, len(program))
	for i, in := range program {
		list[i] = unix.SockFilter{Code: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
	}
	return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(list)), Filter: &list[0]})
}

// receive returns the next packet of a socket as a program saw it.
func receive(fd int) (packet, bool) {
	b, oob := make([]byte, 4096), make([]byte, 256)
	n, oobn, _, from, err := unix.Recvmsg(fd, b, oob, unix.MSG_DONTWAIT)
	if err != nil {
		return packet{}, false
	}
	p := packet{data: b[:n]}
	if ll, ok := from.(*unix.SockaddrLinklayer); ok {
		p.protocol = binary.BigEndian.Uint16(binary.NativeEndian.AppendUint16(nil, ll.Protocol))
		p.direct, p.ifindex, p.device = uint32(ll.Pkttype), uint32(ll.Ifindex), uint32(ll.Hatype)
	}
	messages, _ := unix.ParseSocketControlMessage(oob[:oobn])
	for _, m := range messages {
		if m.Header.Level == unix.SOL_PACKET && m.Header.Type == unix.PACKET_AUXDATA {
			aux := (*unix.TpacketAuxdata)(unsafe.Pointer(&m.Data[0]))
			if aux.Status&unix.TP_STATUS_VLAN_VALID != 0 {
				p.tagged, p.tci = true, aux.Vlan_tci
			}
		}
	}
	return p, true
}

// drain returns how many packets a socket has.
func drain(fd int) (n int) {
	var b [1]byte
	for {
		if _, _, err := unix.Recvfrom(fd, b[:], unix.MSG_DONTWAIT|unix.MSG_TRUNC); err != nil {
			return n
		}
		n++
	}
}

// bench is a namespace where packets are sent and seen.
type bench struct {
	t       *testing.T
	send    func(b []byte) error
	seen    []int // sockets that take all, each on a device, opened before all others
	devices []int

	// spare are sockets by device, used again with other programs: the kernel takes
	// its time to close one.
	spare map[int][]int
}

// socket returns one on a device, 0 for all, with a program.
func (b *bench) socket(ifindex int, program []bpf.RawInstruction) (int, error) {
	list := b.spare[ifindex]
	if len(list) == 0 {
		return listen(ifindex, program)
	}
	fd := list[len(list)-1]
	if err := attach(fd, program); err != nil {
		return -1, err
	}
	drain(fd) // what it got while nobody used it
	b.spare[ifindex] = list[:len(list)-1]
	return fd, nil
}

// await sends a packet and returns it as it is seen on each device. A socket that was
// opened earlier gets its copy later, so the others have theirs by then.
func (b *bench) await(p packet) []packet {
	b.t.Helper()
	if err := b.send(p.data); err != nil {
		b.t.Fatalf("sending %s: %v", p.name, err)
	}
	var list []packet
	for _, fd := range b.seen {
		got, ok := receive(fd)
		for deadline := time.Now().Add(5 * time.Second); !ok && time.Now().Before(deadline); got, ok = receive(fd) {
			_, _ = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 100)
		}
		if !ok {
			b.t.Fatalf("%s does not arrive", p.name)
		}
		got.name = p.name
		list = append(list, got)
	}
	return list
}

// listener is a socket with a filter.
type listener struct {
	fd     int
	filter string
	who    string
	device int // an index of bench.devices, -1 for all
	// verdict is what the program decides outside of the kernel.
	verdict func(p packet) bool
}

// hold sends packets and holds what each listener gets against what its program says.
func (b *bench) hold(listeners []listener, packets []packet) (compared int) {
	b.t.Helper()
	for _, p := range packets {
		seen := b.await(p)
		for _, l := range listeners {
			want := 0
			for i, s := range seen {
				if (l.device < 0 || l.device == i) && l.verdict(s) {
					want++
				}
			}
			compared++
			if got := drain(l.fd); got != want {
				b.t.Errorf("%s, %s: %d of %s, not %d: %+v", l.filter, l.who, got, p.name, want, seen)
			}
		}
	}
	return compared
}

func (b *bench) ifindex(device int) int {
	if device < 0 {
		return 0
	}
	return b.devices[device]
}

// listeners opens sockets for one filter: ours on each device and on all, and
// libpcap's, if the kernel takes it, on each device.
func (b *bench) listeners(filter string, link LinkType, libpcap reference) (list []listener) {
	b.t.Helper()
	add := func(who string, device int, program []bpf.RawInstruction, verdict func(p packet) bool) {
		fd, err := b.socket(b.ifindex(device), program)
		if err != nil && who == "libpcap" { // a loop, or a scratch word that nothing was stored in
			return
		}
		if err != nil {
			b.t.Errorf("%s: the kernel takes no program of %d instructions: %v", filter, len(program), err)
			return
		}
		list = append(list, listener{fd, filter, who, device, verdict})
	}
	ours, err := Compile(filter, Options{Link: link})
	all, err2 := Compile(filter, Options{Link: AnyDevice})
	if err != nil || err2 != nil {
		return nil
	}
	verdict := func(p packet) bool { return run(ours, p) != 0 }
	for i := range b.devices {
		add("one device", i, ours, verdict)
		if libpcap.program != nil && excused(link, filter) < 0 {
			add("libpcap", i, libpcap.program, verdict)
		}
	}
	add("all devices", -1, all, verdict)
	return list
}

// run holds all filters, some at a time, since each takes sockets.
func (b *bench) run(link LinkType, known map[string]reference, packets []packet) {
	b.t.Helper()
	compared, sockets := 0, 0
	b.spare = map[int][]int{}
	list := filters(b.t)
	for len(list) > 0 && !b.t.Failed() {
		n := min(60, len(list))
		var open []listener
		for _, filter := range list[:n] {
			open = append(open, b.listeners(filter, link, known[filter])...)
		}
		list = list[n:]
		sockets += len(open)
		compared += b.hold(open, packets)
		for _, l := range open {
			b.spare[b.ifindex(l.device)] = append(b.spare[b.ifindex(l.device)], l.fd)
		}
	}
	for _, list := range b.spare {
		for _, fd := range list {
			unix.Close(fd)
		}
	}
	b.t.Logf("%d packets for %d programs: %d compared", len(packets), sockets, compared)
}

// whole are some packets of a list, none of them cut off or damaged.
func whole(list []packet, every int) []packet {
	var out []packet
	for i, p := range list {
		if len(p.data) >= 34 && !strings.Contains(p.name, "damaged") && !strings.Contains(p.name, " bytes") && i%every == 0 {
			out = append(out, p)
		}
	}
	return out
}

// TestEthernetDevice holds that the kernel decides as the tests' VM and as with
// libpcap's programs, on both ends of a cable, for frames with VLAN tags too.
func TestEthernetDevice(t *testing.T) {
	inNamespace(t, func() {
		b := &bench{t: t}
		attrs := netlink.NewLinkAttrs()
		attrs.Name = "x"
		must(t, netlink.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: "y"}))
		for _, name := range []string{"x", "y"} {
			link, err := netlink.LinkByName(name)
			must(t, err)
			must(t, netlink.LinkSetUp(link))
			b.devices = append(b.devices, link.Attrs().Index)
			fd, err := listen(link.Attrs().Index, mustCompile(t, "", Options{}))
			must(t, err)
			defer unix.Close(fd)
			b.seen = append(b.seen, fd)
		}
		awaitCarrier(t, "x", "y")
		out, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
		must(t, err)
		defer unix.Close(out)
		b.send = func(p []byte) error {
			return unix.Sendto(out, p, 0, &unix.SockaddrLinklayer{Ifindex: b.devices[0]})
		}
		known := references(t, "device")
		b.run(EthernetDevice, known, whole(frames(), 8))

		// What a VLAN device sends has its tag beside it on its way out too.
		vlan := netlink.NewLinkAttrs()
		vlan.Name, vlan.ParentIndex = "x.5", b.devices[0]
		if err := netlink.LinkAdd(&netlink.Vlan{LinkAttrs: vlan, VlanId: 5}); errors.Is(err, unix.EOPNOTSUPP) {
			t.Log("this kernel has no VLAN devices")
			return
		}
		link, err := netlink.LinkByName("x.5")
		must(t, err)
		must(t, netlink.LinkSetUp(link))
		b.send = func(p []byte) error {
			return unix.Sendto(out, p, 0, &unix.SockaddrLinklayer{Ifindex: link.Attrs().Index})
		}
		frame := packet{name: "by x.5", data: ether(m2, m1, ip, ip4{src: "10.0.0.1", dst: "10.0.0.2", proto: 6}.with(tcp(1024, 80, 2)))}
		for _, p := range b.await(frame) {
			for filter, want := range map[string]bool{
				"vlan": true, "vlan 5": true, "vlan 6": false, "vlan 5 and tcp port 80": true, "not vlan": false, "tcp port 80": true, "vlan and vlan": false,
			} {
				if got := run(mustCompile(t, filter, Options{Link: EthernetDevice}), p) != 0; got != want || !p.tagged {
					t.Errorf("%s: %v for %+v", filter, got, p)
				}
			}
		}
	})
}

// TestIPDevice holds that the kernel decides as the tests' VM and as with libpcap's
// programs on a device without link header.
func TestIPDevice(t *testing.T) {
	inNamespace(t, func() {
		tun, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
		if err != nil {
			t.Skip("no tun devices here: ", err)
		}
		defer unix.Close(tun)
		request, err := unix.NewIfreq("tun0")
		must(t, err)
		request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		must(t, unix.IoctlIfreq(tun, unix.TUNSETIFF, request))
		link, err := netlink.LinkByName("tun0")
		must(t, err)
		must(t, netlink.LinkSetUp(link))
		index := link.Attrs().Index
		fd, err := listen(index, mustCompile(t, "", Options{}))
		must(t, err)
		defer unix.Close(fd)
		b := &bench{t: t, devices: []int{index}, seen: []int{fd}, send: func(p []byte) error {
			_, err := unix.Write(tun, p)
			return err
		}}
		b.run(IPDevice, references(t, "ip"), whole(bare(), 2))
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// awaitCarrier waits until devices take packets.
func awaitCarrier(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		for range 5000 {
			link, err := netlink.LinkByName(name)
			must(t, err)
			if link.Attrs().OperState == netlink.OperUp {
				break
			}
			time.Sleep(time.Millisecond)
		}
	}
}
