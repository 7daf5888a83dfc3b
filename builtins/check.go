package builtins

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"time"

	"go.starlark.net/starlark"

	"nsscript/builtins/kernel"
	"nsscript/builtins/lab"
	"nsscript/builtins/op"
)

var checkSpecs = []spec{
	{
		sig: "check(name, what, *, hint = None)",
		doc: checkDoc,
		run: check,
	},
	exerciseSpec,
	{sig: "skip(reason = None)", doc: skipDoc, run: skip},
	{
		sig: "sleep(d)", doc: sleepDoc,
		run: func(c *call) (starlark.Value, error) {
			var d duration
			if err := c.unpack(&d); err != nil {
				return nil, err
			}
			c.lab.Explain(c.pos(), fmt.Sprintf("sleep %g", d.std().Seconds()))
			return nil, c.pause(d.std())
		},
	},
	{
		sig: "wait(fn, *, timeout = \"5s\", every = \"50ms\")",
		doc: waitDoc,
		run: waitFor,
	},
	{
		sig: "show()", doc: showDoc,
		run: func(c *call) (starlark.Value, error) {
			text, err := lab.Table(c.lab)
			if err == nil {
				_, err = io.WriteString(c.opts.Out, text)
			}
			return nil, err
		},
	},
	{
		sig: "shell(ns)", doc: shellDoc,
		run: shellIn,
	},
}

// pause waits, unless the run is interrupted.
func (c *call) pause(d time.Duration) error {
	if c.lab.Planned() {
		return c.ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-c.ctx.Done():
		return c.ctx.Err()
	}
}

// Check is a check that a script made.
type Check struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	// Assumed says that it depends on what a plan has not tried.
	Assumed bool   `json:"assumed,omitempty"`
	Pos     string `json:"pos"`
	Got     string `json:"got,omitempty"` // what a failed check saw
	Hint    string `json:"hint,omitempty"`
	// Packets are the probes of a failed check.
	Packets []Asked `json:"packets,omitempty"`
}

// Checks returns the checks so far.
func (s *Session) Checks() []Check {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.checks)
}

func check(c *call) (starlark.Value, error) {
	var name, hint string
	var what starlark.Value
	if err := c.unpack(&name, &what, &hint); err != nil {
		return nil, err
	}
	k := Check{Name: name, Pos: c.pos(), Hint: hint}
	if fn, ok := what.(starlark.Callable); ok {
		v, err := c.callBack(fn)
		if c.ctx.Err() != nil {
			return nil, c.ctx.Err()
		}
		var skipped *Skipped
		if errors.As(err, &skipped) {
			return nil, err // the function has ended more than the check
		}
		if err != nil {
			var hint string
			if k.Got, hint = c.opts.Explained(err); k.Hint == "" {
				k.Hint = hint
			}
		}
		what = v
	}
	if what != nil {
		k.OK = bool(what.Truth())
		if !k.OK {
			k.Got = what.String()
		}
	}
	if c.Assumptions() > 0 { // what it was given may follow from one
		k = Check{Name: name, Pos: k.Pos, OK: true, Assumed: true}
	}
	if asked := c.askedSince(); !k.OK {
		k.Packets = asked
		if c.opts.Style.Walks {
			if err := c.follow(k.Packets); err != nil {
				return nil, err
			}
		}
	}
	c.mu.Lock()
	c.checks = append(c.checks, k)
	c.mu.Unlock()
	return starlark.Bool(k.OK), c.printCheck(k)
}

func (c *call) printCheck(k Check) error {
	if c.opts.Checked != nil {
		c.opts.Checked(k)
		return nil
	}
	if c.opts.Style.Quiet {
		return nil
	}
	mark, color := "✓", "\x1b[32m"
	switch {
	case k.Assumed:
		mark, color = "?", "\x1b[33m"
	case !k.OK:
		mark, color = "✗", "\x1b[31m"
	}
	if c.opts.Style.Color {
		mark = color + mark + "\x1b[0m"
	}
	name := k.Name
	if !k.OK && c.opts.Style.Places {
		name += " (" + k.Pos + ")"
	}
	text := mark + " " + name + "\n"
	if !k.OK {
		if k.Got != "" && k.Got != "False" && k.Got != "None" {
			text += fmt.Sprintf("    got: %s\n", firstLine(k.Got))
		}
		if k.Hint != "" {
			text += fmt.Sprintf("    hint: %s\n", k.Hint)
		}
	}
	_, err := fmt.Fprint(c.opts.Out, text)
	return err
}

