//go:build linux

package kernel

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// TraceMatch says which packets are traced: those of an IP protocol with these
// bytes at an offset from the start of the transport header.
type TraceMatch struct {
	Proto  uint8
	Offset uint32
	Bytes  []byte
}

// The verdicts of netfilter and nf_tables that a trace tells of
// (linux/netfilter.h, linux/netfilter/nf_tables.h).
const (
	VerdictDrop     = 0
	VerdictAccept   = 1
	VerdictStolen   = 2
	VerdictQueue    = 3 // in the low byte; the queue's number is above
	VerdictContinue = -1
	VerdictJump     = -3
	VerdictGoto     = -4
	VerdictReturn   = -5
)

// TraceEvent is a step of a packet through the rules of a namespace.
type TraceEvent struct {
	ID           uint32 // the packet's, as long as it is in the namespace
	Table, Chain string
	V6           bool   // the rule stands in an IPv6 table
	Family       uint8  // of the table (linux/netfilter.h)
	Rule         uint64 // the rule's handle; 0 at a chain's end
	Number       int    // the rule's place in the chain from 1, where the kernel tells
	Policy       bool   // the chain's policy decided
	// Legacy says that the event is of a legacy table, which tells neither what a
	// rule nor what a policy does: Verdict is set for the end of a user's chain only.
	Legacy  bool
	Verdict int
	To      string // the chain that a jump leads to
	In, Out int    // indexes of the interfaces; 0 for none
	Mark    uint32
	// Packet is the packet from its IP header on, as far as the kernel shows it:
	// only in the first event of a chain that a hook calls.
	Packet []byte
}

// NFTrace has a namespace's packet filter tell what it does with some packets.
type NFTrace struct {
	rules    *netlink.Conn // owns the table: with it, the table goes
	events   *netlink.Conn
	log      *netlink.Conn // of the legacy tables; nil without
	table    string
	families []byte // that the table was made in
	undo     []func() error

	mu   sync.Mutex
	list []TraceEvent
	wg   sync.WaitGroup
}

// tracePriority is before everything but the reassembly of fragments
// (NF_IP_PRI_CONNTRACK_DEFRAG is −400, linux/netfilter_ipv4.h).
const tracePriority = -350

// Filters are the packet filters that a namespace uses.
type Filters struct {
	IP     bool // tables for IP, of nf_tables or legacy
	Bridge bool // tables of the family bridge
	Netdev bool // tables of the family netdev
}

// Any reports whether there is a packet filter.
func (f Filters) Any() bool { return f.IP || f.Bridge || f.Netdev }

// Filters finds out which packet filters a namespace uses.
func (n *NetNS) Filters() (f Filters, err error) {
	err = n.Do(func() error {
		f, err = FiltersHere()
		return err
	})
	return f, err
}

// FiltersHere is Filters for the namespace of the calling thread.
func FiltersHere() (f Filters, err error) {
	if f.IP, _, err = hasLegacyTablesHere(); err != nil {
		return f, err
	}
	c, err := netlink.Dial(unix.NETLINK_NETFILTER, nil)
	if err != nil {
		return f, ignoring(err, unix.EPROTONOSUPPORT)
	}
	defer func() { _ = c.Close() }()
	tables, err := dumpMessages(c, nfMessage(unix.NFT_MSG_GETTABLE, unix.NFPROTO_UNSPEC, 0, nil))
	if err != nil {
		return f, ignoring(err, unix.EINVAL, unix.EOPNOTSUPP)
	}
	for _, m := range tables {
		if len(m.Data) < lenNfGenMsg {
			continue
		}
		switch m.Data[0] {
		case unix.NFPROTO_BRIDGE:
			f.Bridge = true
		case unix.NFPROTO_NETDEV:
			f.Netdev = true
		default:
			f.IP = true
		}
	}
	return f, nil
}

// hasLegacyTables reports whether there are legacy tables. Where that may not be read,
// as in the first namespace of a user namespace, there may be some.
func (n *NetNS) hasLegacyTables() (has, sure bool, err error) {
	err = n.Do(func() error {
		has, sure, err = hasLegacyTablesHere()
		return err
	})
	return has, sure, err
}

