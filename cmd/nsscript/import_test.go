//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nsscript/builtins/kernel"
	"nsscript/builtins/picture"
)

// A network that is imported and built anew is the network that it was: a private host
// is read, the program that is written of it is run in another one, and that is read
// too.

// TestImportedExamples holds this of all examples but those that this kernel is no place
// for.
func TestImportedExamples(t *testing.T) {
	t.Parallel()
	if os.Getenv(stageEnv) != "" {
		t.Skip("inside a private host")
	}
	eachExample(t, func(t *testing.T, name, text string) { importsAlike(t, name, text) })
}

// TestImportedKinds holds this of the kinds of link, and of what else can be chosen.
func TestImportedKinds(t *testing.T) {
	t.Parallel()
	if os.Getenv(stageEnv) != "" {
		t.Skip("inside a private host")
	}
	for _, k := range append(slices.Clone(plannedKinds), chosenByHand) {
		t.Run(strings.ReplaceAll(k.needs, " ", ","), func(t *testing.T) {
			t.Parallel()
			if k.needs == "wireguard" {
				t.Skip("its keys are not written down")
			}
			skipWithout(t, strings.Fields(k.needs)...)
			importsAlike(t, "kind", `
a, b = namespace("a"), namespace("b")
x, y = veth(a, b, addr = "10.0.0.1/24", peer_addr = "10.0.0.2/24")
`+k.lab)
		})
	}
}

// chosenByHand is a lab in which ip has set what no builtin sets, or not so.
var chosenByHand = plannedKind{"veth tbf", `
x.shape(rate = "1gbit", burst = 100000, limit = 200)
x.add_addr("fe80::1/64")
br = bridge("br", ns = b, stp = True)
br.attach(a, peer = "p")
sh(b, """
ip link set br type bridge priority 4096 forward_delay 400 mcast_snooping 0
ip link property add dev eth0 altname the-other-end
ip link set p type bridge_slave hairpin on
ip rule add to 10.5.0.0/16 priority 50 prohibit
ip route add 10.6.0.0/16 nexthop via 10.0.0.1 weight 2 nexthop via 10.0.0.7 weight 5
ip neigh add 10.0.0.7 lladdr 02:00:00:00:00:07 dev eth0 nud permanent
""")
`}

// TestTortureImportedTopologies holds this of random labs.
func TestTortureImportedTopologies(t *testing.T) {
	t.Parallel()
	if os.Getenv(stageEnv) != "" {
		t.Skip("inside a private host")
	}
	eachRandom(t, 200, func(text string) bool { return importsAlike(t, "topology", text) })
}

// reading is what a private host is to build and to be read of.
type reading struct {
	Run  string   // a lab's script
	Lab  string   // and the lab's name
	Want []string // what there is to be, if that is known: the kernel comes to it a moment later
}

func importsAlike(t *testing.T, name, text string) bool {
	t.Helper()
	file, p := writtenPlan(t, name, text)
	if p == nil {
		return false
	}
	was, program := read(t, reading{Run: file, Lab: p.session.Lab().Name()})
	again := filepath.Join(filepath.Dir(file), "again.star")
	if err := os.WriteFile(again, []byte(program), 0o644); err != nil {
		t.Fatal(err)
	}
	is, twice := read(t, reading{Run: again, Lab: "again", Want: was})
	if diff := cmp.Diff(was, is); diff != "" {
		t.Errorf("the network as it was (-), and as its program builds it (+):\n%s\n%s\n%s", diff, program, text)
		return false
	}
	if diff := cmp.Diff(withoutPrograms(program), withoutPrograms(twice)); diff != "" {
		t.Errorf("the program (-), and that of what it builds (+):\n%s", diff)
		return false
	}
	return true
}

// remarks are what a program tells of processes, which it does not start, and of the
// routes that they had made.
var remarks = regexp.MustCompile(`(?m)^(# serve.*|# What listened.*|)\n|  # .*$`)

func withoutPrograms(program string) string { return remarks.ReplaceAllString(program, "") }

