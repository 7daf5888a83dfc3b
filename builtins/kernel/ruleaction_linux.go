package kernel

import (
	"encoding/binary"
	"fmt"
	"io"

	rtnl "github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// The actions of policy rules that no type of route is called by (linux/fib_rules.h).
const (
	ruleLookup = 1 // FR_ACT_TO_TBL
	ruleGoto   = 2
	ruleNop    = 3
)

// Of a policy rule's message (linux/fib_rules.h).
const (
	ruleHeader   = 12 // bytes of struct fib_rule_hdr
	ruleAction   = 7  // where its action stands
	rulePriority = 6  // FRA_PRIORITY
)

// rulePlace is where policy rules stand: several may have one place.
type rulePlace struct{ family, priority int }

// ruleActions returns what the policy rules do, which the netlink package does not read,
// by their place and there in their order: "" where they ask a table.
func (n *NetNS) ruleActions() (map[rulePlace][]string, error) {
	var config *rtnl.Config
	if !n.home { // in its own namespace a process needs no right to ask
		config = &rtnl.Config{NetNS: n.Fd()}
	}
	c, err := rtnl.Dial(unix.NETLINK_ROUTE, config)
	if err != nil {
		return nil, fmt.Errorf("netlink socket: %w", err)
	}
	defer func() { _ = c.Close() }()
	actions := map[rulePlace][]string{}
	for _, family := range []int{unix.AF_INET, unix.AF_INET6} {
		head := make([]byte, ruleHeader)
		head[0] = byte(family)
		msgs, err := dumpMessages(c, rtnl.Message{Header: rtnl.Header{Type: unix.RTM_GETRULE}, Data: head})
		if err != nil {
			return nil, fmt.Errorf("the policy rules: %w", err)
		}
		for _, m := range msgs {
			priority, action, err := readAction(m.Data)
			if err != nil {
				return nil, fmt.Errorf("the policy rules: %w", err)
			}
			at := rulePlace{family, priority}
			actions[at] = append(actions[at], action)
		}
	}
	return actions, nil
}

// readAction reads the message of one policy rule. A rule of priority 0 has no attribute
// that says so.
func readAction(data []byte) (priority int, action string, err error) {
	if len(data) < ruleHeader {
		return 0, "", io.ErrUnexpectedEOF
	}
	d, err := rtnl.NewAttributeDecoder(data[ruleHeader:])
	if err != nil {
		return 0, "", err
	}
	d.ByteOrder = binary.NativeEndian
	for d.Next() {
		if d.Type() == rulePriority {
			priority = int(d.Uint32())
		}
	}
	return priority, actionName(int(data[ruleAction])), d.Err()
}

func actionName(action int) string {
	switch action {
	case ruleLookup:
		return ""
	case ruleGoto:
		return "goto"
	case ruleNop:
		return "nop"
	}
	return routeTypes[action] // the numbers are the same
}
