package kernel

import (
	"fmt"
	"nsscript/builtins/kernel/abi"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// BridgePorts returns the ports of the namespace's bridges, by their index.
func (n *NetNS) BridgePorts() (map[int]BridgePort, error) {
	c, err := netlink.Dial(unix.NETLINK_ROUTE, &netlink.Config{NetNS: n.Fd()})
	if err != nil {
		return nil, fmt.Errorf("netlink socket: %w", err)
	}
	defer func() { _ = c.Close() }()
	head := make([]byte, unix.SizeofIfInfomsg)
	head[0] = abi.FamilyBridge
	msgs, err := dumpMessages(c, netlink.Message{Header: netlink.Header{Type: unix.RTM_GETLINK}, Data: head})
	if err != nil {
		return nil, fmt.Errorf("the ports of bridges: %w", err)
	}
	ports := map[int]BridgePort{}
	for _, m := range msgs {
		if len(m.Data) < unix.SizeofIfInfomsg {
			continue
		}
		d, err := netlink.NewAttributeDecoder(m.Data[unix.SizeofIfInfomsg:])
		if err != nil {
			return nil, err
		}
		index := int(int32(d.ByteOrder.Uint32(m.Data[4:])))
		for d.Next() {
			if d.Type() == unix.IFLA_PROTINFO {
				d.Nested(func(p *netlink.AttributeDecoder) error {
					ports[index] = readBridgePort(p)
					return nil
				})
			}
		}
		if d.Err() != nil {
			return nil, d.Err()
		}
	}
	return ports, nil
}

func readBridgePort(d *netlink.AttributeDecoder) (p BridgePort) {
	for d.Next() {
		switch d.Type() {
		case unix.IFLA_BRPORT_STATE:
			if s := int(d.Uint8()); s < len(brPortStates) {
				p.State = brPortStates[s]
			}
		case unix.IFLA_BRPORT_MODE:
			p.Hairpin = d.Uint8() != 0
		case unix.IFLA_BRPORT_ISOLATED:
			p.Isolated = d.Uint8() != 0
		}
	}
	return p
}
