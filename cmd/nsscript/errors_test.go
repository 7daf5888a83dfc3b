//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"
)

// TestErrors runs the wrong scripts of testdata/errors and compares all that
// nsscript says about each, and the exit status, with what stands there. An
// archive holds pairs of files: NAME.star and NAME.want.
//
//	go test ./cmd/nsscript -run TestErrors -update
//
// writes the .want files anew.
func TestErrors(t *testing.T) {
	t.Parallel()
	if os.Getenv(stageEnv) != "" {
		t.Skip("inside a private host")
	}
	archives, err := filepath.Glob("testdata/errors/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no archives in testdata/errors: %v", err)
	}
	for _, file := range archives {
		abs, err := filepath.Abs(file)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			inPrivateHost(t, 0, "TestInsideErrors", abs)
		})
	}
}

// TestInsideErrors runs one archive's scripts, in a private host.
func TestInsideErrors(t *testing.T) {
	file := insideOnly(t)
	a, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, f := range a.Files {
		if err := os.WriteFile(filepath.Join(dir, f.Name), f.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out []txtar.File
	wants := map[string]string{}
	for _, f := range a.Files {
		if strings.HasSuffix(f.Name, ".want") {
			wants[f.Name] = string(f.Data)
		}
	}
	before := snapshot()
	for _, f := range a.Files {
		if !strings.HasSuffix(f.Name, ".want") {
			out = append(out, f)
		}
		name, ok := strings.CutSuffix(f.Name, ".star")
		if !ok || strings.HasPrefix(name, "lib_") {
			continue
		}
		if needs := neededFeatures.FindSubmatch(f.Data); needs != nil && slices.ContainsFunc(strings.Fields(string(needs[1])), lacks) {
			t.Logf("%s: the kernel lacks one of %s", f.Name, needs[1])
			out = append(out, txtar.File{Name: name + ".want", Data: []byte(wants[name+".want"])})
			continue
		}
		got := complaint(dir, "run", f.Name)
		if planned := complaint(dir, "plan", f.Name); !strings.HasSuffix(planned, "exit status 0\n") && unended.ReplaceAllString(got, "") != planned && !plansDiffer[name] {
			t.Errorf("%s\nrun:\n%s\nplan:\n%s", f.Name, got, planned)
		}
		out = append(out, txtar.File{Name: name + ".want", Data: []byte(got)})
		if want := wants[name+".want"]; os.Getenv(updateEnv) == "" && got != want {
			t.Errorf("%s\ngot:\n%s\nwant:\n%s", f.Name, got, want)
		}
		if strings.HasSuffix(got, "exit status 0\n") {
			t.Errorf("%s is not wrong:\n%s", f.Name, got)
			_ = exec.Command(filepath.Join(os.Getenv(binEnv), "nsscript"), "down", "--all").Run()
		}
		if after := snapshot(); after != before {
			t.Errorf("%s leaves something:\n%s", f.Name, difference(before, after))
			before = after
		}
	}
	if os.Getenv(updateEnv) != "" {
		if err := os.WriteFile(file, txtar.Format(&txtar.Archive{Comment: a.Comment, Files: out}), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// unended is what is said at the end of a run that a plan has no reason to say.
var unended = regexp.MustCompile(`(?m)^(lab \S+ was taken back; |\d+ checks: ).*\n`)

// plansDiffer are the scripts of which a plan says something else, and rightly: what
// is wrong with a packet that was not seen, or an address that the kernel would have
// made.
var plansDiffer = map[string]bool{"capture_packet_field": true, "capture_json": true, "gw_family": true}

// complaint runs a command on a script and returns its output and exit status. Of a
// plan only what it says on stderr counts.
func complaint(dir, command, script string) string {
	cmd := exec.Command(filepath.Join(os.Getenv(binEnv), "nsscript"), command, script)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "NO_COLOR=1")
	timer := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	var said bytes.Buffer
	if cmd.Stderr = &said; command != "plan" {
		cmd.Stdout = &said
	}
	err := cmd.Run()
	out := said.Bytes()
	out = bytes.ReplaceAll(out, []byte(dir+"/"), nil)
	return fmt.Sprintf("%sexit status %d\n", out, exitStatus(err))
}

func difference(before, after string) string {
	old := map[string]bool{}
	for _, l := range strings.Split(before, "\n") {
		old[l] = true
	}
	var b strings.Builder
	for _, l := range strings.Split(after, "\n") {
		if !old[l] {
			fmt.Fprintln(&b, l)
		}
	}
	return b.String()
}
