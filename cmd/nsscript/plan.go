package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"nsscript/builtins"
	"nsscript/builtins/kernel"
	"nsscript/builtins/lab"
	"nsscript/builtins/op"
	"nsscript/builtins/pattern"
	"nsscript/interp"
)

// planOptions are the flags of plan.
type planOptions struct {
	code string
	set  []string
	json bool
}

func newPlan() *cobra.Command {
	var o planOptions
	cmd := &cobra.Command{
		Use:   "plan FILE|@EXAMPLE|-",
		Short: "Print a lab as a shell script of ip, iptables and sysctl commands",
		Long: `Print a lab as a shell script of ip, iptables and sysctl commands, which, run by
bash as root, builds the same network. Each comment has the line of the lab that the
commands after it come from.

It needs no rights and changes nothing: the script runs to its end on a picture of
the network. No packet is sent and no program run; what the script asks is answered
as if it had worked, and the checks that may follow from that are listed as assumed.
Programs that the script runs are part of what is printed, but what they change is
not in the picture.`,
		Args: cobra.MaximumNArgs(1), ValidArgsFunction: completeScripts,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkScript(cmd, args, o.code); err != nil {
				return err
			}
			return printPlan(cmd.Context(), args, o)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.code, "code", "c", "", "plan this `CODE`")
	f.StringArrayVar(&o.set, "set", nil, "set a parameter of the script: `NAME=VALUE`")
	f.BoolVar(&o.json, "json", false, "print the plan as JSON")
	return cmd
}

// step is what a line of a lab comes to: commands, or something that is only assumed.
type step struct {
	Pos      string   `json:"pos"`
	Line     string   `json:"line,omitempty"` // the script's
	Commands []string `json:"commands"`
	Assumed  bool     `json:"assumed,omitempty"`
}

// plan is a script that has run on a picture.
type plan struct {
	*ready
	src   interp.Source
	steps []step
}

// planOf runs a script on a picture. What it prints goes to out. The plan is there with
// an error too, as far as it came.
func planOf(ctx context.Context, args []string, o planOptions, out io.Writer) (*plan, error) {
	params, err := parseSets(o.set)
	if err != nil {
		return nil, err
	}
	src, name, _, err := source(args, o.code)
	if err != nil {
		return nil, err
	}
	p := &plan{src: src}
	l := lab.NewPlan(lab.Options{Name: name})
	l.ExplainTo(func(pos string, commands []string) { p.add(step{Pos: pos, Commands: commands}) })
	p.ready = language(ctx, out, builtins.Options{
		Lab: l, Params: params, Style: builtins.Style{Color: colorful(os.Stderr)},
		Assume: func(a builtins.Assumption) {
			p.add(step{Pos: a.Pos, Commands: []string{a.Command}, Assumed: !a.Runs})
		},
	})
	if err := foresee(p.interp, src, p.session, params); err != nil {
		return p, err
	}
	_, err = p.interp.Run(ctx, src)
	if skippedBy(err) != nil {
		fmt.Fprintln(os.Stderr, skipLine(err))
		return p, nil
	}
	return p, p.doubt(err)
}

// doubt says of an error that it may come from an answer which was only assumed.
func (p *plan) doubt(err error) error {
	n := p.session.Assumptions()
	var at *interp.Error
	var told *op.Error
	if n == 0 || !errors.As(err, &at) || at.Hint != "" || errors.As(err, &told) {
		return err
	}
	at.Hint = "a plan sends no packets and runs no programs: what a program prints is empty here"
	return at
}

func (p *plan) add(s step) {
	s.Line = p.lineAt(s.Pos)
	for i, c := range s.Commands {
		s.Commands[i] = withJobs(c)
	}
	if n := len(p.steps); n > 0 && p.steps[n-1].Pos == s.Pos && p.steps[n-1].Assumed == s.Assumed {
		p.steps[n-1].Commands = append(p.steps[n-1].Commands, s.Commands...)
		return
	}
	p.steps = append(p.steps, s)
}

// planned matches the numbers that stand for processes in a plan.
var planned = pattern.Of(`\b\d{7}\b`)

// withJobs puts the shell's variables for background processes in the place of the
// numbers that stand for them.
func withJobs(command string) string {
	var b strings.Builder
	done := 0
	for _, at := range planned().FindAllStringIndex(command, -1) {
		pid, _ := strconv.Atoi(command[at[0]:at[1]])
		job := builtins.PlannedJob(pid)
		if job == 0 || job > maxJobs {
			continue
		}
		name := fmt.Sprintf(`"$job%d"`, job)
		if strings.Count(command[:at[0]], "'")%2 == 1 {
			name = "'" + name + "'" // within single quotes nothing is expanded
		}
		b.WriteString(command[done:at[0]] + name)
		done = at[1]
	}
	return b.String() + command[done:]
}

