package capture

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"nsscript/builtins/probe"
)

// openSocket makes a packet socket that is set up but not bound: nothing comes
// yet.
func openSocket(ns probe.Namespace, o *Options, l layout) (fd int, ring []byte, err error) {
	fd = -1
	err = ns.Do(func() (err error) {
		// Of no protocol: it receives from bind(2) on.
		fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
		return err
	})
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
		return -1, nil, fmt.Errorf("no right to open packet sockets (CAP_NET_RAW): %w", err)
	}
	if err != nil {
		return -1, nil, err
	}
	if ring, err = setUp(fd, o, l); err != nil {
		return -1, nil, errors.Join(err, unix.Close(fd))
	}
	return fd, ring, nil
}

func setUp(fd int, o *Options, l layout) ([]byte, error) {
	if err := attach(fd, o.Filter, o.SnapLen); err != nil {
		return nil, fmt.Errorf("the kernel refuses the filter: %w", err)
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_VERSION, unix.TPACKET_V3); err != nil {
		return nil, fmt.Errorf("packet sockets with a ring: %w", err)
	}
	req := &unix.TpacketReq3{
		Block_size: uint32(l.block), Block_nr: uint32(l.blocks),
		Frame_size: frameSize, Frame_nr: uint32(l.block / frameSize * l.blocks),
		Retire_blk_tov: uint32(o.Delay / time.Millisecond),
	}
	if err := unix.SetsockoptTpacketReq3(fd, unix.SOL_PACKET, unix.PACKET_RX_RING, req); err != nil {
		return nil, fmt.Errorf("a ring of %d bytes for packets: %w", l.block*l.blocks, err)
	}
	ring, err := unix.Mmap(fd, 0, l.block*l.blocks, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("a ring of %d bytes for packets: %w", l.block*l.blocks, err)
	}
	return ring, nil
}

// attach sets the filter of a socket, in place of the one that it had. Without one
// all packets pass, cut to snaplen.
func attach(fd int, program []bpf.RawInstruction, snaplen int) error {
	if len(program) == 0 {
		all, err := bpf.RetConstant{Val: uint32(snaplen)}.Assemble()
		if err != nil {
			return err
		}
		program = []bpf.RawInstruction{all}
	}
	return probe.AttachFilter(fd, program)
}

// bind has packets come, of one interface or, with index 0, of all.
func bind(fd, index int, promiscuous bool) error {
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: probe.NetworkOrder(unix.ETH_P_ALL), Ifindex: index}); err != nil {
		return err
	}
	if index == 0 || !promiscuous {
		return nil
	}
	// It ends with the socket.
	return unix.SetsockoptPacketMreq(fd, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP,
		&unix.PacketMreq{Ifindex: int32(index), Type: unix.PACKET_MR_PROMISC})
}
