//go:build linux

package examples_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"nsscript/builtins/kernel"
	"nsscript/examples"
)

// binary is the nsscript that the tests run, built once.
var binary string

func TestMain(m *testing.M) {
	os.Exit(build(m))
}

func build(m *testing.M) int {
	if dir := os.Getenv("NSSTEST_BIN"); dir != "" { // built already, as for a second kernel
		binary = filepath.Join(dir, "nsscript")
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "nsscript-examples-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.Chmod(dir, 0o755); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	binary = filepath.Join(dir, "nsscript")
	cmd := exec.Command("go", "build", "-o", binary, "nsscript/cmd/nsscript")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// snapshot prints what a lab could have left behind.
const snapshot = `
snapshot() {
	ip -d link | sed 's/ qlen [0-9]*//'
	ip addr; ip route show table all; ip rule; ip -6 rule
	iptables-save | sed '/^#/d'; ip6tables-save | sed '/^#/d'
	sysctl net.ipv4.ip_forward net.ipv6.conf.all.forwarding
	ls /run/netns 2>&1 || true
	mount; find /run
}
`

// privateHost is a shell script's beginning that makes a machine of one's own to
// be root on: its network, its mounts and its /run are nobody else's.
const privateHost = `
set -e
mount --make-rprivate /
mount -t tmpfs none /run
ip link set lo up
` + snapshot

// onPrivateHost runs a script as root in network, mount and process namespaces of
// its own.
func onPrivateHost(t *testing.T, script string, args ...string) string {
	t.Helper()
	cmd := exec.Command("bash", append([]string{"-c", privateHost + script, "bash"}, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS}
	return output(t, cmd)
}

func output(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.Env = append(os.Environ(), "NSSCRIPT="+binary, "PATH="+os.Getenv("PATH")+":/usr/sbin:/sbin")
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	return out.String()
}

// eachExample runs something with each example that this kernel has all for.
func eachExample(t *testing.T, run func(t *testing.T, e examples.Example, file string)) {
	t.Helper()
	eachOf(t, func(examples.Example) bool { return true }, run)
}

func eachOf(t *testing.T, which func(examples.Example) bool, run func(t *testing.T, e examples.Example, file string)) {
	t.Helper()
	all, err := examples.All()
	if err != nil || len(all) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, e := range all {
		if !which(e) {
			continue
		}
		file, err := filepath.Abs(e.Name + ".star")
		if err != nil {
			t.Fatal(err)
		}
		t.Run(e.Name, func(t *testing.T) {
			t.Parallel()
			if lacks := lacking(t, e); len(lacks) > 0 {
				t.Skipf("this kernel lacks %s", strings.Join(lacks, ", "))
			}
			run(t, e, file)
		})
	}
}

// featuresHere asks, once, which features this kernel has.
var featuresHere = sync.OnceValues(func() (map[string]bool, error) {
	const script = `print(json.encode({f: kernel.has(f) for f in json.decode(param("features", "[]"))}))`
	names, err := json.Marshal(kernel.Features())
	if err != nil {
		return nil, err
	}
	out, err := exec.Command(binary, "run", "--sandbox", "--rm", "--set", "features="+string(names), "-c", script).Output()
	if err != nil {
		return nil, fmt.Errorf("asking for the kernel's features: %w", err)
	}
	has := map[string]bool{}
	return has, json.Unmarshal(out, &has)
})

// lacking lists what an example needs and this kernel has not.
func lacking(t *testing.T, e examples.Example) []string {
	t.Helper()
	has, err := featuresHere()
	if err != nil {
		t.Fatal(err)
	}
	var lacks []string
	for _, need := range e.Needs {
		if !has[need] {
			lacks = append(lacks, need)
		}
	}
	return lacks
}

// TestOnHost runs each example but the big ones as root on a machine of its own, the
// first steps again to replace them, and holds that `down` leaves that machine as it was.
func TestOnHost(t *testing.T) {
	t.Parallel()
	eachExample(t, func(t *testing.T, e examples.Example, file string) {
		if e.Takes != "" {
			t.Skipf("it takes %s: once is enough, as a user", e.Takes)
		}
		times := "1"
		if e.Group == "First steps" {
			times = "2"
		}
		out := onPrivateHost(t, `
snapshot > /tmp/before-$$ 2>&1
for _ in $(seq "$3"); do "$NSSCRIPT" run "$1"; done
"$NSSCRIPT" ls --json | grep -q '"state":"up"'
"$NSSCRIPT" down "$2"
snapshot > /tmp/after-$$ 2>&1
diff /tmp/before-$$ /tmp/after-$$ || left=1
rm /tmp/before-$$ /tmp/after-$$
test -z "$left"
`, file, e.Name, times)
		if n := strings.Count(out, "✓"); n < 2 {
			t.Errorf("the example made %d checks:\n%s", n, out)
		}
	})
}

// user is an ordinary user's id, of whom the machine knows nothing.
const user = 23456

// TestAsUser runs each example without any right, and holds that `down` leaves
// no process and no file.
func TestAsUser(t *testing.T) {
	t.Parallel()
	eachExample(t, func(t *testing.T, e examples.Example, file string) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		dir, err := os.MkdirTemp("", "nsscript-user-")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.RemoveAll(dir) })
		copied := filepath.Join(dir, filepath.Base(file))
		if err := os.WriteFile(copied, text, 0o644); err != nil {
			t.Fatal(err)
		}
		id := user
		if os.Geteuid() != 0 {
			id = os.Geteuid()
		}
		for _, path := range []string{dir, copied} {
			if err := os.Chown(path, id, id); err != nil {
				t.Fatal(err)
			}
		}
		cmd := exec.Command("bash", "-c", `
set -e
export XDG_RUNTIME_DIR="$1" HOME="$1"
cd "$1"
"$NSSCRIPT" run "$2.star"
"$NSSCRIPT" ls --json | grep -q '"where":"sandbox"'
"$NSSCRIPT" exec "$2/host" -- ip -brief link
"$NSSCRIPT" down "$2"
ls -A "$1"
`, "bash", dir, e.Name)
		if os.Geteuid() == 0 {
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: user, Gid: user}}
		}
		out := output(t, cmd)
		if !strings.HasSuffix(out, fmt.Sprintf("lab %s is down\n%s.star\n", e.Name, e.Name)) {
			t.Errorf("something is left:\n%s", out)
		}
	})
}

