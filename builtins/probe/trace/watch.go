//go:build linux

package trace

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"nsscript/builtins/kernel"
	"nsscript/builtins/probe"
)

// sighting is a packet that an interface took in or sent out.
type sighting struct {
	space  *space
	index  int // of the interface
	out    bool
	others bool // the frame was for another host (packet(7), PACKET_OTHERHOST)
	at     time.Time
	vlan   int // VLAN identifier, −1 for none
	*packet

	class  class
	second bool
	serial int // in the order of arrival in its namespace
}

// watcher looks at all packets of a trace in all namespaces: one packet socket
// each, on which a filter leaves what belongs to the probe.
type watcher struct {
	poll    int
	wake    int // an eventfd that ends the reading
	spaces  map[int]*space
	spent   []int // sockets that nothing is read from any more
	call    func()
	reading sync.WaitGroup

	mu   sync.Mutex
	seen []*sighting
	lost int
}

func newWatcher(call func()) (*watcher, error) {
	w := &watcher{poll: -1, wake: -1, spaces: map[int]*space{}, call: call}
	var err error
	if w.poll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err == nil {
		w.wake, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	}
	if err == nil {
		err = w.watchFD(w.wake)
	}
	if err != nil {
		w.close()
		return nil, fmt.Errorf("watching packets: %w", err)
	}
	return w, nil
}

func (w *watcher) watchFD(fd int) error {
	return unix.EpollCtl(w.poll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)})
}

// add watches a namespace from now on. It must be called inside of it.
func (w *watcher) add(s *space, program []bpf.RawInstruction) error {
	// Without a protocol nothing comes before the filter is in place; packets
	// without link header, whatever the interface (packet(7)).
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("packet socket: %w", err)
	}
	w.mu.Lock()
	w.spaces[fd] = s
	w.mu.Unlock()
	// A bridge sends a question for a neighbour out of all its ports at one go. Who may
	// not have so much room has the usual.
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, watchRoom)
	err = probe.AttachFilter(fd, program)
	for _, o := range []struct{ level, name int }{{unix.SOL_SOCKET, unix.SO_TIMESTAMPNS}, {unix.SOL_PACKET, unix.PACKET_AUXDATA}} {
		if err == nil {
			err = unix.SetsockoptInt(fd, o.level, o.name, 1)
		}
	}
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: probe.NetworkOrder(unix.ETH_P_ALL)})
	}
	if err == nil {
		err = w.watchFD(fd)
	}
	if err != nil {
		return fmt.Errorf("packet socket: %w", err)
	}
	return nil
}

// start reads what comes until close.
func (w *watcher) start() {
	w.reading.Go(func() {
		events := make([]unix.EpollEvent, 64)
		buf, oob := make([]byte, snapLength), make([]byte, 256)
		for {
			n, err := unix.EpollWait(w.poll, events, -1)
			if err != nil && !errors.Is(err, unix.EINTR) {
				return
			}
			for _, e := range events[:max(n, 0)] {
				if int(e.Fd) == w.wake {
					return
				}
				w.drain(int(e.Fd), buf, oob)
			}
			w.call()
		}
	})
}

// watchRoom is for how many bytes of packets a socket has room: each takes hundreds,
// and a bridge has up to 1,023 ports.
const watchRoom = 4 << 20

// snapLength is how much is read of a packet: the headers, what is quoted.
const snapLength = 512

// drain reads all that waits on a socket.
func (w *watcher) drain(fd int, buf, oob []byte) {
	for {
		n, oobn, _, from, err := unix.Recvmsg(fd, buf, oob, unix.MSG_DONTWAIT)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return // nothing more, or the interface went down: EAGAIN, ENETDOWN
		}
		sa, ok := from.(*unix.SockaddrLinklayer)
		if !ok {
			continue
		}
		s := w.sighting(fd, slices.Clone(buf[:n]), oob[:oobn], sa)
		if s == nil {
			continue
		}
		w.mu.Lock()
		s.serial = len(w.seen)
		w.seen = append(w.seen, s)
		w.mu.Unlock()
	}
}

func (w *watcher) sighting(fd int, data, oob []byte, sa *unix.SockaddrLinklayer) *sighting {
	sp := w.spaces[fd]
	if !sp.shown(sa.Ifindex) {
		return nil
	}
	s := &sighting{space: sp, index: sa.Ifindex, out: sa.Pkttype == unix.PACKET_OUTGOING, others: sa.Pkttype == unix.PACKET_OTHERHOST, vlan: -1}
	if probe.NetworkOrder(sa.Protocol) == unix.ETH_P_ARP {
		s.packet = readARP(data)
	} else {
		s.packet = readIP(data)
	}
	if s.packet == nil {
		return nil
	}
	s.at = time.Now()
	msgs, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return s
	}
	for _, m := range msgs {
		switch {
		case m.Header.Level == unix.SOL_SOCKET && m.Header.Type == unix.SO_TIMESTAMPNS:
			s.at = timeOf(m.Data)
		case m.Header.Level == unix.SOL_PACKET && m.Header.Type == unix.PACKET_AUXDATA:
			s.vlan = vlanOf(m.Data)
		}
	}
	return s
}

// sightings returns what was seen so far, in the order of time.
func (w *watcher) sightings() []*sighting {
	w.mu.Lock()
	list := slices.Clone(w.seen)
	w.mu.Unlock()
	slices.SortStableFunc(list, func(a, b *sighting) int { return a.at.Compare(b.at) })
	return list
}

