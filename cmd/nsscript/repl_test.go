//go:build linux

package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
)

// TestRepl types into interactive sessions in a real terminal, as root and as an
// ordinary user.
func TestRepl(t *testing.T) {
	if os.Getenv(stageEnv) != "" {
		t.Skip("not inside another test's host")
	}
	for name, uid := range map[string]int{"root": 0, "user": ordinary} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inPrivateHost(t, uid, "TestInsideRepl", "")
		})
	}
}

func TestInsideRepl(t *testing.T) {
	insideOnly(t)
	for _, c := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"newcomer", replNewcomer}, {"lines", replLines}, {"interrupt", replInterrupt}, {"completion", replCompletion},
		{"commands", replCommands}, {"undo", replUndo}, {"mistakes", replMistakes}, {"keep", replKeep}, {"history", replHistory},
		{"dumb", replDumb}, {"terminated", replTerminated}, {"file", replFile}, {"interact", replInteract},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("XDG_STATE_HOME", t.TempDir())
			t.Chdir(t.TempDir())
			c.run(t)
			out, err := exec.Command(filepath.Join(os.Getenv(binEnv), "nsscript"), "ls").CombinedOutput()
			if err != nil || !strings.Contains(string(out), "no lab is up") {
				t.Errorf("after the session: %v\n%s", err, out)
				out, err := exec.Command(filepath.Join(os.Getenv(binEnv), "nsscript"), "down", "--all").CombinedOutput()
				t.Logf("taken down: %v\n%s", err, out)
			}
		})
	}
}

// screen is a program in a terminal.
type screen struct {
	t    *testing.T
	cmd  *exec.Cmd
	file *os.File

	mu   sync.Mutex
	got  []byte // what it printed, and no expect has seen
	all  []byte
	ends chan error
}

// patience is how long a session may take to say what is expected.
const patience = 20 * time.Second

// openScreen starts nsscript in a terminal of so many columns.
func openScreen(t *testing.T, columns int, env []string, args ...string) *screen {
	t.Helper()
	s := &screen{t: t, ends: make(chan error, 1)}
	s.cmd = exec.Command(filepath.Join(os.Getenv(binEnv), "nsscript"), args...)
	s.cmd.Env = append(append(os.Environ(), "TERM=xterm", "NO_COLOR=1"), env...)
	f, err := pty.StartWithSize(s.cmd, &pty.Winsize{Rows: 40, Cols: uint16(columns)})
	if err != nil {
		t.Fatal(err)
	}
	s.file = f
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := f.Read(buf)
			s.mu.Lock()
			s.got = append(s.got, buf[:n]...)
			s.all = append(s.all, buf[:n]...)
			s.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	go func() { s.ends <- s.cmd.Wait() }()
	t.Cleanup(func() {
		if s.cmd.ProcessState == nil {
			_ = s.cmd.Process.Kill()
		}
		_ = f.Close()
	})
	return s
}

// escapes are what moves the cursor and the like.
var escapes = regexp.MustCompile("\x1b\\[[0-9;?]*[A-Za-z]|\a")

// expect waits until the terminal shows something that matches, after all that was
// matched before, and returns what it showed.
func (s *screen) expect(pattern string) string {
	s.t.Helper()
	re := regexp.MustCompile("(?m)" + pattern)
	for until := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		s.mu.Lock()
		text := strings.ReplaceAll(escapes.ReplaceAllString(string(s.got), ""), "\r", "")
		if at := re.FindStringIndex(text); at != nil {
			s.got = []byte(text[at[1]:])
			s.mu.Unlock()
			return text[:at[1]]
		}
		s.mu.Unlock()
		if time.Now().After(until) {
			s.t.Fatalf("%q was not shown; after what was seen before came\n%s\n\nall of it:\n%q", pattern, text, s.all)
		}
	}
}

// keys types.
func (s *screen) keys(text string) {
	s.t.Helper()
	if _, err := io.WriteString(s.file, text); err != nil {
		s.t.Fatal(err)
	}
}

const (
	atPrompt = `\((root|sandbox)\)> $` // the prompt
	goesOn   = `^ *\.\.\.> $`
	ctrlC    = "\x03"
	ctrlD    = "\x04"
	arrowUp  = "\x1b[A"
)

