package kernel

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// eachProcess calls fn with the id of every process that /proc shows.
func eachProcess(fn func(pid int)) error {
	d, err := os.Open("/proc")
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }()
	names, err := d.Readdirnames(-1)
	if err != nil {
		return err
	}
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			fn(pid)
		}
	}
	return nil
}

// PIDs lists the processes that live in the namespace, as `ip netns pids` does.
func (n *NetNS) PIDs() ([]int, error) {
	var pids []int
	err := eachProcess(func(pid int) {
		var st unix.Stat_t
		if unix.Stat(fmt.Sprintf("/proc/%d/ns/net", pid), &st) == nil &&
			st.Dev == n.id.Dev && st.Ino == n.id.Ino {
			pids = append(pids, pid)
		}
	})
	return pids, err
}

// StartTime returns when a process began, in clock ticks since boot
// (proc_pid_stat(5), field 22): together with its id it names a process for
// ever. It is 0 for a process that is gone or a zombie.
func StartTime(pid int) uint64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// The second field is the command in brackets and may hold anything.
	f := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	if len(f) < 20 || f[0] == "Z" || f[0] == "X" {
		return 0
	}
	t, _ := strconv.ParseUint(f[19], 10, 64)
	return t
}

// BootID names this boot of the machine.
func BootID() (string, error) {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(b)), err
}

// Processes lists the processes that match, zombies left out.
func Processes(match func(pid int) bool) ([]int, error) {
	var pids []int
	err := eachProcess(func(pid int) {
		if match(pid) && StartTime(pid) != 0 {
			pids = append(pids, pid)
		}
	})
	return pids, err
}

// MountNS returns the inode of a process' mount namespace, 0 when it cannot be
// told.
func MountNS(pid int) uint64 {
	var st unix.Stat_t
	if unix.Stat(fmt.Sprintf("/proc/%d/ns/mnt", pid), &st) != nil {
		return 0
	}
	return st.Ino
}

// HoldMountNS opens the mount namespace of a process, if it is the one of that
// number: until it is closed no other namespace gets the number.
func HoldMountNS(pid int, inode uint64) (*os.File, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/ns/mnt", pid))
	if err != nil {
		return nil, err
	}
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil || inode == 0 || st.Ino != inode {
		_ = f.Close()
		return nil, os.ErrNotExist
	}
	return f, nil
}

// NetNSOf returns the identity of the network namespace of a process.
func NetNSOf(pid int) NSID {
	id, err := NSIDOf(fmt.Sprintf("/proc/%d/ns/net", pid))
	if err != nil {
		return NSID{}
	}
	return id
}

// NSIDOf returns the identity of the namespace whose file is at path.
func NSIDOf(path string) (NSID, error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return NSID{}, &os.PathError{Op: "stat", Path: path, Err: err}
	}
	return NSID{Dev: st.Dev, Ino: st.Ino}, nil
}

// HasEnv reports whether a process was started with a variable of that value.
func HasEnv(pid int, key, value string) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	if err != nil {
		return false
	}
	return strings.Contains("\x00"+string(b), "\x00"+key+"="+value+"\x00")
}

// Env returns a variable of the environment that a process was started with, and
// whether it has one.
func Env(pid int, key string) (value string, ok bool) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	if err != nil {
		return "", false
	}
	for v := range strings.SplitSeq(string(b), "\x00") {
		if value, ok := strings.CutPrefix(v, key+"="); ok {
			return value, true
		}
	}
	return "", false
}

// Ancestors lists a process and its parents up to the first.
func Ancestors(pid int) []int {
	var list []int
	for pid > 0 {
		list = append(list, pid)
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			break
		}
		f := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
		if len(f) < 2 {
			break
		}
		pid, err = strconv.Atoi(f[1])
		if err != nil {
			break
		}
	}
	return list
}
