package op

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/kballard/go-shellquote"

	"nsscript/builtins/kernel"
)

// Words splits a line as a shell would, with nothing expanded.
func Words(line string) ([]string, error) {
	return shellquote.Split(line)
}

// RunIptables runs iptables with any arguments.
type RunIptables struct {
	NS   string   `json:"ns"`
	V6   bool     `json:"v6,omitempty"`
	Args []string `json:"args"`
	// Reverse takes it back; filled in by Prepare where it is needed.
	Reverse []string `json:"reverse,omitempty"`
	usedTables

	Stdout, Stderr []byte `json:"-"` // what it said, filled in by Do
}

// iptablesVerbs are iptables' commands in their short form.
var iptablesVerbs = map[string]string{
	"--append": "-A", "--check": "-C", "--delete": "-D", "--insert": "-I", "--replace": "-R",
	"--list": "-L", "--list-rules": "-S", "--flush": "-F", "--zero": "-Z", "--new-chain": "-N",
	"--delete-chain": "-X", "--policy": "-P", "--rename-chain": "-E", "--version": "-V", "--help": "-h", "--new": "-N",
}

// Verb finds the command among the arguments and where it stands.
func (o *RunIptables) Verb() (verb string, at int) {
	for i, a := range o.Args {
		if v, ok := iptablesVerbs[a]; ok {
			return v, i
		}
		if len(a) == 2 && strings.Contains("-A -C -D -I -R -L -S -F -Z -N -X -P -E -V -h", a) && a != "- " {
			return a, i
		}
	}
	return "", -1
}

// Table is the table that the command is about.
func (o *RunIptables) Table() string {
	for i, a := range o.Args {
		if (a == "-t" || a == "--table") && i+1 < len(o.Args) {
			return o.Args[i+1]
		}
		if t, ok := strings.CutPrefix(a, "--table="); ok {
			return t
		}
	}
	return "filter"
}

// Prepare finds out, in a namespace that is not the lab's, how the command is
// taken back, and refuses one that cannot be.
func (o *RunIptables) Prepare(s *System) error {
	if s.Owned(o.NS) || o.Reverse != nil {
		return nil
	}
	verb, at := o.Verb()
	arg := func(i int) string {
		if at+i < len(o.Args) {
			return o.Args[at+i]
		}
		return ""
	}
	head := []string{"-t", o.Table()}
	switch verb {
	case "-L", "-S", "-C", "-V", "-h":
	case "-A", "-I":
		if len(o.Args) < at+2 {
			return nil // iptables itself says what is missing
		}
		o.Args = marked(o.Args, s.Mark)
		rest := slices.Clone(o.Args[at+2:])
		if verb == "-I" && len(rest) > 0 && strings.Trim(rest[0], "0123456789") == "" {
			rest = rest[1:]
		}
		o.Reverse = slices.Concat(o.Args[:at], []string{"-D", arg(1)}, rest)
	case "-N":
		o.Reverse = append(head, "-X", arg(1))
	case "-P":
		n, err := s.NS(o.NS)
		if err != nil {
			return err
		}
		x, err := s.tables(o.V6)
		if err != nil {
			return err
		}
		old, err := x.Policy(n, o.Table(), arg(1))
		if err != nil {
			return iptablesError(err, o.NS)
		}
		o.Reverse = append(head, "-P", arg(1), old)
	default:
		return &Error{
			Msg: fmt.Sprintf("%q could not be taken back: in %s only -A, -I, -N, -P and listing are allowed", strings.Join(o.Args, " "), quoteNS(o.NS)),
			Tip: "run the lab with --sandbox to have a host of its own",
		}
	}
	return o.noteTables(s, o.NS, kernel.NFTable{V6: o.V6, Name: o.Table()})
}

// Do runs the command.
func (o *RunIptables) Do(_ context.Context, s *System) error {
	err := o.run(s, o.Args)
	if o.Reverse == nil {
		// Looking alone makes iptables-nft make the table.
		err = errors.Join(err, o.dropTables(s, o.NS))
	}
	return err
}

func (o *RunIptables) run(s *System, args []string) error {
	n, err := s.NS(o.NS)
	if err != nil {
		return err
	}
	x, err := s.tables(o.V6)
	if err != nil {
		return err
	}
	stdout, stderr, status, err := x.Run(n, args)
	if err != nil {
		return err
	}
	o.Stdout, o.Stderr = stdout, stderr
	if status != 0 {
		return &Error{Msg: fmt.Sprintf("in %s: iptables: %s", quoteNS(o.NS), kernel.Complaint(stderr))}
	}
	return nil
}

// Undo runs the reverse.
func (o *RunIptables) Undo(_ context.Context, s *System) error {
	if o.Reverse == nil {
		return nil
	}
	n, err := s.NS(o.NS)
	if err != nil {
		return nil // the namespace is gone, and the rule with it
	}
	x, err := s.tables(o.V6)
	if err != nil {
		return err
	}
	_, stderr, status, err := x.Run(n, o.Reverse)
	if err != nil {
		return err
	}
	said := string(stderr)
	if status != 0 && !strings.Contains(said, "does a matching rule exist") && !strings.Contains(said, "No chain/target/match") {
		return &Error{Msg: fmt.Sprintf("in %s: iptables %s: %s", quoteNS(o.NS), strings.Join(o.Reverse, " "), kernel.Complaint(stderr))}
	}
	return o.dropTables(s, o.NS)
}

// Commands is the command itself.
func (o *RunIptables) Commands() []string {
	return []string{iptablesCommand(o.NS, o.V6, "", o.Args...)}
}

// Inside is the namespace.
func (o *RunIptables) Inside() []string { return []string{o.NS} }
