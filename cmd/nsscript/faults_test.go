//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"nsscript/cmd/nsscript/internal/fault"
)

// A sweep runs one command again and again, and stops it at another of its
// system calls each time, until it has come to its end untouched. After each
// round the machine must be as it was.
type sweep struct {
	Lab    string   // a file of testdata/faults, or an @example
	Flags  []string // of run
	User   bool     // run by an ordinary user
	Legacy bool     // with iptables-legacy
	Phase  string   // one of phases; replace is to run again
	What   string   // kill: all of the command; worker: only the process that does the call; fail: the call fails; or a signal
	Errno  int      // the error, 0 for another one at each call

	// Every Step-th call is one to stop at, from the First on.
	First, Step int
}

func (s sweep) String() string {
	who := "root"
	if s.User {
		who = "user"
	}
	name := []string{s.What, s.Phase, strings.TrimSuffix(s.Lab, ".star"), who}
	if s.Errno != 0 {
		name = append(name, unix.ErrnoName(unix.Errno(s.Errno)))
	}
	if s.Legacy {
		name = append(name, "legacy")
	}
	for _, f := range s.Flags {
		name = append(name, strings.Trim(f, "-"))
	}
	return strings.Join(append(name, fmt.Sprint(s.First)), "-")
}

// errnos are what calls fail with, one after the other.
var errnos = []unix.Errno{unix.ENOMEM, unix.EBUSY, unix.EEXIST, unix.EPERM, unix.ENOSPC}

// torture says that all is to be tried, not a good part of it.
func torture() bool { return os.Getenv("NSSCRIPT_TORTURE") != "" }

// sweeps are the sweeps to do, in shards that run side by side.
func sweeps() []sweep {
	var list []sweep
	add := func(s sweep, shards, step int) {
		for i := range shards {
			s.First, s.Step = 1+i*step, shards*step
			if n, err := strconv.Atoi(os.Getenv("NSSCRIPT_FROM")); err == nil {
				s.First = n
			}
			list = append(list, s)
		}
	}
	// quick is the step where only a good part is tried, full where all is.
	step := func(quick, full int) int {
		if torture() {
			return full
		}
		return quick
	}
	shards := step(1, 2)
	for i, phase := range phases {
		add(sweep{Lab: "host.star", Phase: phase, What: "kill"}, shards, step([]int{29, 17, 47}[i], 1))
		add(sweep{Lab: "host.star", Phase: phase, What: "fail"}, shards, step([]int{83, 61, 149}[i], 3))
		for _, what := range []string{"kill", "fail"} {
			add(sweep{Lab: "small.star", Phase: phase, What: what, User: true}, 1, step(11, 1))
			add(sweep{Lab: "small.star", Phase: phase, What: what, Flags: []string{"--sandbox"}}, 1, step(13, 1))
			add(sweep{Lab: "small.star", Phase: phase, What: what, User: true, Flags: []string{"--untrusted"}}, 1, step(19, 1))
		}
		add(sweep{Lab: "small.star", Phase: phase, What: "worker", User: true}, 1, step(7, 1))
		for _, what := range []string{"int", "term", "twice"} {
			add(sweep{Lab: "host.star", Phase: phase, What: what}, 1, step([]int{97, 47, 131}[i], 3))
			add(sweep{Lab: "small.star", Phase: phase, What: what, User: true}, 1, step(17, 1))
		}
		if !torture() {
			continue
		}
		for _, e := range []string{"@three_tier_firewall", "@docker0", "@routing", "@join_container"} {
			add(sweep{Lab: e, Phase: phase, What: "kill"}, 1, 1)
			add(sweep{Lab: e, Phase: phase, What: "fail"}, 1, 23)
		}
		add(sweep{Lab: "host.star", Phase: phase, What: "kill", Legacy: true}, 1, 7)
		add(sweep{Lab: "host.star", Phase: phase, What: "fail", Legacy: true}, 1, 31)
	}
	if torture() {
		for _, e := range errnos {
			add(sweep{Lab: "host.star", Phase: "run", What: "fail", Errno: int(e)}, 1, 37)
		}
	}
	return list
}

// phases are the commands that are stopped.
var phases = []string{"run", "down", "replace"}

