//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"nsscript/cmd/nsbench/internal/floor"
	"nsscript/cmd/nsbench/internal/pen"
	"nsscript/cmd/nsbench/internal/table"
)

// TestMain lets the tests' program be a pen and a floor, as the command is.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && (os.Args[1] == pen.Arg || os.Args[1] == floor.Arg) {
		main()
		return
	}
	os.Exit(m.Run())
}

// testKit has an nsscript that was built now.
func testKit(t *testing.T) *kit {
	t.Helper()
	program := filepath.Join(t.TempDir(), "nsscript")
	build := exec.Command("go", "build", "-o", program, "nsscript/cmd/nsscript")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	k, err := newKit(&options{nsscript: program, starlark: filepath.Join(t.TempDir(), "none")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.remove)
	return k
}

// log is where a runner tells of contenders that fail.
type log struct{ *testing.T }

func (l log) Write(p []byte) (int, error) {
	l.Logf("%s", p)
	return len(p), nil
}

// small has every contender of a benchmark work once, and returns the rows.
func small(t *testing.T, b benchmark) []table.Row {
	t.Helper()
	r := &runner{options: &options{runs: 1, only: regexp.MustCompile("")}, progress: log{t}}
	rows, err := r.all(t.Context(), []benchmark{b})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		if row.Note != "" {
			t.Errorf("%s: %s", row.Work, row.Note)
		}
	}
	return rows
}

// TestStar builds a small star in each way, and takes it down.
func TestStar(t *testing.T) {
	t.Parallel()
	k := testKit(t)
	b := benchmark{name: "small", contenders: []contender{k.starFloor(3), k.star("sandbox", inSandbox, 3), k.star("host mode", onHost, 3)}}
	if os.Geteuid() == 0 {
		b.contenders = append(b.contenders, k.star("rootless", rootless, 3))
	}
	for _, c := range b.contenders[1:] {
		for _, step := range []string{up, down} {
			b.rows = append(b.rows, row{work: fmt.Sprint(c.name, " ", step), ours: wall(c.name, step), against: wall("floor", step)})
		}
	}
	for _, row := range small(t, b) {
		if row.Result.Median <= 0 {
			t.Errorf("%s: %v", row.Work, row.Result)
		}
	}
}

// TestFloors has each floor do a little, one after the other on one machine.
func TestFloors(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	k := &kit{self: self}
	for _, works := range [][][]string{
		{k.floor("star-up", 3), k.floor("pingall", 3), {"ip", "netns", "exec", "h1", "ping", "-qc1", "10.0.0.1"}, k.floor("star-down", 3)},
		{k.floor("tree-up", 2), {"ip", "netns", "exec", "h1", "ping", "-qc1", "10.0.0.4"}, k.floor("tree-down", 2)},
		{k.floor("fattree-up", 4), {"ip", "netns", "exec", "h9", "ping", "-qc1", "10.3.1.3"}, k.floor("fattree-down", 4)},
		{k.floor("rules", 2, 2), {"ip", "netns", "exec", "h2", "iptables", "-C", "FORWARD", "-s", "10.1.0.2", "-p", "tcp", "--dport", "80", "-j", "DROP"}},
		{k.floor("exec", 2)},
	} {
		var job pen.Job
		for _, argv := range works {
			job.Steps = append(job.Steps, pen.Step{Argv: argv})
		}
		job.Steps = append(job.Steps, pen.Step{Argv: []string{"sh", "-c", "! ip link show type bridge | grep ."}})
		if _, err := pen.Run(t.Context(), job); err != nil {
			t.Error(err)
		}
	}
}

// TestNames holds that the rows are about contenders and steps that there are.
func TestNames(t *testing.T) {
	t.Parallel()
	k := &kit{dir: t.TempDir()}
	for _, b := range benchmarks(k) {
		for _, w := range b.rows {
			for _, f := range []figure{w.ours, w.against} {
				if f.contender == "" {
					continue
				}
				c := b.contender(f.contender)
				if c == nil {
					t.Errorf("%s: %q is not among the contenders", b.name, f.contender)
					continue
				}
				steps := map[string]bool{"": true}
				for _, s := range c.job.Steps {
					steps[s.Name] = true
				}
				if !steps[f.step] || !steps[f.less] {
					t.Errorf("%s: %s has no step %q or %q", b.name, f.contender, f.step, f.less)
				}
			}
		}
	}
}
