//go:build linux

package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// In a user namespace of its own the test sets the limits to nothing.
func TestNoMoreNamespaces(t *testing.T) {
	for _, kind := range []string{"user", "mnt", "net"} {
		cmd := exec.Command("/proc/self/exe")
		cmd.Env = append(os.Environ(), roleEnv+"=exhausted", "SANDBOX_TEST_KIND="+kind)
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWNS,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}},
		}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", kind, err, out)
		}
	}
}

func playExhausted() error {
	kind := os.Getenv("SANDBOX_TEST_KIND")
	key := "user.max_" + kind + "_namespaces"
	if err := os.WriteFile("/proc/sys/user/max_"+kind+"_namespaces", []byte("0"), 0); err != nil {
		return err
	}
	_, err := Start(context.Background(), Options{User: true})
	var missing *Missing
	if !errors.As(err, &missing) || !errors.Is(err, unix.ENOSPC) ||
		!strings.Contains(missing.What, key+" is 0") || !strings.Contains(missing.Remedy, "sysctl -w "+key+"=") {
		return fmt.Errorf("got %v (%+v)", err, missing)
	}
	for _, f := range Diagnose(context.Background()) {
		if f.Name == "namespaces" && (f.OK || f.Remedy == "") && kind != "user" {
			return fmt.Errorf("diagnosis: %+v", f)
		}
	}
	return nil
}

// The kernel refuses a system call to the test by a filter, as a container's does.
const (
	filterEnv = "SANDBOX_TEST_FILTER" // what is refused: clone or mount
	factsEnv  = "SANDBOX_TEST_FACTS"  // a sysctl KEY=VALUE the machine is said to have
	wantEnv   = "SANDBOX_TEST_WANT"   // what the error must hold, and the remedy, as JSON
)

func TestRefusedByTheKernel(t *testing.T) {
	for name, c := range map[string]struct {
		filter, facts string
		root          bool
		what, remedy  string
	}{
		"container":        {"clone", "", false, "seccomp filter forbids user namespaces", "docker run --privileged"},
		"debian":           {"clone", "kernel.unprivileged_userns_clone=0", false, "kernel.unprivileged_userns_clone is 0", "sysctl -w kernel.unprivileged_userns_clone=1"},
		"ubuntu":           {"mount", apparmorKey + "=1", false, "AppArmor", "  userns,\n"},
		"ubuntu, sysctl":   {"mount", apparmorKey + "=1", false, apparmorKey + " is 1", "sudo sysctl -w " + apparmorKey + "=0"},
		"root, no rights":  {"clone", "", true, "CAP_SYS_ADMIN", "docker run --privileged"},
		"mounts forbidden": {"mount", "", false, "seccomp filter or security module", "docker run"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.root && os.Geteuid() != 0 {
				t.Skip("needs root")
			}
			want, _ := json.Marshal([]string{c.what, c.remedy})
			cmd := exec.Command("/proc/self/exe")
			cmd.Env = append(os.Environ(), roleEnv+"=filter", filterEnv+"="+c.filter, factsEnv+"="+c.facts, wantEnv+"="+string(want))
			if !c.root && os.Geteuid() == 0 {
				cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
				cmd.Env = append(cmd.Env, "TMPDIR="+homeOf(t, nobody))
			}
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

func playFilter() error {
	m := thisMachine()
	if key, value, found := strings.Cut(os.Getenv(factsEnv), "="); found {
		dir, err := os.MkdirTemp("", "")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		m.sys = dir
		path := filepath.Join(dir, strings.ReplaceAll(key, ".", "/"))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(value+"\n"), 0o644); err != nil {
			return err
		}
	}
	if err := refuse(os.Getenv(filterEnv)); err != nil {
		return err
	}
	_, err := m.start(context.Background(), Options{User: os.Geteuid() != 0})
	var want []string
	if err := json.Unmarshal([]byte(os.Getenv(wantEnv)), &want); err != nil {
		return err
	}
	var missing *Missing
	if !errors.As(err, &missing) || !strings.Contains(missing.What, want[0]) || !strings.Contains(missing.Remedy, want[1]) {
		return fmt.Errorf("got %v (%+v)\nwant %q", err, missing, want)
	}
	if _, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); err != syscall.ECHILD {
		return errors.New("a child is left")
	}
	return nil
}

// refuse installs a seccomp filter on all threads: no clone with a new mount namespace
// (EPERM), no mount (EACCES), or nothing.
func refuse(call string) error {
	const allow, refused = unix.SECCOMP_RET_ALLOW, unix.SECCOMP_RET_ERRNO
	load := func(offset uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offset}
	}
	equal := func(k uint32, yes, no uint8) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: yes, Jf: no, K: k}
	}
	ret := func(k uint32) unix.SockFilter { return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: k} }
	program := []unix.SockFilter{ret(allow)}
	switch call {
	case "mount":
		program = []unix.SockFilter{load(0), equal(unix.SYS_MOUNT, 0, 1), ret(refused | uint32(unix.EACCES)), ret(allow)}
	case "clone":
		program = []unix.SockFilter{
			load(0), equal(unix.SYS_CLONE, 0, 3),
			load(16), // the first argument
			{Code: unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K, Jf: 1, K: unix.CLONE_NEWNS},
			ret(refused | uint32(unix.EPERM)), ret(allow),
		}
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	f := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&f)))
	if errno != 0 {
		return errno
	}
	return nil
}