// TestTortureFaults ends nsscript at its system calls, and lets them fail.
// NSSCRIPT_SWEEP does only the sweeps whose names contain it, and NSSCRIPT_FROM
// has them begin at that call.
func TestTortureFaults(t *testing.T) {
	if os.Getenv(stageEnv) != "" {
		t.Skip("inside a private host")
	}
	t.Parallel()
	for _, s := range sweeps() {
		if only := os.Getenv("NSSCRIPT_SWEEP"); only != "" && !strings.Contains(s.String(), only) {
			continue
		}
		spec, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			out := inPrivateHost(t, 0, "TestInsideFaults", string(spec))
			for _, line := range strings.Split(out, "\n") {
				if _, said, ok := strings.Cut(line, "swept: "); ok {
					t.Log(said)
				}
			}
		})
	}
}

// TestInsideFaults is one sweep, in its private host.
func TestInsideFaults(t *testing.T) {
	var s sweep
	if err := json.Unmarshal([]byte(insideOnly(t)), &s); err != nil {
		t.Fatal(err)
	}
	h := newFaultHost(t, s)
	stopped, failed := 0, 0
	for n := s.First; ; n += s.Step {
		at, reached := h.round(n)
		if t.Failed() {
			if failed++; failed > 5 {
				t.Fatal("and so on")
			}
		}
		if !reached {
			break
		}
		if at != "" {
			stopped++
		}
	}
	if stopped == 0 {
		t.Fatal("no call was found")
	}
	t.Logf("swept: %d points", stopped)
}

// faultHost is the private host of a sweep.
type faultHost struct {
	*testing.T
	sweep
	bin    os.FileInfo
	before string // the machine without the lab
	up     string // and with it
	env    []string
	cred   *syscall.Credential
}

func newFaultHost(t *testing.T, s sweep) *faultHost {
	h := newPrivate(t, s)
	h.settle()
	return h
}

// newPrivate prepares the private host.
func newPrivate(t *testing.T, s sweep) *faultHost {
	h := &faultHost{T: t, sweep: s}
	bin, err := os.Stat(filepath.Join(os.Getenv(binEnv), "nsscript"))
	if err != nil {
		t.Fatal(err)
	}
	h.bin, h.env = bin, os.Environ()
	if s.User {
		home := fmt.Sprintf("/run/user/%d", ordinary)
		h.env = append(h.env, "HOME="+home, "XDG_RUNTIME_DIR="+home)
		h.cred = &syscall.Credential{Uid: ordinary, Gid: ordinary}
	} else {
		for _, c := range []string{"ip netns add there", "ip -n there link set lo up"} {
			words := strings.Fields(c)
			if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
				t.Fatalf("%s: %v\n%s", c, err, out)
			}
		}
	}
	if s.Legacy {
		dir, err := backendDir(t.TempDir(), "legacy")
		if err != nil {
			t.Fatal(err)
		}
		h.env = append(h.env, "PATH="+dir+":"+os.Getenv("PATH"))
	}
	return h
}

func (s sweep) lab() string {
	if strings.HasPrefix(s.Lab, "@") {
		return s.Lab
	}
	return filepath.Join("testdata", "faults", s.Lab)
}

// longestRound is how long one command may take.
const longestRound = time.Minute

func (h *faultHost) command(ctx context.Context, verb string, args ...string) (*exec.Cmd, *bytes.Buffer) {
	cmd := exec.CommandContext(ctx, filepath.Join(os.Getenv(binEnv), "nsscript"), append([]string{verb}, args...)...)
	cmd.Env = h.env
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: h.cred}
	cmd.WaitDelay = time.Second // a child may outlive the command and hold its streams
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	return cmd, &out
}

// must runs a command that has to end well.
func (h *faultHost) must(verb string, args ...string) string {
	ctx, cancel := context.WithTimeout(context.Background(), longestRound)
	defer cancel()
	cmd, out := h.command(ctx, verb, args...)
	if err := cmd.Run(); err != nil && !errors.Is(err, exec.ErrWaitDelay) {
		h.Errorf("nsscript %s %s: %v\n%s", verb, args, err, out)
	}
	return out.String()
}