// say types a line, and waits for the prompt; it returns what was printed.
func (s *screen) say(line string) string {
	s.t.Helper()
	s.keys(line + "\r")
	// The echo of the line is not its answer.
	s.expect(regexp.QuoteMeta(lastPart(line)) + ` *\n`)
	out := s.expect(atPrompt)
	return strings.TrimSpace(out[:strings.LastIndexByte("\n"+out, '\n')])
}

// lastPart is the end of a line that a narrow terminal shows unbroken.
func lastPart(line string) string { return line[max(0, len(line)-8):] }

// leave types Ctrl-D, and holds the exit status.
func (s *screen) leave(status int) {
	s.t.Helper()
	s.keys(ctrlD)
	s.ended(status)
}

func (s *screen) ended(status int) {
	s.t.Helper()
	select {
	case <-s.ends:
		if got := s.cmd.ProcessState.ExitCode(); got != status {
			s.t.Fatalf("it ended with %d, not %d:\n%s", got, status, s.all)
		}
	case <-time.After(patience):
		s.t.Fatalf("it does not end:\n%s", s.all)
	}
}

func (s *screen) wants(line string, patterns ...string) {
	s.t.Helper()
	out := s.say(line)
	for _, p := range patterns {
		if !regexp.MustCompile("(?m)" + p).MatchString(out) {
			s.t.Errorf("%s\nanswers\n%s\nwhich does not match %q", line, out, p)
		}
	}
}

func open80(t *testing.T, args ...string) *screen {
	t.Helper()
	s := openScreen(t, 80, nil, append([]string{"repl"}, args...)...)
	s.expect(atPrompt)
	return s
}

// replNewcomer types what help() shows.
func replNewcomer(t *testing.T) {
	for _, columns := range []int{80, 200} {
		s := openScreen(t, columns, nil, "repl")
		s.expect(`help\(\) tells how to begin`)
		s.expect(atPrompt)
		out := s.say("help()")
		for line := range strings.SplitSeq(out, "\n") {
			if len([]rune(line)) > columns {
				t.Errorf("help() is wider than %d columns: %q", columns, line)
			}
		}
		for line := range strings.SplitSeq(out, "\n") {
			code, ok := strings.CutPrefix(line, "    ")
			if !ok || strings.HasPrefix(code, " ") {
				continue
			}
			code, _, _ = strings.Cut(code, "   ")
			if said := s.say(strings.TrimSpace(code)); strings.Contains(said, "error:") {
				t.Errorf("%s:\n%s", code, said)
			}
		}
		s.wants("help(veth)", `^veth\(a, b, \*`, `^A virtual cable`)
		s.wants(`help("nat")`, `^nat$`, `masquerade`)
		s.wants("help(red)", `^Namespace$`)
		s.wants("help(red.link)", `^Namespace\.link\(name\)$`, `^The interface of that name`)
		s.wants("veth?", `A virtual cable`)
		s.wants("veth", `A virtual cable`, `help\(veth\) tells more`)
		s.wants(`help("firewal")`, `did you mean "firewall"`)
		s.wants(`help("routes")`, `^Namespace\.routes +list\[Route\]`)
		s.wants("red.links", `^INTERFACE +KIND`, `^eth0 +veth +up`)
		s.wants("red.routes", `^DESTINATION +DEV`, `^10\.0\.0\.0/24 +eth0`)
		s.wants("red.rules", `^PRIORITY +FAMILY +FROM +TABLE`, `^32766 +inet +all +main`)
		s.wants("firewall.drop(red, udp = 53)", `-A FORWARD -p udp`)
		s.wants("firewall.rules(red)", `^CHAIN +PACKETS +BYTES +RULE`, `^FORWARD +0 +0 +-p udp`)
		s.wants("[ping(red, blue)]", `^SENT +RECEIVED +LOSS +MIN +AVG +MAX`, `^1 +1 +0% +\d+\.\d{3} ms `)
		s.wants("traceroute(red, blue)", `^TTL +IP +RTT +NAME`, `^1 +10\.0\.0\.2 +\d+\.\d{3} ms +blue`)
		s.wants("[throughput(red, blue, seconds = 0.05)]", `^BITS_PER_SECOND +BYTES`, `bit/s +\d+`)
		s.wants("red", `^namespace "red"$`, `10\.0\.0\.1/24`)
		s.wants("explain()")
		s.wants(`namespace("green")`, `ip netns add green`)
		s.wants("explain(False)")
		s.leave(0)
	}
}

