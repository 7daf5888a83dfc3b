//go:build linux

package kernel

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// backends are the two programs that go by the name iptables.
var backends = map[string]string{"nft": "xtables-nft-multi", "legacy": "xtables-legacy-multi"}

// eachBackend runs a test with each of iptables' backends, for IPv4 and IPv6, in
// a network namespace of its own.
func eachBackend(t *testing.T, test func(t *testing.T, n *NetNS, x *Iptables)) {
	t.Helper()
	for backend := range backends {
		for _, v6 := range []bool{false, true} {
			name := backend + "/IPv4"
			if v6 {
				name = backend + "/IPv6"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				f := finderOf(t, backend)
				x, err := f.Find(v6)
				if err != nil {
					t.Fatal(err)
				}
				test(t, freshNetNS(t), x)
			})
		}
	}
}

// finderOf looks for the programs in a directory that has those of one backend
// under iptables' usual names.
func finderOf(t *testing.T, backend string) *IptablesFinder {
	t.Helper()
	multi, err := LookPath(backends[backend], AdminPath(os.Getenv("PATH")), "")
	if err != nil {
		t.Fatalf("this test needs the program %s (package iptables): %v", backends[backend], err)
	}
	dir := t.TempDir()
	for _, name := range []string{"iptables", "ip6tables"} {
		for _, suffix := range []string{"", "-save", "-restore"} {
			if err := os.Symlink(multi, filepath.Join(dir, name+suffix)); err != nil {
				t.Fatal(err)
			}
		}
	}
	return &IptablesFinder{Path: dir, LockWait: 3 * time.Second}
}

// freshNetNS makes a network namespace that no one else uses.
func freshNetNS(t testing.TB) *NetNS {
	t.Helper()
	var n *NetNS
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // for good: the thread ends here
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			done <- err
			return
		}
		h, err := netns.GetFromPath("/proc/thread-self/ns/net")
		if err == nil {
			n, err = newNetNS(h)
		}
		done <- err
	}()
	if err := <-done; err != nil {
		t.Fatalf("this test needs the right to make a network namespace (run it as root): %v", err)
	}
	t.Cleanup(n.Close)
	return n
}

