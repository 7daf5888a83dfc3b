//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"nsscript/builtins/kernel"
	"nsscript/builtins/kernel/sandbox"
	"nsscript/builtins/lab"
	"nsscript/builtins/op"
)

// A lab of --untrusted is built in a closed sandbox: of the user's files it has
// only the directory that the script is in, of his processes none, and of his
// environment what says how to print. The lab's notes are inside as well, for
// its programs could change them; outside is only what says which sandbox it is.

// registryInside is the registry that a closed sandbox sees: its own.
const registryInside = "/run/nsscript"

// envUntrusted tells a worker that it is inside a closed sandbox.
const envUntrusted = "NSSCRIPT_UNTRUSTED"

// restrict has the programs of an untrusted lab restricted, if this process is
// inside one's sandbox.
func restrict() {
	if os.Getenv(envUntrusted) != "" {
		kernel.RestrictPrograms()
	}
}

// runUntrusted runs this command once more in a closed sandbox.
func runUntrusted(ctx context.Context, args []string, o runOptions) error {
	if err := closedHere(); err != nil {
		return err
	}
	argv, origin, dir, err := untrustedScript(args, o)
	if err != nil {
		return err
	}
	c := &client{registry: lab.DefaultRegistry(), closed: true, origin: origin}
	release, err := c.registry.Keep()
	if err != nil {
		return err
	}
	defer release()
	closed := &sandbox.Closed{Self: self()}
	cmd := sandbox.Command{Path: sandbox.SelfPath, Args: argv, Env: environInside(), Dir: "/", Session: true}
	if dir != "" {
		closed.Dirs, cmd.Dir = []string{dir}, dir
	}
	with := sandbox.Options{User: true, Closed: closed}
	if with.Origin, err = c.registry.Origin(); err != nil {
		return err
	}
	c.box, err = sandbox.Start(ctx, with)
	if err != nil {
		return err
	}
	status, err := c.run(cmd)
	return errors.Join(c.end(context.WithoutCancel(ctx)), asExit(status, err))
}

// closedHere says why there is no closed sandbox here, as an error of what is
// missing.
func closedHere() error {
	err := sandbox.CheckClosed()
	var missing *sandbox.Missing
	if errors.As(err, &missing) {
		return &kernel.MissingError{What: "--untrusted cannot be kept here: " + missing.What, Remedy: missing.Remedy, Err: missing.Err}
	}
	return err
}

// untrustedScript returns the command line for inside, in which the script has
// its absolute path, the lab's origin, and the directory of the script.
func untrustedScript(args []string, o runOptions) (argv []string, origin, dir string, err error) {
	argv = append([]string{"nsscript"}, os.Args[1:]...)
	switch {
	case o.code != "":
		return argv, "-c", "", nil
	case args[0] == "-" || strings.HasPrefix(args[0], "@"):
		return argv, args[0], "", nil
	}
	path, err := filepath.Abs(args[0])
	if err == nil {
		path, err = filepath.EvalSymlinks(path)
	}
	if err != nil {
		return nil, "", "", err
	}
	for i := len(argv) - 1; i > 0; i-- {
		if argv[i] == args[0] {
			argv[i] = path
			break
		}
	}
	dir = filepath.Dir(path)
	return argv, path, dir, ownFolder(dir)
}

// ownFolder refuses a directory of which the lab is not all: it would be shown to
// the lab with all that is in it.
func ownFolder(dir string) error {
	home, err := os.UserHomeDir()
	if err != nil {
		home = "/"
	}
	if real, err := filepath.EvalSymlinks(home); err == nil {
		home = real
	}
	shared := []string{"/tmp", "/var/tmp", "/run", "/dev", "/proc", "/sys", "/etc", "/usr", "/home"}
	if within(home, dir) || slices.Contains(shared, dir) {
		return &op.Error{
			Msg: fmt.Sprintf("an untrusted lab sees all of the folder that it is in, and %s is too much", dir),
			Tip: "put the lab into a folder of its own",
		}
	}
	return nil
}

// within reports whether path is dir or below it.
func within(path, dir string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsLocal(rel)
}

// printing are the variables that say how to print.
var printing = []string{"TERM", "COLORTERM", "NO_COLOR", "LANG", "LANGUAGE", "TZ", "COLUMNS", "LINES"}

// environInside is the environment of an untrusted lab.
func environInside() []string {
	env := []string{"PATH=" + kernel.AdminPath("/usr/local/bin:/usr/bin:/bin"), "HOME=/tmp", envWorker + "=" + registryInside, envUntrusted + "=1"}
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		if slices.Contains(printing, name) || strings.HasPrefix(name, "LC_") {
			env = append(env, kv)
		}
	}
	return env
}
