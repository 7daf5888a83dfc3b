//go:build linux

package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestStartKeepOpenEnterKill(t *testing.T) {
	each(t, func(t *testing.T, opts Options) {
		opts.Label = "nsscript: a test"
		s := start(t, opts)
		if err := s.Keep(); err != nil {
			t.Fatalf("Keep: %v", err)
		}
		text, err := json.Marshal(s.Identity())
		if err != nil {
			t.Fatal(err)
		}
		var id Identity
		if err := json.Unmarshal(text, &id); err != nil {
			t.Fatal(err)
		}
		cmdline, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", id.PID))
		if !strings.HasPrefix(string(cmdline), opts.Label+"\x00") {
			t.Errorf("ps shows the keeper as %q", cmdline)
		}

		other, err := Open(id)
		if err != nil {
			t.Fatalf("Open: %v", err)
		}
		outside, _ := os.Readlink("/proc/self/ns/net")
		inside := output(t, other, "readlink /proc/self/ns/net")
		if inside == outside || inside != nsLink("net", id.NetNS) {
			t.Errorf("the network namespace inside is %s, want %s (outside: %s)", inside, nsLink("net", id.NetNS), outside)
		}
		if got := output(t, other, "id -u; id -g; cat /sys/class/net/lo/flags; ls /sys/class/net"); got != "0\n0\n0x9\nlo" {
			t.Errorf("inside: %q", got)
		}
		if err := other.Kill(soon(t)); err != nil {
			t.Errorf("Kill: %v", err)
		}
		if err := other.Kill(soon(t)); err != nil {
			t.Errorf("Kill again: %v", err)
		}
		if _, err := Open(id); !errors.Is(err, ErrGone) {
			t.Errorf("Open after Kill: %v, want ErrGone", err)
		}
		if running(id.PID) {
			t.Error("the keeper still runs")
		}
		if err := s.Kill(soon(t)); err != nil {
			t.Errorf("Kill of what another handle killed: %v", err)
		}
		if err := Kill(soon(t), id); err != nil {
			t.Errorf("Kill by identity of what is gone: %v", err)
		}
	})
}

func TestOpenTakesNothingElseForASandbox(t *testing.T) {
	each(t, func(t *testing.T, opts Options) {
		id := start(t, opts).Identity()
		for name, change := range map[string]func(id *Identity){
			"another boot":              func(id *Identity) { id.BootID = "00000000-0000-0000-0000-000000000000" },
			"a pid given away again":    func(id *Identity) { id.StartTime++ },
			"another process":           func(id *Identity) { id.PID = os.Getpid() },
			"no process":                func(id *Identity) { id.PID = 0 },
			"another network namespace": func(id *Identity) { id.NetNS++ },
		} {
			wrong := id
			change(&wrong)
			if _, err := Open(wrong); !errors.Is(err, ErrGone) {
				t.Errorf("%s: %v, want ErrGone", name, err)
			}
		}
		// Nothing has the mark of a sandbox that never was; everything has a tmpfs.
		for _, mark := range []string{"", "tmpfs", "nsscript-NEVER"} {
			a := thisMachine().remains(Identity{Mark: mark})
			if pids, err := a.members(); err != nil || len(pids) != 0 {
				t.Errorf("mark %q: processes %v, %v", mark, pids, err)
			}
		}
	})
}

