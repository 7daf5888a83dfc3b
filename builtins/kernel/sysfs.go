package kernel

import (
	"bytes"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// Sysfs is /sys as a network namespace sees it: what the kernel tells of interfaces
// there and nowhere else.
type Sysfs struct{ root *os.File }

// Close gives it back.
func (s *Sysfs) Close() { _ = s.root.Close() }

// Of returns what a file of an interface says, such as "addr_assign_type" or
// "bridge/stp_state", "" where there is none.
func (s *Sysfs) Of(link, file string) string {
	fd, err := unix.Openat(int(s.root.Fd()), "class/net/"+link+"/"+file, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return ""
	}
	f := os.NewFile(uintptr(fd), file)
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, 4096))
	if err != nil {
		return ""
	}
	return string(bytes.TrimSpace(b))
}

// AddressSet is what addr_assign_type says where somebody has chosen the link-layer
// address (linux/netdevice.h, NET_ADDR_SET).
const AddressSet = "3"
