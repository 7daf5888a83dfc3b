package kernel

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// unseen reports whether what /proc says of a process cannot be seen because it
// has ended, or because it is another user's (proc(5)).
func unseen(err error) bool { return ended(err) || errors.Is(err, fs.ErrPermission) }

func ended(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) }

// eachProcess calls fn with the id of every process that /proc shows, until it
// returns an error.
func eachProcess(fn func(pid int) error) error {
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
			if err := fn(pid); err != nil {
				return err
			}
		}
	}
	return nil
}

// stat returns the fields of /proc/PID/stat from the third on (proc_pid_stat(5)),
// or none for a process that has ended.
func stat(pid int) ([]string, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		if ended(err) {
			err = nil
		}
		return nil, err
	}
	// The second field is the command in brackets and may hold anything.
	f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	if len(f) < 20 {
		return nil, fmt.Errorf("/proc/%d/stat: %d fields", pid, len(f))
	}
	return f, nil
}

// StartTime returns when a process began, in clock ticks since boot
// (proc_pid_stat(5), field 22): together with its id it names a process for
// ever. It is 0 for a process that is gone or a zombie.
func StartTime(pid int) (uint64, error) {
	f, err := stat(pid)
	if err != nil || f == nil || f[0] == "Z" || f[0] == "X" {
		return 0, err
	}
	return strconv.ParseUint(f[19], 10, 64)
}

// BootID names this boot of the machine.
func BootID() (string, error) {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(b)), err
}

// Match tells of a process whether it is meant.
type Match func(pid int) (bool, error)

// Processes lists the processes that match, zombies left out.
func Processes(match Match) ([]int, error) {
	var pids []int
	err := eachProcess(func(pid int) error {
		ok, err := match(pid)
		if err != nil || !ok {
			return err
		}
		start, err := StartTime(pid)
		if start != 0 {
			pids = append(pids, pid)
		}
		return err
	})
	return pids, err
}

// HoldMountNS opens the mount namespace of a process, if it is the one of that
// number: until it is closed no other namespace gets the number. It returns nil
// when the process has ended, is another user's or is in another namespace.
func HoldMountNS(pid int, inode uint64) (*os.File, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/ns/mnt", pid))
	if err != nil {
		if unseen(err) {
			err = nil
		}
		return nil, err
	}
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil || st.Ino != inode {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// Env returns a variable of the environment that a process was started with, and
// whether it has one. A process that has ended or is another user's has none.
func Env(pid int, key string) (value string, ok bool, err error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	if err != nil {
		if unseen(err) {
			err = nil
		}
		return "", false, err
	}
	for v := range strings.SplitSeq(string(b), "\x00") {
		if value, ok := strings.CutPrefix(v, key+"="); ok {
			return value, true, nil
		}
	}
	return "", false, nil
}

// Ancestors lists a process and its parents up to the first.
func Ancestors(pid int) ([]int, error) {
	var list []int
	for pid > 0 {
		list = append(list, pid)
		f, err := stat(pid)
		if err != nil || f == nil {
			return list, err
		}
		if pid, err = strconv.Atoi(f[1]); err != nil {
			return list, err
		}
	}
	return list, nil
}