// round stops the command at the n-th of its calls, and tells at which; reached
// is false when there are not so many.
func (h *faultHost) round(n int) (at string, reached bool) {
	verb, args := "run", append(h.Flags, h.lab())
	if h.Phase != "run" {
		h.must("run", args...)
	}
	if h.Phase == "down" {
		verb, args = "down", []string{"--all"}
	}
	ctx, cancel := context.WithTimeout(context.Background(), longestRound)
	defer cancel()
	cmd, out := h.command(ctx, verb, args...)
	cmd.SysProcAttr = nil
	uid := 0
	if h.User {
		uid = ordinary
	}
	count := 0
	_, err := fault.Start(cmd, uid, func(c *fault.Call) unix.Errno {
		if !h.meant(c) {
			return 0
		}
		if count++; count != n {
			return 0
		}
		at = c.String()
		switch h.What {
		case "kill":
			_ = cmd.Process.Kill() // it cannot have been waited for: it is in a call
		case "worker":
			_ = unix.Kill(c.Process(), unix.SIGKILL)
		case "int", "term", "twice":
			h.interrupt(cmd)
		default:
			return h.errno(n)
		}
		return 0
	})
	if err != nil {
		h.Fatal(err)
	}
	err = cmd.Wait()
	if errors.Is(err, exec.ErrWaitDelay) {
		err = nil
	}
	what := fmt.Sprintf("%s at call %d, %s", h.What, n, at)
	if ctx.Err() != nil {
		h.Errorf("%s: it hangs\n%s", what, out)
	}
	if at == "" && err != nil {
		h.Errorf("untouched: %v\n%s", err, out)
	}
	h.after(what, err, out.String())
	return at, count >= n
}

// interrupt sends the command what Ctrl-C and kill do, or Ctrl-C twice.
func (h *faultHost) interrupt(cmd *exec.Cmd) {
	sig := unix.SIGINT
	if h.What == "term" {
		sig = unix.SIGTERM
	}
	_ = cmd.Process.Signal(sig) // it cannot have been waited for: it is in a call
	if h.What == "twice" {
		time.AfterFunc(20*time.Millisecond, func() { _ = cmd.Process.Signal(sig) })
	}
}

// interrupted checks what a command says that was interrupted.
func (h *faultHost) interrupted(what string, status int, said string) {
	want := map[string]int{"int": exitInterrupted, "twice": exitInterrupted, "term": exitTerminated}[h.What]
	if want == 0 {
		return
	}
	if status != want && status != 0 { // the signal came when all was done
		h.Errorf("%s: exit status %d, not %d\n%s", what, status, want, said)
	}
	if status == 0 && h.Phase != "down" && !strings.Contains(said, "is up") {
		h.Errorf("%s: exit status 0, and it is not up\n%s", what, said)
	}
}

// meant reports whether a call is one of those to stop at.
func (h *faultHost) meant(c *fault.Call) bool {
	exe, err := os.Stat(fmt.Sprintf("/proc/%d/exe", c.TID))
	if err != nil || !os.SameFile(exe, h.bin) {
		return false // of a program that nsscript has started
	}
	switch h.What {
	case "fail":
		return !c.Runtime()
	case "worker":
		// A process on its way to be one of the lab's is none of nsscript's.
		return c.Changes() && (c.Name != "execve" || strings.HasSuffix(c.About, "/exe"))
	}
	return c.Changes()
}

func (h *faultHost) errno(n int) unix.Errno {
	if h.Errno != 0 {
		return unix.Errno(h.Errno)
	}
	return errnos[n%len(errnos)]
}

// after holds what is left to what must be.
func (h *faultHost) after(what string, err error, said string) {
	status := exitStatus(err)
	h.interrupted(what, status, said)
	// A check that fails tells what its probe met.
	if h.What == "fail" && status != 0 && !strings.Contains(said, "error: ") && !strings.Contains(said, "✗") {
		h.Errorf("%s: exit status %d, and no word why\n%s", what, status, said)
	}
	labs := h.labs(what)
	// A child that was killed on its way to another program holds the lock until
	// it is there.
	for until := time.Now().Add(3 * time.Second); slices.ContainsFunc(labs, building) && time.Now().Before(until); {
		time.Sleep(10 * time.Millisecond)
		labs = h.labs(what)
	}
	for _, l := range labs {
		if building(l) {
			h.Errorf("%s: exit status %d, and ls says %q is building\n%s", what, status, l.Name, said)
		}
		if l.State == "up" {
			h.isUp(what, said)
		}
		if l.State != "up" && strings.Contains(said, "is up") {
			h.Errorf("%s: ls says %q is %s, and run said\n%s", what, l.Name, l.State, said)
		}
	}
	rolledBack := h.What != "kill" && h.What != "worker" && h.Phase == "run" && status != 0 && !strings.Contains(said, "is up")
	if len(labs) == 0 || rolledBack {
		h.same(what+": before down", said)
	}
	said += h.must("down", "--all")
	h.same(what, said)
	if h.Failed() {
		h.reset()
	}
}

