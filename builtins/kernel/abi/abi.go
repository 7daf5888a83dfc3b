// Package abi has the numbers of Linux's interfaces that what is read from the kernel is
// told in. They are the same on every machine, and known here also where a lab can only
// be planned: on systems that have other numbers, or none.
package abi

import "golang.org/x/sys/unix"

// Routing tables (linux/rtnetlink.h).
const (
	TableUnspec  = 0
	TableDefault = 253
	TableMain    = 254
	TableLocal   = 255
)

// Types of routes (linux/rtnetlink.h).
const (
	RouteUnicast     = 1
	RouteLocal       = 2
	RouteBroadcast   = 3
	RouteAnycast     = 4
	RouteMulticast   = 5
	RouteBlackhole   = 6
	RouteUnreachable = 7
	RouteProhibit    = 8
	RouteThrow       = 9
	RouteNAT         = 10
)

// Flags of a route's next hop (linux/rtnetlink.h).
const (
	HopDead     = 1
	HopOnLink   = 4
	HopLinkDown = 16
)

// Flags of an address (linux/if_addr.h).
const (
	AddrSecondary     = 0x01
	AddrNoDAD         = 0x02
	AddrTentative     = 0x40
	AddrPermanent     = 0x80
	AddrNoPrefixRoute = 0x200
	AddrStablePrivacy = 0x800
)

// ScopeHost is the scope of an address that is good inside this machine only
// (linux/rtnetlink.h, RT_SCOPE_HOST).
const ScopeHost = 254

// Flags of an interface (linux/if.h).
const (
	LinkUp           = 0x1
	LinkBroadcast    = 0x2
	LinkLoopback     = 0x8
	LinkPointToPoint = 0x10
	LinkRunning      = 0x40
	LinkNoARP        = 0x80
	LinkPromisc      = 0x100
	LinkAllMulti     = 0x200
	LinkMaster       = 0x400
	LinkSlave        = 0x800
	LinkMulticast    = 0x1000
	LinkDynamic      = 0x8000
	LinkLowerUp      = 0x10000
	LinkDormant      = 0x20000
)

// NameSize is the room for an interface's name with its closing NUL (linux/if.h,
// IFNAMSIZ).
const NameSize = 16

// FamilyBridge is the address family of bridges (linux/socket.h, AF_BRIDGE).
const FamilyBridge = 7

// Full is the error of a bridge that has no room for another port (asm-generic/errno.h,
// EXFULL).
const Full = unix.Errno(54)

// Types of what an Ethernet frame holds (linux/if_ether.h).
const (
	EtherIPv4           = 0x800
	EtherARP            = 0x806
	EtherDECDL          = 0x6001
	EtherDECRC          = 0x6002
	EtherDECRT          = 0x6003
	EtherLAT            = 0x6004
	EtherTEB            = 0x6558
	EtherRARP           = 0x8035
	EtherAppleTalk      = 0x809b
	EtherAARP           = 0x80f3
	EtherVLAN           = 0x8100
	EtherIPv6           = 0x86dd
	EtherMPLS           = 0x8847
	EtherPPPoEDiscovery = 0x8863
	EtherPPPoE          = 0x8864
	EtherQinQ           = 0x88a8
)

// Link layers (linux/if_arp.h).
const (
	HardwareEther    = 1
	HardwareLoopback = 772
)

// PacketOutgoing is the type of a packet that leaves (linux/if_packet.h,
// PACKET_OUTGOING).
const PacketOutgoing = 4