func TestFilesMadeInsideAreTheUsers(t *testing.T) {
	asUser(t, func(t *testing.T) {
		dir := t.TempDir()
		s := start(t, Options{User: true})
		output(t, s, "echo inside > "+dir+"/file")
		var st unix.Stat_t
		if err := unix.Stat(dir+"/file", &st); err != nil {
			t.Fatal(err)
		}
		if int(st.Uid) != os.Geteuid() || int(st.Gid) != os.Getegid() {
			t.Errorf("owned by %d:%d, want %d:%d", st.Uid, st.Gid, os.Geteuid(), os.Getegid())
		}
		if err := os.WriteFile(dir+"/later", []byte("outside"), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := output(t, s, "cat "+dir+"/later"); got != "outside" {
			t.Errorf("inside reads %q", got)
		}
	})
}

func TestRunsFileSystem(t *testing.T) {
	each(t, func(t *testing.T, opts Options) {
		s := start(t, opts)
		output(t, s, "test -w /run && touch /run/xtables.lock /run/netns/x /run/only-inside && mkdir /run/dir-inside")
		for _, name := range []string{"/run/only-inside", "/run/netns/x", "/run/dir-inside"} {
			if _, err := os.Lstat(name); err == nil {
				t.Errorf("%s is seen outside", name)
			}
		}
		outside, err := os.ReadDir("/run")
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range outside {
			path := "/run/" + entry.Name()
			if strings.Contains("netns xtables.lock nsscript", entry.Name()) {
				continue
			}
			if entry.Type()&os.ModeSymlink != 0 {
				target, _ := os.Readlink(path)
				if got := output(t, s, "readlink "+path); got != target {
					t.Errorf("%s points to %q inside, to %q outside", path, got, target)
				}
				continue
			}
			var st unix.Stat_t
			if err := unix.Lstat(path, &st); err != nil {
				t.Fatal(err)
			}
			if got, want := output(t, s, "stat -c %i "+path), fmt.Sprint(st.Ino); got != want {
				t.Errorf("%s is inode %s inside, %s outside", path, got, want)
			}
		}
		if got := output(t, s, "grep ' /run/netns ' /proc/self/mountinfo"); !strings.Contains(got, "shared:") {
			t.Errorf("/run/netns is not shared: %s", got)
		}
		if below, err := os.ReadDir("/sys/fs/cgroup"); err == nil {
			if got, want := output(t, s, "ls -A /sys/fs/cgroup | wc -l"), fmt.Sprint(len(below)); got != want {
				t.Errorf("/sys/fs/cgroup has %s entries inside, %s outside", got, want)
			}
		}
		if notes := s.Identity().Notes; len(notes) != 0 {
			t.Errorf("not to be had: %q", notes)
		}
	})
}

// What is in /run is there inside too: directories with mounts below, sockets, files
// that come later; and what is written is seen on both sides.
func TestRuntimeDirectoryWorksOnBothSides(t *testing.T) {
	if os.Geteuid() == 0 && os.Getenv("XDG_RUNTIME_DIR") != "/run/user/65534" {
		run := homeOf(t, nobody)
		for _, dir := range []string{"user", "user/65534", "netns"} {
			if err := os.Mkdir(filepath.Join(run, dir), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		os.WriteFile(filepath.Join(run, "netns/roots"), nil, 0o644)
		os.WriteFile(filepath.Join(run, "pid"), []byte("7"), 0o644)
		again(t, nobody, func(cmd *exec.Cmd) {
			cmd.Env = append(cmd.Env, "XDG_RUNTIME_DIR=/run/user/65534", roleEnv+"=mounted", mountsEnv+"="+run+"=/run,tmpfs=/run/user/65534")
			cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS}
		})
		return
	}
	if os.Getenv("XDG_RUNTIME_DIR") != "/run/user/65534" {
		t.Skip("needs root to lay out a /run")
	}
	l, err := os.OpenFile("/run/user/65534/early", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	s := start(t, Options{User: true})
	if err := os.WriteFile("/run/user/65534/late", []byte("late"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := output(t, s, "cd $XDG_RUNTIME_DIR; ls; cat late /run/pid; echo x > inside; ls /run /run/netns"); got != "early\nlate\nlate7/run:\nnetns\npid\nuser\n\n/run/netns:" {
		t.Errorf("inside: %q", got)
	}
	if text, err := os.ReadFile("/run/user/65534/inside"); err != nil || string(text) != "x\n" {
		t.Errorf("outside: %q, %v", text, err)
	}
}

func TestMountsStayInside(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to lay out mounts")
	}
	if os.Getenv(mountsEnv) == "" {
		again(t, 0, func(cmd *exec.Cmd) {
			cmd.Env = append(cmd.Env, roleEnv+"=mounted", mountsEnv+"=shared")
			cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS}
		})
		return
	}
	s := start(t, Options{})
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil || strings.Contains(string(text), s.Identity().Mark) {
		t.Errorf("the sandbox's /run is seen outside (%v):\n%s", err, text)
	}
}

func TestShareKeepsAnEntryOfRun(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to write to /run")
	}
	const dir = "/run/nsscript"
	if os.Mkdir(dir, 0o755) == nil {
		t.Cleanup(func() { os.Remove(dir) })
	}
	for _, share := range []bool{false, true} {
		opts := Options{}
		if share {
			opts.Share = []string{"nsscript"}
		}
		got := output(t, start(t, opts), "test -d /run/nsscript && echo there || echo not")
		if want := map[bool]string{false: "not", true: "there"}[share]; got != want {
			t.Errorf("shared %v: %s is %s", share, dir, got)
		}
	}
}

func needs(t *testing.T, program string) {
	t.Helper()
	for _, dir := range []string{"/usr/sbin", "/usr/bin", "/sbin", "/bin"} {
		if _, err := exec.LookPath(dir + "/" + program); err == nil {
			return
		}
	}
	t.Skipf("needs the program %s", program)
}

func TestIPNetnsWorksInside(t *testing.T) {
	needs(t, "ip")
	each(t, func(t *testing.T, opts Options) {
		s := start(t, opts)
		got := output(t, s, `ip netns add x && ip netns add y && ip -n x link add name va type veth peer name vb netns y &&
			ip netns list | sort && ip netns exec x ls /sys/class/net`)
		if !strings.HasPrefix(got, "x") || !strings.HasSuffix(got, "\nlo\nva") {
			t.Errorf("inside: %q", got)
		}
		if _, err := os.Lstat("/run/netns/x"); err == nil {
			t.Error("the namespace x is seen outside")
		}
	})
}

func TestIptablesWorksInside(t *testing.T) {
	needs(t, "iptables")
	each(t, func(t *testing.T, opts Options) {
		s := start(t, opts)
		if got := output(t, s, "iptables -P FORWARD DROP && iptables -t nat -A POSTROUTING -j MASQUERADE && iptables -S FORWARD"); got != "-P FORWARD DROP" {
			t.Errorf("inside: %q", got)
		}
	})
}

func TestNetworkIsReadyInside(t *testing.T) {
	each(t, func(t *testing.T, opts Options) {
		s := start(t, opts)
		if got := output(t, s, "cat /proc/sys/net/ipv6/conf/default/accept_dad /proc/sys/net/ipv4/ping_group_range"); !strings.HasPrefix(got, "0\n0\t") {
			t.Errorf("inside: %q", got)
		}
	})
}

// A program inside that finds the sandbox by its identity comes to the same place.
func TestEnterFromInside(t *testing.T) {
	each(t, func(t *testing.T, opts Options) {
		s := start(t, opts)
		id, err := json.Marshal(s.Identity())
		if err != nil {
			t.Fatal(err)
		}
		out, status := try(t, s, Command{
			Path: "/proc/self/exe", Args: []string{"nested"},
			Env: append(os.Environ(), roleEnv+"=nested", "SANDBOX_TEST_ID="+string(id)),
		})
		lines := strings.Split(out, "\n") // with -cover, a complaint may follow
		if status != (Status{}) || len(lines) < 2 || lines[0] != lines[1] {
			t.Errorf("%v: %q", status, out)
		}
		if want := nsLink("net", s.Identity().NetNS); !strings.Contains(out, want) {
			t.Errorf("%q does not hold %s", out, want)
		}
	})
}

func playNested() error {
	var id Identity
	if err := json.Unmarshal([]byte(os.Getenv("SANDBOX_TEST_ID")), &id); err != nil {
		return err
	}
	s, err := Open(id)
	if err != nil {
		return err
	}
	var all []string
	for _, kind := range []string{"user", "mnt", "net"} {
		link, err := os.Readlink("/proc/self/ns/" + kind)
		if err != nil {
			return err
		}
		all = append(all, link)
	}
	fmt.Println(strings.Join(all, " "))
	p, err := s.Start(Command{Args: []string{"/bin/sh", "-c", "cd /proc/self/ns; echo $(readlink user mnt net)"}})
	if err != nil {
		return err
	}
	_, err = p.Wait()
	return err
}

func TestRootEntersAUsersSandbox(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	cmd, id := startElsewhere(t, nobody)
	defer cmd.Wait()
	defer cmd.Process.Kill()
	s, err := Open(id)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	dir := homeOf(t, nobody)
	groups, err := syscall.Getgroups()
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setgroups([]int{0, 4}); err != nil {
		t.Fatal(err)
	}
	defer syscall.Setgroups(groups)
	if got := output(t, s, "id -u; id -G; echo > "+dir+"/file"); got != "0\n0" {
		t.Errorf("inside: %q", got)
	}
	var st unix.Stat_t
	if err := unix.Stat(dir+"/file", &st); err != nil || st.Uid != nobody {
		t.Errorf("the file's owner is %d, %v", st.Uid, err)
	}
	if err := s.Kill(soon(t)); err != nil {
		t.Error(err)
	}
}

// startElsewhere has another process make a sandbox.
func startElsewhere(t *testing.T, uid uint32) (*exec.Cmd, Identity) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), roleEnv+"=starter")
	if uid != uint32(os.Geteuid()) {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	}
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// The daemon says its pid, the starter the identity, in either order.
	var id Identity
	for range 2 {
		var raw json.RawMessage
		if err := json.NewDecoder(io.LimitReader(oneLine{out}, 1<<16)).Decode(&raw); err != nil {
			t.Fatal(err)
		}
		json.Unmarshal(raw, &id)
	}
	return cmd, id
}

