//go:build linux

package op

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"nsscript/builtins/kernel"
)

const testMark = "nsscript:try"

// place is a system with the namespace "fw", which is the lab's, and "door",
// which is not. Both are fresh.
type place struct {
	*System
	t *testing.T
}

// eachPlace runs a test with each of iptables' backends.
func eachPlace(t *testing.T, test func(p place)) {
	t.Helper()
	t.Parallel()
	eachPlaceOf(t, test)
}

// eachPlaceOf is eachPlace in a test that is parallel already.
func eachPlaceOf(t *testing.T, test func(p place)) {
	t.Helper()
	for backend, program := range map[string]string{"nft": "xtables-nft-multi", "legacy": "xtables-legacy-multi"} {
		t.Run(backend, func(t *testing.T) {
			t.Parallel()
			p := place{NewSystem(freshNetNS(t), testMark, false), t}
			t.Cleanup(p.Close)
			p.Attach("fw", freshNetNS(t), true)
			p.Attach("door", freshNetNS(t), false)
			p.Iptables.Path, p.Iptables.LockWait = programs(t, program), 20*time.Second
			ledger := testLedger{}
			p.Ledger = ledger
			test(p)
		})
	}
}

// testLedger notes what is borrowed, as the registry of labs does for one lab.
type testLedger map[string]*testLoan

type testLoan struct {
	before string
	loans  map[string]bool
}

func (l testLedger) Borrow(key, loan string, read func() (string, error)) error {
	if l[key] == nil {
		before, err := read()
		if err != nil {
			return err
		}
		l[key] = &testLoan{before, map[string]bool{}}
	}
	l[key].loans[loan] = true
	return nil
}

func (l testLedger) Return(key, loan string, restore func(string) error) error {
	b := l[key]
	if b == nil || !b.loans[loan] {
		return nil
	}
	if delete(b.loans, loan); len(b.loans) > 0 {
		return nil
	}
	delete(l, key)
	return restore(b.before)
}

