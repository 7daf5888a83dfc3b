//go:build linux

package kernel

import (
	"encoding/binary"
	"strconv"
	"strings"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// lenNfGenMsg is the length of struct nfgenmsg.
const lenNfGenMsg = 4

// The types of a trace's messages (enum nft_trace_types).
const (
	traceTypePolicy = 1
	traceTypeReturn = 2
)

// readEvent reads a message of nf_tables' tracing. What the tracing's own table
// says is left out.
func (t *NFTrace) readEvent(m netlink.Message) (e TraceEvent, ok bool) {
	if len(m.Data) < lenNfGenMsg || m.Header.Type != unix.NFNL_SUBSYS_NFTABLES<<8|unix.NFT_MSG_TRACE {
		return e, false
	}
	d, err := netlink.NewAttributeDecoder(m.Data[lenNfGenMsg:])
	if err != nil {
		return e, false
	}
	d.ByteOrder = binary.BigEndian
	e.Family = m.Data[0]
	var transport []byte
	kind := uint32(0)
	for d.Next() {
		switch d.Type() {
		case unix.NFTA_TRACE_TABLE:
			e.Table = d.String()
		case unix.NFTA_TRACE_CHAIN:
			e.Chain = d.String()
		case unix.NFTA_TRACE_RULE_HANDLE:
			e.Rule = d.Uint64()
		case unix.NFTA_TRACE_TYPE:
			kind = d.Uint32()
		case unix.NFTA_TRACE_VERDICT:
			d.Nested(func(v *netlink.AttributeDecoder) error {
				v.ByteOrder = binary.BigEndian
				for v.Next() {
					switch v.Type() {
					case unix.NFTA_VERDICT_CODE:
						e.Verdict = int(int32(v.Uint32()))
					case unix.NFTA_VERDICT_CHAIN:
						e.To = v.String()
					}
				}
				return nil
			})
		case unix.NFTA_TRACE_POLICY:
			e.Verdict = int(d.Uint32())
		case unix.NFTA_TRACE_NETWORK_HEADER:
			e.Packet = append([]byte(nil), d.Bytes()...)
		case unix.NFTA_TRACE_TRANSPORT_HEADER:
			transport = append([]byte(nil), d.Bytes()...)
		case unix.NFTA_TRACE_IIF:
			e.In = int(d.Uint32())
		case unix.NFTA_TRACE_OIF:
			e.Out = int(d.Uint32())
		case unix.NFTA_TRACE_ID:
			e.ID = d.Uint32()
		case unix.NFTA_TRACE_MARK:
			e.Mark = d.Uint32()
		case unix.NFTA_TRACE_NFPROTO:
			e.V6 = d.Uint32() == unix.NFPROTO_IPV6
		}
	}
	if d.Err() != nil || e.Table == t.table {
		return e, false
	}
	if e.Family == unix.NFPROTO_IPV6 {
		e.V6 = true
	}
	e.Policy = kind == traceTypePolicy
	if kind == traceTypeReturn {
		e.Verdict = VerdictReturn
	}
	e.Packet = append(networkHeader(e.Packet), transport...)
	return e, true
}

// networkHeader cuts what was copied of the packet beyond its IPv4 header.
func networkHeader(b []byte) []byte {
	if len(b) > 0 && b[0]>>4 == 4 {
		return b[:min(len(b), int(b[0]&0xf)*4)]
	}
	return b
}

// The messages and attributes of nfnetlink_log (linux/netfilter/nfnetlink_log.h).
const (
	nflogPacket = 0
	nflogConfig = 1

	nflogCmd       = 1
	nflogMode      = 2
	nflogThreshold = 5
	nflogBind      = 1
	nflogPFBind    = 3

	nflogMark    = 2
	nflogIn      = 4
	nflogOut     = 5
	nflogPayload = 9
	nflogPrefix  = 10
)

// nflogRange is how many bytes of each packet are shown.
const nflogRange = 160

// logSysctl is where the name of the logger of an address family is kept.
func logSysctl(family byte) string {
	return "net.netfilter.nf_log." + strconv.Itoa(int(family))
}

// hearLegacy has the legacy tables say their trace through
// the log's group 0, which is where TRACE goes (iptables-extensions(8)).
func (t *NFTrace) hearLegacy(n *NetNS, dial func(*netlink.Config) (*netlink.Conn, error)) error {
	var err error
	if t.log, err = dial(&netlink.Config{}); err != nil {
		return err
	}
	config := func(family byte, attr uint16, value []byte) error {
		attrs, err := netlink.MarshalAttributes([]netlink.Attribute{{Type: attr, Data: value}})
		if err != nil {
			return err
		}
		_, err = t.log.Execute(netlink.Message{
			Header: netlink.Header{Type: unix.NFNL_SUBSYS_ULOG<<8 | nflogConfig, Flags: netlink.Request | netlink.Acknowledge},
			Data:   append([]byte{family, unix.NFNETLINK_V0, 0, 0}, attrs...),
		})
		return err
	}
	for _, family := range []byte{unix.AF_INET, unix.AF_INET6} {
		old, err := n.ReadSysctl(logSysctl(family))
		if err != nil {
			return err
		}
		if err := config(family, nflogCmd, []byte{nflogPFBind}); err != nil {
			return err
		}
		t.undo = append(t.undo, func() error {
			return n.WriteSysctl(Sysctl{Key: logSysctl(family), Value: old})
		})
	}
	if err := config(0, nflogCmd, []byte{nflogBind}); err != nil {
		return err
	}
	if err := config(0, nflogMode, []byte{0, 0, 0, nflogRange, 2, 0}); err != nil { // 2: copy the packet
		return err
	}
	return config(0, nflogThreshold, []byte{0, 0, 0, 1})
}

// readLog reads what a legacy table says of a packet:
//
//	TRACE: filter:FORWARD:rule:3
func (t *NFTrace) readLog(m netlink.Message) (e TraceEvent, ok bool) {
	if len(m.Data) < lenNfGenMsg || m.Header.Type != unix.NFNL_SUBSYS_ULOG<<8|nflogPacket {
		return e, false
	}
	d, err := netlink.NewAttributeDecoder(m.Data[lenNfGenMsg:])
	if err != nil {
		return e, false
	}
	d.ByteOrder = binary.BigEndian
	e.Family, e.V6 = m.Data[0], m.Data[0] == unix.AF_INET6
	e.Legacy = true
	prefix := ""
	for d.Next() {
		switch d.Type() {
		case nflogPrefix:
			prefix = d.String()
		case nflogIn:
			e.In = int(d.Uint32())
		case nflogOut:
			e.Out = int(d.Uint32())
		case nflogMark:
			e.Mark = d.Uint32()
		case nflogPayload:
			e.Packet = append([]byte(nil), d.Bytes()...)
		}
	}
	text, is := strings.CutPrefix(prefix, "TRACE: ")
	words := strings.Split(strings.TrimSpace(text), ":")
	if d.Err() != nil || !is || len(words) != 4 {
		return e, false
	}
	e.Table, e.Chain = words[0], words[1]
	if e.Number, err = strconv.Atoi(words[3]); err != nil {
		return e, false
	}
	switch words[2] {
	case "policy":
		e.Policy = true
	case "return":
		e.Verdict = VerdictReturn
	}
	return e, true
}