func TestNoRightsForSubordinateIDs(t *testing.T) {
	asUser(t, func(t *testing.T) {
		if _, err := findMapper("newuidmap"); err != nil {
			t.Skip(err)
		}
		id := start(t, Options{User: true}).Identity()
		if id.SubIDs {
			t.Skip("this user has subordinate ids")
		}
		if !strings.Contains(id.Reason, "/etc/sub") || !strings.Contains(id.Remedy, "usermod --add-subuids") {
			t.Errorf("reason %q, remedy %q", id.Reason, id.Remedy)
		}
	})
}

func TestSubordinateIDs(t *testing.T) {
	if os.Geteuid() == 0 {
		for _, program := range []string{"newuidmap", "newgidmap"} {
			if _, err := findMapper(program); err != nil {
				t.Skip(err)
			}
		}
		ranges := "other:1:5\nnobody:100000:1000\n65534:300000:65536\n"
		mounted(t, map[string]string{"/etc/subuid": ranges, "/etc/subgid": ranges})
		return
	}
	s := start(t, Options{User: true})
	if id := s.Identity(); !id.SubIDs {
		if os.Getenv(mountsEnv) != "" {
			t.Fatalf("no subordinate ids: %s", id.Reason)
		}
		t.Skipf("no subordinate ids: %s", id.Reason)
	}
	if got := output(t, s, "cat /proc/self/uid_map | tr -s ' '"); !strings.Contains(got, " 1 100000 1000") || !strings.Contains(got, " 1001 300000 65536") {
		t.Errorf("uid_map: %q", got)
	}
	dir := t.TempDir()
	for _, dir := range []string{dir, filepath.Dir(dir), os.TempDir()} {
		if err := os.Chmod(dir, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	output(t, s, "setpriv --reuid 5 --regid 5 --clear-groups touch "+dir+"/five")
	var st unix.Stat_t
	if err := unix.Stat(dir+"/five", &st); err != nil || st.Uid != 100004 || st.Gid != 100004 {
		t.Errorf("the file of user 5 inside is owned by %d:%d, %v", st.Uid, st.Gid, err)
	}
	output(t, s, "rm "+dir+"/five")
	if got := output(t, s, "cat /proc/sys/net/ipv4/ping_group_range"); got != "0\t66536" {
		t.Errorf("ping_group_range: %q", got)
	}
	// A member of another uid is found and ended too.
	p := spawn(t, s, "exec setpriv --reuid 7 --regid 7 --clear-groups sh -c 'echo ready; exec sleep 1000'")
	if err := s.Kill(soon(t)); err != nil {
		t.Error(err)
	}
	if running(p.PID()) {
		t.Error("the process of user 7 still runs")
	}
}

// newuidmap may be there and yet be refused; then there is a sandbox all the same.
func TestSubordinateIDsRefused(t *testing.T) {
	if os.Geteuid() == 0 {
		if _, err := findMapper("newuidmap"); err != nil {
			t.Skip(err)
		}
		ranges := "nobody:200000:77\n"
		mounted(t, map[string]string{"/etc/subuid": ranges, "/etc/subgid": ranges})
		return
	}
	if text, _ := os.ReadFile("/etc/subuid"); string(text) != "nobody:200000:77\n" {
		t.Skip("needs root to lay out /etc")
	}
	// With no_new_privs, which comes with the filter, newuidmap is not run as root.
	if err := refuse("nothing"); err != nil {
		t.Fatal(err)
	}
	id := start(t, Options{User: true}).Identity()
	if id.SubIDs || !strings.Contains(id.Reason, "newuidmap refused") {
		t.Errorf("subordinate ids %v, reason %q", id.SubIDs, id.Reason)
	}
}

func TestHiddenProcesses(t *testing.T) {
	if os.Geteuid() == 0 {
		mounted(t, map[string]string{"/proc": "proc"})
		return
	}
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil || !strings.Contains(string(text), "hidepid") {
		t.Skip("needs root to mount /proc")
	}
	s := start(t, Options{User: true})
	spawn(t, s, "exec unshare -Urn sh -c 'echo ready; exec sleep 1000'")
	if pids, err := s.Processes(); err != nil || len(pids) != 1 {
		t.Errorf("Processes: %v, %v", pids, err)
	}
}

func TestDiagnose(t *testing.T) {
	each(t, func(t *testing.T, _ Options) {
		before := openFiles(t)
		for _, f := range Diagnose(soon(t)) {
			t.Logf("%+v", f)
			if !f.OK && !f.Optional || !f.OK && f.Remedy == "" {
				t.Errorf("%+v", f)
			}
		}
		if after := openFiles(t); after > before+4 {
			t.Errorf("%d files open, %d before", after, before)
		}
	})
}

func TestAppArmorProfile(t *testing.T) {
	got := apparmorProfile("/usr/local/bin/nsscript")
	for _, line := range []string{"abi <abi/4.0>,", `profile nsscript "/usr/local/bin/nsscript" flags=(unconfined) {`, "  userns,"} {
		if !strings.Contains(got, line+"\n") {
			t.Errorf("no line %q in\n%s", line, got)
		}
	}
}