// maxJobs bounds what is taken for the number of a process.
const maxJobs = 100_000

// lineAt is the text of the script's line at a position, FILE:LINE:COLUMN.
func (p *plan) lineAt(pos string) string {
	file, line := splitPos(pos)
	if file != p.src.Name {
		return strings.TrimSpace(p.interp.Line(file, line))
	}
	lines := strings.Split(string(p.src.Text), "\n")
	if line < 1 || line > len(lines) {
		return ""
	}
	return strings.TrimSpace(lines[line-1])
}

// splitPos takes a position FILE:LINE:COLUMN apart.
func splitPos(pos string) (file string, line int) {
	parts := strings.Split(pos, ":")
	if len(parts) < 3 {
		return pos, 0
	}
	n := len(parts) - 2
	line, _ = strconv.Atoi(parts[n])
	return strings.Join(parts[:n], ":"), line
}

func printPlan(ctx context.Context, args []string, o planOptions) error {
	p, err := planOf(ctx, args, o, os.Stderr)
	if p == nil {
		return err
	}
	if o.json {
		return errors.Join(p.printJSON(), err)
	}
	if err != nil {
		return err
	}
	p.printScript()
	if failed := p.failed(); failed > 0 {
		return &exitError{status: exitFailed}
	}
	return nil
}

// failed is how many checks do not hold, whatever packets would do.
func (p *plan) failed() int {
	n := 0
	for _, c := range p.session.Checks() {
		if !c.OK {
			n++
		}
	}
	return n
}

const scriptHead = `#!/usr/bin/env bash
# The lab %q as commands: run as root, they build the same network.
# In a place of its own: unshare --net --mount bash -c '%sip link set lo up; . %s; bash'
set -euo pipefail
`

// hidden are mounts that keep what a script writes from the machine's own files: names
// of namespaces, and where it needs them files of /etc/netns.
func (p *plan) hidden() string {
	mounts := "mount -t tmpfs none /run; "
	for _, s := range p.steps {
		for _, c := range s.Commands {
			if strings.Contains(c, kernel.NetNSEtc) {
				return mounts + "mkdir -p " + kernel.NetNSEtc + "; mount -t tmpfs none " + kernel.NetNSEtc + "; "
			}
		}
	}
	return mounts
}

func (p *plan) printScript() {
	name := p.session.Lab().Name()
	fmt.Fprintf(&stdout, scriptHead, name, p.hidden(), op.ShellWord("./"+name+".sh"))
	commands := 0
	said := ""
	for _, s := range p.steps {
		file, line := splitPos(s.Pos)
		if where := fmt.Sprintf("%s:%d: %s", file, line, s.Line); where != said {
			fmt.Fprintf(&stdout, "\n# %s\n", where)
			said = where
		}
		for _, c := range s.Commands {
			if s.Assumed {
				fmt.Fprintf(&stdout, "# assumed: %s\n", strings.ReplaceAll(c, "\n", "\n# "))
				continue
			}
			commands++
			fmt.Fprintln(&stdout, c)
		}
	}
	if len(p.session.Checks()) > 0 {
		fmt.Fprintln(&stdout)
	}
	p.printChecks(&stdout, "# ")
	fmt.Fprintf(os.Stderr, "%d %s\n", commands, plural(commands, "command"))
	p.printChecks(os.Stderr, "")
}

// printChecks tells which checks were decided and which only assumed.
func (p *plan) printChecks(w io.Writer, comment string) {
	var assumed []builtins.Check
	checks := p.session.Checks()
	for _, c := range checks {
		if c.Assumed {
			assumed = append(assumed, c)
		}
	}
	if len(checks) == 0 {
		return
	}
	failed := p.failed()
	fmt.Fprintf(w, "%s%d %s: %d held, %d failed, %d assumed, because no packet was sent and no program run\n", comment,
		len(checks), plural(len(checks), "check"), len(checks)-failed-len(assumed), failed, len(assumed))
	if comment == "" {
		return // each was printed when it was made
	}
	for _, c := range assumed {
		file, line := splitPos(c.Pos)
		fmt.Fprintf(w, "%s  assumed: %s (%s:%d)\n", comment, c.Name, file, line)
	}
}

func (p *plan) printJSON() error {
	enc := json.NewEncoder(&stdout)
	enc.SetIndent("", "  ")
	return enc.Encode(struct {
		Lab    string           `json:"lab"`
		Steps  []step           `json:"steps"`
		Checks []builtins.Check `json:"checks"`
		Params []builtins.Param `json:"params,omitempty"`
	}{p.session.Lab().Name(), append([]step{}, p.steps...), append([]builtins.Check{}, p.session.Checks()...), p.session.Params()})
}
