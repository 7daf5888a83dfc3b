package builtins

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"go.starlark.net/starlark"
	"golang.org/x/sys/unix"

	"nsscript/builtins/kernel"
	"nsscript/builtins/near"
	"nsscript/builtins/op"
)

var processSpecs = []spec{
	{
		sig: "exec(ns, cmd, *, check = True, input = None, env = {}, dir = None, timeout = None, show = False)",
		doc: execDoc,
		run: func(c *call) (starlark.Value, error) {
			var cmd words
			return c.execute(&cmd, func() []string { return cmd })
		},
	},
	{
		sig: "sh(ns, script, *, check = True, input = None, env = {}, dir = None, timeout = None, show = False)",
		doc: shDoc,
		run: func(c *call) (starlark.Value, error) {
			var script string
			return c.execute(&script, func() []string { return []string{"/bin/sh", "-c", script} })
		},
	},
	spawnSpec,
	serveSpec,
}

// execute is exec and sh: they differ only in how the command is given.
func (c *call) execute(cmd any, argv func() []string) (starlark.Value, error) {
	var ns *Namespace
	p := program{check: true}
	var env *starlark.Dict
	var input starlark.Value
	var timeout duration
	if err := c.unpack(&ns, cmd, &p.check, &input, &env, &p.dir, &timeout, &p.show); err != nil {
		return nil, err
	}
	p.ns, p.argv, p.timeout = ns, argv(), timeout.std()
	if c.given("timeout") && p.timeout == 0 {
		return nil, badArg("leave it out for no limit", "argument \"timeout\": want more than 0")
	}
	if strings.Contains(strings.Join(p.argv, ""), "\x00") {
		return nil, badArg("", "a command cannot hold a NUL")
	}
	if input != nil {
		switch in := input.(type) {
		case starlark.String:
			p.input = []byte(in)
		case starlark.Bytes:
			p.input = []byte(in)
		default:
			return nil, &argError{"input", want("a string or bytes", input)}
		}
	}
	var err error
	if p.env, err = c.environ(env, p.dir, ns); err != nil {
		return nil, err
	}
	p.extra = extraEnv(env)
	return p.run(c)
}

// environ is the environment of a program in a namespace of the lab.
func (s *Session) environ(extra *starlark.Dict, dir string, ns *Namespace) ([]string, error) {
	list := slices.Clip(s.baseEnv())
	set := func(k, v string) {
		at := slices.IndexFunc(list, func(kv string) bool { return len(kv) > len(k) && kv[len(k)] == '=' && kv[:len(k)] == k })
		if at < 0 {
			list = append(list, k+"="+v)
			return
		}
		list = slices.Clone(list) // it may be the one for all programs
		list[at] = k + "=" + v
	}
	set("NSSCRIPT_NS", ns.name)
	if extra != nil {
		for _, item := range extra.Items() {
			k, ok := starlark.AsString(item[0])
			if !ok || k == "" || strings.ContainsAny(k, "=\x00") {
				return nil, &argError{"env", want("names of variables as strings", item[0])}
			}
			v, err := wordOf(item[1])
			if err != nil {
				return nil, &argError{"env", fmt.Errorf("%s: %w", k, err)}
			}
			set(k, v)
		}
	}
	if dir != "" {
		st, err := os.Stat(dir)
		if err != nil || !st.IsDir() {
			return nil, badArg("", "argument \"dir\": there is no directory %q", dir)
		}
		if err := unix.Access(dir, unix.X_OK); err != nil {
			return nil, badArg("", "argument \"dir\": the directory %q may not be entered", dir)
		}
	}
	if err := s.lab.Open(s.ctx); err != nil {
		return nil, err
	}
	set(op.EnvLab, s.lab.System().Sign)
	return list, nil
}

// baseEnv is what all programs have in their environment. It is made anew when that of
// this process has changed, and must not be written to.
func (s *Session) baseEnv() []string {
	own := os.Environ()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.env.base != nil && slices.Equal(own, s.env.own) {
		return s.env.base
	}
	base := slices.DeleteFunc(slices.Clone(own), func(kv string) bool {
		return strings.HasPrefix(kv, "NSSCRIPT_") || strings.HasPrefix(kv, "PATH=")
	})
	s.env.own, s.env.base = own, append(base, "PATH="+kernel.AdminPath(os.Getenv("PATH")))
	return s.env.base
}