func replLines(t *testing.T) {
	s := open80(t)
	s.keys("def double(x):\r")
	s.expect(goesOn)
	s.keys("    return 2 * x\r")
	s.expect(goesOn)
	s.keys("\r")
	s.expect(atPrompt)
	s.wants("double(21)", `^42$`)
	s.keys("words = [\r")
	s.expect(goesOn)
	s.keys("\r") // an empty line ends no bracket
	s.expect(goesOn)
	s.keys("1,\r")
	s.expect(goesOn)
	s.keys("2]\r")
	s.expect(atPrompt)
	s.wants("words", `^\[1, 2\]$`)
	s.wants("_", `^\[1, 2\]$`)
	s.keys("text = \"\"\"one\r")
	s.expect(goesOn)
	s.keys("two\"\"\"\r")
	s.expect(atPrompt)
	s.wants("text", `"one\\ntwo"`)
	// What is pasted comes at once, and a block may be followed without an empty line.
	s.keys("for i in range(2):\r    print(\"round\", i)\rprint(\"done\")\r")
	s.expect(`^round 0$`)
	s.expect(`^round 1$`)
	s.expect(`^done$`)
	s.expect(atPrompt)
	s.wants("1 +", `something is missing at the end of the line`)
	s.wants("nosuch", `"nosuch" is not defined|nosuch`)
	s.wants("len = 3")
	s.wants("len", `^3$`)
	s.wants(`"` + strings.Repeat("long ", 30) + `"`)
	s.keys("exit\r")
	s.ended(0)
}

func replInterrupt(t *testing.T) {
	s := open80(t)
	s.say("x = 7")
	s.keys("half typed" + ctrlC)
	s.expect(atPrompt)
	s.keys("def f():\r")
	s.expect(goesOn)
	s.keys(ctrlC)
	s.expect(atPrompt)
	s.keys("while True: pass\r")
	s.expect(goesOn)
	s.keys("\r")
	time.Sleep(100 * time.Millisecond)
	s.keys(ctrlC)
	s.expect("interrupted")
	s.expect(atPrompt)
	s.say(`red = namespace("red")`)
	s.keys("exec(red, \"sleep 1000\")\r")
	s.expect(`1000"\)\n`)
	time.Sleep(100 * time.Millisecond)
	s.keys(ctrlC)
	s.expect("interrupted")
	s.expect(atPrompt)
	s.keys("sleep(1000)\r")
	s.expect(`1000\)\n`)
	time.Sleep(100 * time.Millisecond)
	s.keys(ctrlC)
	s.expect(atPrompt)
	s.wants("x", `^7$`)
	s.wants("red.owned", `^True$`)
	// What an interrupted line had begun is taken back.
	s.keys("y = [namespace(\"n%d\" % i) for i in range(3)] + [sleep(1000)]\r")
	s.expect(`sleep\(1000\)\]\n`)
	time.Sleep(300 * time.Millisecond)
	s.keys(ctrlC)
	s.expect("taken back")
	s.expect(atPrompt)
	s.wants("host ip netns list", `^red$`)
	if out := s.say("host ip netns list"); strings.Contains(out, "n0") {
		t.Errorf("n0 is still there:\n%s", out)
	}
	s.leave(0)
}