func hasLegacyTablesHere() (has, sure bool, err error) {
	sure = true
	for _, file := range []string{"ip_tables_names", "ip6_tables_names"} {
		text, err := procNet(file)
		if errors.Is(err, fs.ErrPermission) {
			has, sure = true, false
			continue
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return has, sure, err
		}
		has = has || text != ""
	}
	return has, sure, nil
}

// nfMessage is a message to nf_tables: a header of netlink, then one of
// nfnetlink.
func nfMessage(kind int, family byte, flags netlink.HeaderFlags, attrs []byte) netlink.Message {
	return netlink.Message{
		Header: netlink.Header{Type: netlink.HeaderType(unix.NFNL_SUBSYS_NFTABLES<<8 | kind), Flags: flags},
		Data:   append([]byte{family, unix.NFNETLINK_V0, 0, 0}, attrs...),
	}
}

// TracePackets begins to trace the packets that match through the namespace's packet
// filters, in tables of its own that belong to this process: the kernel deletes them
// with their socket. name names the tables. call is called, on another goroutine, when
// there is something new.
func (n *NetNS) TracePackets(name string, f Filters, matches []TraceMatch, call func()) (*NFTrace, error) {
	t := &NFTrace{table: name}
	dial := func(c *netlink.Config) (conn *netlink.Conn, err error) {
		c.NetNS = n.Fd()
		return netlink.Dial(unix.NETLINK_NETFILTER, c)
	}
	var err error
	if t.events, err = dial(&netlink.Config{Groups: 1 << (unix.NFNLGRP_NFTRACE - 1)}); err == nil {
		t.rules, err = dial(&netlink.Config{})
	}
	if err == nil {
		err = t.install(n, f, matches, tableOwner)
	}
	if cannot(err) { // before Linux 5.12 tables have no owner: Close removes them
		t.families = nil
		err = t.install(n, f, matches, 0)
	}
	if cannot(err) {
		_ = t.events.Close()
		_ = t.rules.Close()
		return nil, &MissingError{What: "this kernel cannot tell what its packet filter does", Remedy: "it lacks nf_tables (CONFIG_NF_TABLES, CONFIG_NF_TABLES_INET)", Err: err}
	}
	if has, sure, legacyErr := n.hasLegacyTables(); err == nil && (has || legacyErr != nil) {
		// Where nothing is known of legacy tables, it does no harm that their log is
		// not there.
		if err = errors.Join(legacyErr, t.hearLegacy(n, dial)); err != nil && !sure {
			err = nil
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("tracing the packet filter: %w", err), t.Close())
	}
	t.listen(t.events, call, (*NFTrace).readEvent)
	if t.log != nil {
		t.listen(t.log, call, (*NFTrace).readLog)
	}
	return t, nil
}

// cannot reports whether the kernel lacks what was asked of nf_tables.
func cannot(err error) bool {
	for _, e := range []unix.Errno{unix.EINVAL, unix.EOPNOTSUPP, unix.EPROTONOSUPPORT, unix.EAFNOSUPPORT, unix.ENOENT} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// listen reads messages until the connection is closed.
func (t *NFTrace) listen(c *netlink.Conn, call func(), read func(*NFTrace, netlink.Message) (TraceEvent, bool)) {
	t.wg.Go(func() {
		for {
			msgs, err := c.Receive()
			if err != nil && !errors.Is(err, unix.ENOBUFS) {
				return
			}
			for _, m := range msgs {
				if e, ok := read(t, m); ok {
					t.mu.Lock()
					t.list = append(t.list, e)
					t.mu.Unlock()
				}
			}
			call()
		}
	})
}

// Events returns what was heard so far.
func (t *NFTrace) Events() []TraceEvent {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]TraceEvent(nil), t.list...)
}

// lastEvents is how long events are still read that the kernel has given out.
const lastEvents = 2 * time.Millisecond

// Finish reads what has not been read yet. Afterwards there are no new events.
func (t *NFTrace) Finish() {
	for _, c := range []*netlink.Conn{t.events, t.log} {
		if c != nil {
			_ = c.SetReadDeadline(time.Now().Add(lastEvents))
		}
	}
	t.wg.Wait()
}

