//go:build linux

package pen

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// workArg makes the process the one that does the job, beside the first one.
const workArg = "work"

// Main is the process in the pen. The first one waits for all that others leave behind,
// as the kernel wants it of the first process; its child does the job.
func Main(args []string) error {
	if len(args) > 0 && args[0] == workArg {
		return work()
	}
	if err := furnish(); err != nil {
		return err
	}
	cmd := exec.Command("/proc/self/exe", Arg, workArg)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := cmd.Start(); err != nil {
		return err
	}
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, 0, nil)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return err
		}
		if pid == cmd.Process.Pid && status.ExitStatus() != 0 {
			return errors.New("the job was not done")
		}
		if pid == cmd.Process.Pid {
			return nil
		}
	}
}

// furnish makes what a machine has: a /proc, a /sys and a /run, and lo.
func furnish() error {
	if err := unix.Mount("", "/", "", unix.MS_PRIVATE|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("mount --make-rprivate /: %w", err)
	}
	for _, m := range []struct{ kind, dir string }{{"proc", "/proc"}, {"sysfs", "/sys"}, {"tmpfs", "/run"}} {
		if err := unix.Mount(m.kind, m.dir, m.kind, 0, ""); err != nil {
			return fmt.Errorf("mounting %s: %w", m.dir, err)
		}
	}
	if err := os.WriteFile(held, nil, 0o644); err != nil {
		return err
	}
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return err
	}
	return netlink.LinkSetUp(lo)
}

// work does the job that is on the standard input.
func work() error {
	var job Job
	if err := json.NewDecoder(os.Stdin).Decode(&job); err != nil {
		return err
	}
	if err := settle(); err != nil {
		return err
	}
	w := &worker{}
	measures := map[string]Measure{}
	for _, s := range job.Steps {
		m, err := w.repeat(s)
		if err != nil {
			return fmt.Errorf("%s: %w", s.title(), err)
		}
		if s.Name != "" {
			measures[s.Name] = m
		}
	}
	return json.NewEncoder(os.Stdout).Encode(measures)
}