func waitFor(c *call) (starlark.Value, error) {
	var fn starlark.Callable
	limit, every := duration(5*time.Second), duration(50*time.Millisecond)
	if err := c.unpack(&fn, &limit, &every); err != nil {
		return nil, err
	}
	for until := time.Now().Add(limit.std()); ; {
		v, err := c.callBack(fn)
		if err != nil {
			return nil, err
		}
		if c.lab.Planned() {
			c.planWait()
			return starlark.True, nil
		}
		if v.Truth() {
			return starlark.True, nil
		}
		left := time.Until(until)
		if left <= 0 {
			return starlark.False, nil
		}
		if err := c.pause(min(every.std(), left)); err != nil {
			return nil, err
		}
	}
}

// Shell returns the user's shell.
func Shell() string {
	for _, sh := range []string{os.Getenv("SHELL"), "/bin/bash", "/bin/sh"} {
		if path, err := exec.LookPath(sh); err == nil {
			return path
		}
	}
	return "/bin/sh"
}

func shellIn(c *call) (starlark.Value, error) {
	var ns *Namespace
	if err := c.unpack(&ns); err != nil {
		return nil, err
	}
	if c.lab.Planned() {
		c.assume(c.pos(), op.InNS(ns.name, Shell()))
		return starlark.MakeInt(0), nil
	}
	environ, err := c.environ(nil, "", ns)
	if err != nil {
		return nil, err
	}
	view, err := c.lab.View(ns.name)
	if err != nil {
		return nil, err
	}
	path := Shell()
	c.lab.Explain(c.pos(), op.InNS(ns.name, path))
	defer c.lab.Forgetful(ns.name)
	defer c.lend()()
	cmd := &exec.Cmd{Path: path, Args: []string{path}, Env: environ, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
	if err := kernel.Start(cmd, view); err != nil {
		return nil, op.StartError(err, cmd.Args, ns.name)
	}
	_ = cmd.Wait() // the status of a shell is that of the last thing typed
	return starlark.MakeInt(exitCode(cmd.ProcessState)), nil
}

const checkDoc = `
Records and prints a named check. It never ends the script; a failed check makes the run exit with status 1.

name (string): what is held to be true, in words
what (any): a value, or a function that is called now; truthy means passed, an error of the function failed
hint (string): printed where it fails
returns (bool): whether it passed
example:
    red, blue = namespace("red"), namespace("blue")
    veth(red, blue, addr = "10.0.0.1/24", peer_addr = "10.0.0.2/24")
    check("red reaches blue", ping(red, blue))
    #> ✓ red reaches blue
`

const sleepDoc = `
Waits.

d (duration): a number of seconds, or "200ms"
returns (None): nothing
example:
    sleep("10ms")
`

const waitDoc = `
Calls a function again and again until what it returns is truthy.

fn (function): takes no argument
timeout (duration): how long to go on at most
every (duration): the pause between two calls
returns (bool): whether it became truthy in time
errors: an error of the function ends the waiting
example:
    red = namespace("red")
    p = spawn(red, "sleep 0.05")
    print(wait(lambda: not p.running, timeout = "5s"))
    #> True
`

const showDoc = `
Prints the lab as a table: its namespaces, their interfaces, addresses and routes, as they are now.

returns (None): nothing
example:
    red = namespace("red")
    show()
command: ip -n NS addr
    ip -n NS route
`

const shellDoc = `
Hands the terminal to a shell in a namespace, until it is left with exit or Ctrl-D.

ns (Namespace): where it runs
returns (int): its exit status
example:
    red = namespace("red")
    if False:   # a program that wants a terminal
        shell(red)
command: ip netns exec NS bash
`
