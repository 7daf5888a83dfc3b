//go:build linux

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestFullDisk has the file system of the run directory run full, and streams
// end that nsscript writes to.
func TestFullDisk(t *testing.T) {
	if os.Getenv(stageEnv) != "" {
		t.Skip("inside a private host")
	}
	t.Parallel()
	for _, s := range []sweep{{Lab: "outside.star"}, {Lab: "small.star", Flags: []string{"--sandbox"}}, {Lab: "small.star", User: true}} {
		spec, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			inPrivateHost(t, 0, "TestInsideDisk", string(spec))
		})
	}
}

// filler fills the disk.
const filler = "/run/filler"

// TestInsideDisk is one lab on a disk that is full.
func TestInsideDisk(t *testing.T) {
	var s sweep
	if err := json.Unmarshal([]byte(insideOnly(t)), &s); err != nil {
		t.Fatal(err)
	}
	// tmpfs counts in pages; a small one is filled at once.
	if err := unix.Mount("", "/run", "", unix.MS_REMOUNT, "size=256k"); err != nil {
		t.Fatal(err)
	}
	h := newFaultHost(t, s)
	worked := false
	for free := 0; free < 40 && !worked; free++ {
		h.fill(free)
		said, status := h.run("run", append(h.Flags, h.lab())...)
		worked = status == exitOK
		if !worked && (status == exitInterrupted || !strings.Contains(said, "error: ") || !strings.Contains(said, "no space left")) {
			h.Errorf("with %d pages free: exit status %d\n%s", free, status, said)
		}
		if !worked {
			h.unfill()
			h.same(fmt.Sprintf("with %d pages free", free), said)
			continue
		}
		// What is up goes down although nothing can be written any more.
		h.fill(0)
		said, status = h.run("down", "--all")
		h.unfill()
		if status != exitOK {
			h.Errorf("down on a full disk: exit status %d\n%s", status, said)
		}
		h.same("down on a full disk", said)
	}
	if !worked {
		t.Error("the lab was never built")
	}
	h.streams()
}

// streams runs a lab whose output nobody takes.
func (h *faultHost) streams() {
	for _, c := range []struct {
		script string
		status int
	}{
		{"nsscript run $FLAGS $LAB | true", exitOK},
		{"nsscript run $FLAGS $LAB 2>&1 | head -c 1 >/dev/null", exitOK},
		{"nsscript run $FLAGS $LAB >&- 2>&-", exitOK},
		{"nsscript run $FLAGS $LAB <&-", exitOK},
		{"nsscript run $FLAGS $LAB 2>/dev/full", exitOK},
		{"nsscript run $FLAGS --json $LAB >/dev/full", exitFailed},
		{`nsscript run $FLAGS -c 'namespace("x"); print(1)' >/dev/full`, exitFailed},
		{"nsscript run $FLAGS $LAB; nsscript ls > /dev/full", exitFailed},
		{"nsscript run $FLAGS $LAB; nsscript ls >&-", exitOK},
		{"nsscript run $FLAGS $LAB; nsscript show faults > /dev/full", exitFailed},
	} {
		env := h.env
		h.env = append(h.env, "LAB="+h.lab(), "FLAGS="+strings.Join(h.Flags, " "))
		out, err := h.shell(c.script)
		h.env = env
		if status := exitStatus(err); status != c.status {
			h.Errorf("%s: exit status %d, not %d\n%s", c.script, status, c.status, out)
		}
		said := h.must("down", "--all")
		h.same(c.script, said)
	}
}

// run runs a command and returns what it said and its exit status.
func (h *faultHost) run(verb string, args ...string) (string, int) {
	cmd, out := h.command(h.Context(), verb, args...)
	err := cmd.Run()
	if errors.Is(err, exec.ErrWaitDelay) {
		err = nil
	}
	return out.String(), exitStatus(err)
}

// fill fills the disk but for some pages.
func (h *faultHost) fill(free int) {
	h.unfill()
	f, err := os.Create(filler)
	if err != nil {
		h.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	page := make([]byte, os.Getpagesize())
	size := int64(0)
	for {
		n, err := f.Write(page)
		size += int64(n)
		if errors.Is(err, unix.ENOSPC) {
			break
		}
		if err != nil {
			h.Fatal(err)
		}
	}
	if err := f.Truncate(max(0, size-int64(free*len(page)))); err != nil {
		h.Fatal(err)
	}
}

func (h *faultHost) unfill() {
	if err := os.Remove(filler); err != nil && !errors.Is(err, os.ErrNotExist) {
		h.Fatal(err)
	}
}
