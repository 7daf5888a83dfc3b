package kernel

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// NSIDOf returns the identity of the namespace whose file is at path.
func NSIDOf(path string) (NSID, error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return NSID{}, &os.PathError{Op: "stat", Path: path, Err: err}
	}
	return NSID{Dev: st.Dev, Ino: st.Ino}, nil
}

func namespaceOf(pid int, kind string) (NSID, error) {
	id, err := NSIDOf(fmt.Sprintf("/proc/%d/ns/%s", pid, kind))
	if err != nil && unseen(err) {
		return NSID{}, nil
	}
	return id, err
}

// MountNS returns the inode of a process' mount namespace, 0 when the process has
// ended or is another user's.
func MountNS(pid int) (uint64, error) {
	id, err := namespaceOf(pid, "mnt")
	return id.Ino, err
}

// NetNSOf returns the identity of the network namespace of a process, and none
// when the process has ended or is another user's.
func NetNSOf(pid int) (NSID, error) { return namespaceOf(pid, "net") }

// PIDs lists the processes that live in the namespace, as `ip netns pids` does.
func (n *NetNS) PIDs() ([]int, error) {
	var pids []int
	err := eachProcess(func(pid int) error {
		id, err := NetNSOf(pid)
		if id == n.id {
			pids = append(pids, pid)
		}
		return err
	})
	return pids, err
}
