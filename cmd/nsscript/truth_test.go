//go:build linux

package main

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/tools/txtar"
)

// TestTruth holds trace to a table of networks of which it is known what is wrong
// with each, and to sound ones. The archives of testdata/truth hold a script for
// each network. It begins with comments:
//
//	# What is wrong, in a sentence.
//	# want: REASON at NAMESPACE   or "delivered"
//	# cause: REASON               why the answer was lost, for asymmetric-return
//	# says: TEXT                  what the printed walk has to contain
//	# mends: no                   the hint, if there is one, need not mend it
//
// and its last statement is the trace. A hint is a line that, run after it, has
// the same trace succeed.
func TestTruth(t *testing.T) {
	t.Parallel()
	judge(t, 0, "")
}

// TestTortureTruth does the same as an ordinary user, and with the legacy iptables.
func TestTortureTruth(t *testing.T) {
	t.Parallel()
	if !torture() {
		t.Skip("only with NSSCRIPT_TORTURE")
	}
	t.Run("user", func(t *testing.T) { judge(t, ordinary, "") })
	t.Run("legacy", func(t *testing.T) { judge(t, 0, "legacy") })
}

// judge runs the whole table and tells the score; backend is which iptables there is,
// "" for the machine's own.
func judge(t *testing.T, uid int, backend string) {
	if os.Getenv(stageEnv) != "" {
		t.Skip("inside a private host")
	}
	var mu sync.Mutex
	all, right := map[bool]int{}, map[bool]int{} // by whether the network is sound
	t.Run("of", func(t *testing.T) {
		for _, n := range networks(t) {
			t.Run(n.name, func(t *testing.T) {
				t.Parallel()
				t.Cleanup(func() {
					mu.Lock()
					defer mu.Unlock()
					all[n.sound()]++
					if !t.Failed() {
						right[n.sound()]++
					}
				})
				inPrivateHost(t, uid, "TestInsideTruth", n.file+"#"+n.name+"#"+backend)
			})
		}
	})
	t.Logf("ground truth: %d of %d broken, %d of %d sound", right[false], all[false], right[true], all[true])
}

// TestInsideTruth is one network, in its private host.
func TestInsideTruth(t *testing.T) {
	arg := strings.Split(insideOnly(t), "#")
	file, name, backend := arg[0], arg[1], arg[2]
	if backend != "" {
		dir, err := backendDir(t.TempDir(), backend)
		if err != nil {
			t.Fatal(err)
		}
		t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	}
	for _, n := range archived(t, file) {
		if n.name == name {
			n.judge(t)
			return
		}
	}
	t.Fatalf("%s has no %s", file, name)
}

// network is an entry of the table.
type network struct {
	file, name string   // the archive, and ARCHIVE/SCRIPT
	script     string   // all of it
	trace      string   // its last statement
	reason, at string   // what has to be found; no reason where it is sound
	cause      string   // and why the answer was lost
	says       []string // what the printed walk contains
	mends      bool     // the hint has to mend it
}

func (n *network) sound() bool { return n.reason == "" }

// reasons are those that a trace may give, except unknown.
var reasons = []string{
	"no-route", "unreachable-route", "link-down", "no-carrier", "arp-failed", "forwarding-off",
	"rp-filter", "firewall-drop", "firewall-reject", "frag-needed", "ttl-exceeded", "no-listener",
	"martian", "wrong-host", "asymmetric-return",
}

// networks is the table.
func networks(t *testing.T) (all []*network) {
	t.Helper()
	archives, err := filepath.Glob("testdata/truth/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no archives in testdata/truth: %v", err)
	}
	for _, file := range archives {
		abs, err := filepath.Abs(file)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, archived(t, abs)...)
	}
	return all
}

// archived reads the networks of one archive.
func archived(t *testing.T, file string) (all []*network) {
	t.Helper()
	a, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range a.Files {
		n := &network{file: file, script: string(f.Data), mends: true}
		n.name = strings.TrimSuffix(filepath.Base(file), ".txtar") + "/" + strings.TrimSuffix(f.Name, ".star")
		n.read(t)
		all = append(all, n)
	}
	return all
}

