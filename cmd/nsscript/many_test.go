//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestTortureMany has many labs built and taken down at the same time.
func TestTortureMany(t *testing.T) {
	if os.Getenv(stageEnv) != "" {
		t.Skip("inside a private host")
	}
	t.Parallel()
	for _, s := range []sweep{{Lab: "many"}, {Lab: "many", Flags: []string{"--sandbox"}}, {Lab: "many", User: true}} {
		spec, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			inPrivateHost(t, 0, "TestInsideMany", string(spec))
		})
	}
}

// TestInsideMany is the same in one private host.
func TestInsideMany(t *testing.T) {
	var s sweep
	if err := json.Unmarshal([]byte(insideOnly(t)), &s); err != nil {
		t.Fatal(err)
	}
	h := newPrivate(t, s)
	h.before = settled("")
	labs := 16
	if torture() {
		labs = 50
	}
	h.manyLabs(labs)
	h.same("after many labs", "")
	h.fight(20)
	h.same("after the fight", "")
	h.heirs()
	h.same("after the heirs", "")
}

// manyLabs builds labs side by side, each with a namespace of its own address,
// looks into each and takes it down.
func (h *faultHost) manyLabs(n int) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			name, addr := fmt.Sprintf("lab%d", i), fmt.Sprintf("10.77.%d.1", i)
			code := fmt.Sprintf(`lab(%q)
n = namespace(%q)
veth(n, host, name = "e0", peer = "p%d", addr = "%s/30", peer_addr = "10.77.%d.2/30")
host.sysctl("net.ipv4.ip_forward", 1)
check("only its own", ping(n, "10.77.%d.2"))`, name, "ns"+name, i, addr, i, i)
			// The names of the files that -c gives its labs are the same: these are told apart by lab().
			h.must("run", append(h.Flags, "-c", code)...)
			if out := h.must("exec", name+"/ns"+name, "--", "ip", "-br", "addr", "show", "dev", "e0"); !strings.Contains(out, addr+"/30") {
				h.Errorf("%s has not its address:\n%s", name, out)
			}
			h.must("ls")
			h.must("down", name)
		})
	}
	h.within("the labs", &all)
}

// fight has n processes build the same lab. One gets the name and builds it; the
// others are told who has it, or replace what is there.
func (h *faultHost) fight(n int) {
	var all sync.WaitGroup
	var mu sync.Mutex
	won, told := 0, 0
	for range n {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), longestRound)
			defer cancel()
			cmd, out := h.command(ctx, "run", append(h.Flags, "-c", `lab("one"); namespace("one"); exec(host, ["sleep", "0.3"])`)...)
			err := cmd.Run()
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil || errors.Is(err, exec.ErrWaitDelay):
				won++
			case strings.Contains(out.String(), `the lab "one" is being worked on by another nsscript`):
				told++
			default:
				h.Errorf("fighting for a name: %v\n%s", err, out)
			}
		})
	}
	h.within("the fight", &all)
	if won == 0 || won+told != n {
		h.Errorf("of %d, %d built the lab and %d were told that it is worked on", n, won, told)
	}
	h.Logf("%d of %d built the lab, the others were told", won, n)
	if out := h.must("ls", "--json"); strings.Count(out, `"name"`) != 1 || !strings.Contains(out, `"state":"up"`) {
		h.Errorf("after the fight ls says %s", out)
	}
	h.must("down", "one")
}

// heirs kills the holder of a name in its work: the next gets the name at once.
func (h *faultHost) heirs() {
	for range 5 {
		ctx, cancel := context.WithTimeout(context.Background(), longestRound)
		cmd, out := h.command(ctx, "run", append(h.Flags, "-c", `lab("one"); namespace("one"); exec(host, ["sleep", "5"])`)...)
		if err := cmd.Start(); err != nil {
			h.Fatal(err)
		}
		for until := time.Now().Add(10 * time.Second); !strings.Contains(h.must("ls"), "building") && time.Now().Before(until); {
			time.Sleep(10 * time.Millisecond)
		}
		_ = cmd.Process.Kill() // not waited for yet
		_ = cmd.Wait()         // it was killed
		cancel()
		if said := h.must("run", append(h.Flags, "-c", `lab("one"); namespace("one")`)...); h.Failed() {
			h.Fatalf("%s\n%s", said, out)
		}
		h.must("down", "one")
	}
}

// within waits for all, but not for ever.
func (h *faultHost) within(what string, all *sync.WaitGroup) {
	done := make(chan struct{})
	go func() {
		all.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(5 * time.Minute):
		h.Fatalf("%s do not come to an end", what)
	}
}
