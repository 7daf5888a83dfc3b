package kernel

import (
	"encoding/binary"
	"errors"
	"strconv"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// forwardingOf are the parameters that say whether a namespace passes packets on, by
// families. The kernel tells them over netlink as well (RTM_GETNETCONF), which takes
// no thread into the namespace and no way through /proc/sys: there the kernel's cache keeps
// the directories of all namespaces under one name, and passes those of the others on
// the way to one (proc_sys_compare).
var forwardingOf = map[string]byte{
	"/proc/sys/net/ipv4/ip_forward":          unix.AF_INET,
	"/proc/sys/net/ipv4/conf/all/forwarding": unix.AF_INET,
	"/proc/sys/net/ipv6/conf/all/forwarding": unix.AF_INET6,
}

// ReadSysctl returns a parameter of the namespace.
func (n *NetNS) ReadSysctl(key string) (value string, err error) {
	path, err := SysctlPath(key)
	if err != nil {
		return "", err
	}
	if family, ok := forwardingOf[path]; ok {
		if value, err = n.forwarding(family); err == nil {
			return value, nil
		}
	}
	err = n.Do(func() error {
		value, err = Sysctl{Key: key}.Read()
		return err
	})
	return value, err
}

// What is asked of linux/netconf.h.
const (
	netconfIndex      = 1
	netconfForwarding = 2
	netconfAll        = -1 // the index that stands for all interfaces
)

// forwarding reads such a parameter.
func (n *NetNS) forwarding(family byte) (string, error) {
	c, err := n.route()
	if err != nil {
		return "", err
	}
	r := nl.NewNetlinkRequest(unix.RTM_GETNETCONF, 0)
	all := int32(netconfAll)
	r.AddRawData(append([]byte{family, 0, 0, 0}, nl.NewRtAttr(netconfIndex, binary.NativeEndian.AppendUint32(nil, uint32(all))).Serialize()...))
	data, err := c.ask(r)
	if err != nil {
		return "", err
	}
	attrs, err := nl.ParseRouteAttr(data[min(4, len(data)):])
	if err != nil {
		return "", err
	}
	for _, a := range attrs {
		if a.Attr.Type == netconfForwarding && len(a.Value) == 4 {
			return strconv.Itoa(int(int32(binary.NativeEndian.Uint32(a.Value)))), nil
		}
	}
	return "", errors.New("netlink: no forwarding in an answer about it")
}
