//go:build linux

package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nsscript/examples"
)

// TestPlansNeedNothing plans and draws all examples without any right in a root
// directory that holds nothing but the program and the names of protocols: no /proc, no
// iptables, no ip. It holds that the same script is printed as on a whole machine.
func TestPlansNeedNothing(t *testing.T) {
	t.Parallel()
	if os.Getenv(stageEnv) != "" {
		t.Skip("inside a private host")
	}
	program := filepath.Join(os.Getenv(binEnv), "nsscript")
	root := t.TempDir()
	bytes, err := os.ReadFile(program)
	if err == nil {
		err = os.Mkdir(filepath.Join(root, "etc"), 0o755)
	}
	if protocols, perr := os.ReadFile("/etc/protocols"); perr == nil && err == nil {
		err = os.WriteFile(filepath.Join(root, "etc/protocols"), protocols, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	for dir := root; strings.HasPrefix(dir, os.TempDir()+"/"); dir = filepath.Dir(dir) {
		err = errors.Join(err, os.Chmod(dir, 0o755))
	}
	if err := errors.Join(err, os.WriteFile(filepath.Join(root, "nsscript"), bytes, 0o755)); err != nil {
		t.Fatal(err)
	}
	plan := func(t *testing.T, chroot string, words ...string) string {
		cmd := exec.Command("/nsscript", words...)
		cmd.Dir = "/"
		cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: chroot, Credential: &syscall.Credential{Uid: ordinary, Gid: ordinary}}
		if chroot == "" {
			cmd = exec.Command(program, words...)
		}
		cmd.Env = []string{"NO_COLOR=1"}
		var said strings.Builder
		cmd.Stderr = &said
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v: %v\n%s", words, err, said.String())
		}
		return string(out)
	}
	for _, name := range examples.Names() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, err := examples.Read(name)
			if err != nil {
				t.Fatal(err)
			}
			nowhere := plan(t, root, "plan", "@"+name)
			if strings.Contains(e.Text, "wireguard") {
				return // its keys are new ones each time
			}
			if diff := cmp.Diff(plan(t, "", "plan", "@"+name), nowhere); diff != "" {
				t.Errorf("on a whole machine (-), with nothing (+):\n%s", diff)
			}
			if e.Takes == "" && plan(t, root, "graph", "@"+name) == "" {
				t.Error("nothing is drawn")
			}
		})
	}
}