// oneLine reads up to the end of a line and no further.
type oneLine struct{ r io.Reader }

func (o oneLine) Read(b []byte) (int, error) {
	for i := range b {
		if n, err := o.r.Read(b[i : i+1]); n == 0 {
			return i, err
		}
		if b[i] == '\n' {
			return i + 1, nil
		}
	}
	return len(b), nil
}

func TestKeeperDiesWithItsStarter(t *testing.T) {
	each(t, func(t *testing.T, _ Options) {
		cmd, id := startElsewhere(t, uint32(os.Geteuid()))
		s, err := Open(id)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		pids, err := s.Processes()
		if err != nil || len(pids) != 1 {
			t.Fatalf("Processes: %v, %v", pids, err)
		}
		cmd.Process.Kill()
		cmd.Wait()
		eventually(t, "keeper and daemon are gone", func() bool { return !running(id.PID) && !running(pids[0]) })
		if _, err := Open(id); !errors.Is(err, ErrGone) {
			t.Errorf("Open: %v, want ErrGone", err)
		}
	})
}

func TestKeeperEndsInOrderOnSIGTERM(t *testing.T) {
	each(t, func(t *testing.T, opts Options) {
		s := start(t, opts)
		p := spawn(t, s, "trap '' TERM; echo ready; while :; do sleep 100; done")
		if err := s.Keep(); err != nil {
			t.Fatal(err)
		}
		unix.Kill(s.Identity().PID, unix.SIGINT)
		unix.Kill(s.Identity().PID, unix.SIGHUP)
		time.Sleep(20 * time.Millisecond)
		if !running(s.Identity().PID) {
			t.Fatal("SIGINT or SIGHUP ended the keeper")
		}
		unix.Kill(s.Identity().PID, unix.SIGTERM)
		eventually(t, "keeper and member are gone", func() bool { return !running(s.Identity().PID) && !running(p.PID()) })
		if _, err := s.Start(Command{Args: []string{"true"}}); !errors.Is(err, ErrGone) {
			t.Errorf("Start in a sandbox that is gone: %v, want ErrGone", err)
		}
	})
}