// TestNeeding runs the examples that need what a kernel may lack. Those that are skipped
// here, `make test-kernels` runs in another one.
func TestNeeding(t *testing.T) {
	t.Parallel()
	needing := func(e examples.Example) bool { return len(e.Needs) > 0 }
	eachOf(t, needing, func(t *testing.T, _ examples.Example, file string) {
		out := onPrivateHost(t, `"$NSSCRIPT" run --rm --sandbox "$1"`, file)
		if !strings.Contains(out, "✓") {
			t.Errorf("the example made no check:\n%s", out)
		}
	})
}

// TestMissing holds that an example that needs what this kernel lacks ends with a
// clear error and exit status 3, and that there is nothing left of it.
func TestMissing(t *testing.T) {
	t.Parallel()
	all, err := examples.All()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		t.Run(e.Name, func(t *testing.T) {
			t.Parallel()
			lacks := lacking(t, e)
			if len(lacks) == 0 {
				t.Skip("this kernel has all for it")
			}
			out := onPrivateHost(t, `"$NSSCRIPT" run --sandbox "$1" || echo status=$?; "$NSSCRIPT" ls --json`, e.Name+".star")
			if !strings.HasSuffix(out, "status=3\n[]\n") || !strings.Contains(out, "error: ") {
				t.Errorf("the kernel lacks %s, and this came of it:\n%s", strings.Join(lacks, ", "), out)
			}
		})
	}
}

// TestExplain runs the commands that --explain prints by bash on one private
// machine and the lab on another, and holds that the same network stands.
func TestExplain(t *testing.T) {
	t.Parallel()
	const look = `
for ns in red blue; do
	ip -n $ns -brief addr | sed 's/ fe80[^ ]*//; s/@if[0-9]*//; s/ DOWN / UP /; s/  */ /g'
	ip -n $ns route
	ip netns exec $ns sysctl net.ipv4.icmp_ratelimit net.ipv6.conf.default.accept_dad
done
ip netns exec red ping -qc 1 -W 2 10.0.0.2 > /dev/null
`
	file, err := filepath.Abs("red_blue.star")
	if err != nil {
		t.Fatal(err)
	}
	commands := onPrivateHost(t, `"$NSSCRIPT" run --rm --explain "$1" 2>&1 > /dev/null | grep -v -e ' ping ' -e getent`, file)
	built := onPrivateHost(t, `"$NSSCRIPT" run "$1" > /dev/null 2>&1; `+look, file)
	typed := onPrivateHost(t, commands+look)
	if built != typed {
		t.Errorf("these commands:\n%s\nbuilt:\n%s\nand the lab:\n%s", commands, typed, built)
	}
}

// TestServices holds what @std//services.star and @std//internet.star make.
func TestServices(t *testing.T) {
	t.Parallel()
	out := onPrivateHost(t, `"$NSSCRIPT" run --rm -c '
load("@std//internet.star", "internet")
load("@std//services.star", "clients", "gateway", "zone")
check("zone", zone("example.com", {"@": {"MX": ["10 mail", "20 mx.example.org"]}, "www": "10.0.0.1", "ftp": {"CNAME": "www"}, "a.example.net.": "10.0.0.2"}) == {
    "example.com": {"MX": ["10 mail.example.com", "20 mx.example.org"]}, "www.example.com": "10.0.0.1",
    "ftp.example.com": {"CNAME": "www.example.com"}, "a.example.net": "10.0.0.2"})
net = internet({"www.example.com": "hello"})
home, office = namespace("home"), namespace("office")
wan = net.attach(home)
check("public address", wan.addrs[0].ip == "203.0.113.2")
check("other provider", net.attach(office, "isp2").addrs[0].ip == "198.51.100.2")
check("resolver", resolver(home).servers == ["9.9.9.9"])
check("from one to the other", ping(home, office) and len(traceroute(home, "www.example.com")) == 4)
lan = bridge("lan", ns = home, addr = "192.168.1.1/28")
box = gateway(home, lan, wan = wan)
check("a small pool", box.pool == "192.168.1.8-192.168.1.14")
pcs = clients(2, lan)
check("through the gateway", [http(pc, "http://www.example.com/").body for pc in pcs] == ["hello", "hello"])
check("without it", not ping(net.core, pcs[0]))
net.records({"*.example.org": "192.0.2.10"})
check("more records", dns(pcs[0], "any.example.org").answers == ["192.0.2.10"])
net.site("new.example.org", "new")
check("more sites", http(office, "http://new.example.org/").body == "new")
check("a customer that there is not", ping(office, "203.0.113.77").error in ("net-unreachable", "host-unreachable"))
'`)
	if !strings.Contains(out, "11 checks: 11 passed, 0 failed") {
		t.Error(out)
	}
}
