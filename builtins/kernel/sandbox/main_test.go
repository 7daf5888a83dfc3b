//go:build linux

package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// roleEnv makes the test binary play a part in a test instead of running tests.
const roleEnv = "SANDBOX_TEST_ROLE"

func TestMain(m *testing.M) {
	Main()
	if role := os.Getenv(roleEnv); role != "" {
		os.Unsetenv(roleEnv)
		play(role)
	}
	os.Exit(m.Run())
}

// nobody is an ordinary user that this and most systems know by name.
const nobody = 65534

// each runs a test as root and as an ordinary user. For the latter the test binary is
// run again.
func each(t *testing.T, test func(t *testing.T, opts Options)) {
	t.Helper()
	if os.Geteuid() != 0 {
		test(t, Options{User: true})
		return
	}
	t.Run("root", func(t *testing.T) { test(t, Options{}) })
	t.Run("user", func(t *testing.T) { again(t, nobody, nil) })
}

// asUser runs a test that is about ordinary users only.
func asUser(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	if os.Geteuid() != 0 {
		test(t)
		return
	}
	again(t, nobody, nil)
}

// again runs the test in a new process of the given user. A nil setup does nothing; else
// it may change how that process is started.
func again(t *testing.T, uid uint32, setup func(cmd *exec.Cmd)) {
	t.Helper()
	top, _, _ := strings.Cut(t.Name(), "/")
	cmd := exec.Command("/proc/self/exe", "-test.run=^"+top+"$", "-test.v", "-test.timeout=2m")
	cmd.Env = append(os.Environ(), "TMPDIR="+homeOf(t, int(uid)))
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	cmd.WaitDelay = time.Second // a stray process may hold its output open
	if setup != nil {
		setup(cmd)
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("as user %d: %v\n%s", uid, err, out)
	}
	if strings.Contains(string(out), "--- SKIP") {
		t.Skipf("as user %d:\n%s", uid, out)
	}
	t.Logf("as user %d:\n%s", uid, out)
}

// homeOf makes a directory of the user's that it can reach.
func homeOf(t *testing.T, uid int) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "sandbox-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chown(dir, uid, uid); err != nil {
		t.Fatal(err)
	}
	return dir
}

func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// start makes a sandbox that ends with the test.
func start(t *testing.T, opts Options) *Sandbox {
	t.Helper()
	s, err := Start(soon(t), opts)
	if err != nil {
		t.Fatalf("Start: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Kill(soon(t)); err != nil {
			t.Errorf("Kill: %v", err)
		}
	})
	return s
}

// output runs a shell script inside and returns what it wrote.
func output(t *testing.T, s *Sandbox, script string) string {
	t.Helper()
	out, status := try(t, s, Command{Args: []string{"/bin/sh", "-c", script}})
	if status != (Status{}) {
		t.Fatalf("%s: %v\n%s", script, status, out)
	}
	return out
}

// try runs a command inside and returns what it wrote.
func try(t *testing.T, s *Sandbox, cmd Command) (string, Status) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd.Stdout, cmd.Stderr = w, w
	if cmd.Env == nil {
		cmd.Env = append(os.Environ(), "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
	}
	p, err := s.Start(cmd)
	w.Close()
	if err != nil {
		t.Fatalf("starting %q: %v", cmd.Args, err)
	}
	out, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	status, err := p.Wait()
	if err != nil {
		t.Fatalf("waiting for %q: %v", cmd.Args, err)
	}
	return strings.TrimSpace(string(out)), status
}

// spawn starts a shell script inside that says "ready" when it is; it is waited for when
// the test ends.
func spawn(t *testing.T, s *Sandbox, script string) *Process {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	p, err := s.Start(Command{Args: []string{"/bin/sh", "-c", script}, Stdout: w,
		Env: []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}})
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		p.Wait()
		close(done)
	}()
	t.Cleanup(func() {
		p.Signal(unix.SIGKILL)
		<-done
	})
	said := make([]byte, len("ready"))
	if _, err := io.ReadFull(r, said); err != nil || string(said) != "ready" {
		t.Fatalf("%s: said %q, %v", script, said, err)
	}
	return p
}

// eventually waits for something to become so.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !so(); {
		if time.Now().After(deadline) {
			t.Fatalf("never so: %s", what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func running(pid int) bool {
	st, err := thisMachine().stat(pid)
	return err == nil && !st.dead()
}

// play plays a part in a test. It does not return.
func play(role string) {
	var err error
	switch role {
	case "starter":
		err = playStarter()
	case "nested":
		err = playNested()
	case "filter":
		err = playFilter()
	case "storm":
		err = playStorm()
	case "headless":
		err = playHeadless()
	case "exhausted":
		err = playExhausted()
	case "mounted":
		err = playMounted()
	default:
		err = fmt.Errorf("no role %q", role)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// playStarter makes a sandbox with a daemon in it, says which, and waits to be killed.
func playStarter() error {
	s, err := Start(context.Background(), Options{User: os.Geteuid() != 0})
	if err != nil {
		return err
	}
	_, err = s.Start(Command{Args: []string{"/bin/sh", "-c", "echo $$; exec sleep 1000"}})
	if err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stdout).Encode(s.Identity()); err != nil {
		return err
	}
	time.Sleep(time.Hour)
	return nil
}

// mountsEnv holds what playMounted is to mount: SOURCE=TARGET, parted by commas.
const mountsEnv = "SANDBOX_TEST_MOUNTS"

// playMounted runs the test as nobody, in a mount namespace (which its parent made) where
// some files are others. Root stays root where all mounts are shared, as on most systems.
func playMounted() error {
	if os.Getenv(mountsEnv) == "shared" {
		if err := unix.Mount("", "/", "", unix.MS_SHARED|unix.MS_REC, ""); err != nil {
			return err
		}
		return syscall.Exec("/proc/self/exe", os.Args, os.Environ())
	}
	if err := unix.Mount("", "/", "", unix.MS_PRIVATE|unix.MS_REC, ""); err != nil {
		return err
	}
	for _, pair := range strings.Split(os.Getenv(mountsEnv), ",") {
		source, target, _ := strings.Cut(pair, "=")
		kind, data, flags := "", "", uintptr(unix.MS_BIND)
		switch source {
		case "proc":
			kind, data, flags = "proc", "hidepid=2", 0
		case "tmpfs":
			kind, data, flags = "tmpfs", fmt.Sprintf("uid=%d,mode=0700", nobody), 0
		}
		if err := unix.Mount(source, target, kind, flags, data); err != nil {
			return fmt.Errorf("mount %s: %w", pair, err)
		}
	}
	if err := syscall.Setgroups(nil); err != nil {
		return err
	}
	if err := syscall.Setresgid(nobody, nobody, nobody); err != nil {
		return err
	}
	if err := syscall.Setresuid(nobody, nobody, nobody); err != nil {
		return err
	}
	return syscall.Exec("/proc/self/exe", os.Args, os.Environ())
}

// mounted runs the test again as nobody where the given files are mounted.
func mounted(t *testing.T, mounts map[string]string) {
	t.Helper()
	var pairs []string
	for target, content := range mounts {
		source := content
		if content != "proc" {
			source = filepath.Join(t.TempDir(), "file")
			if err := os.WriteFile(source, []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		pairs = append(pairs, source+"="+target)
	}
	again(t, nobody, func(cmd *exec.Cmd) {
		cmd.Env = append(cmd.Env, roleEnv+"=mounted", mountsEnv+"="+strings.Join(pairs, ","))
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS}
	})
}