func building(l row) bool { return l.State == "building" }

// labs are what ls lists.
func (h *faultHost) labs(what string) (labs []row) {
	list := h.must("ls", "--json")
	if err := json.Unmarshal([]byte(list), &labs); err != nil {
		h.Errorf("%s: ls: %v\n%s", what, err, list)
	}
	return labs
}

// isUp checks that the lab that is said to be up is there, whole.
func (h *faultHost) isUp(what, said string) {
	now := ""
	for until := time.Now().Add(3 * time.Second); time.Now().Before(until); time.Sleep(10 * time.Millisecond) {
		if now = anyRun(snapshot()); now == h.up {
			return
		}
	}
	h.Errorf("%s: ls says that it is up, and it is not all there (-up +now):\n%s\n%s", what,
		cmp.Diff(strings.Split(h.up, "\n"), strings.Split(now, "\n")), said)
}

// anyRun removes from a snapshot what differs from one run of a lab to another,
// neighbours that were learned, and the notes that nsscript keeps.
func anyRun(s string) string {
	var keep []string
	for _, l := range strings.Split(s, "\n") {
		if !strings.Contains(l, "/nsscript/") && !learned.MatchString(l) {
			keep = append(keep, varying.ReplaceAllString(l, ""))
		}
	}
	slices.Sort(keep) // numbers give the order of interfaces
	return strings.Join(keep, "\n")
}

// learned are neighbours that come and go with the packets (ip-neighbour(8)).
var learned = regexp.MustCompile(` (INCOMPLETE|REACHABLE|STALE|DELAY|PROBE|FAILED) $`)

// varying are the numbers of interfaces and of namespaces, made up addresses,
// and whether a process runs or sleeps.
var varying = regexp.MustCompile(`^\d+: |@if\d+| [RSD]$|link-netnsid \d+|(?:[0-9a-f]{2}:){5}[0-9a-f]{2}|8000\.[0-9a-f:.]+|fe80::[0-9a-f:]+`)

func (h *faultHost) same(what, said string) {
	if now := settled(h.before); now != h.before {
		h.Errorf("%s: left behind (-before +after):\n%s\n%s", what,
			cmp.Diff(strings.Split(h.before, "\n"), strings.Split(now, "\n")), said)
	}
}

// reset has later rounds not tell of what an earlier one left.
func (h *faultHost) reset() {
	for _, dir := range []string{"/run/nsscript", fmt.Sprintf("/run/user/%d/nsscript", ordinary)} {
		if err := os.RemoveAll(dir); err != nil {
			h.Fatal(err)
		}
	}
	h.settle()
}

// settle learns how the machine is without the lab and with it.
func (h *faultHost) settle() {
	// What running it once leaves of its own, such as iptables-legacy's tables, is no lab's.
	h.must("run", append(h.Flags, h.lab())...)
	for until := time.Now().Add(5 * time.Second); time.Now().Before(until); time.Sleep(100 * time.Millisecond) {
		now := anyRun(snapshot())
		if now == h.up && !strings.Contains(now, "tentative") {
			break // its processes have got where they stay
		}
		h.up = now
	}
	h.must("down", "--all")
	h.before = settled("")
}

// settled takes a snapshot; processes that are on their way out may take a
// moment to be the same as want.
func settled(want string) string {
	until := time.Now().Add(3 * time.Second)
	for pause := time.Millisecond; ; pause *= 2 {
		now := snapshot()
		if now == want || time.Now().After(until) {
			return now
		}
		if want == "" && now == snapshot() {
			return now
		}
		time.Sleep(pause)
	}
}

// backendDir makes a directory in which iptables is of the given backend.
func backendDir(dir, backend string) (string, error) {
	multi, err := exec.LookPath("xtables-" + backend + "-multi")
	if err != nil {
		return "", err
	}
	for _, p := range []string{"iptables", "ip6tables"} {
		for _, suffix := range []string{"", "-save", "-restore"} {
			if err := os.Symlink(multi, filepath.Join(dir, p+suffix)); err != nil {
				return "", err
			}
		}
	}
	return dir, nil
}
