//go:build linux

package sandbox

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// strays are programs that try to get away, each in its way.
var strays = map[string]string{
	"daemon":            "setsid sh -c '(sleep 1000 >/dev/null 2>&1 &)' ; echo ready",
	"deaf":              "trap '' TERM HUP INT; echo ready; while :; do sleep 100; done",
	"network namespace": "exec unshare -n sh -c 'echo ready; exec sleep 1000'",
	"mount namespace":   "exec unshare -mn sh -c 'echo ready; exec sleep 1000'",
	"another root":      "mkdir -p /run/other && mount --rbind / /run/other && exec unshare -n chroot /run/other sh -c 'echo ready; exec sleep 1000'",
	"named namespace":   "ip netns add x && exec ip netns exec x sh -c 'echo ready; exec sleep 1000'",
	"user namespace":    "exec unshare -Urmn sh -c 'echo ready; exec sleep 1000'",
	"stopped":           "echo ready; kill -STOP $$",
	"empty environment": "exec env -i /bin/sh -c 'echo ready; exec sleep 1000'",
}

func TestKillTakesAll(t *testing.T) {
	needs(t, "ip")
	each(t, func(t *testing.T, opts Options) {
		s := start(t, opts)
		want := 0
		for name, script := range strays {
			p := spawn(t, s, script)
			t.Logf("%s: %d", name, p.PID())
			want++
		}
		var pids []int
		eventually(t, "all are found", func() bool {
			var err error
			if pids, err = s.Processes(); err != nil {
				t.Fatal(err)
			}
			return len(pids) >= want
		})
		for _, pid := range pids {
			if pid == s.Identity().PID {
				t.Error("the keeper counts as a process of the sandbox")
			}
		}
		began := time.Now()
		if err := s.Kill(soon(t)); err != nil {
			t.Fatalf("Kill: %v", err)
		}
		if took := time.Since(began); took < grace {
			t.Errorf("the deaf one was given %v, want %v", took, grace)
		}
		for _, pid := range pids {
			if running(pid) {
				t.Errorf("process %d still runs", pid)
			}
		}
	})
}

func TestKillIsQuickWhereAllObey(t *testing.T) {
	each(t, func(t *testing.T, opts Options) {
		s := start(t, opts)
		spawn(t, s, "echo ready; exec sleep 1000")
		began := time.Now()
		if err := s.Kill(soon(t)); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > grace/2 {
			t.Errorf("Kill took %v", took)
		}
	})
}

// Each is found alone, by what it has itself.
func TestEveryStrayIsFound(t *testing.T) {
	needs(t, "ip")
	each(t, func(t *testing.T, opts Options) {
		for name, script := range strays {
			s := start(t, opts)
			spawn(t, s, script)
			pids, err := s.Processes()
			if err != nil || len(pids) == 0 {
				t.Errorf("%s: processes %v, %v", name, pids, err)
			}
		}
	})
}

// One that came in from outside by the network namespace alone.
func TestKillTakesWhatIsInTheNetworkNamespaceOnly(t *testing.T) {
	needs(t, "nsenter")
	if os.Geteuid() != 0 {
		t.Skip("an ordinary user's processes come in by the user namespace")
	}
	s := start(t, Options{})
	output(t, s, "ip netns add x")
	for _, net := range []string{"ns/net", "root/run/netns/x"} {
		cmd := exec.Command("nsenter", fmt.Sprintf("--net=/proc/%d/%s", s.Identity().PID, net), "sleep", "1000")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		eventually(t, "it is found in "+net, func() bool {
			pids, err := s.Processes()
			return err == nil && slices.Contains(pids, cmd.Process.Pid)
		})
		defer cmd.Wait()
	}
	if err := s.Kill(soon(t)); err != nil {
		t.Error(err)
	}
}

func TestSandboxesAreApart(t *testing.T) {
	each(t, func(t *testing.T, opts Options) {
		a, b := start(t, opts), start(t, opts)
		p := spawn(t, b, "echo ready; exec sleep 1000")
		if pids, err := a.Processes(); err != nil || len(pids) != 0 {
			t.Errorf("processes of a: %v, %v", pids, err)
		}
		if err := a.Kill(soon(t)); err != nil {
			t.Fatal(err)
		}
		if !running(p.PID()) || !running(b.Identity().PID) {
			t.Error("killing a took what is in b")
		}
	})
}

// The keeper was killed: what is left is found by the sandbox's mark.
func TestKillOfWhatIsLeft(t *testing.T) {
	each(t, func(t *testing.T, opts Options) {
		s := start(t, opts)
		p := spawn(t, s, "exec unshare -mn sh -c 'echo ready; exec sleep 1000'")
		unix.Kill(s.Identity().PID, unix.SIGKILL)
		eventually(t, "the keeper is gone", func() bool { return !running(s.Identity().PID) })
		if !running(p.PID()) {
			t.Fatal("it went with the keeper")
		}
		if err := Kill(soon(t), s.Identity()); err != nil {
			t.Fatal(err)
		}
		if running(p.PID()) {
			t.Error("it still runs")
		}
	})
}

// A process whose first thread has ended is a zombie to look at, and lives.
func TestKillSeesAProcessWhoseFirstThreadEnded(t *testing.T) {
	each(t, func(t *testing.T, opts Options) {
		s := start(t, opts)
		p, err := s.Start(Command{Path: "/proc/self/exe", Args: []string{"headless"}, Env: []string{roleEnv + "=headless"}})
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "its first thread has ended", func() bool {
			st, err := thisMachine().stat(p.PID())
			return err == nil && st.state == 'Z' && st.threads > 1
		})
		if pids, err := s.Processes(); err != nil || !slices.Equal(pids, []int{p.PID()}) {
			t.Errorf("Processes: %v, %v, want %d", pids, err, p.PID())
		}
		if err := s.Kill(soon(t)); err != nil {
			t.Fatal(err)
		}
		if running(p.PID()) {
			t.Error("it still runs")
			p.Signal(unix.SIGKILL)
		}
		p.Wait()
	})
}

// playHeadless ends the first thread and sleeps on in another.
func playHeadless() error {
	for {
		go func() {
			runtime.LockOSThread()
			if unix.Gettid() == os.Getpid() {
				unix.RawSyscall(unix.SYS_EXIT, 0, 0, 0)
			}
			time.Sleep(time.Hour) // keeps this thread, so that the next gets another
		}()
		time.Sleep(time.Millisecond)
	}
}
