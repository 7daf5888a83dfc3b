package op

import (
	"slices"
	"strings"

	"nsscript/builtins/kernel"
)

// An interface that was set up takes packets only when a worker of the kernel has
// seen its carrier. To wait for that at each one would cost more than making it;
// so what was set up is noted, and waited for before somebody sends something.

// awaits notes an interface that was set up, and the addresses that it was given.
func (s *System) awaits(n *kernel.NetNS, index int, addrs ...string) {
	if index == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.risen = append(s.risen, risen{n, index, slices.ContainsFunc(addrs, func(a string) bool { return strings.Contains(a, ":") })})
}

// risen is an interface that was set up.
type risen struct {
	ns    *kernel.NetNS
	index int
	ipv6  bool
}