// extraEnv is what a script adds to the environment, checked by environ.
func extraEnv(env *starlark.Dict) []string {
	if env == nil {
		return nil
	}
	var list []string
	for _, item := range env.Items() {
		k, _ := starlark.AsString(item[0])
		v, _ := wordOf(item[1])
		list = append(list, k+"="+v)
	}
	return list
}

func pathOf(env []string) string {
	for _, kv := range env {
		if p, ok := strings.CutPrefix(kv, "PATH="); ok {
			return p
		}
	}
	return ""
}

// shellBuiltins are commands that exist only in a shell (POSIX.1-2024, Shell Command
// Language, 2.15).
var shellBuiltins = map[string]bool{"cd": true, "export": true, "source": true, ".": true, "alias": true, "set": true, "unset": true, "ulimit": true, "umask": true, "eval": true}

// lookPath finds a program, or says that it is missing.
func lookPath(name string, env []string, dir string) (string, error) {
	path, err := kernel.LookPath(name, pathOf(env), dir)
	switch {
	case err == nil:
		return path, nil
	case errors.Is(err, fs.ErrPermission):
		return "", badArg("make it executable: chmod +x "+name, "%q may not be run as a program", name)
	case errors.Is(err, unix.EISDIR):
		return "", badArg("", "%q is a directory, no program", name)
	}
	if shellBuiltins[name] {
		return "", badArg("use sh(), or the arguments dir and env", "%q is a command of the shell, no program", name)
	}
	if first, _, several := strings.Cut(name, " "); several {
		if _, err := kernel.LookPath(first, pathOf(env), dir); err == nil {
			quoted := strings.Split(fmt.Sprintf("%q", strings.Fields(name)), " ")
			return "", badArg("each word is an element of the list: "+strings.Join(quoted, ", ")+"; or give one string", "there is no program %q", name)
		}
	}
	if strings.ContainsAny(name, " |<>;&$") {
		return "", badArg("a pipe or several commands need sh()", "there is no program %q", name)
	}
	return "", badArg(PackageHint(name), "there is no program %q", name)
}

// OwnUserHint is what helps a program that failed because it changes to a user
// of its own, as tcpdump does, in a sandbox in which there is only root.
func OwnUserHint(program, said string) string {
	if !strings.Contains(said, "Couldn't change to") && !strings.Contains(said, "setgroups") && !strings.Contains(said, "initgroups") {
		return ""
	}
	for line := range strings.SplitSeq(said, "\n") {
		if name, _, ok := strings.Cut(line, ": Couldn't change to"); ok {
			program = name
		}
	}
	instead := ""
	if filepath.Base(program) == "tcpdump" {
		instead = "use `nsscript capture`, or capture() in a script; or "
	}
	return instead + kernel.InstallCommand("uidmap") + ", and give this user subordinate ids (`nsscript doctor` says how): " +
		filepath.Base(program) + " changes to a user of its own, which this sandbox does not have"
}

// packages are Debian's packages of the programs that network labs use most.
var packages = map[string]string{
	"ip": "iproute2", "ss": "iproute2", "tc": "iproute2", "bridge": "iproute2", "ping": "iputils-ping",
	"arping": "iputils-arping", "tcpdump": "tcpdump", "traceroute": "traceroute", "nc": "netcat-openbsd",
	"dig": "bind9-dnsutils", "nslookup": "bind9-dnsutils", "curl": "curl", "wget": "wget", "iperf3": "iperf3",
	"iptables": "iptables", "ip6tables": "iptables", "nft": "nftables", "conntrack": "conntrack",
	"ethtool": "ethtool", "socat": "socat", "nmap": "nmap", "tshark": "tshark", "mtr": "mtr-tiny",
	"dnsmasq": "dnsmasq-base", "python3": "python3", "ifconfig": "net-tools", "netstat": "net-tools",
	"route": "net-tools", "brctl": "bridge-utils", "wg": "wireguard-tools", "haproxy": "haproxy", "nginx": "nginx",
}

