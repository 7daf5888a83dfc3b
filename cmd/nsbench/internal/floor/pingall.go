//go:build linux

package floor

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"
)

// meeting is how many namespaces ping how many others before they forget one another:
// the kernel's table of neighbours is one for all namespaces and has 1,024 entries.
const meeting = 14

// peer is a namespace that pings: one bare socket.
type peer struct {
	addr   netip.Addr
	socket int
	nl     *netlink.Handle
	sent   int // without an answer so far
}

// pingAll has all namespaces of a star that stands ping all others.
func pingAll(n int) error {
	m, err := newMachine()
	if err != nil {
		return err
	}
	var peers []*peer
	for i := range n {
		p, err := m.peer(i)
		if err != nil {
			return err
		}
		peers = append(peers, p)
	}
	for i := 0; i < n; i += meeting {
		for j := i; j < n; j += meeting {
			if err := meet(peers[i:min(i+meeting, n)], peers[j:min(j+meeting, n)]); err != nil {
				return err
			}
		}
	}
	return nil
}

// peer opens a socket in a namespace for the answers to pings alone.
func (m *machine) peer(i int) (*peer, error) {
	ns, err := netns.GetFromPath(filepath.Join(namesDir, host(i)))
	if err != nil {
		return nil, err
	}
	defer func() { _ = ns.Close() }()
	if err := netns.Set(ns); err != nil {
		return nil, err
	}
	p := &peer{addr: nth(starNetwork, i+2).Addr()}
	if p.socket, err = unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_ICMP); err != nil {
		return nil, err
	}
	const icmpFilter, allBut = 1, ^(1 << 0) // ICMP_FILTER of linux/icmp.h; an echo reply is type 0
	if err := unix.SetsockoptInt(p.socket, unix.SOL_RAW, icmpFilter, allBut); err != nil {
		return nil, err
	}
	if err := unix.SetsockoptTimeval(p.socket, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 2}); err != nil {
		return nil, err
	}
	if p.nl, err = netlink.NewHandle(unix.NETLINK_ROUTE); err != nil {
		return nil, err
	}
	return p, netns.Set(m.home)
}

// meet has each of some ping each of others, and back.
func meet(some, others []*peer) error {
	for _, a := range some {
		for _, b := range others {
			if a == b {
				continue
			}
			if err := a.ping(b.addr); err != nil {
				return err
			}
			if &some[0] == &others[0] {
				continue // the other way round comes as well
			}
			if err := b.ping(a.addr); err != nil {
				return err
			}
		}
	}
	both := some
	if &some[0] != &others[0] {
		both = append(append([]*peer{}, some...), others...)
	}
	for _, p := range both {
		if err := p.await(); err != nil {
			return err
		}
		if err := p.forget(); err != nil {
			return err
		}
	}
	return nil
}

func (p *peer) ping(to netip.Addr) error {
	m := icmp.Message{Type: ipv4.ICMPTypeEcho, Body: &icmp.Echo{ID: os.Getpid() & 0xffff, Seq: p.sent, Data: make([]byte, 56)}}
	packet, err := m.Marshal(nil)
	if err != nil {
		return err
	}
	p.sent++
	return unix.Sendto(p.socket, packet, 0, &unix.SockaddrInet4{Addr: to.As4()})
}

// await reads an answer to each ping.
func (p *peer) await() error {
	buf := make([]byte, 256)
	for ; p.sent > 0; p.sent-- {
		if _, _, err := unix.Recvfrom(p.socket, buf, 0); err != nil {
			return fmt.Errorf("%s misses %d answers: %w", p.addr, p.sent, err)
		}
	}
	return nil
}

// forget empties the interface's table of neighbours, as the kernel does where it has no
// use for one any more.
func (p *peer) forget() error {
	return errors.Join(p.nl.LinkSetARPOff(eth0), p.nl.LinkSetARPOn(eth0))
}