func TestStatusPassesThrough(t *testing.T) {
	each(t, func(t *testing.T, opts Options) {
		s := start(t, opts)
		if _, got := try(t, s, Command{Args: []string{"sh", "-c", "exit 42"}}); got != (Status{Code: 42}) {
			t.Errorf("exit 42: %v", got)
		}
		if _, got := try(t, s, Command{Args: []string{"sh", "-c", "kill -QUIT $$"}}); got != (Status{Signal: unix.SIGQUIT}) {
			t.Errorf("kill -QUIT: %v", got)
		}
		p := spawn(t, s, "trap 'exit 7' USR1; echo ready; while :; do sleep 0.01; done")
		if err := p.Signal(unix.SIGUSR1); err != nil {
			t.Fatal(err)
		}
		eventually(t, "it ended on SIGUSR1", func() bool { return !running(p.PID()) })
	})
}

func TestWhatCannotBeRun(t *testing.T) {
	each(t, func(t *testing.T, opts Options) {
		s := start(t, opts)
		plain := filepath.Join(t.TempDir(), "plain")
		os.WriteFile(plain, nil, 0o644)
		for _, c := range []struct {
			cmd  Command
			is   error
			text string
		}{
			{Command{Args: []string{"no-such-program"}}, os.ErrNotExist, `no program "no-such-program" in PATH: no such file or directory`},
			{Command{Args: []string{"/no/such"}}, os.ErrNotExist, "exec /no/such: no such file or directory"},
			{Command{Args: []string{plain}}, os.ErrPermission, "exec " + plain + ": permission denied"},
			{Command{Args: []string{"/bin/true"}, Dir: "/no/dir"}, os.ErrNotExist, "chdir /no/dir: no such file or directory"},
			{Command{Args: []string{"a\x00b"}}, unix.EINVAL, ""},
			{Command{}, nil, "sandbox: a command without arguments"},
		} {
			_, err := s.Start(c.cmd)
			if err == nil || c.is != nil && !errors.Is(err, c.is) || c.text != "" && err.Error() != c.text {
				t.Errorf("%+v: %v, want %s", c.cmd, err, c.text)
			}
		}
	})
}

