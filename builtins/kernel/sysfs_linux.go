package kernel

import (
	"os"

	"golang.org/x/sys/unix"
)

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
