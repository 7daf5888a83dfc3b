//go:build linux

// Package pen runs programs on a machine of their own: a process, a mount and a network
// namespace with an empty /run, in which whatever they make is nobody else's and ends
// with the pen. The time of each program is taken there, from its start to its end.
package pen

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// Arg is the first argument that makes this program the first process of a pen: its
// main function calls [Main] then.
const Arg = "pen"

// A Job is what is done in one pen, one step after the other.
type Job struct {
	Steps []Step
}

// A Step is a program that is run to its end, or that stays.
type Step struct {
	Name string   // what its measure is called; nothing is noted where it is empty
	Argv []string // the program, by its path or as PATH has it
	UID  int      // as whom it runs; 0 is the pen's root
	// Times is how often it is run, if more than once; the measure is that of the median.
	Times int
	// Settle counts in what the kernel still has to do when the program has ended:
	// namespaces end in the background.
	Settle bool
	// Stay ends the step when the program has written a line; it then waits for one.
	Stay bool
	// Resume has no program: it writes a line to the one that stays, and waits for its end,
	// or for its next line if it is to stay again.
	Resume bool
	// Watch has no program: it looks for so long at the processes that the others left.
	Watch time.Duration
}

// A Measure is what was seen of one step.
type Measure struct {
	Wall time.Duration // from the start to the end
	CPU  time.Duration // processor time, of those that were watched too
	Peak int64         // bytes of memory: the most that one of its processes had
	Left int64         // bytes of memory of the processes that were watched
}

// Run does a job in a new pen and returns the measures by the steps' names.
func Run(ctx context.Context, job Job) (map[string]Measure, error) {
	in, err := json.Marshal(job)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, Arg)
	var out, complaint bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(in), &out, &complaint
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID,
		Pdeathsig:  syscall.SIGKILL,
	}
	if uid := os.Geteuid(); uid != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: uid, Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("%w: %s", err, strings.TrimSpace(complaint.String()))
	}
	var measures map[string]Measure
	if err := json.Unmarshal(out.Bytes(), &measures); err != nil {
		return nil, fmt.Errorf("what the pen said: %w", err)
	}
	return measures, nil
}