// Close ends the tracing and takes the table away.
func (t *NFTrace) Close() error {
	var errs []error
	if t.rules != nil {
		// The kernel waits for a table that it must find and delete itself.
		errs = append(errs, t.remove(), t.rules.Close())
	}
	t.Finish()
	for _, c := range []*netlink.Conn{t.events, t.log} {
		if c != nil {
			errs = append(errs, c.Close())
		}
	}
	for _, u := range t.undo {
		errs = append(errs, u())
	}
	return errors.Join(errs...)
}

// tableOwner is NFT_TABLE_F_OWNER: the table belongs to the socket that made it,
// since Linux 5.12 (linux/netfilter/nf_tables.h).
const tableOwner = 0x2

// traceHook is where tracing begins.
type traceHook struct {
	family   byte
	name     string // of the chain
	num      int    // the hook's number
	priority int32
	dev      string // of a hook of interfaces
}

// earliest is before every chain that anybody else has.
const earliest = -1 << 31

// traceHooks are those before the routing of what comes in and of what is sent, and,
// where there are chains for them, those of bridges and interfaces.
func (n *NetNS) traceHooks(f Filters) ([]traceHook, error) {
	hooks := []traceHook{
		{unix.NFPROTO_INET, "prerouting", unix.NF_INET_PRE_ROUTING, tracePriority, ""},
		{unix.NFPROTO_INET, "output", unix.NF_INET_LOCAL_OUT, tracePriority, ""},
	}
	if f.Bridge {
		hooks = append(hooks, traceHook{unix.NFPROTO_BRIDGE, "prerouting", unix.NF_INET_PRE_ROUTING, earliest, ""},
			traceHook{unix.NFPROTO_BRIDGE, "output", unix.NF_INET_LOCAL_OUT, earliest, ""})
	}
	chains, err := n.NFChains()
	if err != nil {
		return nil, err
	}
	seen := map[traceHook]bool{}
	for _, c := range chains {
		for _, dev := range c.Devices {
			h := traceHook{unix.NFPROTO_NETDEV, fmt.Sprintf("%d-%s", c.Hook, dev), c.Hook, earliest, dev}
			if c.Family == unix.NFPROTO_INET {
				h.num, h.name = netdevIngress, fmt.Sprintf("%d-%s", netdevIngress, dev)
			}
			if !seen[h] {
				hooks = append(hooks, h)
			}
			seen[h] = true
		}
	}
	return hooks, nil
}

// The hooks of interfaces (linux/netfilter.h, NF_NETDEV_INGRESS, NF_NETDEV_EGRESS).
const (
	netdevIngress = 0
	netdevEgress  = 1
)

// install makes the tables, with a rule for each match in a chain for each hook.
// owner is tableOwner, or 0.
func (t *NFTrace) install(n *NetNS, f Filters, matches []TraceMatch, owner uint32) error {
	hooks, err := n.traceHooks(f)
	if err != nil {
		return err
	}
	b := &nfBatch{}
	for i, hook := range hooks {
		if i == 0 || hook.family != hooks[i-1].family {
			t.families = append(t.families, hook.family)
			b.add(hook.family, unix.NFT_MSG_NEWTABLE, func(e *netlink.AttributeEncoder) error {
				e.String(unix.NFTA_TABLE_NAME, t.table)
				e.Uint32(unix.NFTA_TABLE_FLAGS, owner)
				return nil
			})
		}
		b.add(hook.family, unix.NFT_MSG_NEWCHAIN, func(e *netlink.AttributeEncoder) error {
			e.String(unix.NFTA_CHAIN_TABLE, t.table)
			e.String(unix.NFTA_CHAIN_NAME, hook.name)
			e.Nested(unix.NFTA_CHAIN_HOOK, func(h *netlink.AttributeEncoder) error {
				h.ByteOrder = binary.BigEndian
				h.Uint32(unix.NFTA_HOOK_HOOKNUM, uint32(hook.num))
				h.Int32(unix.NFTA_HOOK_PRIORITY, hook.priority)
				if hook.dev != "" {
					h.String(unix.NFTA_HOOK_DEV, hook.dev)
				}
				return nil
			})
			e.String(unix.NFTA_CHAIN_TYPE, "filter")
			return nil
		})
		rule := func(encode func(*netlink.AttributeEncoder) error) {
			b.add(hook.family, unix.NFT_MSG_NEWRULE, func(e *netlink.AttributeEncoder) error {
				e.String(unix.NFTA_RULE_TABLE, t.table)
				e.String(unix.NFTA_RULE_CHAIN, hook.name)
				e.Nested(unix.NFTA_RULE_EXPRESSIONS, encode)
				return nil
			})
		}
		for _, m := range matches {
			rule(m.encode)
		}
		rule(laterFragments)
	}
	return b.send(t.rules)
}

