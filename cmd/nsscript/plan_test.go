//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nsscript/builtins/kernel"
	"nsscript/builtins/op"
	"nsscript/builtins/picture"
	"nsscript/examples"
)

// The three ways to one network: a lab that is run, the shell script that it is planned
// as, and the picture that the plan draws. What the kernel has after the first is what
// it has after the second, and what the third says.

// TestPlannedExamples holds this of all examples but those that this kernel is no place
// for.
func TestPlannedExamples(t *testing.T) {
	t.Parallel()
	if os.Getenv(stageEnv) != "" {
		t.Skip("inside a private host")
	}
	eachExample(t, func(t *testing.T, name, text string) { sameThreeWays(t, name, text) })
}

// eachExample runs a test for each example, but for those that this kernel is no place
// for.
func eachExample(t *testing.T, test func(t *testing.T, name, text string)) {
	for _, name := range examples.Names() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, err := examples.Read(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, need := range e.Needs {
				if has, err := kernel.Has(need); err != nil || !has {
					t.Skipf("this kernel lacks %s (%v)", need, err)
				}
			}
			test(t, name, e.Text)
		})
	}
}

// TestTorturePlannedTopologies holds this of random labs.
func TestTorturePlannedTopologies(t *testing.T) {
	t.Parallel()
	if os.Getenv(stageEnv) != "" {
		t.Skip("inside a private host")
	}
	eachRandom(t, 400, func(text string) bool { return sameThreeWays(t, "topology", text) })
}

// built is what a private host is to build and how its picture is compared.
type built struct {
	Run     string // a lab's script
	Lab     string // and the lab's name
	Script  string // or a shell script
	Compare picture.CompareOptions
	// Want is what there is to be: the kernel comes to it a moment later.
	Want []string
}

func sameThreeWays(t *testing.T, name, text string) bool {
	t.Helper()
	lab, p := writtenPlan(t, name, text)
	if p == nil {
		return false
	}
	drawn := p.session.Lab().Picture()
	compare := drawn.Compared()
	compare.Mark = op.MarkOf(p.session.Lab().Name())

	script, err := exec.Command(filepath.Join(os.Getenv(binEnv), "nsscript"), "plan", lab).Output()
	if err != nil {
		t.Errorf("nsscript plan: %v", err)
		return false
	}
	file := strings.TrimSuffix(lab, ".star") + ".sh"
	if err := os.WriteFile(file, script, 0o644); err != nil {
		t.Fatal(err)
	}
	model := drawn.Facts(compare)
	run := factsOf(t, built{Run: lab, Lab: p.session.Lab().Name(), Compare: compare, Want: model})
	typed := factsOf(t, built{Script: file, Compare: compare, Want: run})
	ok := true
	if diff := cmp.Diff(run, typed); diff != "" {
		t.Errorf("the kernel after the run (-), after the planned script (+):\n%s\n%s", diff, script)
		ok = false
	}
	if diff := cmp.Diff(run, model); diff != "" {
		t.Errorf("the kernel after the run (-), the model (+):\n%s\n%s", diff, text)
		ok = false
	}
	return ok
}

// factsOf builds something in a private host and returns what the kernel has then.
func factsOf(t *testing.T, b built) []string {
	t.Helper()
	spec, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "built.json") // too long for an environment
	if err := os.WriteFile(file, spec, 0o644); err != nil {
		t.Fatal(err)
	}
	var facts []string
	for line := range strings.Lines(inPrivateHost(t, 0, "TestInsidePlan", file)) {
		if fact, ok := strings.CutPrefix(line, "fact: "); ok {
			facts = append(facts, strings.TrimSuffix(fact, "\n"))
		}
	}
	return facts
}

// TestInsidePlan builds a lab or runs a shell script and tells what there is, in a
// private host.
func TestInsidePlan(t *testing.T) {
	b := readBuilt(t)
	nsscript := filepath.Join(os.Getenv(binEnv), "nsscript")
	cmd := exec.Command(nsscript, "run", "--sandbox", b.Run)
	if b.Script != "" {
		cmd = exec.Command("bash", b.Script)
	}
	cmd.Env = append(os.Environ(), "PATH="+os.Getenv(binEnv)+":"+kernel.AdminPath(os.Getenv("PATH")))
	// Servers that a script leaves behind keep what they were given open.
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Run(); err != nil {
		said, _ := os.ReadFile(log.Name())
		t.Fatalf("%v: %v\n%s", cmd.Args, err, said)
	}
	if b.Script != "" {
		tellFacts(t, &b)
		return
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	look := exec.Command(nsscript, "exec", b.Lab+"/host", "--", self, "-test.run=^TestInsideScan$", "-test.v")
	out, err := look.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	fmt.Print(string(out))
}

// TestInsideScan tells what there is in the sandbox of a lab.
func TestInsideScan(t *testing.T) {
	b := readBuilt(t)
	tellFacts(t, &b)
}

// readBuilt reads what a private host is to build.
func readBuilt(t *testing.T) built {
	spec, err := os.ReadFile(insideOnly(t))
	var b built
	if err == nil {
		err = json.Unmarshal(spec, &b)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// tellFacts reads what there is, until it is what it is to be or stays something else.
func tellFacts(t *testing.T, b *built) {
	now := scanned(t, b.Compare)
	for until := time.Now().Add(5 * time.Second); !slices.Equal(now, b.Want) && time.Now().Before(until); {
		time.Sleep(50 * time.Millisecond)
		now = scanned(t, b.Compare)
	}
	for _, fact := range now {
		fmt.Println("fact: " + fact)
	}
}

// scanned reads the namespaces of this host that count.
func scanned(t *testing.T, o picture.CompareOptions) []string {
	host, err := kernel.Home()
	if err != nil {
		t.Fatal(err)
	}
	defer host.Close()
	sources := []picture.Source{{Name: picture.Host, NS: host}}
	for _, name := range names(kernel.NetNSDir) {
		ns, err := kernel.OpenNetNS(kernel.NetNSPath(name))
		if err != nil {
			t.Fatal(err)
		}
		defer ns.Close()
		sources = append(sources, picture.Source{Name: name, NS: ns})
	}
	all := map[string]bool{}
	for _, keys := range o.Sysctls {
		for _, k := range keys {
			all[k] = true
		}
	}
	var keys []string
	for k := range all {
		keys = append(keys, k)
	}
	p, err := picture.Scan(t.Context(), "", sources, picture.ScanOptions{Sysctls: keys, Iptables: &kernel.IptablesFinder{}})
	if err != nil {
		t.Fatal(err)
	}
	return p.Facts(o)
}