func TestCommandKeepsItsSurroundings(t *testing.T) {
	each(t, func(t *testing.T, opts Options) {
		s := start(t, opts)
		dir := t.TempDir()
		t.Chdir(dir)
		if got := output(t, s, "pwd"); got != dir {
			t.Errorf("working directory %q, want %q", got, dir)
		}
		if out, _ := try(t, s, Command{Args: []string{"/bin/pwd"}, Dir: "/usr"}); out != "/usr" {
			t.Errorf("working directory %q, want /usr", out)
		}
		if out, _ := try(t, s, Command{Args: []string{"/usr/bin/env"}, Env: []string{"A=1"}}); out != "A=1" {
			t.Errorf("environment %q", out)
		}
		if got := output(t, s, "cut -d' ' -f5 < /proc/self/stat"); got != fmt.Sprint(unix.Getpgrp()) {
			t.Errorf("process group %s, want %d", got, unix.Getpgrp())
		}
		out, _ := try(t, s, Command{Args: []string{"/bin/sh", "-c", "cut -d' ' -f5 < /proc/self/stat"}, Session: true})
		if out == fmt.Sprint(unix.Getpgrp()) {
			t.Errorf("in the caller's process group despite Session")
		}
	})
}

func TestFilesPassThrough(t *testing.T) {
	each(t, func(t *testing.T, opts Options) {
		s := start(t, opts)
		file := func(text string) *os.File {
			f, err := os.CreateTemp(t.TempDir(), "")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { f.Close() })
			f.WriteString(text)
			f.Seek(0, io.SeekStart)
			return f
		}
		// Many, so that the places they go to are taken by one another.
		cmd := Command{Stdin: file("in")}
		script := "cat"
		want := "in"
		for i := range 20 {
			cmd.Files = append([]*os.File{file(fmt.Sprint(" ", 19-i))}, cmd.Files...)
			script += fmt.Sprintf("; cat /proc/self/fd/%d", 3+i)
			want += fmt.Sprint(" ", i)
		}
		cmd.Args = []string{"/bin/sh", "-c", script}
		if out, _ := try(t, s, cmd); out != want {
			t.Errorf("read %q, want %q", out, want)
		}
		// More places than any of our files has: the pipe for errors must get out of the way.
		cmd.Files = slices.Repeat([]*os.File{os.Stdin}, 100)
		cmd.Args = []string{"/no/such/program"}
		if _, err := s.Start(cmd); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("starting no program: %v", err)
		}
		cmd.Files = nil
		cmd.Args = []string{"/bin/ls", "/proc/self/fd"}
		cmd.Stdin = file("")
		// As many as any child of ours has: what the tests were started with, and that of ls.
		other, err := exec.Command("/bin/ls", "/proc/self/fd").Output()
		if err != nil {
			t.Fatal(err)
		}
		if out, _ := try(t, s, cmd); out != strings.TrimSpace(string(other)) {
			t.Errorf("open files inside: %q, of another child %q", out, other)
		}
	})
}

func TestTerminalPassesThrough(t *testing.T) {
	each(t, func(t *testing.T, opts Options) {
		ptmx, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
		if err != nil {
			t.Skip(err)
		}
		defer ptmx.Close()
		n, err := unix.IoctlGetInt(int(ptmx.Fd()), unix.TIOCGPTN)
		if err != nil {
			t.Skip(err)
		}
		if err := unix.IoctlSetPointerInt(int(ptmx.Fd()), unix.TIOCSPTLCK, 0); err != nil {
			t.Skip(err)
		}
		name := fmt.Sprintf("/dev/pts/%d", n)
		tty, err := os.OpenFile(name, os.O_RDWR|unix.O_NOCTTY, 0)
		if err != nil {
			t.Skip(err)
		}
		defer tty.Close()
		s := start(t, opts)
		if got, status := try(t, s, Command{Args: []string{"tty"}, Stdin: tty}); got != name {
			t.Errorf("tty says %q, want %q (%v)", got, name, status)
		}
	})
}

