package capture

import (
	"strconv"

	"github.com/gopacket/gopacket/layers"
	"golang.org/x/sys/unix"
)

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
