//go:build linux

package sandbox

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// ErrGone says that a sandbox's keeper is no more.
var ErrGone = errors.New("the sandbox is gone")

// An Identity says which sandbox is meant. It can be written as JSON and given to
// [Open] by a later command.
type Identity struct {
	PID       int    `json:"pid"`        // of the keeper
	StartTime uint64 `json:"start_time"` // of the keeper: field 22 of /proc/PID/stat
	BootID    string `json:"boot_id"`    // of the boot that this was in
	Mark      string `json:"mark"`       // the name of the tmpfs on the sandbox's /run, unique to it

	User    bool   `json:"user"`              // it has a user namespace of its own
	UserNS  uint64 `json:"user_ns,omitempty"` // the inode of that
	MountNS uint64 `json:"mount_ns"`          // the inode of the mount namespace
	NetNS   uint64 `json:"net_ns"`            // the inode of the network namespace
	Closed  bool   `json:"closed,omitempty"`  // see Options.Closed

	SubIDs bool     `json:"sub_ids"`          // more ids than root's exist inside; always so without a user namespace
	Reason string   `json:"reason,omitempty"` // why they do not, as a sentence
	Remedy string   `json:"remedy,omitempty"` // what mends that
	Notes  []string `json:"notes,omitempty"`  // what else could not be had
}

// Open returns the sandbox of that identity. The error is ErrGone (errors.Is)
// when its keeper is no more. A sandbox that was opened is let go of by Close.
func Open(id Identity) (*Sandbox, error) {
	return thisMachine().open(id)
}

func (m machine) open(id Identity) (*Sandbox, error) {
	if alive, err := m.lives(id); err != nil {
		return nil, err
	} else if !alive {
		return nil, ErrGone
	}
	keeper, err := os.FindProcess(id.PID)
	if err != nil {
		return nil, err
	}
	held, err := m.openSpaces(id.PID, id.User, id.Closed)
	if err == nil {
		// What was opened is the keeper's only if that still is who it was.
		alive, wrong := m.lives(id)
		if wrong != nil || !alive || !held.are(id) {
			held.close()
			err = cmp.Or(wrong, ErrGone)
		}
	}
	if err != nil {
		_ = keeper.Release()
		if isNoProcess(err) {
			return nil, ErrGone
		}
		return nil, err
	}
	return &Sandbox{id: id, spaces: held, keeper: keeper}, nil
}

// lives reports whether the keeper of id still is.
func (m machine) lives(id Identity) (bool, error) {
	boot, err := m.bootID()
	if err != nil {
		return false, err
	}
	if boot != id.BootID || id.PID <= 0 {
		return false, nil
	}
	st, err := m.stat(id.PID)
	if isNoProcess(err) {
		return false, nil
	}
	return err == nil && st.start == id.StartTime && !st.dead(), err
}

// isNoProcess reports whether err, of reading in /proc/PID, says that the process
// is no more.
func isNoProcess(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) || errors.Is(err, ErrGone)
}

func (m machine) bootID() (string, error) {
	text, err := os.ReadFile(m.proc + "/sys/kernel/random/boot_id")
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(string(text)), nil
}

func (m machine) startTime(pid int) (uint64, error) {
	st, err := m.stat(pid)
	return st.start, err
}

// A procStat is what is of use in /proc/PID/stat.
type procStat struct {
	state   byte
	threads int
	start   uint64
}

// dead reports whether no thread of the process runs any more. A process whose
// first thread alone has ended is a zombie by its state and yet alive.
func (st procStat) dead() bool {
	return (st.state == 'Z' || st.state == 'X') && st.threads <= 1
}

func (m machine) stat(pid int) (procStat, error) {
	text, err := os.ReadFile(fmt.Sprintf("%s/%d/stat", m.proc, pid))
	if err != nil {
		return procStat{}, err
	}
	// The program's name is in brackets and may hold brackets and blanks.
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	if len(fields) < 20 {
		return procStat{}, fmt.Errorf("%s/%d/stat: %d fields", m.proc, pid, len(fields))
	}
	threads, _ := strconv.Atoi(string(fields[17]))
	start, err := strconv.ParseUint(string(fields[19]), 10, 64)
	return procStat{state: fields[0][0], threads: threads, start: start}, err
}