// read takes from a script what it says about itself.
func (n *network) read(t *testing.T) {
	t.Helper()
	want := ""
	for _, line := range strings.Split(n.script, "\n") {
		comment, ok := strings.CutPrefix(line, "# ")
		if !ok {
			break
		}
		key, value, _ := strings.Cut(comment, ": ")
		switch key {
		case "want":
			want = value
		case "cause":
			n.cause = value
		case "says":
			n.says = append(n.says, value)
		case "mends":
			n.mends = value != "no"
		}
	}
	if want != "delivered" {
		n.reason, n.at, _ = strings.Cut(want, " at ")
		if !slices.Contains(reasons, n.reason) || n.at == "" {
			t.Fatalf("%s: want: %q", n.name, want)
		}
	}
	if lost := n.reason == "asymmetric-return"; lost != slices.Contains(reasons, n.cause) || lost != (n.cause != "") {
		t.Fatalf("%s: want: %q, cause: %q", n.name, want, n.cause)
	}
	last := strings.LastIndex(n.script, "\npath = trace(")
	if last < 0 {
		t.Fatalf("%s does not end in a trace", n.name)
	}
	n.trace = n.script[last+1:]
}

// verdict is what a trace has found.
type verdict struct {
	Delivered, Replied      bool
	Reason, At, Cause, Hint string // empty for None
	walk                    string // as it is printed
}

// verdictMark begins the line with a verdict in a script's output.
const verdictMark = "the verdict: "

// tell is appended to a script: it prints the verdict, and then the walk.
const tell = `
print("` + verdictMark + `" + json.encode({
    "delivered": path.delivered, "replied": path.replied,
    "reason": path.reason, "at": path.dropped_at.name if path.dropped_at else None,
    "cause": path.cause, "hint": path.hint,
}))
print(path)
`

// again stands between two traces after the mending. The kernel may go on for
// three seconds with the ARP that it has begun in vain (arp(7), mcast_solicit).
const again = `
if not path.replied:
    sleep("3s")
    `

// judge runs the network, and compares what is found with what is so.
func (n *network) judge(t *testing.T) {
	got := n.run(t, "found.star", n.script)
	differ := func(what, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s is %q, want %q", what, got, want)
		}
	}
	differ("the reason", got.Reason, n.reason)
	differ("dropped_at", got.At, n.at)
	differ("the cause", got.Cause, n.cause)
	for _, s := range n.says {
		if !strings.Contains(got.walk, s) {
			t.Errorf("the walk does not say %q", s)
		}
	}
	if arrived := n.sound() || n.cause != ""; arrived && !got.Delivered {
		t.Error("delivered is False, and it arrives")
	}
	if n.cause != "" && got.Replied {
		t.Error("replied is True, and the answer is lost")
	}
	if n.sound() && got.Hint != "" {
		t.Errorf("a hint, where nothing is wrong: %s", got.Hint)
	}
	if got.Hint != "" && n.mends && !n.sound() {
		mended := n.run(t, "mended.star", n.script+"\n"+got.Hint+"\n"+n.trace+again+n.trace)
		if !mended.Delivered || !mended.Replied {
			t.Errorf("the hint does not mend it: %s\n%s", got.Hint, mended.walk)
		}
	}
	if t.Failed() {
		t.Errorf("%s\nfound:\n%s", n.script, got.walk)
	}
}

// run runs a script that ends in a trace and returns the verdict.
func (n *network) run(t *testing.T, name, script string) (v verdict) {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(script+tell), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), longestRound)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(os.Getenv(binEnv), "nsscript"), "run", "--rm", "--sandbox", file)
	cmd.Env = append(os.Environ(), "NO_COLOR=1")
	cmd.WaitDelay = time.Second // a child may outlive the command and hold its streams
	out, err := cmd.CombinedOutput()
	_, rest, ok := strings.Cut(string(out), verdictMark)
	if err != nil || !ok {
		t.Fatalf("%s: %v\n%s\n%s", name, err, script, out)
	}
	line, walk, _ := strings.Cut(rest, "\n")
	if err := json.Unmarshal([]byte(line), &v); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, line)
	}
	v.walk = walk
	return v
}
