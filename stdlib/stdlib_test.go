//go:build linux

package stdlib_test

import (
	"bytes"
	"encoding/json"
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

	"nsscript/builtins/doc"
	"nsscript/interp"
	"nsscript/stdlib"
)

// binary is the nsscript that the tests run, built once.
var binary string

func TestMain(m *testing.M) {
	os.Exit(build(m))
}

func build(m *testing.M) int {
	dir, err := os.MkdirTemp("", "nsscript-stdlib-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary = filepath.Join(dir, "nsscript")
	cmd := exec.Command("go", "build", "-o", binary, "nsscript/cmd/nsscript")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// nsscript runs a command of the program, as root with a /run of its own, and
// returns all that it prints.
func nsscript(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command(binary, args...)
	if os.Geteuid() == 0 {
		cmd = exec.Command("bash", append([]string{"-c", `mount --make-rprivate / && mount -t tmpfs none /run && exec "$@"`, "bash", binary}, args...)...)
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS}
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		t.Errorf("nsscript %s: %v\n%s", strings.Join(args, " "), err, out.String())
	}
	return out.String()
}

// variants are the parameters with which a lab of testdata is run more than once.
var variants = map[string][]string{
	"shapes":  {"version=4", "version=6"},
	"fabrics": {"version=4", "version=6"},
	"daemons": {"daemon=bird", "daemon=frr", "daemon=both"},
}

// needs are the programs of a variant; where they are missing it is skipped.
var needs = map[string][]string{
	"daemon=bird": {"bird"}, "daemon=frr": {"zebra"}, "daemon=both": {"bird", "zebra"},
}

// eachLab runs a test for each lab of testdata/labs and each of its variants.
func eachLab(t *testing.T, run func(t *testing.T, file string, set []string)) {
	t.Helper()
	files, err := filepath.Glob("testdata/labs/*.star")
	if err != nil || len(files) == 0 {
		t.Fatalf("no labs in testdata/labs: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".star")
		sets := variants[name]
		if len(sets) == 0 {
			sets = []string{""}
		}
		for _, set := range sets {
			t.Run(strings.TrimSuffix(name+"/"+set, "/"), func(t *testing.T) {
				t.Parallel()
				var args []string
				if set != "" {
					args = []string{"--set", set}
				}
				run(t, file, args)
			})
		}
	}
}

// TestLabs runs each lab of testdata in a sandbox, whose checks all have to hold.
func TestLabs(t *testing.T) {
	t.Parallel()
	eachLab(t, func(t *testing.T, file string, set []string) {
		for _, arg := range set {
			for _, program := range needs[arg] {
				if !installed(program) {
					t.Skipf("%s is not installed", program)
				}
			}
		}
		out := nsscript(t, slices.Concat([]string{"run", "--rm", "--sandbox"}, set, []string{file})...)
		if !regexp.MustCompile(`(?m)^\d+ checks: \d+ passed, 0 failed`).MatchString(out) {
			t.Errorf("no checks were made:\n%s", out)
		}
	})
}

// installed reports whether a program is where programs of routing are.
func installed(program string) bool {
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/sbin", "/sbin", "/usr/lib/frr") {
		if info, err := os.Stat(filepath.Join(dir, program)); err == nil && info.Mode()&0o111 != 0 {
			return true
		}
	}
	return false
}

// TestPlans plans each lab: what the library builds does not depend on what
// programs say.
func TestPlans(t *testing.T) {
	t.Parallel()
	eachLab(t, func(t *testing.T, file string, set []string) {
		nsscript(t, slices.Concat([]string{"plan"}, set, []string{file})...)
	})
}

// shapes are calls that build something of about so many nodes.
var shapes = []string{
	`star(n)`, `lan("lan", n, "10.0.0.0/16", router = namespace("r", forward = True))`, `linear(n // 10, hosts = 10)`,
	`line(n)`, `ring(n)`, `grid(n // 20, 20)`, `torus(n // 20, 20)`, `random(n)`,
	`spine_leaf(4, n // 10, 10)`, `[spine_leaf(2, n // 4, 4, network = "fd00::/32")]`,
	`tree(depth = 2, fanout = {100: 10, 900: 30}[n])`, `tree(depth = 2, fanout = {100: 10, 900: 30}[n], routers = True)`,
	`fat_tree({100: 6, 900: 14}[n])`,
}

// TestLinear holds that what a node costs does not grow with the number of nodes:
// the steps of the plans of a hundred and of nine hundred nodes are compared. Where
// ranges are covered by prefixes, their number grows as the logarithm does.
func TestLinear(t *testing.T) {
	t.Parallel()
	for _, shape := range shapes {
		t.Run(shape, func(t *testing.T) {
			t.Parallel()
			small, large := perNode(t, shape, 100), perNode(t, shape, 900)
			if large > 1.8*small {
				t.Errorf("a node costs %.1f steps of 100 nodes, %.1f of 900", small, large)
			}
		})
	}
}

// perNode is how many steps a shape takes for each namespace.
func perNode(t *testing.T, shape string, n int) float64 {
	t.Helper()
	code := fmt.Sprintf("load(\"@std//topo.star\", %s)\nn = %d\n%s\n", `"fat_tree", "grid", "lan", "line", "linear", "random", "ring", "spine_leaf", "star", "torus", "tree"`, n, shape)
	out := nsscript(t, "plan", "-c", code)
	m := regexp.MustCompile(`(?m)^(\d+) commands`).FindStringSubmatch(out)
	nodes := strings.Count(out, "\nip netns add ")
	if m == nil || nodes == 0 {
		t.Fatalf("no commands:\n%s", out)
	}
	commands, _ := strconv.Atoi(m[1])
	return float64(commands) / float64(nodes)
}

// TestLaidOut holds that the modules and their labs are laid out as fmt does, and
// that check finds nothing in them.
func TestLaidOut(t *testing.T) {
	t.Parallel()
	if out := nsscript(t, "fmt", "-l", "."); out != "" {
		t.Errorf("not laid out:\n%s", out)
	}
	var found []any
	if err := json.Unmarshal([]byte(nsscript(t, "check", "--strict", "--json", ".")), &found); err != nil || len(found) > 0 {
		t.Errorf("check finds %v, %v", found, err)
	}
}

// TestDescribed holds that every function of the library is described: what it
// takes, what it returns, and an example, which the tests of the command run.
func TestDescribed(t *testing.T) {
	t.Parallel()
	lib, err := interp.Library(stdlib.FS)
	if err != nil {
		t.Fatal(err)
	}
	// Those that start programs which the machine may lack.
	noExample := []string{"bird", "frr"}
	for _, p := range lib.Pages() {
		if p.Kind == doc.Module {
			continue
		}
		for _, a := range p.Args {
			if a.Type == "" || a.Text == "" {
				t.Errorf("%s does not say what its argument %q is", p.Name, a.Name)
			}
		}
		if p.Returns.Type == "" {
			t.Errorf("%s does not say what it returns", p.Name)
		}
		if p.Example == "" && !slices.Contains(noExample, p.Name) {
			t.Errorf("%s has no example", p.Name)
		}
	}
}
