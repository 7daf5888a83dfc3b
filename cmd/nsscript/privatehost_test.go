//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"nsscript/builtins/kernel"
	"nsscript/cmd/nsscript/internal/fault"
)

// Tests that build labs run in a private host: a process with network, mount and
// process namespaces of its own, an empty /run and its loopback interface up. So
// they touch nothing of the machine's, do not see one another, and leave nothing
// behind. The test binary plays three parts, told by stageEnv:
//
//	(none)   the tests that the user started; each starts a private host
//	"init"   the first process of a private host, which prepares it and reaps
//	"inside" one test, run in there by root or by an ordinary user
const (
	stageEnv  = "NSSTEST_STAGE"
	uidEnv    = "NSSTEST_UID"    // the user of the inside
	binEnv    = "NSSTEST_BIN"    // the directory of the nsscript program
	caseEnv   = "NSSTEST_CASE"   // the file that the inside is about
	updateEnv = "NSSTEST_UPDATE" // golden files are written anew
)

// ordinary is the id of a user that has no rights and no entry in /etc/passwd.
const ordinary = 12345

// kernelHas are the features that this kernel has.
var kernelHas = map[string]bool{}

// lacks reports whether this kernel is without a feature, in a private host too.
func lacks(feature string) bool {
	has, err := kernel.Has(feature)
	return err != nil || !has
}

// The first thread is kept from what tests do to their threads, as in main.
func init() { runtime.LockOSThread() }

func TestMain(m *testing.M) {
	fault.Main()
	if len(os.Args) > 1 && os.Args[1] == newServe().Name() {
		os.Exit(run(os.Args[1:])) // a lab that a test has built in its own process serves by this program
	}
	switch os.Getenv(stageEnv) {
	case "init":
		os.Exit(hostInit())
	case "inside":
		os.Exit(m.Run())
	}
	os.Exit(buildAndRun(m))
}

// buildAndRun builds the program once, as it is shipped, unless there is one already,
// and runs the tests.
func buildAndRun(m *testing.M) int {
	// Before there are processes that end with the thread which started them: each
	// trial of a feature ends one.
	for _, name := range kernel.Features() {
		kernelHas[name], _ = kernel.Has(name) // without the right to try it, tests do not run either
	}
	if os.Getenv(binEnv) != "" {
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "nsscript-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "nsscript"), ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building nsscript: %v\n%s", err, out)
		return 1
	}
	if err := errors.Join(os.Chmod(dir, 0o755), os.Setenv(binEnv, dir)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// inPrivateHost runs one test function in a private host, as the given user, and
// fails with all that it printed.
func inPrivateHost(t *testing.T, uid int, test, file string) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("a private host can be made by root only: run these tests as root")
	}
	cmd := exec.Command("/proc/self/exe", "-test.run=^"+test+"$", "-test.v", "-test.timeout="+longest())
	cmd.Env = append(os.Environ(), stageEnv+"=init", fmt.Sprintf("%s=%d", uidEnv, uid), caseEnv+"="+file)
	if *update {
		cmd.Env = append(cmd.Env, updateEnv+"=1")
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNET | unix.CLONE_NEWNS | unix.CLONE_NEWPID,
		Pdeathsig:  syscall.SIGKILL,
	}
	// The signal comes when the thread ends that has started the process: another one
	// of this process may have to end, after a stay in a namespace.
	runtime.LockOSThread()
	out, err := cmd.CombinedOutput()
	runtime.UnlockOSThread()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if !strings.Contains(string(out), "--- PASS: "+test) {
		t.Fatalf("%s did not run:\n%s", test, out)
	}
	return string(out)
}

// longest is how long a test in a private host may take.
func longest() string {
	if torture() {
		return "70m"
	}
	return "6m"
}

// hostInit prepares a private host, runs the test in it and reaps what its
// children leave, as a first process does.
func hostInit() int {
	home := fmt.Sprintf("/run/user/%d", ordinary)
	for _, step := range []error{
		unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""),
		unix.Mount("tmpfs", "/run", "tmpfs", 0, "mode=755"),
		// A planned script writes the resolvers of its namespaces there.
		os.MkdirAll(kernel.NetNSEtc, 0o755),
		unix.Mount("tmpfs", kernel.NetNSEtc, "tmpfs", 0, "mode=755"),
		unix.Mount("proc", "/proc", "proc", 0, ""),
		exec.Command("ip", "link", "set", "lo", "up").Run(),
		os.MkdirAll(home, 0o755),
		os.Chown(home, ordinary, ordinary),
	} {
		if step != nil {
			fmt.Fprintln(os.Stderr, "preparing a private host:", step)
			return 1
		}
	}
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), stageEnv+"=inside")
	if os.Getenv(uidEnv) != "0" {
		cmd.Env = append(cmd.Env, "HOME="+home, "XDG_RUNTIME_DIR="+home)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: ordinary, Gid: ordinary}}
	}
	if err := cmd.Start(); err != nil {
		fmt.Fprintln(os.Stderr, "starting the test in a private host:", err)
		return 1
	}
	for {
		var st syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &st, 0, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			fmt.Fprintln(os.Stderr, "waiting:", err)
			return 1
		case pid == cmd.Process.Pid && st.Signaled():
			return 128 + int(st.Signal())
		case pid == cmd.Process.Pid:
			return st.ExitStatus()
		}
	}
}

// insideOnly skips a test that is to run in a private host when it is started as
// one of all.
func insideOnly(t *testing.T) (file string) {
	t.Helper()
	if os.Getenv(stageEnv) != "inside" {
		t.Skip("run in a private host by another test")
	}
	return os.Getenv(caseEnv)
}