func TestManyAtOnce(t *testing.T) {
	each(t, func(t *testing.T, opts Options) {
		var wg sync.WaitGroup
		nets := make([]string, 20)
		for i := range nets {
			wg.Go(func() {
				s, err := Start(soon(t), opts)
				if err != nil {
					t.Errorf("Start: %v", err)
					return
				}
				nets[i], _ = try(t, s, Command{Args: []string{"readlink", "/proc/self/ns/net"}})
				if err := s.Kill(soon(t)); err != nil {
					t.Errorf("Kill: %v", err)
				}
				if running(s.Identity().PID) {
					t.Error("the keeper still runs")
				}
			})
		}
		wg.Wait()
		seen := map[string]bool{}
		for _, net := range nets {
			if net == "" || seen[net] {
				t.Errorf("network namespace %q seen twice", net)
			}
			seen[net] = true
		}
	})
}

// Killed at any moment, a starter leaves nothing: neither keepers nor children that were
// still waiting to become one.
func TestStarterKilledAtAnyMoment(t *testing.T) {
	each(t, func(t *testing.T, _ Options) {
		for i := range 15 {
			token := fmt.Sprintf("storm-%d-%d", os.Getpid(), i)
			cmd := exec.Command("/proc/self/exe", token)
			cmd.Env = append(os.Environ(), roleEnv+"=storm")
			cmd.Stderr = os.Stderr
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Duration(15+3*i) * time.Millisecond)
			cmd.Process.Kill()
			cmd.Wait()
			eventually(t, "nothing bears the name "+token, func() bool { return len(named(t, token)) == 0 })
		}
	})
}

// named returns the processes with a text in their arguments.
func named(t *testing.T, text string) (pids []string) {
	t.Helper()
	paths, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		if args, err := os.ReadFile(path); err == nil && strings.Contains(string(args), text) {
			pids = append(pids, path)
		}
	}
	return pids
}

// playStorm makes sandboxes until it is killed.
func playStorm() error {
	fault := make(chan error)
	for range 6 {
		go func() {
			for {
				s, err := Start(context.Background(), Options{User: os.Geteuid() != 0, Label: os.Args[1]})
				if err == nil {
					err = s.Kill(context.Background())
				}
				if err != nil {
					fault <- err
				}
			}
		}()
	}
	return <-fault
}

// A shell that waits for all writers of a pipe to be gone must not wait for the keeper.
func TestKeeperHoldsNoFilesOfItsStarter(t *testing.T) {
	each(t, func(t *testing.T, opts Options) {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		// As if it had been open when this process began: without close-on-exec.
		inherited, err := unix.FcntlInt(w.Fd(), unix.F_DUPFD, 20)
		if err != nil {
			t.Fatal(err)
		}
		s := start(t, opts)
		unix.Close(inherited)
		w.Close()
		if err := s.Keep(); err != nil {
			t.Fatal(err)
		}
		r.SetReadDeadline(time.Now().Add(3 * time.Second))
		if _, err := r.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("reading the pipe: %v, want the end of file", err)
		}
		if cwd, _ := os.Readlink(fmt.Sprintf("/proc/%d/cwd", s.Identity().PID)); cwd != "/" {
			t.Errorf("the keeper's working directory is %s", cwd)
		}
	})
}