func replCompletion(t *testing.T) {
	if err := os.WriteFile("mylib.star", []byte("def build_all():\n    pass\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	s := open80(t)
	s.say(`red = namespace("red")`)
	s.say(`blue = namespace("blue")`)
	s.say(`a, b = veth(red, blue, name = "uplink")`)
	for _, c := range []struct{ typed, becomes string }{
		{"names\t", `namespace\(`},
		{"bl\t", "blue"},
		{"red.forw\t", `red\.forward`},
		{"red.neighbors[0].m\t", ``},
		{"red.links[1].stat\t\t", `state +stats`},
		{"red.fire\t", `red\.firewall`},
		{"red.firewall.pol\t", `red\.firewall\.policy\(`},
		{`red.link("u` + "\t", `red\.link\("uplink`},
		{`red.link("uplink").add_` + "\t", `red\.link\("uplink"\)\.add_addr\(`},
		{`ping(red, "bl` + "\t", `ping\(red, "blue`},
		{`ping(red, blue, dev = "up` + "\t", `dev = "uplink`},
		{`nat.masquerade(red, out = "up` + "\t", `out = "uplink`},
		{`route(red, "def` + "\t", `route\(red, "default`},
		{`load("./my` + "\t", `load\("\./mylib\.star`},
		{`load("@std//to` + "\t", `load\("@std//topo\.star`},
		{`load("./mylib.star", "bui` + "\t", `"build_all`},
		{"red tcpd\t", `red tcpdump`},
		{"red ping bl\t", `red ping blue`},
		{"bridge(\"b\", vl\t", `^bridge\(name, \*, ns = host`}, // the signature
		{"bridge(\"b\", vl\t", `vlan_filtering = `},
		{"ping(red, blue, \t\t", `^count = +df = `},
		{"wh\t", "while"},
	} {
		if c.becomes == "" {
			continue
		}
		s.keys(c.typed)
		s.expect(c.becomes)
		s.keys(ctrlC)
		s.expect(atPrompt)
	}
	s.leave(0)
}

// replCommands holds that commands have the terminal, and give it back as it was.
func replCommands(t *testing.T) {
	s := open80(t)
	s.say(`red = namespace("red")`)
	s.say(`blue = namespace("blue")`)
	s.say(`veth(red, blue, addr = "10.0.0.1/24", peer_addr = "10.0.0.2/24")`)
	before := s.say("host stty -g")
	s.wants("red ping -c 2 -i 0.2 blue", `2 received`)
	s.wants("red ip -br link | grep -c eth0", `^1$`)
	s.wants("red tty", `/dev/`)
	s.wants("red nosuchprogram", `nosuchprogram: `, `exit status 127`)
	s.wants("red sh -c 'exit 3'", `exit status 3`)
	s.wants("rde ping blue", `"rde" is no namespace`)
	s.wants("red.name ping blue", `error`)
	// Ctrl-C ends the command, not the session.
	s.keys("red ping blue\r")
	s.expect(`time=`)
	s.keys(ctrlC)
	s.expect(atPrompt)
	// A program that wants the whole terminal, and a shell in it.
	s.keys("red bash --norc\r")
	s.expect(`[#$] $`)
	s.keys("echo in-$((40 + 2))\r")
	s.expect(`^in-42`)
	s.keys("stty raw -echo; exit\r")
	s.expect(atPrompt)
	if after := s.say("host stty -g"); after != before {
		t.Errorf("the terminal was %s and is %s", before, after)
	}
	s.leave(0)
}

// replMistakes types what people type who know Python, shells and other tools.
func replMistakes(t *testing.T) {
	s := open80(t)
	s.say(`red, blue = namespace("red"), namespace("blue")`)
	s.say(`a, b = veth(red, blue, addr = "10.0.0.1/24", peer_addr = "10.0.0.2/24")`)
	s.wants("import os", `there is no "import"`)
	s.wants("ping red blue", `write: ping\(red, blue\)`)
	s.wants("ip addr", `a command runs in a namespace: blue ip addr`)
	s.wants("ip -br addr", `a command runs in a namespace: blue ip -br addr`)
	s.wants("ps", `a command runs in a namespace: NAMESPACE ps`)
	s.wants("def f(x)", `":" is expected here`)
	s.keys("for n in [red]:\r")
	s.expect(goesOn)
	s.wants("n.ping(blue)", `the lines after line 1 must be indented`)
	s.wants("red?", `^Namespace$`)
	s.wants("make = namespace")
	s.wants("make ping blue", `"make" is a builtin function, not a namespace`)
	s.say("firewall.drop(blue, chain = \"input\", tcp = 80)")
	s.say("connect(red, blue, 80, timeout = \"50ms\")")
	s.say("firewall.drop(blue, chain = \"input\", tcp = 80)")
	s.wants("firewall.rules(blue)", `^INPUT +[1-9].*\n^INPUT +0 `)
	s.wants("blue iptables -A INPUT -p icmp -j DROP")
	s.wants("undo()", `is a command: what programs change`, `cannot be taken back`)
	s.wants("undo()", `taken back: firewall.drop`)
	// Ctrl-\ ends what runs, not the session.
	s.keys("sleep(100)\r")
	time.Sleep(200 * time.Millisecond)
	s.keys("\x1c")
	s.expect("interrupted")
	s.expect(atPrompt)
	s.keys("red sleep 100\r")
	time.Sleep(200 * time.Millisecond)
	s.keys("\x1c")
	s.expect(`exit status 131`)
	s.expect(atPrompt)
	s.wants("1 + 1", `^2$`)
	s.leave(0)
}

func replUndo(t *testing.T) {
	s := open80(t)
	s.wants("undo()", `no line of this session`)
	s.say(`red = namespace("red")`)
	s.say(`blue = namespace("blue")`)
	s.say(`a, b = veth(red, blue, addr = "10.0.0.1/24", peer_addr = "10.0.0.2/24")`)
	s.say(`a.set(mtu = 1400)`)
	s.wants("undo()", `taken back: a\.set`)
	s.wants("a.mtu", `^1500$`)
	s.say("a.down()")
	s.wants("undo()", `taken back: a\.down`)
	s.wants("a.state", `up`)
	s.say(`red.sysctl("net.ipv4.ip_forward", 1)`)
	s.wants("undo()", `taken back`)
	s.wants("red.forward", `False`)
	s.say(`firewall.policy(red, forward = "drop")`)
	s.say(`firewall.drop(red, udp = 53)`)
	s.wants("undo()", `taken back: firewall.drop`)
	s.wants("undo()", `taken back: firewall.policy`)
	s.wants("red iptables -S FORWARD", `-P FORWARD ACCEPT`)
	s.say(`r = route(red, "default", via = "10.0.0.2")`)
	s.say("r.delete()")
	s.wants("undo()", `taken back: r.delete`)
	s.wants("red ip route", `default via 10\.0\.0\.2`)
	s.say(`p = spawn(red, "sleep 1000")`)
	s.wants("undo()", `taken back: p = spawn`)
	s.wants("p", `no name|not defined|"p"`)
	s.say(`c, d = veth(red, blue)`)
	s.say("c.delete()")
	s.wants("undo()", `interface "eth1", which was deleted, cannot be brought back`)
	// A failing line leaves nothing, and takes nothing away that was there.
	for _, line := range []string{
		`a.add_addr("10.0.0.1/24")`, `route(red, "default", via = "10.0.0.2")`, `rule(red, src = "10.0.0.0/8", table = 100, priority = 50)`,
		`iptables(red, "-N OWN")`, `a.move(blue)`,
	} {
		s.say(line)
		if said := s.say(line); !strings.Contains(said, "error:") || strings.Contains(said, "taken back") {
			t.Errorf("%s, again: %s", line, said)
		}
	}
	s.wants("red ip -o addr show eth0", `10\.0\.0\.1/24`)
	s.wants("red ip route", `default via 10\.0\.0\.2`)
	s.wants("red ip rule", `from 10\.0\.0\.0/8`)
	s.wants("red iptables -S", `-N OWN`)
	s.wants("blue ip -o link", `eth0`)
	s.wants("undo()", `taken back: iptables`)
	s.wants("undo()", `taken back: rule`)
	s.wants(`x = [namespace("n1"), namespace("n1")]`, `already has a namespace "n1"`, `taken back`)
	s.wants("x", `error`)
	s.say(`n = namespace("n1")`)
	s.wants("undo()", `taken back: n = namespace`)
	s.wants("red ip addr add 10.9.9.9/24 dev eth0")
	s.wants("red true")
	s.wants(`pingall([red, blue], timeout = "100ms")`, `pairs reach each other`)
	s.wants(`traceroute(red, "127.0.0.1")`, `^1 +127\.0\.0\.1`)
	s.wants(`http(red, "http://127.0.0.1/")`, `^refused`)
	s.wants(`save("lab.star")`, `lines written to lab.star`)
	s.leave(0)
	text, err := os.ReadFile("lab.star")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`red = namespace("red")`, `sh(red, "ip addr add 10.9.9.9/24 dev eth0")`, "# red true"} {
		if !strings.Contains(string(text), want+"\n") {
			t.Errorf("the saved script lacks %s:\n%s", want, text)
		}
	}
	for _, not := range []string{"undo", "spawn", "n1", "mtu =", "drop", "a.state", "red.forward", "pingall", "traceroute", "http"} {
		if strings.Contains(string(text), not) {
			t.Errorf("the saved script has %s:\n%s", not, text)
		}
	}
	out, err := exec.Command(filepath.Join(os.Getenv(binEnv), "nsscript"), "run", "--rm", "lab.star").CombinedOutput()
	if err != nil {
		t.Errorf("the saved script: %v\n%s", err, out)
	}
}

func replKeep(t *testing.T) {
	s := open80(t)
	s.say(`red = namespace("red")`)
	s.say("keep()")
	s.keys(ctrlD)
	s.expect(`^lab repl is up`)
	s.ended(0)
	nss := filepath.Join(os.Getenv(binEnv), "nsscript")
	// A second session does not take its name.
	s = open80(t)
	s.expect("")
	s.say(`red = namespace("other")`)
	s.wants("show()", `^other`)
	if !strings.Contains(string(s.all), "repl-2 (") {
		t.Errorf("the prompt of the second session:\n%s", s.all)
	}
	s.leave(0)
	if out, err := exec.Command(nss, "exec", "repl/red", "--", "true").CombinedOutput(); err != nil {
		t.Errorf("the kept lab: %v\n%s", err, out)
	}
	if out, err := exec.Command(nss, "down", "repl").CombinedOutput(); err != nil {
		t.Errorf("down: %v\n%s", err, out)
	}
}

func replHistory(t *testing.T) {
	s := open80(t)
	s.say("first = 1")
	s.leave(0)
	s = open80(t)
	s.keys(arrowUp)
	s.expect("first = 1")
	s.keys("0\r")
	s.expect(atPrompt)
	s.wants("first", "^10$")
	s.leave(0)
	info, err := os.Stat(filepath.Join(os.Getenv("XDG_STATE_HOME"), "nsscript", "history"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the history: %v, %v", info, err)
	}
}

func replDumb(t *testing.T) {
	s := openScreen(t, 80, []string{"TERM=dumb"}, "repl")
	s.expect(atPrompt)
	s.wants("1 + 1", `^2$`)
	s.keys("while True: pass\r")
	s.expect(goesOn)
	s.keys("\r")
	time.Sleep(100 * time.Millisecond)
	s.keys(ctrlC)
	s.expect("interrupted")
	s.expect(atPrompt)
	s.keys("x = [\r")
	s.expect(goesOn)
	s.keys(ctrlC)
	s.expect(atPrompt)
	s.wants("2 + 2", `^4$`)
	if bytes.Contains(s.all, []byte("\x1b[")) {
		t.Errorf("a dumb terminal is sent escapes:\n%q", s.all)
	}
	s.leave(0)
}

func replTerminated(t *testing.T) {
	s := open80(t)
	s.say(`red = namespace("red")`)
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	s.ended(exitTerminated)
}

func replFile(t *testing.T) {
	script := "size = param(\"size\", 1)\nspaces = [namespace(\"n%d\" % i) for i in range(size)]\ndef twice(x):\n    return 2 * x\n"
	if err := os.WriteFile("base.star", []byte(script), 0o644); err != nil {
		t.Fatal(err)
	}
	s := open80(t, "--set", "size=3", "base.star")
	if !strings.Contains(string(s.all), "base (") {
		t.Errorf("the prompt does not name the lab:\n%s", s.all)
	}
	s.wants("len(spaces), twice(4)", `^\(3, 8\)$`)
	s.wants("n1 ip -br link", `^lo`)
	s.say(`extra = namespace("extra")`)
	s.wants(`save("more.star")`, "written")
	s.leave(0)
	text, err := os.ReadFile("more.star")
	if err != nil || !strings.HasPrefix(string(text), script) || !strings.Contains(string(text), "extra") {
		t.Errorf("%v\n%s", err, text)
	}
	s = openScreen(t, 80, nil, "repl", "nosuch.star")
	s.expect("there is no such file")
	s.ended(1)
	if err := os.WriteFile("bad.star", []byte("namespace(\"x\")\nfail(\"no\")\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	s = openScreen(t, 80, nil, "repl", "bad.star")
	s.expect(`bad.star:2:1: error: .*no`)
	s.ended(1)
}

func replInteract(t *testing.T) {
	script := "red = namespace(\"red\")\ndef f(local):\n    interact()\n    print(\"on with\", local)\nf(5)\n"
	if err := os.WriteFile("inter.star", []byte(script), 0o644); err != nil {
		t.Fatal(err)
	}
	s := openScreen(t, 80, nil, "run", "--rm", "inter.star")
	s.expect(atPrompt)
	s.wants("red", `namespace "red"`)
	s.wants("local + 1", `^6$`)
	s.wants("interact()", `interactive already`)
	s.keys("sleep(1000)\r")
	s.expect(`1000\)\n`)
	time.Sleep(100 * time.Millisecond)
	s.keys(ctrlC)
	s.expect(atPrompt)
	s.keys(ctrlD)
	s.expect("on with 5")
	s.ended(0)
}
