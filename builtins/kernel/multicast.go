package kernel

import (
	"encoding/hex"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"
)

// joinWait bounds how long an interface may take to listen for its neighbours.
const joinWait = 250 * time.Millisecond

// AwaitNeighborDiscovery waits until an interface that is up listens for its
// neighbours' questions for an IPv6 address (RFC 4291 2.7.1). The kernel joins
// that group a moment after the address was added, on a worker of its own; a
// question that comes before is lost, and repeated only a second later.
func (n *NetNS) AwaitNeighborDiscovery(index int, ip netip.Addr) error {
	group := solicitedNode(ip)
	for until := time.Now().Add(joinWait); ; time.Sleep(200 * time.Microsecond) {
		joined := false
		err := n.Do(func() error {
			b, err := os.ReadFile("/proc/thread-self/net/igmp6")
			if err != nil {
				return err
			}
			joined = inGroup(string(b), index, group)
			return nil
		})
		if err != nil || joined || time.Now().After(until) {
			return err
		}
	}
}

// solicitedNode is the group ff02::1:ffXX:XXXX of an address, as /proc has it.
func solicitedNode(ip netip.Addr) string {
	b := ip.As16()
	return "ff0200000000000000000001ff" + hex.EncodeToString(b[13:])
}

func inGroup(table string, index int, group string) bool {
	for line := range strings.SplitSeq(table, "\n") {
		f := strings.Fields(line)
		if len(f) > 2 && f[0] == strconv.Itoa(index) && f[2] == group {
			return true
		}
	}
	return false
}
