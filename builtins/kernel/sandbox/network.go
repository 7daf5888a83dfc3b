//go:build linux

package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"nsscript/builtins/kernel/abi"
	"os"

	"golang.org/x/sys/unix"
)

// privateNetwork gives the new network namespace its loopback and its settings.
func privateNetwork() *stepError {
	if err := loopbackUp(); err != nil {
		return failed("bringing lo up", err)
	}
	// A lab has no duplicate addresses, and waiting for the proof takes a second.
	for _, key := range []string{"net/ipv6/conf/all/accept_dad", "net/ipv6/conf/default/accept_dad"} {
		if err := setSysctl(key, "0"); err != nil {
			return failed("setting "+key, err)
		}
	}
	// Groups that may open ICMP sockets: all that exist here.
	const key = "net/ipv4/ping_group_range"
	if err := setSysctl(key, fmt.Sprintf("0 %d", lastGroup())); err != nil && !errors.Is(err, unix.EINVAL) {
		return failed("setting "+key, err)
	}
	return nil
}

func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(abi.LinkUp)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo)
}

// setSysctl writes a setting of this network namespace, if the kernel has it.
func setSysctl(key, value string) error {
	f, err := os.OpenFile("/proc/sys/"+key, os.O_WRONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteString(value)
	return err
}

// lastGroup returns the highest group id up to which all exist in this user
// namespace, as far as the kernel takes it for a range.
func lastGroup() int64 {
	next := int64(0)
	for grown := true; grown; {
		grown = false
		for _, r := range thisMachine().idRanges("self/gid_map") {
			if r.inside == next && r.count > 0 {
				next, grown = next+r.count, true
			}
		}
	}
	return min(max(next-1, 0), math.MaxInt32-1)
}
