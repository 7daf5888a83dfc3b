//go:build linux

package main

import (
	"bufio"
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestScript runs the stories of testdata/script, each in a private host of its
// own: those whose name begins with user_ as an ordinary user, those that begin
// with any_ as both, the others as root.
//
// Besides testscript's own commands there are
//
//	status N CMD…           CMD ends with exit status N
//	snapshot NAME           notes all of the host that a lab could change
//	same A B                two snapshots are equal
//	signal SIG N CMD…       CMD gets SIG once it has printed "ready", and ends with N;
//	                        /WORD/ before CMD is what it prints instead; what it
//	                        says on stderr is in the file signal.stderr
//	hide PROGRAM…           no such program is on this machine any more
//	backend nft|legacy      which iptables this machine has
//	timeless FILE           writes FILE to timeless.out, with T for times
//	junit FILE, tap FILE    holds that a report is well formed, and writes its gist to
//	                        FILE.seen
//	readme HEADING FILE     writes the first script below a heading of the README
func TestScript(t *testing.T) {
	t.Parallel()
	if os.Getenv(stageEnv) != "" {
		t.Skip("inside a private host")
	}
	stories, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(stories) == 0 {
		t.Fatalf("no stories in testdata/script: %v", err)
	}
	for _, file := range stories {
		abs, err := filepath.Abs(file)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(file), ".txtar")
		users := map[string]int{"root": 0}
		switch {
		case strings.HasPrefix(name, "user_"):
			users = map[string]int{"user": ordinary}
		case strings.HasPrefix(name, "any_"):
			users["user"] = ordinary
		}
		for who, uid := range users {
			t.Run(name+"/"+who, func(t *testing.T) {
				t.Parallel()
				inPrivateHost(t, uid, "TestInsideScript", abs)
			})
		}
	}
}

// TestInsideScript is one story, in its private host.
func TestInsideScript(t *testing.T) {
	file := insideOnly(t)
	testscript.Run(t, testscript.Params{
		Files:         []string{file},
		UpdateScripts: os.Getenv(updateEnv) != "",
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", os.Getenv(binEnv)+":"+os.Getenv("PATH"))
			env.Setenv("TMPDIR", os.TempDir())
			env.Setenv("XDG_RUNTIME_DIR", os.Getenv("XDG_RUNTIME_DIR"))
			env.Setenv("LC_ALL", "C.UTF-8")
			return nil
		},
		Condition: func(cond string) (bool, error) {
			switch cond {
			case "asroot":
				return os.Geteuid() == 0, nil
			case "asuser":
				return os.Geteuid() != 0, nil
			}
			return false, fmt.Errorf("no condition %q", cond)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"status":   cmdStatus,
			"snapshot": cmdSnapshot,
			"same":     cmdSame,
			"signal":   cmdSignal,
			"hide":     cmdHide,
			"backend":  cmdBackend,
			"timeless": cmdTimeless,
			"junit":    cmdJUnit,
			"tap":      cmdTAP,
			"readme":   cmdReadme,
		},
	})
}

func need(ts *testscript.TestScript, neg bool, args []string, n int, usage string) {
	if neg || len(args) < n {
		ts.Fatalf("usage: %s", usage)
	}
}

func cmdStatus(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 2, "status N CMD…")
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := exitStatus(ts.Exec(args[1], args[2:]...))
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

func exitStatus(err error) int {
	var ee *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &ee) && ee.ExitCode() >= 0:
		return ee.ExitCode()
	}
	return -1
}

func snapshotFile(ts *testscript.TestScript, name string) string {
	return ts.MkAbs(".snapshot-" + name)
}

func cmdSnapshot(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 1, "snapshot NAME")
	ts.Check(os.WriteFile(snapshotFile(ts, args[0]), []byte(snapshot()), 0o600))
}

func cmdSame(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, false, args, 2, "same A B")
	a, err := os.ReadFile(snapshotFile(ts, args[0]))
	ts.Check(err)
	b, err := os.ReadFile(snapshotFile(ts, args[1]))
	ts.Check(err)
	if equal := bytes.Equal(a, b); equal == neg {
		ts.Fatalf("snapshots %s and %s (-%[1]s +%[2]s):\n%s", args[0], args[1],
			cmp.Diff(strings.Split(string(a), "\n"), strings.Split(string(b), "\n")))
	}
}

// signalWait is how long a command may take to end after a signal.
const signalWait = 10 * time.Second

func cmdSignal(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 3, "signal SIG N CMD…")
	sig := unix.SignalNum("SIG" + args[0])
	want, err := strconv.Atoi(args[1])
	ts.Check(err)
	sign := "ready"
	if word := args[2]; len(word) > 2 && strings.HasPrefix(word, "/") && strings.HasSuffix(word, "/") {
		sign, args = strings.Trim(word, "/"), args[1:]
	}
	program := args[2]
	if program == "nsscript" {
		program = filepath.Join(os.Getenv(binEnv), program)
	}
	cmd := exec.Command(program, args[3:]...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = append(os.Environ(), "TMPDIR="+os.TempDir())
	// A terminal sends Ctrl-C to a whole group of processes.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	ready := false
	for lines := bufio.NewScanner(out); !ready && lines.Scan(); {
		ready = strings.Contains(lines.Text(), sign)
	}
	time.Sleep(100 * time.Millisecond)
	ts.Check(cmd.Process.Signal(sig))
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	select {
	case err = <-done:
	case <-time.After(signalWait):
		_ = cmd.Process.Kill()
		ts.Fatalf("still there %v after SIG%s\n%s", signalWait, args[0], &stderr)
	}
	ts.Logf("[stderr]\n%s", &stderr)
	ts.Check(os.WriteFile(ts.MkAbs("signal.stderr"), stderr.Bytes(), 0o600))
	if got := exitStatus(err); got != want || !ready {
		ts.Fatalf("ready %v, exit status %d (%v), want %d", ready, got, err, want)
	}
}

var sbins = []string{"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"}

func cmdHide(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 1, "hide PROGRAM…")
	empty := ts.MkAbs("no-program")
	ts.Check(os.WriteFile(empty, nil, 0o644))
	hidden := map[string]bool{}
	for _, p := range args {
		for _, dir := range sbins {
			real, err := filepath.EvalSymlinks(filepath.Join(dir, p))
			if err == nil && !hidden[real] {
				hidden[real] = true
				ts.Check(unix.Mount(empty, real, "", unix.MS_BIND, ""))
			}
		}
	}
	if len(hidden) == 0 {
		ts.Fatalf("this machine has none of %q to hide", args)
	}
}

func cmdBackend(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 1, "backend nft|legacy")
	dir := ts.MkAbs("backend-" + args[0])
	ts.Check(os.Mkdir(dir, 0o755))
	_, err := backendDir(dir, args[0])
	ts.Check(err)
	ts.Setenv("PATH", dir+":"+ts.Getenv("PATH"))
}