// programs is a directory that has a backend's programs under iptables' names.
func programs(t *testing.T, multi string) string {
	t.Helper()
	at, err := kernel.LookPath(multi, kernel.AdminPath(os.Getenv("PATH")), "")
	if err != nil {
		t.Fatalf("this test needs the program %s (package iptables): %v", multi, err)
	}
	dir := t.TempDir()
	for _, name := range []string{"iptables", "ip6tables"} {
		for _, suffix := range []string{"", "-save", "-restore"} {
			if err := os.Symlink(at, filepath.Join(dir, name+suffix)); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}

// freshNetNS makes a network namespace that no one else uses.
func freshNetNS(t *testing.T) *kernel.NetNS {
	t.Helper()
	var n *kernel.NetNS
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // for good: the thread ends here
		err := unix.Unshare(unix.CLONE_NEWNET)
		if err == nil {
			n, err = kernel.OpenNetNS("/proc/thread-self/ns/net")
		}
		done <- err
	}()
	if err := <-done; err != nil {
		t.Fatalf("this test needs the right to make a network namespace (run it as root): %v", err)
	}
	return n
}

// do prepares and does an operation, as a lab does.
func (p place) do(o Op) error {
	p.t.Helper()
	if pr, ok := o.(Preparer); ok {
		if err := pr.Prepare(p.System); err != nil {
			return err
		}
	}
	err := o.Do(p.t.Context(), p.System)
	if err != nil {
		if uerr := o.Undo(context.Background(), p.System); uerr != nil {
			p.t.Errorf("taking back %T after an error: %v", o, uerr)
		}
	}
	return err
}

func (p place) mustDo(ops ...Op) {
	p.t.Helper()
	for _, o := range ops {
		if err := p.do(o); err != nil {
			p.t.Fatalf("%T: %v", o, err)
		}
	}
}

// undo takes an operation back twice: the second time changes nothing more.
func (p place) undo(o Op) {
	p.t.Helper()
	if err := o.Undo(p.t.Context(), p.System); err != nil {
		p.t.Fatalf("undoing %T: %v", o, err)
	}
	was := p.all("fw") + p.all("door")
	if err := o.Undo(p.t.Context(), p.System); err != nil {
		p.t.Fatalf("undoing %T twice: %v", o, err)
	}
	if is := p.all("fw") + p.all("door"); is != was {
		p.t.Errorf("undoing %T a second time changed\n%s\nto\n%s", o, was, is)
	}
}

// fromJournal is the operation as a later process reads it.
func fromJournal[O Op](p place, o O) O {
	p.t.Helper()
	kind, fields, err := Encode(o)
	if err != nil {
		p.t.Fatal(err)
	}
	again, err := Decode(kind, fields)
	if err != nil {
		p.t.Fatal(err)
	}
	return again.(O)
}

// sys runs iptables in a namespace, not through an operation.
func (p place) sys(ns, args string) string {
	p.t.Helper()
	v6 := false
	if rest, ok := strings.CutPrefix(args, "6 "); ok {
		args, v6 = rest, true
	}
	n, x, err := p.filter(ns, v6)
	if err != nil {
		p.t.Fatal(err)
	}
	words, err := Words(args)
	if err != nil {
		p.t.Fatal(err)
	}
	r, err := x.Run(p.t.Context(), n, words)
	if err != nil {
		p.t.Fatalf("iptables %s: %v", args, err)
	}
	return strings.TrimSpace(string(r.Stdout))
}

// all is what the tables that these tests use hold.
func (p place) all(ns string) string {
	p.t.Helper()
	var b strings.Builder
	for _, args := range []string{"-S", "-t nat -S", "-t mangle -S", "6 -S", "6 -t nat -S"} {
		b.WriteString("[" + args + "]\n" + p.sys(ns, args) + "\n")
	}
	return b.String()
}

// has fails unless a chain's rules are these.
func (p place) has(ns, args string, want ...string) {
	p.t.Helper()
	var got []string
	for l := range strings.SplitSeq(p.sys(ns, args), "\n") {
		if strings.HasPrefix(l, "-A ") {
			got = append(got, l)
		}
	}
	if !slices.Equal(got, want) {
		p.t.Errorf("iptables %s in %s:\n\t%s\nwant\n\t%s", args, ns, strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

func run(ns, args string) *RunIptables {
	words, err := Words(args)
	if err != nil {
		panic(err)
	}
	o := &RunIptables{NS: ns, Args: words}
	if rest, ok := strings.CutPrefix(args, "6 "); ok {
		o = run(ns, rest)
		o.V6 = true
	}
	return o
}

// refuses fails unless an operation is refused, with these words, and changed
// nothing.
func (p place) refuses(o Op, words ...string) {
	p.t.Helper()
	was := p.all("fw") + p.all("door")
	err := p.do(o)
	if err == nil {
		p.t.Errorf("%+v was not refused", o)
	}
	for _, w := range words {
		if err != nil && !strings.Contains(err.Error(), w) {
			p.t.Errorf("%v: want words like %q", err, w)
		}
	}
	if is := p.all("fw") + p.all("door"); is != was {
		p.t.Errorf("%+v was refused, and changed\n%s\nto\n%s", o, was, is)
	}
}

func TestAnyCommandInTheLabsOwnNamespaceIsTakenBack(t *testing.T) {
	eachPlace(t, func(p place) {
		p.sys("fw", "-N mine")
		p.sys("fw", "-A FORWARD -s 10.0.0.0/24 -j mine")
		p.sys("fw", "-A FORWARD -j DROP")
		p.sys("fw", "-P FORWARD DROP")
		for _, args := range []string{
			"-A FORWARD -s 10.0.0.0/24 -j mine", "-I FORWARD 2 -j ACCEPT", "-D FORWARD 1", "-D FORWARD -j DROP", "-R FORWARD 1 -j ACCEPT",
			"-F", "-F FORWARD", "-N other", "-E mine yours", "-P INPUT DROP", "-Z", "-t nat -A POSTROUTING -j MASQUERADE",
			"-tnat -AOUTPUT -j ACCEPT", "--table=mangle --append FORWARD -j ACCEPT", "--app INPUT -w -j DROP", "-A INPUT -s 10.0.0.1,10.0.0.2 -j DROP",
			"6 -A INPUT -j DROP",
		} {
			was := p.all("fw")
			o := run("fw", args)
			p.mustDo(o)
			if verb := parseIptables(o.Args).verb(); verb != "-Z" && p.all("fw") == was {
				t.Errorf("iptables %s changed nothing", args)
			}
			p.undo(o)
			if is := p.all("fw"); is != was {
				t.Errorf("iptables %s and back left\n%s\nof\n%s", args, is, was)
			}
		}
	})
}

func TestACommandThatFailsLeavesAllAsItWas(t *testing.T) {
	eachPlace(t, func(p place) {
		p.sys("fw", "-N mine")
		p.sys("door", "-N mine")
		p.sys("door", "-A FORWARD -j ACCEPT")
		p.refuses(run("fw", "-N mine"), `namespace "fw"`, "already exists")
		p.refuses(run("door", "-N mine"), `already has a chain "mine"`)
		p.refuses(run("fw", "-A nochain -j ACCEPT"), `namespace "fw"`, "No chain/target/match by that name")
		p.refuses(run("fw", "-A FORWARD -m nosuch"), "nosuch")
		p.refuses(run("door", "-A FORWARD -m nosuch"), "nosuch")
		p.refuses(run("fw", "-t bogus -A FORWARD -j DROP"), "bogus")
	})
}

func TestWhatIsAddedToABorrowedNamespaceGoesAndNothingElse(t *testing.T) {
	eachPlace(t, func(p place) {
		p.sys("door", "-N theirs")
		p.sys("door", "-A FORWARD -p tcp -j ACCEPT")
		p.sys("door", "-A INPUT -s 10.0.0.0/24 -j ACCEPT")
		p.sys("door", "-t nat -A POSTROUTING -j MASQUERADE")
		p.sys("door", "6 -A INPUT -j DROP")
		was := p.all("door")
		for _, args := range []string{
			"-A FORWARD -p tcp -j ACCEPT", "-I FORWARD -p tcp -j ACCEPT", "-I FORWARD 1 -p tcp -j ACCEPT", "-AFORWARD -j DROP",
			"-t nat -A POSTROUTING -j MASQUERADE", "-A FORWARD -t nat -j ACCEPT -t filter", "--append FORWARD --jump=DROP --source=10.1.0.0/16",
			`-A FORWARD -m comment --comment "a \"b\" c" -j DROP`, "-A INPUT ! -s 10.0.0.0/24 -w 5 -j DROP", "-vA FORWARD -c 5 6 -j LOG",
			"-A INPUT -s 10.0.0.1,10.0.0.2 -d 10.3.0.0/16,10.4.0.0/16 -j DROP", "-A FORWARD", "-A FORWARD -g theirs",
			"-A FORWARD -p tcp -j DROP --dport 80", "-N ours", "-t nat -N ours", "-P FORWARD DROP", "-P INPUT ACCEPT", "6 -A INPUT -j DROP",
			"-A FORWARD -j LOG --log-prefix -A", "-A FORWARD -m comment --comment -F -j ACCEPT",
		} {
			if args == "-A FORWARD -t nat -j ACCEPT -t filter" && p.sysFails("fw", args) {
				continue // some iptables want one table only
			}
			for _, later := range []bool{false, true} {
				o := run("door", args)
				p.mustDo(o)
				now := p.all("door")
				if now == was && args != "-P INPUT ACCEPT" {
					t.Errorf("iptables %s changed nothing", args)
				}
				if verb := parseIptables(o.Args).verb(); (verb == "-A" || verb == "-I") && !strings.Contains(now, testMark) {
					t.Errorf("iptables %s left no mark:\n%s", args, now)
				}
				if later {
					o = fromJournal(p, o)
				}
				p.undo(o)
				if is := p.all("door"); is != was {
					t.Fatalf("iptables %s and back (later: %v) left\n%s\nof\n%s", args, later, is, was)
				}
			}
		}
	})
}

func (p place) sysFails(ns, args string) bool {
	n, x, err := p.filter(ns, false)
	if err != nil {
		p.t.Fatal(err)
	}
	words, _ := Words(args)
	_, err = x.Run(p.t.Context(), n, words)
	return err != nil
}

func TestWhatCannotBeTakenBackIsRefusedInABorrowedNamespace(t *testing.T) {
	eachPlace(t, func(p place) {
		p.sys("door", "-N theirs")
		p.sys("door", "-A FORWARD -p tcp -j ACCEPT")
		for _, args := range []string{
			"-F", "--flush", "-F FORWARD", "-FFORWARD", "-vF", "--flu", "--fl FORWARD", "-t nat -F", "-tnat -F",
			"-X", "-X theirs", "-Z", "-L -Z", "-S -Z", "-LFORWARD -Z", "--list --zero", "--list --z", "-R FORWARD 1 -j DROP",
			"-E theirs ours", "-D FORWARD 1", "--delete FORWARD 1", "-D FORWARD 1 -j ACCEPT", "-A FORWARD -j DROP -F", "-A INPUT -F", "-bF", "",
			"-S -F", "-A FORWARD --bogus -F",
		} {
			p.refuses(run("door", args), "taken back")
		}
		// Without the mark it is another's.
		p.refuses(run("door", "-D FORWARD -p tcp -j ACCEPT"), "not this lab's")
		p.refuses(&DelFilterRules{NS: "door", Rules: []FilterRule{{Table: "filter", Chain: "FORWARD", Spec: []string{"-p", "tcp", "-j", "ACCEPT"}}}}, "not this lab's")
	})
}

func TestTheLabsOwnRuleMayBeDeletedFromABorrowedNamespace(t *testing.T) {
	eachPlace(t, func(p place) {
		p.sys("door", "-A FORWARD -p tcp -j ACCEPT")
		add := run("door", "-A FORWARD -p tcp -j ACCEPT")
		p.mustDo(add, run("door", "-D FORWARD -p tcp -j ACCEPT"))
		p.has("door", "-S FORWARD", "-A FORWARD -p tcp -j ACCEPT")
		p.undo(add)
		p.has("door", "-S FORWARD", "-A FORWARD -p tcp -j ACCEPT")
	})
}

func TestListingChangesNothing(t *testing.T) {
	eachPlace(t, func(p place) {
		p.sys("door", "-A FORWARD -p tcp -j ACCEPT")
		for _, ns := range []string{"fw", "door"} {
			for _, args := range []string{"-L", "-S", "-nvL", "-L FORWARD -n --line-numbers", "-S FORWARD 1", "--list-rules", "-V", "--version", "-h", "-w -S"} {
				o := run(ns, args)
				p.mustDo(o)
				if len(o.Stdout) == 0 && args != "-S FORWARD 1" || o.Reverse != nil {
					t.Errorf("iptables %s in %s: it said %q, its reverse is %q", args, ns, o.Stdout, o.Reverse)
				}
			}
		}
		yes, no := run("door", "-C FORWARD -p tcp -j ACCEPT"), run("door", "-C FORWARD -p udp -j ACCEPT")
		p.mustDo(yes, no)
		if yes.Code != 0 || no.Code != 1 {
			t.Errorf("-C of a rule that is there: %d, of one that is not: %d, want 0 and 1", yes.Code, no.Code)
		}
	})
}

func TestCommandsAreThoseOfAPerson(t *testing.T) {
	t.Parallel()
	cases := []struct {
		op   Op
		want []string
	}{
		{run("red", "-A INPUT -m comment --comment 'it is' -j DROP"), []string{"ip netns exec red iptables -A INPUT -m comment --comment 'it is' -j DROP"}},
		{run(Host, "6 -t nat -F"), []string{"ip6tables -t nat -F"}},
		{&SetPolicy{NS: "red", Chain: "FORWARD", Policy: "DROP"}, []string{"ip netns exec red iptables -P FORWARD DROP"}},
		{&FlushTable{NS: "red", V6: true, Table: "nat"}, []string{"ip netns exec red ip6tables -t nat -F", "ip netns exec red ip6tables -t nat -X"}},
		{
			&AddFilterRules{NS: "red", Rules: []FilterRule{
				{Table: "nat", Chain: "POSTROUTING", Spec: []string{"-o", "eth0", "-j", "MASQUERADE"}},
				{V6: true, Table: "filter", Chain: "INPUT", Spec: []string{"-j", "LOG", "--log-prefix", "a $b "}},
			}},
			[]string{"ip netns exec red iptables -t nat -A POSTROUTING -o eth0 -j MASQUERADE", "ip netns exec red ip6tables -A INPUT -j LOG --log-prefix 'a $b '"},
		},
	}
	for _, c := range cases {
		if got := c.op.Commands(); !slices.Equal(got, c.want) {
			t.Errorf("%T: %q\nwant %q", c.op, got, c.want)
		}
	}
}

func TestGoneNamespacesNeedNoUndo(t *testing.T) {
	t.Parallel()
	s := NewSystem(freshNetNS(t), testMark, false)
	defer s.Close()
	rule := FilterRule{Table: "filter", Chain: "INPUT", Spec: []string{"-j", "DROP"}}
	for _, o := range []Op{
		&AddFilterRules{NS: "gone", Rules: []FilterRule{rule}, Ready: true}, &DelFilterRules{NS: "gone", Rules: []FilterRule{rule}},
		&SetPolicy{NS: "gone", Chain: "INPUT", Policy: "DROP", Old: "ACCEPT"}, &FlushTable{NS: "gone", Table: "nat"},
		&RunIptables{NS: "gone", Args: []string{"-N", "x"}, Reverse: []string{"-X", "x"}},
	} {
		if err := o.Undo(t.Context(), s); err != nil {
			t.Errorf("%T: %v", o, err)
		}
	}
}

func TestABorrowedNamespaceGetsNoTablesToKeep(t *testing.T) {
	eachPlace(t, func(p place) {
		tables := func() (list []string) {
			for _, table := range FilterTables {
				for _, v6 := range []bool{false, true} {
					n, err := p.NS("door")
					if err != nil {
						t.Fatal(err)
					}
					has, err := n.HasNFTable(kernel.NFTable{V6: v6, Name: table})
					if err != nil {
						t.Fatal(err)
					}
					if has {
						list = append(list, fmt.Sprint(table, v6))
					}
				}
			}
			return list
		}
		spec := []string{"-j", "ACCEPT"}
		ops := []Op{
			&AddFilterRules{NS: "door", Rules: []FilterRule{{Table: "nat", Chain: "POSTROUTING", Spec: spec}, {V6: true, Table: "raw", Chain: "OUTPUT", Spec: spec}}},
			&SetPolicy{NS: "door", Chain: "INPUT", Policy: "DROP"}, &FlushTable{NS: "door", Table: "mangle"},
			run("door", "-t nat -A OUTPUT -j ACCEPT"), run("door", "-t mangle -N ours"), run("door", "6 -P INPUT DROP"), run("door", "-P INPUT ACCEPT"),
		}
		p.mustDo(ops...)
		p.mustDo(run("door", "-t security -S"), run("door", "6 -L"))
		for _, args := range []string{"-F", "-t security -N", "-P NOCHAIN DROP", "-A nochain -j DROP"} {
			if err := p.do(run("door", args)); err == nil {
				t.Errorf("iptables %s was not refused", args)
			}
		}
		if err := p.do(&AddFilterRules{NS: "door", Rules: []FilterRule{{Table: "security", Chain: "nochain", Spec: spec}}}); err == nil {
			t.Error("a rule for no chain was not refused")
		}
		for _, o := range slices.Backward(ops) {
			if err := o.Undo(t.Context(), p.System); err != nil {
				t.Fatal(err)
			}
		}
		if list := tables(); len(list) > 0 {
			t.Errorf("tables that were left behind: %q", list)
		}
		if loans := p.Ledger.(testLedger); len(loans) > 0 {
			t.Errorf("loans that were not returned: %v", slices.Collect(maps.Keys(loans)))
		}
	})
}

func TestAMissingChainIsNamedWithAHint(t *testing.T) {
	eachPlace(t, func(p place) {
		err := p.do(&AddFilterRules{NS: "fw", Rules: []FilterRule{{Table: "filter", Chain: "FORWRD", Spec: []string{"-j", "DROP"}}}})
		var e *Error
		if !errors.As(err, &e) || e.Msg != `namespace "fw" has no chain "FORWRD" in table "filter"` || !strings.Contains(e.Tip, "FORWARD") {
			t.Errorf("got %#v", err)
		}
		err = p.do(&AddFilterRules{NS: "fw", Rules: []FilterRule{{Table: "nat", Chain: "webservers", Spec: []string{"-j", "ACCEPT"}}}})
		if !errors.As(err, &e) || !strings.Contains(e.Tip, `iptables(fw, "-t nat -N webservers")`) {
			t.Errorf("got %#v", err)
		}
	})
}

func TestABorrowedPolicyIsGivenBackByTheLastThatSetIt(t *testing.T) {
	eachPlace(t, func(p place) {
		was := p.all("door")
		first, last := &SetPolicy{NS: "door", Chain: "INPUT", Policy: "DROP"}, run("door", "-P INPUT DROP")
		p.mustDo(first, last)
		now := p.all("door")
		p.undo(first)
		if is := p.all("door"); is != now {
			t.Errorf("the policy was changed while it was still borrowed:\n%s\nof\n%s", is, now)
		}
		p.undo(last)
		if is := p.all("door"); is != was {
			t.Errorf("the last to give the policy back left\n%s\nof\n%s", is, was)
		}
	})
}