// fake is a finder of a program that is a shell script.
func fake(t *testing.T, script string) *Iptables {
	t.Helper()
	dir := t.TempDir()
	body := "#!/bin/sh\nif [ \"$1\" = --version ]; then echo 'iptables v1.8.9 (legacy)'; exit; fi\n" + script + "\n"
	if err := os.WriteFile(filepath.Join(dir, "iptables"), []byte(body), 0o755); err != nil {
		t.Fatal(err)
	}
	f := &IptablesFinder{Path: dir, LockWait: 3 * time.Second}
	for {
		x, err := f.Find(false)
		// A test that forks at this moment holds the script open for writing.
		if err != nil && strings.Contains(err.Error(), "text file busy") {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
}

// source is the words of a rule that differ between the families.
func source(x *Iptables) []string {
	if x.v6 {
		return []string{"-s", "2001:db8::/64"}
	}
	return []string{"-s", "10.0.0.0/24"}
}

func texts(rules []ListedRule) []string {
	var list []string
	for _, r := range rules {
		list = append(list, "-A "+r.Chain+" "+r.Text)
	}
	return list
}

func wantRules(t *testing.T, n *NetNS, x *Iptables, table string, want ...string) {
	t.Helper()
	rules, err := x.List(t.Context(), n, table)
	if err != nil {
		t.Fatal(err)
	}
	if got := texts(rules); !slices.Equal(got, want) {
		t.Errorf("table %s holds\n\t%s\nwant\n\t%s", table, strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

func TestRulesAreAppendedInsertedFoundAndDeleted(t *testing.T) {
	t.Parallel()
	eachBackend(t, func(t *testing.T, n *NetNS, x *Iptables) {
		ctx := t.Context()
		spec := append(source(x), "-j", "ACCEPT")
		text := SpecText(spec)
		if err := x.Append(ctx, n, "filter", "FORWARD", spec); err != nil {
			t.Fatal(err)
		}
		if err := x.Insert(ctx, n, "filter", "FORWARD", 1, []string{"-j", "DROP"}); err != nil {
			t.Fatal(err)
		}
		wantRules(t, n, x, "filter", "-A FORWARD -j DROP", "-A FORWARD "+text)
		if ok, err := x.Exists(ctx, n, "filter", "FORWARD", spec); err != nil || !ok {
			t.Errorf("Exists of a rule that is there: %v, %v", ok, err)
		}
		if err := x.Delete(ctx, n, "filter", "FORWARD", spec); err != nil {
			t.Fatal(err)
		}
		if ok, err := x.Exists(ctx, n, "filter", "FORWARD", spec); err != nil || ok {
			t.Errorf("Exists of a rule that was deleted: %v, %v", ok, err)
		}
		var gone *IptablesError
		if err := x.Delete(ctx, n, "filter", "FORWARD", spec); !errors.As(err, &gone) || !gone.Gone() {
			t.Errorf("deleting a rule twice: %v, want an error that is Gone", err)
		}
		wantRules(t, n, x, "filter", "-A FORWARD -j DROP")
	})
}

func TestOtherNamespacesKeepTheirRules(t *testing.T) {
	t.Parallel()
	eachBackend(t, func(t *testing.T, n *NetNS, x *Iptables) {
		other := freshNetNS(t)
		if err := x.Append(t.Context(), n, "filter", "INPUT", []string{"-j", "DROP"}); err != nil {
			t.Fatal(err)
		}
		wantRules(t, other, x, "filter")
	})
}

func TestDeleteLastTakesTheLastOfEqualRules(t *testing.T) {
	t.Parallel()
	eachBackend(t, func(t *testing.T, n *NetNS, x *Iptables) {
		accept, drop := []string{"-p", "tcp", "-j", "ACCEPT"}, []string{"-j", "DROP"}
		for _, spec := range [][]string{accept, drop, accept} {
			if err := x.Append(t.Context(), n, "filter", "INPUT", spec); err != nil {
				t.Fatal(err)
			}
		}
		if err := x.DeleteLast(t.Context(), n, "filter", "INPUT", accept); err != nil {
			t.Fatal(err)
		}
		wantRules(t, n, x, "filter", "-A INPUT -p tcp -j ACCEPT", "-A INPUT -j DROP")
	})
}

func TestSeveralRulesAreAddedAllOrNone(t *testing.T) {
	t.Parallel()
	eachBackend(t, func(t *testing.T, n *NetNS, x *Iptables) {
		good := ChainRule{Chain: "FORWARD", Spec: []string{"-p", "tcp", "-m", "comment", "--comment", `it's "x" \ $y {a}`, "-j", "LOG", "--log-prefix", "a b: "}}
		bad := ChainRule{Chain: "nochain", Spec: []string{"-j", "ACCEPT"}}
		err := x.AppendAll(t.Context(), n, "filter", []ChainRule{good, bad})
		var said *IptablesError
		if !errors.As(err, &said) || !strings.Contains(said.Rule, "nochain") || !said.NoSuch() {
			t.Errorf("a rule for a chain that is not there: %v, want an error that names the rule", err)
		}
		wantRules(t, n, x, "filter")
		if err := x.AppendAll(t.Context(), n, "filter", []ChainRule{good, good}); err != nil {
			t.Fatal(err)
		}
		line := `-A FORWARD -p tcp -m comment --comment "it\'s \"x\" \\ $y {a}" -j LOG --log-prefix "a b: "`
		wantRules(t, n, x, "filter", line, line)
		if rules, _ := x.List(t.Context(), n, "filter"); !slices.Equal(rules[0].Spec, good.Spec) || SpecText(good.Spec) != rules[0].Text {
			t.Errorf("words came back as %q and are printed as %s", rules[0].Spec, SpecText(good.Spec))
		}
	})
}

func TestPolicyIsSetAndRead(t *testing.T) {
	t.Parallel()
	eachBackend(t, func(t *testing.T, n *NetNS, x *Iptables) {
		ctx := t.Context()
		for _, want := range []string{"ACCEPT", "DROP"} {
			if err := x.SetPolicy(ctx, n, "filter", "FORWARD", want); err != nil {
				t.Fatal(err)
			}
			if got, err := x.Policy(ctx, n, "filter", "FORWARD"); got != want || err != nil {
				t.Errorf("policy: %q, %v, want %q", got, err, want)
			}
		}
		if err := x.NewChain(ctx, n, "filter", "mine"); err != nil {
			t.Fatal(err)
		}
		if _, err := x.Policy(ctx, n, "filter", "mine"); err == nil || !strings.Contains(err.Error(), `"mine" has no policy`) {
			t.Errorf("policy of a user's chain: %v", err)
		}
		chains, err := x.Chains(ctx, n, "filter")
		if want := []string{"INPUT", "FORWARD", "OUTPUT", "mine"}; err != nil || !slices.Equal(chains, want) {
			t.Errorf("chains: %q, %v, want %q", chains, err, want)
		}
	})
}

func TestATableIsSavedAndRestored(t *testing.T) {
	t.Parallel()
	eachBackend(t, func(t *testing.T, n *NetNS, x *Iptables) {
		ctx := t.Context()
		empty, err := x.Save(ctx, n, "filter")
		if err != nil {
			t.Fatal(err)
		}
		counted := strings.Replace(string(empty), "COMMIT", "[7:99] -A INPUT -j ACCEPT\nCOMMIT", 1)
		if err := x.Restore(ctx, n, []byte(counted)); err != nil {
			t.Fatal(err)
		}
		if err := x.SetPolicy(ctx, n, "filter", "INPUT", "DROP"); err != nil {
			t.Fatal(err)
		}
		if err := x.Append(ctx, n, "nat", "POSTROUTING", []string{"-j", "MASQUERADE"}); err != nil {
			t.Fatal(err)
		}
		full, err := x.Save(ctx, n, "filter")
		if err != nil {
			t.Fatal(err)
		}
		if err := x.Restore(ctx, n, empty); err != nil {
			t.Fatal(err)
		}
		wantRules(t, n, x, "filter")
		wantRules(t, n, x, "nat", "-A POSTROUTING -j MASQUERADE")
		if p, err := x.Policy(ctx, n, "filter", "INPUT"); p != "ACCEPT" || err != nil {
			t.Errorf("policy after restoring an empty table: %q, %v", p, err)
		}
		if err := x.Restore(ctx, n, full); err != nil {
			t.Fatal(err)
		}
		rules, err := x.List(ctx, n, "filter")
		if err != nil || len(rules) != 1 {
			t.Fatalf("rules after restoring: %+v, %v, want one", rules, err)
		}
		if x.v6 && strings.Contains(x.Version(), "nf_tables") {
			return // ip6tables-nft 1.8.9 forgets counters
		}
		if rules[0].Packets != 7 || rules[0].Bytes != 99 {
			t.Errorf("rules after restoring: %+v, %v, want one that has counted 7 packets of 99 bytes", rules, err)
		}
	})
}

func TestComplaintsAreTheProgramsOwnLastLine(t *testing.T) {
	t.Parallel()
	cases := []struct{ args, want string }{
		{"-A FORWARD -m nosuch -j ACCEPT", "Couldn't load match `nosuch':No such file or directory"},
		{"-A FORWARD --bogus", `unknown option "--bogus"`},
		{"-A FORWARD -m conntrack --ctstate BOGUS", `Bad ctstate "BOGUS"`},
		{"-P FOO DROP", "Bad built-in chain name"},
		{"-N INPUT", "Chain already exists"},
	}
	eachBackend(t, func(t *testing.T, n *NetNS, x *Iptables) {
		for _, c := range cases {
			r, err := x.Run(t.Context(), n, strings.Fields(c.args))
			if err == nil || err.Error() != x.name+": "+c.want || r.Status == 0 {
				t.Errorf("%s: status %d, %v\nwant %s", c.args, r.Status, err, c.want)
			}
		}
		_, err := x.Run(t.Context(), n, []string{"-t", "bogus", "-S"})
		if err == nil || !strings.Contains(err.Error(), "table") || !strings.Contains(err.Error(), "bogus") || errors.As(err, new(*MissingError)) {
			t.Errorf("a table that there is not: %v", err)
		}
	})
}

func TestTheLockIsWaitedFor(t *testing.T) {
	t.Parallel()
	n := freshNetNS(t)
	multi, err := LookPath(backends["legacy"], AdminPath(os.Getenv("PATH")), "")
	if err != nil {
		t.Fatal(err)
	}
	lock := filepath.Join(t.TempDir(), "lock")
	x := fake(t, "XTABLES_LOCKFILE="+lock+" exec "+multi+` iptables "$@"`)
	if out, err := x.Run(t.Context(), n, []string{"-S"}); err != nil {
		t.Fatalf("%v\n%s", err, out.Stderr)
	}
	h, err := os.OpenFile(lock, os.O_RDWR, 0)
	if err != nil {
		t.Fatalf("this test needs iptables 1.8.8 or later, which knows XTABLES_LOCKFILE: %v", err)
	}
	defer h.Close()
	fd := int(h.Fd())
	if err := syscall.Flock(fd, syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}

	t.Run("until it is free", func(t *testing.T) {
		release := time.AfterFunc(1500*time.Millisecond, func() { _ = syscall.Flock(fd, syscall.LOCK_UN) })
		defer release.Stop()
		if err := x.Append(t.Context(), n, "filter", "INPUT", []string{"-j", "ACCEPT"}); err != nil {
			t.Errorf("the lock was free after 1.5 s, and 3 s are allowed: %v", err)
		}
	})
	if err := syscall.Flock(fd, syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	t.Run("but not for ever", func(t *testing.T) {
		began := time.Now()
		err := x.Append(t.Context(), n, "filter", "INPUT", []string{"-j", "ACCEPT"})
		if err == nil || !strings.Contains(err.Error(), "another program held the xtables lock") || time.Since(began) > 10*time.Second {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
	})
	t.Run("nor after an interruption", func(t *testing.T) {
		x.wait = time.Hour
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		began := time.Now()
		if err := x.Append(ctx, n, "filter", "INPUT", []string{"-j", "ACCEPT"}); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > 5*time.Second {
			t.Errorf("after %v: %v, want the interruption", time.Since(began), err)
		}
	})
}

func TestWhatTheMachineLacksIsNamed(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, says, want, remedy string }{
		{
			"a table", "iptables v1.8.9 (legacy): can't initialize iptables table `nat': Table does not exist (do you need to insmod?)\nPerhaps iptables or your kernel needs to be upgraded.",
			`this kernel lacks the table "nat" of iptables`, "sudo modprobe iptable_nat",
		},
		{
			"a match", "Warning: Extension limit revision 0 not supported, missing kernel module?\niptables: No chain/target/match by that name.",
			`this kernel lacks the match or target "limit" of iptables`, "sudo modprobe xt_limit",
		},
		{
			"a match of nf_tables", "Warning: Extension TPROXY revision 0 not supported, missing kernel module?\niptables v1.8.9 (nf_tables):  RULE_APPEND failed (No such file or directory): rule in chain INPUT",
			`this kernel lacks the match or target "TPROXY" of iptables`, "sudo modprobe xt_TPROXY",
		},
		{
			"nf_tables", "iptables v1.8.9 (nf_tables): Could not fetch rule set generation id: Failed to initialize nft: Protocol not supported",
			"this kernel lacks nf_tables, which this iptables needs", "sudo modprobe nf_tables",
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			x := fake(t, "cat >&2 <<'END'\n"+c.says+"\nEND\nexit 3")
			n := freshNetNS(t)
			err := x.Append(t.Context(), n, "nat", "INPUT", []string{"-j", "ACCEPT"})
			var missing *MissingError
			if !errors.As(err, &missing) || missing.What != c.want || !strings.Contains(missing.Remedy, c.remedy) {
				t.Errorf("got %#v\nwant %s, with the remedy %s", err, c.want, c.remedy)
			}
		})
	}
}

func TestAMissingRightIsTold(t *testing.T) {
	t.Parallel()
	for _, says := range []string{
		"iptables v1.8.9 (nf_tables): Could not fetch rule set generation id: Permission denied (you must be root)",
		"Fatal: can't open lock file /run/xtables.lock: Permission denied",
	} {
		x := fake(t, "cat >&2 <<'END'\n"+says+"\nEND\nexit 4")
		err := x.Append(t.Context(), freshNetNS(t), "filter", "INPUT", []string{"-j", "ACCEPT"})
		if !errors.Is(err, unix.EPERM) || strings.Contains(err.Error(), "v1.8.9") || !strings.Contains(err.Error(), "Permission denied") {
			t.Errorf("%q is told as %v", says, err)
		}
	}
}

func TestAMissingProgramIsTold(t *testing.T) {
	t.Parallel()
	f := IptablesFinder{Path: t.TempDir()}
	_, err := f.Find(true)
	var missing *MissingError
	if !errors.As(err, &missing) || missing.What != `the program "ip6tables" is not installed` || !strings.Contains(missing.Remedy, "iptables") {
		t.Errorf("got %#v", err)
	}
}

func TestVersionTellsTheBackend(t *testing.T) {
	t.Parallel()
	for backend, word := range map[string]string{"nft": "(nf_tables)", "legacy": "(legacy)"} {
		x, err := finderOf(t, backend).Find(false)
		if err != nil {
			t.Fatal(err)
		}
		if v := x.Version(); !strings.HasSuffix(v, word) {
			t.Errorf("version of the backend %s: %q", backend, v)
		}
	}
}

func TestListedLinesAreRead(t *testing.T) {
	t.Parallel()
	cases := []struct {
		line, text     string
		spec           []string
		packets, bytes uint64
	}{
		{`-A FORWARD -c 3 180`, ``, nil, 3, 180},
		{`-A INPUT -p icmp -c 12 1008 -j ACCEPT`, `-p icmp -j ACCEPT`, []string{"-p", "icmp", "-j", "ACCEPT"}, 12, 1008},
		{`-A INPUT -m comment --comment "x -c 5 6" -c 1 2 -j LOG --log-prefix "-c "`, `-m comment --comment "x -c 5 6" -j LOG --log-prefix "-c "`,
			[]string{"-m", "comment", "--comment", "x -c 5 6", "-j", "LOG", "--log-prefix", "-c "}, 1, 2},
		{`-A INPUT -m comment --comment -c -c 1 2 -j ACCEPT`, `-m comment --comment -c -j ACCEPT`,
			[]string{"-m", "comment", "--comment", "-c", "-j", "ACCEPT"}, 1, 2},
	}
	for _, c := range cases {
		r, ok := parseListed(c.line)
		if !ok || r.Text != c.text || !slices.Equal(r.Spec, c.spec) || r.Packets != c.packets || r.Bytes != c.bytes {
			t.Errorf("%s\nis read as %+v", c.line, r)
		}
	}
	for _, line := range []string{"", "-P INPUT ACCEPT -c 0 0", "-N mine", "# Warning: iptables-legacy tables present, use iptables-legacy to see them"} {
		if r, ok := parseListed(line); ok {
			t.Errorf("%q is read as the rule %+v", line, r)
		}
	}
}

func TestProtocolsGoByNameAndNumber(t *testing.T) {
	t.Parallel()
	if !SameSpec([]string{"-p", "132", "-j", "DROP"}, []string{"-p", "sctp", "-j", "DROP"}) {
		t.Error("protocols 132 and sctp are not the same")
	}
	if SameSpec([]string{"-p", "tcp"}, []string{"-p", "udp"}) || SameSpec([]string{"-p", "tcp"}, []string{"-p", "tcp", "-j"}) {
		t.Error("rules that differ are the same")
	}
	eachBackend(t, func(t *testing.T, n *NetNS, x *Iptables) {
		for _, p := range []string{"tcp", "udp", "sctp", "gre", "89", "200", "ah"} {
			number, ok := ProtocolNumber(p)
			if !ok {
				t.Errorf("protocol %s is not known", p)
				continue
			}
			if err := x.Append(t.Context(), n, "filter", "INPUT", []string{"-p", p}); err != nil {
				t.Fatal(err)
			}
			rules, err := x.List(t.Context(), n, "filter")
			if err != nil {
				t.Fatal(err)
			}
			if got, want := rules[len(rules)-1].Text, "-p "+ProtocolName(number); got != want {
				t.Errorf("iptables prints the protocol %s as %q, ProtocolName as %q", p, got, want)
			}
		}
	})
}
