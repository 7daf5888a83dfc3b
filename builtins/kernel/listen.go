package kernel

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// Listens reports whether a socket listens on a port of the namespace: proto is
// tcp or udp. It looks at the kernel's table of sockets (proc_net_tcp.rst) and
// sends nothing.
func (n *NetNS) Listens(proto string, port int) (found bool, err error) {
	err = n.Do(func() error {
		for _, table := range []string{proto, proto + "6"} {
			ok, err := listening("/proc/thread-self/net/"+table, proto, port)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			found = found || ok
		}
		return nil
	})
	return found, err
}

// socketStates are the states of TCP's LISTEN and of UDP's unconnected sockets.
var socketStates = map[string]string{"tcp": "0A", "udp": "07"}

func listening(path, proto string, port int) (bool, error) {
	state := socketStates[proto]
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer func() { _ = f.Close() }()
	suffix := fmt.Sprintf(":%04X", port)
	sc := bufio.NewScanner(f)
	for sc.Scan() {
		w := strings.Fields(sc.Text())
		if len(w) > 3 && strings.HasSuffix(w[1], suffix) && w[3] == state {
			return true, nil
		}
	}
	return false, sc.Err()
}
