//go:build linux

package kernel

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// inRoom runs a shell's script in a view.
func inRoom(t *testing.T, r *Rooms, v View, script string, input []byte) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	p := &Program{Path: "/bin/sh", Args: []string{"sh", "-c", script}, Env: []string{"PATH=" + AdminPath(os.Getenv("PATH"))},
		Input: input, Stdout: &stdout, Stderr: &stderr}
	status, err := r.Run(t.Context(), v, p)
	if err != nil || status != 0 {
		t.Fatalf("%s: status %d, %v\n%s", script, status.ExitStatus(), err, stderr.String())
	}
	return stdout.String()
}

const mountsOf = "readlink /proc/self/ns/mnt"

func TestARoomIsKept(t *testing.T) {
	t.Parallel()
	var r Rooms
	defer r.Leave()
	v := View{NS: freshNetNS(t)}
	first := inRoom(t, &r, v, mountsOf, nil)
	if second := inRoom(t, &r, v, mountsOf, nil); second != first {
		t.Errorf("the first program was in %q, the second in %q", first, second)
	}
	if other := inRoom(t, &r, View{NS: freshNetNS(t)}, mountsOf, nil); other == first {
		t.Errorf("a program in another namespace was in %q too", other)
	}
}

func TestNoProgramSeesTheMountsOfAnother(t *testing.T) {
	t.Parallel()
	var r Rooms
	defer r.Leave()
	v := View{NS: freshNetNS(t)}
	inRoom(t, &r, v, "true", nil)
	inRoom(t, &r, v, "mount -t tmpfs none /mnt && touch /mnt/nsscript-test", nil)
	inRoom(t, &r, v, "test ! -e /mnt/nsscript-test", nil)
	inRoom(t, &r, v, "umount -l /sys", nil)
	inRoom(t, &r, v, "test -e /sys/class/net/lo", nil)
}

