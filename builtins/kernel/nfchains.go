//go:build linux

package kernel

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// NFChain is a chain of nf_tables.
type NFChain struct {
	Family      uint8
	Table, Name string
	Base        bool     // a hook calls it
	Hook        int      // the hook's number (linux/netfilter.h)
	Devices     []string // of a hook of interfaces: ingress, egress
	Priority    int
	Drop        bool // its policy
	Rules       []NFRule
}

// hookDevs is NFTA_HOOK_DEVS, the list of a chain's interfaces
// (linux/netfilter/nf_tables.h).
const hookDevs = 4

// NFRule is a rule of a chain.
type NFRule struct {
	Handle  uint64
	Rejects bool // it has a reject statement
}

// NFChains lists the chains of all tables of nf_tables with the handles of their
// rules.
func (n *NetNS) NFChains() ([]NFChain, error) {
	c, err := netlink.Dial(unix.NETLINK_NETFILTER, &netlink.Config{NetNS: n.Fd()})
	if err != nil {
		return nil, ignoring(err, unix.EPROTONOSUPPORT)
	}
	defer func() { _ = c.Close() }()
	chains, err := listChains(c)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EOPNOTSUPP) {
		return nil, nil
	}
	return chains, err
}

func listChains(c *netlink.Conn) ([]NFChain, error) {
	msgs, err := dumpMessages(c, nfMessage(unix.NFT_MSG_GETCHAIN, unix.NFPROTO_UNSPEC, 0, nil))
	if err != nil {
		return nil, fmt.Errorf("the chains of nf_tables: %w", err)
	}
	var chains []NFChain
	for _, m := range msgs {
		ch, err := readChain(m.Data)
		if err != nil {
			return nil, err
		}
		chains = append(chains, ch)
	}
	msgs, err = dumpMessages(c, nfMessage(unix.NFT_MSG_GETRULE, unix.NFPROTO_UNSPEC, 0, nil))
	if err != nil {
		return nil, fmt.Errorf("the rules of nf_tables: %w", err)
	}
	for _, m := range msgs {
		table, chain, rule, err := readRule(m.Data)
		if err != nil {
			return nil, err
		}
		for i := range chains {
			if ch := &chains[i]; ch.Family == m.Data[0] && ch.Table == table && ch.Name == chain {
				ch.Rules = append(ch.Rules, rule)
			}
		}
	}
	return chains, nil
}

func readChain(msg []byte) (ch NFChain, err error) {
	if len(msg) < lenNfGenMsg {
		return ch, errors.New("a short message of nf_tables")
	}
	d, err := netlink.NewAttributeDecoder(msg[lenNfGenMsg:])
	if err != nil {
		return ch, err
	}
	d.ByteOrder = binary.BigEndian
	ch.Family = msg[0]
	for d.Next() {
		switch d.Type() {
		case unix.NFTA_CHAIN_TABLE:
			ch.Table = d.String()
		case unix.NFTA_CHAIN_NAME:
			ch.Name = d.String()
		case unix.NFTA_CHAIN_POLICY:
			ch.Drop = d.Uint32() == VerdictDrop
		case unix.NFTA_CHAIN_HOOK:
			ch.Base = true
			d.Nested(func(h *netlink.AttributeDecoder) error {
				h.ByteOrder = binary.BigEndian
				for h.Next() {
					switch h.Type() {
					case unix.NFTA_HOOK_HOOKNUM:
						ch.Hook = int(h.Uint32())
					case unix.NFTA_HOOK_PRIORITY:
						ch.Priority = int(h.Int32())
					case unix.NFTA_HOOK_DEV:
						ch.Devices = append(ch.Devices, h.String())
					case hookDevs:
						h.Nested(func(list *netlink.AttributeDecoder) error {
							for list.Next() {
								ch.Devices = append(ch.Devices, list.String())
							}
							return nil
						})
					}
				}
				return nil
			})
		}
	}
	return ch, d.Err()
}

func readRule(msg []byte) (table, chain string, r NFRule, err error) {
	if len(msg) < lenNfGenMsg {
		return "", "", r, errors.New("a short message of nf_tables")
	}
	d, err := netlink.NewAttributeDecoder(msg[lenNfGenMsg:])
	if err != nil {
		return "", "", r, err
	}
	d.ByteOrder = binary.BigEndian
	for d.Next() {
		switch d.Type() {
		case unix.NFTA_RULE_TABLE:
			table = d.String()
		case unix.NFTA_RULE_CHAIN:
			chain = d.String()
		case unix.NFTA_RULE_HANDLE:
			r.Handle = d.Uint64()
		case unix.NFTA_RULE_EXPRESSIONS:
			d.Nested(func(list *netlink.AttributeDecoder) error {
				for list.Next() {
					list.Nested(func(x *netlink.AttributeDecoder) error {
						for x.Next() {
							if x.Type() == unix.NFTA_EXPR_NAME && x.String() == "reject" {
								r.Rejects = true
							}
						}
						return nil
					})
				}
				return nil
			})
		}
	}
	return table, chain, r, d.Err()
}