// PackageHint says how to install a program, where its package is known.
func PackageHint(program string) string {
	name := filepath.Base(program)
	if pkg, ok := packages[name]; ok {
		return kernel.InstallCommand(pkg)
	}
	if best := near.Name(slices.Collect(maps.Keys(packages)), name); best != "" {
		return near.DidYouMean(best)
	}
	return ""
}

// program is one run of a program.
type program struct {
	ns      *Namespace
	argv    []string
	env     []string
	extra   []string // what the script added to env
	dir     string
	input   []byte
	timeout time.Duration
	check   bool
	show    bool
}

func (p *program) run(c *call) (starlark.Value, error) {
	command := op.RunCommand(p.ns.name, p.argv, p.extra, p.dir, p.input)
	if c.lab.Planned() {
		// Here its failure would end the script; and names of the lab do not resolve.
		if command += " || true"; p.check {
			command = strings.TrimSuffix(command, "true") + `echo "exit status $?" >&2`
		}
		c.assumed(Assumption{Pos: c.pos(), Command: command, Runs: true})
		return programResult(0, nil, nil), nil
	}
	path, err := lookPath(p.argv[0], p.env, p.dir)
	if err != nil {
		return nil, err
	}
	view, err := c.lab.View(p.ns.name)
	if err != nil {
		return nil, err
	}
	c.lab.Explain(c.pos(), command)
	ctx := c.ctx
	if p.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, p.timeout)
		defer cancel()
	}
	var stdout, stderr bytes.Buffer
	run := &kernel.Program{Path: path, Args: p.argv, Env: p.env, Dir: p.dir, Input: p.input, Stdout: &stdout, Stderr: &stderr}
	if p.show {
		run.Stdout, run.Stderr = io.MultiWriter(&stdout, c.opts.Out), io.MultiWriter(&stderr, c.opts.Err)
	}
	defer c.lab.Forgetful(p.ns.name)
	status, err := c.lab.System().Rooms.Run(ctx, view, run)
	switch {
	case c.ctx.Err() != nil:
		return nil, c.ctx.Err()
	case err != nil && ctx.Err() == nil:
		return nil, op.StartError(err, p.argv, p.ns.name)
	}
	return p.result(ctx, status, stdout.Bytes(), stderr.Bytes())
}

// timeoutCode is the exit code of a program that was ended for taking too long,
// as timeout(1) has it.
const timeoutCode = 124

func (p *program) result(ctx context.Context, status syscall.WaitStatus, stdout, stderr []byte) (starlark.Value, error) {
	line := strings.Join(p.argv, " ")
	if p.argv[0] == "/bin/sh" && len(p.argv) == 3 {
		line = strings.TrimSpace(p.argv[2])
	}
	line = firstLine(line)
	timedOut := errors.Is(ctx.Err(), context.DeadlineExceeded)
	code := statusCode(status)
	switch {
	case timedOut && p.check:
		return nil, badArg(lastLines(stderr), "%q in %s did not end within %s", line, p.ns.title(), p.timeout)
	case timedOut:
		code = timeoutCode
	}
	if code != 0 && p.check {
		return nil, badArg(OwnUserHint(p.argv[0], string(stderr)), "%q in %s %s%s", line, p.ns.title(), ending(status), withTail(stderr, stdout))
	}
	return programResult(code, stdout, stderr), nil
}

func programResult(code int, stdout, stderr []byte) starlark.Value {
	text := strings.TrimRight(string(stdout), "\n")
	if tail := strings.TrimRight(string(stderr), "\n"); tail != "" {
		text = strings.TrimPrefix(text+"\n"+tail, "\n")
	}
	if code != 0 {
		text = strings.TrimPrefix(fmt.Sprintf("%s\n[exit status %d]", text, code), "\n")
	}
	if text == "" {
		text = "[exit status 0]"
	}
	return &record{kind: "Result", truth: code == 0, text: text, fields: []field{
		{"code", starlark.MakeInt(code)},
		{"stdout", starlark.String(stdout)},
		{"stderr", starlark.String(stderr)},
		{"ok", starlark.Bool(code == 0)},
	}}
}