func TestARoomShowsTheFilesOfItsView(t *testing.T) {
	t.Parallel()
	var r Rooms
	defer r.Leave()
	dir := t.TempDir()
	v := View{NS: freshNetNS(t), Hosts: filepath.Join(dir, "hosts"), Etc: filepath.Join(dir, "etc")}
	put := func(path, text string) {
		t.Helper()
		fresh := filepath.Join(dir, "new")
		for _, err := range []error{os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(fresh, []byte(text), 0o644), os.Rename(fresh, path)} {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	sees := func(file, want string) {
		t.Helper()
		if got := inRoom(t, &r, v, "cat "+file, nil); got != want {
			t.Errorf("%s is %q, want %q", file, got, want)
		}
	}
	put(v.Hosts, "one")
	sees("/etc/hosts", "one")
	put(v.Hosts, "two") // another file in its place
	sees("/etc/hosts", "two")
	put(filepath.Join(v.Etc, "passwd"), "three")
	sees("/etc/passwd", "three")
	if err := os.Remove(filepath.Join(v.Etc, "passwd")); err != nil {
		t.Fatal(err)
	}
	inRoom(t, &r, v, "grep -q root: /etc/passwd", nil)
	put(filepath.Join(v.Etc, "hosts"), "beneath")
	sees("/etc/hosts", "two")
	first := inRoom(t, &r, v, mountsOf, nil)
	if second := inRoom(t, &r, v, mountsOf, nil); second != first {
		t.Errorf("with two files for one, the first program was in %q, the second in %q", first, second)
	}
}

func TestALeftRoomHoldsNoNamespace(t *testing.T) {
	t.Parallel()
	var r Rooms
	n := freshNetNS(t)
	inside := func() (found bool) {
		links, _ := filepath.Glob("/proc/self/task/*/ns/net")
		for _, l := range links {
			id, err := NSIDOf(l)
			found = found || err == nil && id == n.ID()
		}
		return found
	}
	for inside() {
		time.Sleep(time.Millisecond) // the thread that made it is about to end
	}
	inRoom(t, &r, View{NS: n}, "true", nil)
	if !inside() {
		t.Error("no thread is kept in the namespace")
	}
	r.Leave()
	if inside() {
		t.Error("a thread is still in the namespace")
	}
}

func TestOnlySoManyRoomsAreKept(t *testing.T) {
	t.Parallel()
	var r Rooms
	defer r.Leave()
	for range mostIdle + 3 {
		inRoom(t, &r, View{NS: freshNetNS(t)}, "true", nil)
	}
	if len(r.idle) != mostIdle {
		t.Errorf("%d threads wait, want %d", len(r.idle), mostIdle)
	}
}

func TestInputAndOutput(t *testing.T) {
	t.Parallel()
	var r Rooms
	defer r.Leave()
	v := View{NS: freshNetNS(t)}
	long := bytes.Repeat([]byte("0123456789"), 100_000)
	if out := inRoom(t, &r, v, "cat", long); out != string(long) {
		t.Errorf("of %d bytes, %d came back", len(long), len(out))
	}
	inRoom(t, &r, v, "true", long) // it reads nothing
	if out := inRoom(t, &r, v, "cat", []byte{}); out != "" {
		t.Errorf("nothing came back as %q", out)
	}
	inRoom(t, &r, v, "exec >&- 2>&-; sleep 0.1", nil) // it closes its output and goes on
	var out bytes.Buffer
	p := &Program{Path: "/bin/sh", Args: []string{"sh", "-c", "echo out; echo err >&2; exit 7"}, Dir: "/", Stdout: &out, Stderr: &out}
	if status, err := r.Run(t.Context(), v, p); err != nil || status.ExitStatus() != 7 || out.String() != "out\nerr\n" && out.String() != "err\nout\n" {
		t.Errorf("status %d, %v: %q", status.ExitStatus(), err, out.String())
	}
	if _, err := r.Run(t.Context(), v, &Program{Path: "/proc/version", Args: []string{"x"}}); !os.IsPermission(err) {
		t.Errorf("what is no program: %v", err)
	}
	inRoom(t, &r, v, "true", nil)
}

func TestWhoHoldsTheOutputIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	var r Rooms
	defer r.Leave()
	v := View{NS: freshNetNS(t)}
	began := time.Now()
	out := inRoom(t, &r, v, "sleep 5 & echo $!", nil)
	if took := time.Since(began); took < drainTime || took > 3*time.Second {
		t.Errorf("it took %v", took)
	}
	inRoom(t, &r, v, "kill "+strings.TrimSpace(out), nil)
}

// full is a writer that has no room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

func TestWhatNobodyTakesEndsTheProgram(t *testing.T) {
	t.Parallel()
	var r Rooms
	defer r.Leave()
	var said bytes.Buffer
	p := &Program{Path: "/bin/sh", Args: []string{"sh", "-c", "echo up >&2; exec cat /dev/zero"}, Stdout: full{}, Stderr: &said}
	status, err := r.Run(t.Context(), View{NS: freshNetNS(t)}, p)
	if err != nil || status.Signal() != syscall.SIGPIPE || said.String() != "up\n" {
		t.Errorf("status %v, %v: %q", status, err, said.String())
	}
}

func TestTheEndOfTheTimeEndsAll(t *testing.T) {
	t.Parallel()
	var r Rooms
	defer r.Leave()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	var out bytes.Buffer
	p := &Program{Path: "/bin/sh", Args: []string{"sh", "-c", "sleep 60 & echo $!; trap '' TERM; sleep 60; sleep 60"}, Stdout: &out, Stderr: &out}
	began := time.Now()
	status, err := r.Run(ctx, View{NS: freshNetNS(t)}, p)
	if took := time.Since(began); err != nil || !status.Signaled() || took > 5*time.Second {
		t.Errorf("%v: status %v, %v", took, status, err)
	}
	var child int
	if _, err := fmt.Sscan(out.String(), &child); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if start, err := StartTime(child); start == 0 && err == nil {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Error("its child lives on")
}

func TestTheEndIsSeenWithoutADescriptorOfTheProcess(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	p := &Program{Stdout: &out, Stderr: &out}
	s, err := p.streams(make([]byte, readSize))
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	pid, _, err := syscall.StartProcess("/bin/sh", []string{"sh", "-c", "sleep 3 & echo up"}, &syscall.ProcAttr{Files: s.theirs[:]})
	if err != nil {
		t.Fatal(err)
	}
	s.started(pid, -1)
	began := time.Now()
	if err := s.serve(); err != nil || out.String() != "up\n" || time.Since(began) > 2*time.Second {
		t.Errorf("after %v: %v, %q", time.Since(began), err, out.String())
	}
	if _, err := syscall.Wait4(pid, nil, 0, nil); err != nil {
		t.Error(err)
	}
}

// The floor is a program that is started where this process is, and waited for.
func BenchmarkRun(b *testing.B) {
	path, err := exec.LookPath("true")
	if err != nil {
		b.Fatal(err)
	}
	var r Rooms
	defer r.Leave()
	v := View{NS: freshNetNS(b)}
	var ours, floor time.Duration
	for b.Loop() {
		began := time.Now()
		if err := exec.Command(path).Run(); err != nil {
			b.Fatal(err)
		}
		floor += time.Since(began)
		began = time.Now()
		var out bytes.Buffer
		p := &Program{Path: path, Args: []string{"true"}, Env: os.Environ(), Stdout: &out, Stderr: &out}
		if _, err := r.Run(b.Context(), v, p); err != nil {
			b.Fatal(err)
		}
		ours += time.Since(began)
	}
	b.ReportMetric(float64(ours)/float64(floor), "×floor")
}
