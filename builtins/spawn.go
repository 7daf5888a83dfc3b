package builtins

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.starlark.net/starlark"

	"nsscript/builtins/op"
)

var spawnSpec = spec{
	sig: "spawn(ns, cmd, *, ready = None, env = {}, dir = None)",
	doc: spawnDoc,
	run: spawn,
}

// readyTime is how long a program may take to be ready.
const readyTime = 10 * time.Second

func spawn(c *call) (starlark.Value, error) {
	var ns *Namespace
	var cmd words
	var ready starlark.Value
	var env *starlark.Dict
	var dir string
	if err := c.unpack(&ns, &cmd, &ready, &env, &dir); err != nil {
		return nil, err
	}
	isReady, err := c.readiness(ns, ready)
	if err != nil {
		return nil, &argError{"ready", err}
	}
	environ, err := c.environ(env, dir, ns)
	if err != nil {
		return nil, err
	}
	p, err := c.startProcess(ns, &op.StartProcess{Argv: cmd, Env: environ, Extra: extraEnv(env), Dir: dir})
	if err != nil {
		return nil, err
	}
	if isReady == nil {
		return p, nil
	}
	if c.lab.Planned() {
		c.planWait()
		return p, nil
	}
	return p, p.await(c, isReady)
}

// startProcess starts a background process of the lab.
func (c *call) startProcess(ns *Namespace, o *op.StartProcess) (*Process, error) {
	if c.lab.Planned() {
		return c.planProcess(ns, o)
	}
	path := o.Path
	if path == "" {
		var err error
		if path, err = lookPath(o.Argv[0], o.Env, o.Dir); err != nil {
			return nil, err
		}
	}
	if err := c.lab.System().Settle(); err != nil {
		return nil, err
	}
	hosts, err := c.lab.Hosts(ns.name)
	if err != nil {
		return nil, err
	}
	log, err := os.CreateTemp(filepath.Join(c.lab.Dir(), "log"), filepath.Base(o.Argv[0])+"-*.log")
	if err != nil {
		return nil, fmt.Errorf("a file for the output: %w", err)
	}
	if err := log.Close(); err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.jobs++
	o.Job = c.jobs
	c.mu.Unlock()
	o.NS, o.Path, o.Hosts, o.Etc, o.Log = ns.name, path, hosts, c.lab.EtcDir(ns.name), log.Name()
	if err := c.do(o); err != nil {
		return nil, err
	}
	p := &Process{n: ns, start: o, done: make(chan struct{})}
	go p.reap()
	return p, nil
}

// readiness reads what tells that a program is ready.
func (c *call) readiness(ns *Namespace, v starlark.Value) (func(*Process) (bool, error), error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case starlark.Callable:
		return func(*Process) (bool, error) {
			r, err := c.callBack(v)
			if err != nil {
				return false, err
			}
			return bool(r.Truth()), nil
		}, nil
	case starlark.String:
		s := string(v)
		if s == "" {
			return nil, want(`"tcp:8080", a regular expression on the output, or a function`, v)
		}
		if proto, text, ok := strings.Cut(s, ":"); ok && (proto == "tcp" || proto == "udp") {
			port, err := strconv.Atoi(text)
			if err != nil || port < 1 || port > 65535 {
				return nil, want(`a port, as in "tcp:8080"`, v)
			}
			return func(*Process) (bool, error) {
				k, err := ns.real()
				if err != nil {
					return false, err
				}
				return k.Listens(proto, port)
			}, nil
		}
		re, err := regexp.Compile("(?m)" + s)
		if err != nil {
			return nil, badArg(`a sign that is meant itself has a backslash before it: \\[`, "%q is no regular expression: %s", s, regexpReason(err))
		}
		return func(p *Process) (bool, error) {
			out, err := p.output()
			return re.MatchString(out), err
		}, nil
	}
	return nil, want(`"tcp:PORT", a regular expression on the output, or a function`, v)
}

// Process is a background program of the lab.
type Process struct {
	n     *Namespace
	start *op.StartProcess

	mu    sync.Mutex
	code  int
	ended bool
	done  chan struct{}
}

var _ starlark.HasAttrs = (*Process)(nil)

// reap waits for the process, so that it leaves no zombie.
func (p *Process) reap() {
	_ = p.start.Cmd.Wait() // its status tells
	p.mu.Lock()
	p.code, p.ended = exitCode(p.start.Cmd.ProcessState), true
	p.mu.Unlock()
	close(p.done)
}

// planEnd takes a planned process for one that has ended well.
func (p *Process) planEnd() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.ended {
		p.ended = true
		close(p.done)
	}
}

func (p *Process) state() (code int, ended bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.code, p.ended
}

func (p *Process) output() (string, error) {
	if p.start.Log == "" { // planned
		return "", nil
	}
	b, err := os.ReadFile(p.start.Log)
	return string(b), err
}

