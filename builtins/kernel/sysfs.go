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

// Sysfs opens /sys of the namespace, without mounting it anywhere. It takes the right
// to mount, and Linux 5.2.
func (n *NetNS) Sysfs() (s *Sysfs, err error) {
	err = n.Do(func() error {
		ctx, err := unix.Fsopen("sysfs", unix.FSOPEN_CLOEXEC)
		if err != nil {
			return err
		}
		defer func() { _ = unix.Close(ctx) }()
		if err := unix.FsconfigCreate(ctx); err != nil {
			return err
		}
		fd, err := unix.Fsmount(ctx, unix.FSMOUNT_CLOEXEC, unix.MOUNT_ATTR_RDONLY|unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV|unix.MOUNT_ATTR_NOEXEC)
		if err != nil {
			return err
		}
		s = &Sysfs{os.NewFile(uintptr(fd), "sysfs")}
		return nil
	})
	return s, err
}

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
