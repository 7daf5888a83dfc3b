//go:build linux

package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"

	"nsscript/cmd/nsbench/internal/floor"
	"nsscript/cmd/nsbench/internal/pen"
)

// kit is what the contenders work with: the programs, and the files that they read. They
// are in a directory that other users can read too.
type kit struct {
	dir      string
	self     string
	nsscript string
	starlark string // empty if it is not there
}

func newKit(o *options) (*kit, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "nsbench-")
	if err != nil {
		return nil, err
	}
	k := &kit{dir: dir, self: self, nsscript: filepath.Join(dir, "nsscript")}
	if err := k.fill(o); err != nil {
		k.remove()
		return nil, err
	}
	return k, nil
}

func (k *kit) fill(o *options) error {
	if err := os.Chmod(k.dir, 0o755); err != nil {
		return err
	}
	if err := copyProgram(k.nsscript, o.nsscript); err != nil {
		return fmt.Errorf("the program to measure: %w", err)
	}
	_, err := os.Stat(o.starlark)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	k.starlark, err = filepath.Abs(o.starlark)
	return err
}

// copyProgram copies a program a page at a time: what is written in one go is cached in
// large pieces, and each piece that is touched would count as a process' memory.
func copyProgram(to, from string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o755)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	page := make([]byte, os.Getpagesize())
	_, err = io.CopyBuffer(struct{ io.Writer }{out}, struct{ io.Reader }{in}, page)
	return err
}

func (k *kit) remove() { _ = os.RemoveAll(k.dir) }

// file writes a file for contenders and returns its path. What cannot be written is
// missed by who reads it.
func (k *kit) file(name, text string) string {
	path := filepath.Join(k.dir, name)
	_ = os.WriteFile(path, []byte(text), 0o644)
	return path
}

// floor is the command line of a floor.
func (k *kit) floor(work string, numbers ...int) []string {
	argv := []string{k.self, floor.Arg, work}
	for _, n := range numbers {
		argv = append(argv, fmt.Sprint(n))
	}
	return argv
}

// where is where nsscript builds a lab.
type where int

const (
	inSandbox where = iota
	onHost
	rootless
)

// nobody is a user without rights.
const nobody = 65534

// run is the step that builds the lab of a script.
func (k *kit) run(at where, script string) pen.Step {
	s := pen.Step{Name: up, Argv: []string{k.nsscript, "run", script}}
	switch at {
	case inSandbox:
		s.Argv = []string{k.nsscript, "run", "--sandbox", script}
	case rootless:
		s.UID = nobody
	}
	return s
}

// The steps that most contenders have.
const (
	up   = "up"
	down = "down"
)

// down is the step that takes a lab down.
func (k *kit) down(at where, lab string) pen.Step {
	s := pen.Step{Name: down, Argv: []string{k.nsscript, "down", lab}, Settle: true}
	if at == rootless {
		s.UID = nobody
	}
	return s
}

// rootlessLacks says what is missing for labs without root.
func rootlessLacks() string {
	if os.Geteuid() != 0 {
		return "run it as root, who can become another user"
	}
	text, err := os.ReadFile("/proc/sys/user/max_user_namespaces")
	if err != nil || string(text) == "0\n" {
		return "this machine has no user namespaces"
	}
	return ""
}

// program says what is missing for a contender that needs programs.
func program(names ...string) string {
	for _, n := range names {
		if _, err := exec.LookPath(n); err != nil {
			return n + " is not installed"
		}
	}
	return ""
}