// stop ends the reading, once all that waits was read.
func (w *watcher) stop() {
	_, _ = unix.Write(w.wake, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	w.reading.Wait()
	buf, oob := make([]byte, snapLength), make([]byte, 256)
	for fd := range w.spaces {
		w.drain(fd, buf, oob)
		st, err := unix.GetsockoptTpacketStats(fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
		if err == nil {
			w.lost += int(st.Drops)
		}
	}
}

// closers is how many packet sockets are closed side by side: to close one takes the
// kernel several milliseconds, in which it only waits (an RCU grace period).
const closers = 64

func (w *watcher) close() {
	todo := make(chan int)
	var all sync.WaitGroup
	for range min(closers, len(w.spaces)+len(w.spent)) {
		all.Go(func() {
			for fd := range todo {
				_ = unix.Close(fd)
			}
		})
	}
	for fd := range w.spaces {
		todo <- fd
	}
	for _, fd := range w.spent {
		todo <- fd
	}
	close(todo)
	all.Wait()
	for _, fd := range []int{w.wake, w.poll} {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
	}
	w.spaces, w.spent = nil, nil
}

// filter accepts what may belong to a trace: ARP, neighbour discovery, and what
// matches as the packet filter has it (bpf(4) code, run on the network header).
func filter(matches []kernel.TraceMatch) ([]bpf.RawInstruction, error) {
	var prog []bpf.Instruction
	add := func(ins ...bpf.Instruction) { prog = append(prog, ins...) }
	accept := bpf.RetConstant{Val: snapLength}
	equal := func(what bpf.Instruction, val uint32) {
		add(what, bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: val, SkipTrue: 1}, accept)
	}
	equal(bpf.LoadExtension{Num: bpf.ExtProto}, unix.ETH_P_ARP)
	// The version, and the transport header's place in X.
	add(bpf.LoadAbsolute{Off: 0, Size: 1}, bpf.ALUOpConstant{Op: bpf.ALUOpShiftRight, Val: 4})
	// Later fragments, whatever they are of.
	v4 := []bpf.Instruction{
		bpf.LoadAbsolute{Off: 6, Size: 2}, bpf.JumpIf{Cond: bpf.JumpBitsNotSet, Val: 0x1fff, SkipTrue: 1}, accept,
		bpf.LoadMemShift{Off: 0},
	}
	v4 = append(v4, checks(matches, 9)...)
	v6 := checks(matches, 6)
	solicit := []bpf.Instruction{
		bpf.LoadAbsolute{Off: 6, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: unix.IPPROTO_ICMPV6, SkipTrue: 5},
		bpf.LoadAbsolute{Off: lenIPv6, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: icmp6Solicit, SkipTrue: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: icmp6Advertise, SkipTrue: 1},
		bpf.Jump{Skip: 1},
		accept,
	}
	add(bpf.JumpIf{Cond: bpf.JumpEqual, Val: 4, SkipTrue: 1}, bpf.Jump{Skip: uint32(len(v4) + 1)})
	add(v4...)
	add(bpf.RetConstant{})
	add(bpf.JumpIf{Cond: bpf.JumpEqual, Val: 6, SkipTrue: 1}, bpf.RetConstant{})
	add(solicit...)
	add(bpf.LoadConstant{Dst: bpf.RegX, Val: lenIPv6})
	add(v6...)
	// A fragment header stands before the transport header of the first fragment.
	add(bpf.LoadAbsolute{Off: 6, Size: 1}, bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.IPPROTO_FRAGMENT, SkipTrue: 1}, bpf.RetConstant{})
	add(bpf.LoadAbsolute{Off: lenIPv6 + 2, Size: 2}, bpf.JumpIf{Cond: bpf.JumpBitsNotSet, Val: 0xfff8, SkipTrue: 1}, accept)
	add(bpf.LoadConstant{Dst: bpf.RegX, Val: lenIPv6 + 8})
	add(checks(matches, lenIPv6)...)
	add(bpf.RetConstant{})
	return bpf.Assemble(prog)
}

// checks accepts each match, the IP protocol being at an offset and the transport
// header at X. Without a match it goes on after it.
func checks(matches []kernel.TraceMatch, proto uint32) []bpf.Instruction {
	var prog []bpf.Instruction
	for _, m := range matches {
		words := wordsOf(m.Bytes)
		// After each comparison that fails, what is left of this match is skipped.
		left := uint8(2*len(words) + 1)
		prog = append(prog, bpf.LoadAbsolute{Off: proto, Size: 1}, bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: uint32(m.Proto), SkipTrue: left})
		off := m.Offset
		for _, w := range words {
			left -= 2
			prog = append(prog, bpf.LoadIndirect{Off: off, Size: w.size}, bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: w.value, SkipTrue: left})
			off += uint32(w.size)
		}
		prog = append(prog, bpf.RetConstant{Val: snapLength})
	}
	return prog
}

type word struct {
	value uint32
	size  int
}

// wordsOf cuts bytes into what one comparison compares.
func wordsOf(b []byte) []word {
	var list []word
	for len(b) > 0 {
		n := 4
		if len(b) < 4 {
			n = len(b) &^ 1
		}
		if n == 0 {
			n = 1
		}
		w := word{size: n}
		for _, c := range b[:n] {
			w.value = w.value<<8 | uint32(c)
		}
		list = append(list, w)
		b = b[n:]
	}
	return list
}