func (t *NFTrace) remove() error {
	b := &nfBatch{}
	for _, family := range t.families {
		b.add(family, unix.NFT_MSG_DELTABLE, func(e *netlink.AttributeEncoder) error {
			e.String(unix.NFTA_TABLE_NAME, t.table)
			return nil
		})
	}
	err := b.send(t.rules)
	if errors.Is(err, unix.ENOENT) {
		return nil // they were never made
	}
	return err
}

// encode writes the rule: protocol, bytes, trace.
func (m TraceMatch) encode(e *netlink.AttributeEncoder) error {
	return traceIf(e,
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{m.Proto}},
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: m.Offset, Len: uint32(len(m.Bytes))},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: m.Bytes},
	)
}

// laterFragments writes a rule for the fragments of IPv4 packets but the first ones,
// which say nothing of what they are parts of: whoever looks sorts them out.
func laterFragments(e *netlink.AttributeEncoder) error {
	return traceIf(e,
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: 0, Len: 1},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 1, Mask: []byte{0xf0}, Xor: []byte{0}},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{0x40}},
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: 6, Len: 2},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 2, Mask: []byte{0x1f, 0xff}, Xor: []byte{0, 0}},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: []byte{0, 0}},
	)
}

// traceIf writes a rule that traces what matches.
func traceIf(e *netlink.AttributeEncoder, match ...expr.Any) error {
	for _, x := range append(match,
		&expr.Immediate{Register: 1, Data: []byte{1}},
		&expr.Meta{Key: expr.MetaKeyNFTRACE, SourceRegister: true, Register: 1},
	) {
		data, err := expr.Marshal(byte(nftables.TableFamilyINet), x)
		if err != nil {
			return err
		}
		e.Bytes(unix.NLA_F_NESTED|unix.NFTA_LIST_ELEM, data)
	}
	return nil
}

// nfBatch is a transaction of nf_tables.
type nfBatch struct {
	msgs []netlink.Message
	err  error
}

func (b *nfBatch) add(family byte, kind int, fill func(*netlink.AttributeEncoder) error) {
	e := netlink.NewAttributeEncoder()
	e.ByteOrder = binary.BigEndian
	err := fill(e)
	attrs, encErr := e.Encode()
	b.err = errors.Join(b.err, err, encErr)
	b.msgs = append(b.msgs, nfMessage(kind, family, netlink.Request|netlink.Acknowledge|netlink.Create|netlink.Append, attrs))
}

// send sends the transaction and waits until the kernel has done it.
func (b *nfBatch) send(c *netlink.Conn) error {
	if b.err != nil {
		return b.err
	}
	edge := func(kind int) netlink.Message {
		return netlink.Message{
			Header: netlink.Header{Type: netlink.HeaderType(kind), Flags: netlink.Request},
			Data:   append([]byte{unix.NFPROTO_UNSPEC, unix.NFNETLINK_V0}, binaryutil.BigEndian.PutUint16(unix.NFNL_SUBSYS_NFTABLES)...),
		}
	}
	all := append([]netlink.Message{edge(unix.NFNL_MSG_BATCH_BEGIN)}, b.msgs...)
	if _, err := c.SendMessages(append(all, edge(unix.NFNL_MSG_BATCH_END))); err != nil {
		return err
	}
	if err := c.SetReadDeadline(time.Now().Add(netlinkTimeout)); err != nil {
		return err
	}
	// Each message is acknowledged by itself; the first refusal comes first.
	var first error
	for acks := 0; acks < len(b.msgs); {
		msgs, err := c.Receive()
		if err != nil {
			var refusal *netlink.OpError
			if !errors.As(err, &refusal) || errors.Is(err, os.ErrDeadlineExceeded) {
				return err
			}
			return errors.Join(first, err)
		}
		acks += len(msgs)
	}
	return first
}
