package kernel

import (
	"bufio"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Listener is a port of a namespace at which a socket waits for others.
type Listener struct {
	Proto string // tcp or udp
	Port  int
}

// Listeners lists the ports at which others than the namespace itself can reach a
// socket, by the kernel's tables of sockets (proc_net_tcp.rst).
func (n *NetNS) Listeners() (list []Listener, err error) {
	err = n.Do(func() error {
		for _, proto := range []string{"tcp", "udp"} {
			for _, table := range []string{proto, proto + "6"} {
				ports, err := portsOf("/proc/thread-self/net/"+table, proto)
				if err != nil && !errors.Is(err, fs.ErrNotExist) {
					return err
				}
				for _, p := range ports {
					list = append(list, Listener{proto, p})
				}
			}
		}
		return nil
	})
	slices.SortFunc(list, func(a, b Listener) int {
		if a.Proto != b.Proto {
			return strings.Compare(a.Proto, b.Proto)
		}
		return a.Port - b.Port
	})
	return slices.Compact(list), err
}

func portsOf(path, proto string) (ports []int, err error) {
	state := socketStates[proto]
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	sc := bufio.NewScanner(f)
	for sc.Scan() {
		w := strings.Fields(sc.Text())
		if len(w) < 4 || w[3] != state {
			continue
		}
		address, port, _ := strings.Cut(w[1], ":")
		if n, err := strconv.ParseUint(port, 16, 16); err == nil && !isLoopback(address) {
			ports = append(ports, int(n))
		}
	}
	return ports, sc.Err()
}

// isLoopback reports whether an address is one of the namespace's own only. The table
// has it as words in the machine's order of bytes; both orders are taken.
func isLoopback(address string) bool {
	b, err := hex.DecodeString(address)
	switch {
	case err != nil:
		return false
	case len(b) == 4:
		return b[0] == 127 || b[3] == 127
	}
	return address == "00000000000000000000000001000000" || address == "00000000000000000000000000000001"
}