// read builds a lab in a private host and returns what the kernel has then, and the
// program that is written of it.
func read(t *testing.T, r reading) (facts []string, program string) {
	t.Helper()
	spec, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	file := r.Run + ".json" // it may be too long for the environment
	if err := os.WriteFile(file, spec, 0o644); err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for line := range strings.Lines(inPrivateHost(t, 0, "TestInsideImport", file)) {
		if fact, ok := strings.CutPrefix(line, "fact: "); ok {
			facts = append(facts, strings.TrimSuffix(fact, "\n"))
		}
		if line, ok := strings.CutPrefix(line, "program: "); ok {
			text.WriteString(line)
		}
	}
	return facts, text.String()
}

// readingOf is what this private host is to build.
func readingOf(t *testing.T) (r reading) {
	spec, err := os.ReadFile(insideOnly(t))
	if err == nil {
		err = json.Unmarshal(spec, &r)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestInsideImport builds a lab and has it read from inside its sandbox.
func TestInsideImport(t *testing.T) {
	r := readingOf(t)
	nsscript := filepath.Join(os.Getenv(binEnv), "nsscript")
	cmd := exec.Command(nsscript, "run", "--sandbox", r.Run)
	cmd.Env = append(os.Environ(), "PATH="+os.Getenv(binEnv)+":"+kernel.AdminPath(os.Getenv("PATH")))
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Run(); err != nil {
		said, _ := os.ReadFile(log.Name())
		script, _ := os.ReadFile(r.Run)
		t.Fatalf("%v: %v\n%s\n%s", cmd.Args, err, said, script)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, words := range [][]string{
		{self, "-test.run=^TestInsideRead$", "-test.v"},
		{nsscript, "import", "--host"},
	} {
		out, err := exec.Command(nsscript, append([]string{"exec", r.Lab + "/host", "--"}, words...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %v\n%s", words, err, out)
		}
		if words[0] == self {
			fmt.Print(string(out))
			continue
		}
		for line := range strings.Lines(string(out)) {
			fmt.Print("program: " + line)
		}
	}
}

// TestInsideRead tells what there is in the sandbox of a lab.
func TestInsideRead(t *testing.T) {
	r := readingOf(t)
	const (
		pause = 50 * time.Millisecond
		still = 1200 * time.Millisecond // the kernel tells of carriers once a second (linkwatch_schedule_work)
	)
	now, since := readFacts(t), time.Now()
	for until := time.Now().Add(5 * time.Second); time.Now().Before(until); {
		before := now
		time.Sleep(pause)
		if now = readFacts(t); !slices.Equal(now, before) {
			since = time.Now()
		}
		if r.Want == nil && time.Since(since) > still || r.Want != nil && slices.Equal(now, r.Want) {
			break
		}
	}
	for _, fact := range now {
		fmt.Println("fact: " + fact)
	}
}

// makers are who made a route, which the language has no words for.
var makers = regexp.MustCompile(` proto (bird|zebra|static|dhcp|ra)`)

func readFacts(t *testing.T) []string {
	p, _, err := readMachine(t.Context(), false, imported)
	if err != nil {
		t.Fatal(err)
	}
	o := p.Compared()
	o.Ignore = map[string]bool{}
	facts := p.Facts(o)
	for i, f := range facts {
		f = makers.ReplaceAllString(f, "")
		if idleBridge(p, f) {
			f = strings.Replace(f, " LOWER_UP", "", 1)
		}
		facts[i] = f
	}
	return facts
}

// idleBridge reports whether a fact is about a bridge without a port: whether it has a
// carrier depends on whether it ever had one (br_stp_change_bridge_id).
func idleBridge(p *picture.Picture, fact string) bool {
	w := strings.Fields(fact)
	if len(w) < 4 || w[1] != "link" || w[3] != "bridge" {
		return false
	}
	l := p.Namespace(strings.TrimSuffix(w[0], ":")).Link(w[2])
	return l != nil && len(l.Ports()) == 0
}