// title is the program and its first words.
func (p *Process) title() string {
	argv := p.start.Argv
	if p.start.Shown != nil {
		argv = p.start.Shown
	}
	return strings.Join(argv, " ")
}

// await waits until the process is ready.
func (p *Process) await(c *call, ready func(*Process) (bool, error)) error {
	until := time.Now().Add(readyTime)
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		code, ended := p.state()
		ok, err := ready(p)
		if err != nil {
			return err
		}
		if ok {
			return nil
		}
		out, _ := p.output()
		if ended {
			return badArg("", "%q in %s ended with exit status %d before it was ready%s", p.title(), p.n.title(), code, withTail([]byte(out), nil))
		}
		if time.Now().After(until) {
			return badArg("", "%q in %s was not ready within %s%s", p.title(), p.n.title(), readyTime, withTail([]byte(out), nil))
		}
		if err := c.pause(pause); err != nil {
			return err
		}
	}
}

func (p *Process) String() string {
	if code, ended := p.state(); ended {
		return fmt.Sprintf("%s (in %s, ended with exit status %d)", p.title(), p.n.name, code)
	}
	return fmt.Sprintf("%s (in %s, process %d)", p.title(), p.n.name, p.start.PID)
}
func (p *Process) Type() string { return "Process" }
func (p *Process) Freeze()      {}

// Truth is whether the process runs or ended well.
func (p *Process) Truth() starlark.Bool {
	code, ended := p.state()
	return starlark.Bool(!ended || code == 0)
}
func (p *Process) Hash() (uint32, error) { return starlark.MakeInt(p.start.PID).Hash() }

var processFields = map[string]func(*Process) (starlark.Value, error){
	"pid": func(p *Process) (starlark.Value, error) { return starlark.MakeInt(p.start.PID), nil },
	"ns":  func(p *Process) (starlark.Value, error) { return p.n, nil },
	"running": func(p *Process) (starlark.Value, error) {
		_, ended := p.state()
		return starlark.Bool(!ended), nil
	},
	"code": func(p *Process) (starlark.Value, error) {
		code, ended := p.state()
		if !ended {
			return starlark.None, nil
		}
		return starlark.MakeInt(code), nil
	},
	"output": func(p *Process) (starlark.Value, error) {
		out, err := p.output()
		return starlark.String(out), err
	},
}

var processMethods = []spec{
	{
		sig: "stop(process)", doc: processStopDoc,
		run: func(c *call) (starlark.Value, error) {
			p := c.args[0].(*Process)
			if err := c.do(&op.StopProcess{Process: *p.start}); err != nil {
				return nil, err
			}
			if c.lab.Planned() {
				p.planEnd()
			}
			<-p.done
			code, _ := p.state()
			return starlark.MakeInt(code), c.lab.Forget(func(o op.Op) bool { return o == op.Op(p.start) })
		},
	},
	{
		sig: "wait(process, timeout = None)", doc: processWaitDoc,
		run: func(c *call) (starlark.Value, error) {
			p := c.args[0].(*Process)
			var limit duration
			if err := c.unpack(nil, &limit); err != nil {
				return nil, err
			}
			if c.lab.Planned() {
				p.planEnd()
			}
			var late <-chan time.Time
			if c.given("timeout") {
				t := time.NewTimer(limit.std())
				defer t.Stop()
				late = t.C
			}
			select {
			case <-p.done:
				code, _ := p.state()
				return starlark.MakeInt(code), nil
			case <-late:
				return starlark.None, nil
			case <-c.ctx.Done():
				return nil, c.ctx.Err()
			}
		},
	},
}

// AttrNames lists fields and methods.
func (p *Process) AttrNames() []string { return attrNames(processFields, processMethods) }

// Attr returns a field or a method.
func (p *Process) Attr(name string) (starlark.Value, error) {
	if f, ok := processFields[name]; ok {
		if err := p.n.s.lab.CatchUp(p.n.s.ctx); err != nil {
			return nil, err
		}
		return f(p)
	}
	if m := p.n.s.method(p, name, processMethods); m != nil {
		return m, nil
	}
	return nil, noAttr(p, name)
}

// serveSpec is the built-in server: this program, run with its serve command.
var serveSpec = spec{
	sig: "serve(ns, *, tcp = None, udp = None, http = None, reply = None)",
	doc: serveDoc,
	run: serve,
}

func serve(c *call) (starlark.Value, error) {
	var ns *Namespace
	var ports [3]portList
	var reply starlark.Value
	if err := c.unpack(&ns, &ports[0], &ports[1], &ports[2], &reply); err != nil {
		return nil, err
	}
	shown := []string{"nsscript", "serve"}
	for i, flag := range []string{"--tcp", "--udp", "--http"} {
		for _, p := range ports[i] {
			shown = append(shown, flag, fmt.Sprint(p))
		}
	}
	if len(shown) == 2 {
		return nil, badArg("for example tcp = 8080", "give a port with tcp, udp or http")
	}
	if reply != nil {
		var text string
		switch r := reply.(type) {
		case starlark.String:
			text = string(r)
		case starlark.Bytes:
			text = string(r)
		default:
			return nil, &argError{"reply", want("a string or bytes", reply)}
		}
		shown = append(shown, "--reply", text)
	}
	return c.startServer(ns, append(shown, "--name", ns.name))
}