// Go raises the limit of open files for itself; what runs inside gets the caller's.
func TestLimitOfOpenFilesIsTheCallers(t *testing.T) {
	const env = "SANDBOX_TEST_LIMITED"
	if os.Getenv(env) == "" {
		cmd := exec.Command("/bin/sh", "-c", `ulimit -Sn 300; "$0" "$@"; exit $?`,
			"/proc/self/exe", "-test.run=^TestLimitOfOpenFilesIsTheCallers$")
		var err error
		if cmd.Args[3], err = os.Executable(); err != nil {
			t.Fatal(err)
		}
		cmd.Env = append(os.Environ(), env+"=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	if got := output(t, start(t, Options{User: os.Geteuid() != 0}), "ulimit -Sn"); got != "300" {
		t.Errorf("the limit inside is %s, want 300", got)
	}
}

// The fork must hold while other threads allocate, collect, get signals and fork too.
func TestEnterUnderLoad(t *testing.T) {
	each(t, func(t *testing.T, opts Options) {
		s := start(t, opts)
		ctx, stop := context.WithCancel(soon(t))
		defer stop()
		var load, work sync.WaitGroup
		for range 4 {
			load.Go(func() {
				for kept := [][]byte{}; ctx.Err() == nil; kept = append(kept, make([]byte, 1<<16)) {
					if len(kept) == 100 {
						kept = nil
						runtime.GC()
						unix.Kill(os.Getpid(), unix.SIGURG)
					}
				}
			})
		}
		for range 8 {
			work.Go(func() {
				for range 40 {
					p, err := s.Start(Command{Args: []string{"sh", "-c", "exit 3"}})
					if err != nil {
						t.Error(err)
						return
					}
					if status, err := p.Wait(); err != nil || status.Code != 3 {
						t.Errorf("%v, %v", status, err)
					}
					if out, err := exec.Command("/bin/echo", "x").Output(); err != nil || string(out) != "x\n" {
						t.Errorf("a child outside: %q, %v", out, err)
					}
				}
			})
		}
		work.Wait()
		stop()
		load.Wait()
	})
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

func TestNothingLeaks(t *testing.T) {
	each(t, func(t *testing.T, opts Options) {
		round := func() {
			s, err := Start(soon(t), opts)
			if err != nil {
				t.Fatal(err)
			}
			try(t, s, Command{Args: []string{"true"}})
			s.Start(Command{Args: []string{"no-such-program"}})
			if err := s.Keep(); err != nil {
				t.Fatal(err)
			}
			other, err := Open(s.Identity())
			if err != nil {
				t.Fatal(err)
			}
			s.Close()
			s.Close()
			if err := other.Kill(soon(t)); err != nil {
				t.Fatal(err)
			}
			<-s.reaped
			cancelled, cancel := context.WithCancel(context.Background())
			cancel()
			if _, err := Start(cancelled, opts); !errors.Is(err, context.Canceled) {
				t.Errorf("Start with a cancelled context: %v", err)
			}
		}
		round() // Go opens some files once
		before := openFiles(t)
		for range 5 {
			round()
		}
		if after := openFiles(t); after > before {
			t.Errorf("%d files open, %d before", after, before)
		}
		var ws syscall.WaitStatus
		if pid, err := syscall.Wait4(-1, &ws, syscall.WNOHANG, nil); err != syscall.ECHILD {
			t.Errorf("children left: %d, %v", pid, err)
		}
	})
}

func TestCancelledStartLeavesNothing(t *testing.T) {
	each(t, func(t *testing.T, opts Options) {
		debug.SetGCPercent(-1) // which would close what was forgotten
		defer debug.SetGCPercent(100)
		start(t, opts).Kill(soon(t))
		before := openFiles(t)
		for i := range 12 {
			ctx, cancel := context.WithTimeout(context.Background(), time.Duration(i)*time.Millisecond)
			s, err := Start(ctx, opts)
			cancel()
			if err == nil {
				err = s.Kill(soon(t))
			} else if errors.Is(err, context.DeadlineExceeded) {
				err = nil
			}
			if err != nil {
				t.Errorf("after %d ms: %v", i, err)
			}
		}
		eventually(t, "no child is left", func() bool {
			_, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
			return err == syscall.ECHILD
		})
		if after := openFiles(t); after > before {
			t.Errorf("%d files open, %d before", after, before)
		}
	})
}

func TestKeeperIsSmallAndIdle(t *testing.T) {
	each(t, func(t *testing.T, opts Options) {
		s := start(t, opts)
		if err := s.Keep(); err != nil {
			t.Fatal(err)
		}
		pid := s.Identity().PID
		switches := func() string {
			out, err := exec.Command("sh", "-c", fmt.Sprintf("cat /proc/%d/task/*/status | grep ctxt_switches", pid)).Output()
			if err != nil {
				t.Fatal(err)
			}
			return string(out)
		}
		eventually(t, "the keeper sleeps for a second", func() bool {
			before := switches()
			time.Sleep(time.Second)
			return switches() == before
		})
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			t.Fatal(err)
		}
		var kb int
		for line := range strings.Lines(string(status)) {
			fmt.Sscanf(line, "VmRSS: %d", &kb)
		}
		t.Logf("the keeper has %d kB in memory", kb)
		if kb > 6<<10 && !raceEnabled {
			t.Errorf("the keeper has %d kB in memory, want 6 MB at most", kb)
		}
	})
}
