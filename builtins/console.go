package builtins

import (
	"fmt"
	"io"

	"go.starlark.net/starlark"
)

// Console is the interactive session, for the builtins that are about it.
type Console interface {
	// Undo takes back the last step and says, in a line, which that was.
	Undo() (string, error)
	// Save writes the successful lines of the session to a file and returns how
	// many these are.
	Save(file string) (lines int, err error)
	// Keep has the lab stay when the session ends.
	Keep(on bool)
}

var consoleSpecs = []spec{
	{sig: "help(x = None)", doc: helpDoc, run: help},
	{sig: "explain(on = True)", doc: explainDoc, run: explain},
	graphSpec,
	{sig: "interact()", doc: interactDoc, run: interact},
	{
		sig: "undo()", doc: undoDoc,
		run: func(c *call) (starlark.Value, error) {
			con, err := c.console()
			if err != nil {
				return nil, err
			}
			said, err := con.Undo()
			if err != nil {
				return nil, err
			}
			_, err = io.WriteString(c.opts.Out, said+"\n")
			return nil, err
		},
	},
	{
		sig: "save(file)", doc: saveDoc,
		run: func(c *call) (starlark.Value, error) {
			con, err := c.console()
			if err != nil {
				return nil, err
			}
			var file string
			if err := c.unpack(&file); err != nil {
				return nil, err
			}
			if file == "" {
				return nil, &argError{"file", want("a path such as \"lab.star\"", starlark.String(file))}
			}
			n, err := con.Save(file)
			if err != nil {
				return nil, err
			}
			_, err = fmt.Fprintf(c.opts.Out, "%d lines written to %s\n", n, file)
			return nil, err
		},
	},
	{
		sig: "keep(on = True)", doc: keepDoc,
		run: func(c *call) (starlark.Value, error) {
			con, err := c.console()
			if err != nil {
				return nil, err
			}
			on := true
			if err := c.unpack(&on); err != nil {
				return nil, err
			}
			con.Keep(on)
			return nil, nil
		},
	},
}

// console is the interactive session, or the error that there is none.
func (c *call) console() (Console, error) {
	if c.opts.Console == nil {
		return nil, badArg("start one with `nsscript repl`, or with interact() in a script",
			"this is for the interactive session, and the script runs in none")
	}
	return c.opts.Console, nil
}

func help(c *call) (starlark.Value, error) {
	if c.opts.Help == nil {
		return nil, badArg("", "there is no help here")
	}
	text, err := c.opts.Help(c.args[0])
	if err != nil {
		return nil, err
	}
	_, err = io.WriteString(c.opts.Out, text)
	return nil, err
}

func explain(c *call) (starlark.Value, error) {
	on := true
	if err := c.unpack(&on); err != nil {
		return nil, err
	}
	if on {
		c.lab.ExplainTo(c.opts.Explain)
	} else {
		c.lab.ExplainTo(nil)
	}
	return nil, nil
}

func interact(c *call) (starlark.Value, error) {
	if c.lab.Planned() {
		return nil, nil // nobody sits there
	}
	if c.opts.Interact == nil {
		return nil, badArg("", "the session is interactive already")
	}
	defer c.lend()()
	return nil, c.opts.Interact(c.thread)
}

// Undone tells the session that steps were taken back: namespaces that are there
// no more are deleted.
func (s *Session) Undone() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.namespaces {
		if _, err := s.lab.System().NS(n.name); err != nil {
			n.deleted = true
		}
	}
}

const helpDoc = `
Explains a builtin, a type, a method or a value; without an argument, how to begin.

x (any): the thing itself, help(veth), or its name as a string, help("nat")
returns (None): nothing
errors: nothing is called so; the message has the nearest name
example:
    help(veth)
    help("nat")
`

const explainDoc = `
Prints from now on, before each step, the ip, iptables or sysctl command that does the same.

on (bool): False ends that
returns (None): nothing
example:
    explain()
    red = namespace("red")
    explain(False)
`

const interactDoc = `
Hands the terminal to an interactive session with the script's names; Ctrl-D goes on with the script.

What is assigned there is not seen by the script.

returns (None): nothing
errors: the session is interactive already
example:
    red = namespace("red")
    if False:   # wants somebody at the terminal
        interact()
`

const undoDoc = `
Takes back the last line of the interactive session that changed the lab, and the names that it defined.

returns (None): nothing
errors: nothing is left to take back; something was deleted or moved, which cannot be brought back
example:
    if False:   # in the interactive session
        undo()
`

const saveDoc = `
Writes the successful lines of the interactive session to a file: a script that builds the same lab.

What was taken back is left out. Commands are kept as comments, except those that configure (ip, iptables, sysctl and the like).

file (string): its path; an existing file is written anew
returns (None): nothing
errors: the file cannot be written
example:
    if False:   # in the interactive session
        save("lab.star")
`

const keepDoc = `
Has the lab stay up when the interactive session ends; "nsscript down" takes it down.

on (bool): False changes one's mind
returns (None): nothing
example:
    if False:   # in the interactive session
        keep()
`