// startServer starts a server of this program, whose command line is as a person would
// type it, and returns when it listens.
func (c *call) startServer(ns *Namespace, shown []string) (starlark.Value, error) {
	environ, err := c.environ(nil, "", ns)
	if err != nil {
		return nil, err
	}
	if c.lab.Planned() {
		return c.planProcess(ns, &op.StartProcess{Argv: shown, Shown: shown})
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	argv := append([]string{shown[0]}, append(append([]string{}, shown[1:]...), "--ready-fd", "3")...)
	p, err := c.startProcess(ns, &op.StartProcess{Argv: argv, Shown: shown, Path: c.opts.Self, Env: environ, ExtraFile: w})
	if cerr := w.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return nil, err
	}
	// The server says "ready" once it listens, or closes the pipe by ending.
	if err := r.SetReadDeadline(time.Now().Add(readyTime)); err != nil && !errors.Is(err, os.ErrNoDeadline) {
		return nil, err
	}
	line, _ := bufio.NewReader(r).ReadString('\n')
	if line == "ready\n" {
		return p, nil
	}
	select {
	case <-p.done:
	case <-time.After(time.Second):
	}
	out, _ := p.output()
	out = strings.ReplaceAll(out, "nsscript: error: ", "")
	return nil, badArg("", "the server in %s cannot listen%s", ns.title(), withTail([]byte(out), nil))
}

// portList is a port or a list of them.
type portList []int

func (l *portList) unpack(s *Session, v starlark.Value) error {
	if it, ok := v.(starlark.Iterable); ok {
		iter := it.Iterate()
		defer iter.Done()
		var x starlark.Value
		for iter.Next(&x) {
			if err := l.unpack(s, x); err != nil {
				return err
			}
		}
		return nil
	}
	var p port
	if err := p.unpack(s, v); err != nil {
		return err
	}
	*l = append(*l, int(p))
	return nil
}

const spawnDoc = `
Starts a program in the background. It ends, with all its children, when the lab does.

cmd (string | list): the words of a command; a string is split as a shell would split it
ready (string | function): what to wait for, at most 10 s: "tcp:8080" until it listens there, a regular expression until its output matches, or a function until what it returns is truthy
env (dict[string, string]): variables beside those of nsscript itself
dir (string): the directory that it runs in
returns (Process): the running program
errors: there is no such program; it ended, or took too long, before it was ready
example:
    red = namespace("red")
    p = spawn(red, "sleep 60")
    print(p.running)
    #> True
    p.stop()
command: ip netns exec NS CMD &
source: ip-netns(8)
`

const serveDoc = `
A server of our own, no netcat or Python needed, returned when it listens: TCP and UDP send back what comes, HTTP says "hello from NAME".

tcp (int | list[int]): TCP ports
udp (int | list[int]): UDP ports
http (int | list[int]): ports for HTTP
reply (string | bytes): what to answer instead
returns (Process): the running server
errors: no port is given, or one is in use
example:
    red, blue = namespace("red"), namespace("blue")
    veth(red, blue, addr = "10.0.0.1/24", peer_addr = "10.0.0.2/24")
    serve(blue, tcp = 80, reply = "hello")
    print(connect(red, blue, 80, send = "x").reply)
    #> hello
command: ip netns exec NS nsscript serve --tcp PORT &
source: RFC 862 (echo), RFC 9110 (HTTP)
`

const processTypeDoc = `
A program in the background; truthy while it runs, and after it ended with status 0.

pid (int): its process id
ns (Namespace): where it runs
running (bool): whether it runs
code (int | None): its exit status; None while it runs
output (string): what it has printed so far, errors included
source: proc(5)
`

const processStopDoc = `
Ends the process and its children: SIGTERM, and a second later SIGKILL.

returns (int): its exit status; 143 for one that SIGTERM ended
example:
    red = namespace("red")
    print(spawn(red, "sleep 60").stop())
    #> 143
command: kill PID
source: signal(7)
`

const processWaitDoc = `
Waits for the process to end.

timeout (duration): how long to wait at most
returns (int | None): its exit status; None where it still runs
example:
    red = namespace("red")
    print(spawn(red, "true").wait(timeout = "5s"))
    #> 0
source: waitpid(2)
`

// regexpReason is what is wrong with a regular expression.
func regexpReason(err error) string {
	var e *syntax.Error
	if errors.As(err, &e) {
		return fmt.Sprintf("%s: %q", e.Code, e.Expr)
	}
	return err.Error()
}