// exitCode is the status of a program that was waited for, -1 if it was not.
func exitCode(st *os.ProcessState) int {
	if st == nil {
		return -1
	}
	if ws, ok := st.Sys().(syscall.WaitStatus); ok {
		return statusCode(ws)
	}
	return st.ExitCode()
}

// statusCode is a shell's idea of a program's end: its status, or 128 and the
// number of the signal that ended it.
func statusCode(ws syscall.WaitStatus) int {
	if ws.Signaled() {
		return 128 + int(ws.Signal())
	}
	return ws.ExitStatus()
}

func ending(ws syscall.WaitStatus) string {
	if ws.Signaled() {
		return fmt.Sprintf("was ended by signal %d (%s)", ws.Signal(), unix.SignalName(ws.Signal()))
	}
	return fmt.Sprintf("ended with exit status %d", ws.ExitStatus())
}

func firstLine(s string) string {
	if first, _, more := strings.Cut(s, "\n"); more {
		return first + " …"
	}
	return s
}

// Of what a program said last so many lines are shown, and of each so much.
const (
	tailLines   = 8
	longestLine = 300
)

func lastLines(b []byte) string {
	lines := strings.Split(strings.TrimSpace(strings.ToValidUTF8(string(b), "�")), "\n")
	if len(lines) > tailLines {
		lines = append([]string{"…"}, lines[len(lines)-tailLines:]...)
	}
	for i, line := range lines {
		if runes := []rune(line); len(runes) > longestLine {
			lines[i] = string(runes[:longestLine]) + "…"
		}
	}
	return strings.Join(lines, "\n")
}

// withTail is the end of what a program said, after a colon: its stderr, or its
// stdout where that is empty.
func withTail(stderr, stdout []byte) string {
	for _, b := range [][]byte{stderr, stdout} {
		if s := lastLines(b); s != "" {
			return ": " + s
		}
	}
	return ""
}

const execDoc = `
Runs a program in a namespace and waits for its end, as "ip netns exec" does.

It sees /sys of the namespace, /etc/netns/NAME over /etc, and every namespace of the lab resolves by its name.

cmd (string | list): the words of a command; a string is split as a shell would split it, with no shell run
check (bool): an exit status other than 0 is an error
input (string | bytes): what it reads on its standard input
env (dict[string, string]): variables beside those of nsscript itself
dir (string): the directory that it runs in
timeout (duration): how long it may take; then it is ended
show (bool): prints what it prints, as it runs
returns (Result): how it ended and what it printed
errors: there is no such program (the hint names its package); with check, it ended with another status than 0 (the message has the end of its stderr), or took too long
example:
    red = namespace("red")
    print(exec(red, "ip -br link").stdout.split()[0])
    #> lo
    print(exec(red, "false", check = False).code)
    #> 1
command: ip netns exec NS CMD
source: ip-netns(8)
`

const shDoc = `
Runs a script through /bin/sh -c in a namespace and waits for its end: for pipes, variables and several commands.

script (string): what the shell is given
check (bool): an exit status other than 0 is an error
input (string | bytes): what it reads on its standard input
env (dict[string, string]): variables beside those of nsscript itself
dir (string): the directory that it runs in
timeout (duration): how long it may take; then it is ended
show (bool): prints what it prints, as it runs
returns (Result): how it ended and what it printed
errors: with check, it ended with another status than 0 (the message has the end of its stderr), or took too long
example:
    red = namespace("red")
    print(sh(red, "ip -o link | wc -l").stdout.strip())
    #> 1
command: ip netns exec NS sh -c SCRIPT
source: sh(1)
`

const resultDoc = `
How a program ended; truthy where its exit status is 0.

code (int): its exit status; 128 and the number of the signal that ended it, 124 where it took too long
stdout (string): what it printed
stderr (string): what it printed as errors
ok (bool): whether its status is 0
source: exit(3)
`
