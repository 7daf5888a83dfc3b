//go:build linux

package op

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"nsscript/builtins/kernel"
)

func accept(words ...string) FilterRule {
	return FilterRule{Table: "filter", Chain: "FORWARD", Spec: append(words, "-j", "ACCEPT")}
}

func six(r FilterRule) FilterRule {
	r.V6 = true
	return r
}

func TestRulesAreAddedAndTakenBack(t *testing.T) {
	eachPlace(t, func(p place) {
		for _, ns := range []string{"fw", "door"} {
			p.sys(ns, "-A FORWARD -p tcp -j ACCEPT")
			was := p.all(ns)
			rules := []FilterRule{
				accept("-p", "tcp"), accept("-s", "10.0.0.0/24", "-m", "comment", "--comment", `it's "so"`), six(accept("-p", "tcp")),
				{Table: "nat", Chain: "POSTROUTING", Spec: []string{"-o", "eth0", "-j", "MASQUERADE"}},
				{Table: "nat", Chain: "POSTROUTING", Spec: []string{"-o", "eth1", "-j", "MASQUERADE"}},
			}
			o := &AddFilterRules{NS: ns, Rules: slices.Clone(rules)}
			p.mustDo(o)
			if ns == "fw" {
				p.has(ns, "-S", "-A FORWARD -p tcp -j ACCEPT", "-A FORWARD -p tcp -j ACCEPT", `-A FORWARD -s 10.0.0.0/24 -m comment --comment "it\'s \"so\"" -j ACCEPT`)
				p.has(ns, "6 -S", "-A FORWARD -p tcp -j ACCEPT")
				p.has(ns, "-t nat -S", "-A POSTROUTING -o eth0 -j MASQUERADE", "-A POSTROUTING -o eth1 -j MASQUERADE")
			} else {
				p.has(ns, "-S", "-A FORWARD -p tcp -j ACCEPT", `-A FORWARD -p tcp -m comment --comment "nsscript:try" -j ACCEPT`,
					`-A FORWARD -s 10.0.0.0/24 -m comment --comment "nsscript:try: it\'s \"so\"" -j ACCEPT`)
			}
			p.undo(o)
			if is := p.all(ns); is != was {
				t.Errorf("adding rules in %s and back left\n%s\nof\n%s", ns, is, was)
			}
		}
	})
}

func TestALaterProcessTakesBackRulesInABorrowedNamespace(t *testing.T) {
	eachPlace(t, func(p place) {
		p.sys("door", "-A FORWARD -p tcp -j ACCEPT")
		was := p.all("door")
		for _, died := range []string{"before", "after"} {
			o := &AddFilterRules{NS: "door", Rules: []FilterRule{accept("-p", "tcp"), six(accept("-p", "udp"))}}
			if err := o.Prepare(p.System); err != nil {
				t.Fatal(err)
			}
			tried := fromJournal(p, o)
			if died == "after" {
				if err := o.Do(t.Context(), p.System); err != nil {
					t.Fatal(err)
				}
			}
			p.undo(tried)
			if is := p.all("door"); is != was {
				t.Errorf("the process died %s the rules were added; a later undo left\n%s\nof\n%s", died, is, was)
			}
		}
	})
}

func TestRulesAreAddedAllOrNone(t *testing.T) {
	eachPlace(t, func(p place) {
		for _, ns := range []string{"fw", "door"} {
			p.mustDo(&AddFilterRules{NS: ns, Rules: []FilterRule{accept("-p", "tcp"), six(accept("-p", "udp"))}})
			was := p.all(ns)
			// The IPv4 rules go in before the IPv6 ones are refused; and a
			// rule that was there already must outlive their being taken back.
			err := p.do(&AddFilterRules{NS: ns, Rules: []FilterRule{
				accept("-p", "udp"), accept("-p", "tcp"), six(accept("-p", "udp")), six(accept("-m", "nosuch")),
			}})
			if err == nil || !strings.Contains(err.Error(), "nosuch") {
				t.Errorf("a match that there is not: %v", err)
			}
			if is := p.all(ns); is != was {
				t.Errorf("rules that could not all be added left in %s\n%s\nof\n%s", ns, is, was)
			}
		}
	})
}

func TestTheLastOfEqualRulesIsTakenBack(t *testing.T) {
	eachPlace(t, func(p place) {
		first, last := &AddFilterRules{NS: "fw", Rules: []FilterRule{accept("-p", "tcp")}}, &AddFilterRules{NS: "fw", Rules: []FilterRule{accept("-p", "tcp")}}
		p.mustDo(first)
		p.sys("fw", "-A FORWARD -j DROP")
		p.mustDo(last)
		p.undo(last)
		p.has("fw", "-S", "-A FORWARD -p tcp -j ACCEPT", "-A FORWARD -j DROP")
	})
}

func TestDeletedRulesComeBackWhereTheyWere(t *testing.T) {
	eachPlace(t, func(p place) {
		rule := accept("-p", "tcp")
		p.mustDo(&AddFilterRules{NS: "fw", Rules: []FilterRule{rule, six(rule)}})
		p.sys("fw", "-A FORWARD -j DROP")
		was := p.all("fw")
		o := &DelFilterRules{NS: "fw", Rules: []FilterRule{rule, six(rule)}}
		p.mustDo(o)
		p.has("fw", "-S", "-A FORWARD -j DROP")
		p.has("fw", "6 -S")
		p.refuses(&DelFilterRules{NS: "fw", Rules: []FilterRule{rule}}, `has no rule "-A FORWARD -p tcp -j ACCEPT"`)
		p.undo(o)
		if is := p.all("fw"); is != was {
			t.Errorf("deleting and back left\n%s\nof\n%s", is, was)
		}
	})
}

func TestPoliciesAreGivenBack(t *testing.T) {
	eachPlace(t, func(p place) {
		for _, ns := range []string{"fw", "door"} {
			for _, v6 := range []bool{false, true} {
				was := p.all(ns)
				drop := &SetPolicy{NS: ns, V6: v6, Chain: "FORWARD", Policy: "DROP"}
				again := &SetPolicy{NS: ns, V6: v6, Chain: "FORWARD", Policy: "DROP"}
				p.mustDo(drop)
				now := p.all(ns)
				if now == was {
					t.Errorf("the policy in %s was not set", ns)
				}
				p.mustDo(again)
				p.undo(fromJournal(p, again))
				if is := p.all(ns); is != now {
					t.Errorf("setting a policy twice and back once left\n%s", is)
				}
				p.undo(fromJournal(p, drop))
				if is := p.all(ns); is != was {
					t.Errorf("a policy in %s and back left\n%s\nof\n%s", ns, is, was)
				}
			}
		}
		p.refuses(&SetPolicy{NS: "fw", Chain: "NOCHAIN", Policy: "DROP"}, `namespace "fw"`)
	})
}

func TestFlushingTakesAllOfAnOwnTableAndTheLabsOwnOfABorrowedOne(t *testing.T) {
	eachPlace(t, func(p place) {
		for _, ns := range []string{"fw", "door"} {
			p.sys(ns, "-N theirs")
			p.sys(ns, `-A FORWARD -p tcp -m comment --comment "nsscript:tryer" -j theirs`)
			p.sys(ns, "-t nat -A POSTROUTING -j MASQUERADE")
			p.sys(ns, "-P FORWARD DROP")
			theirs := p.all(ns)
			p.mustDo(&AddFilterRules{NS: ns, Rules: []FilterRule{accept("-p", "tcp"), accept("-m", "comment", "--comment", "x y")}})
			was := p.all(ns)
			o := &FlushTable{NS: ns, Table: "filter"}
			p.mustDo(o)
			if ns == "door" {
				if is := p.all(ns); is != theirs {
					t.Errorf("a flush of what is the lab's left\n%s\nof\n%s", is, theirs)
				}
				continue
			}
			if got, want := p.sys(ns, "-S"), "-P INPUT ACCEPT\n-P FORWARD DROP\n-P OUTPUT ACCEPT"; got != want {
				t.Errorf("after a flush there is\n%s\nwant\n%s", got, want)
			}
			p.has(ns, "-t nat -S", "-A POSTROUTING -j MASQUERADE")
			p.undo(o)
			if is := p.all(ns); is != was {
				t.Errorf("a flush and back left\n%s\nof\n%s", is, was)
			}
		}
	})
}

func TestTheMarkFitsIntoTheComment(t *testing.T) {
	t.Parallel()
	cases := []struct{ spec, want string }{
		{"-j DROP", "-m comment --comment nsscript:try -j DROP"},
		{"-p tcp", "-p tcp -m comment --comment nsscript:try"},
		{"-p tcp --jump DROP --dport 80", "-p tcp -m comment --comment nsscript:try -j DROP --dport 80"},
		{"-g mine", "-m comment --comment nsscript:try -g mine"},
		{"-m comment --comment x -j DROP", "-m comment --comment 'nsscript:try: x' -j DROP"},
		{"-m comment --comment=x -j DROP", "-m comment --comment 'nsscript:try: x' -j DROP"},
		{"-m comment --comment -j -j DROP", "-m comment --comment 'nsscript:try: -j' -j DROP"},
		{"-m comment --comment 'nsscript:try: x' -j DROP", "-m comment --comment 'nsscript:try: x' -j DROP"},
		{"-m comment --comment nsscript:tryer -j DROP", "-m comment --comment 'nsscript:try: nsscript:tryer' -j DROP"},
	}
	for _, c := range cases {
		spec, err := Words(c.spec)
		if err != nil {
			t.Fatal(err)
		}
		if got := sh(marked(spec, testMark)...); got != c.want {
			t.Errorf("%s\nbecomes %s\nwant    %s", c.spec, got, c.want)
		}
		if again := sh(marked(marked(spec, testMark), testMark)...); again != c.want {
			t.Errorf("marked twice: %s", again)
		}
	}
	long := marked([]string{"-m", "comment", "--comment", strings.Repeat("é", 200), "-j", "DROP"}, testMark)[3]
	if len(long) > 255 || len(long) < 254 || !utf8.ValidString(long) {
		t.Errorf("a long comment has %d bytes: %q", len(long), long)
	}
	eachPlaceOf(t, func(p place) {
		o := &AddFilterRules{NS: "door", Rules: []FilterRule{{Table: "filter", Chain: "INPUT", Spec: []string{"-m", "comment", "--comment", strings.Repeat("é", 200), "-j", "DROP"}}}}
		p.mustDo(o)
		p.undo(fromJournal(p, o))
		p.has("door", "-S")
	})
}

func TestArgumentsAreUnderstood(t *testing.T) {
	t.Parallel()
	cases := []struct {
		line, table, verb, chain, more, spec string
	}{
		{"-A INPUT -p tcp --dport 80 -j ACCEPT", "filter", "-A", "INPUT", "", "-p tcp --dport 80 -j ACCEPT"},
		{"-t nat -I PREROUTING 3 -p tcp", "nat", "-I", "PREROUTING", "3", "-p tcp"},
		{"-p tcp -A INPUT -tnat", "nat", "-A", "INPUT", "", "-p tcp"},
		{"--table=raw --insert OUTPUT --protocol=udp", "raw", "-I", "OUTPUT", "", "-p udp"},
		{"--tab mangle --ins FORWARD 2", "mangle", "-I", "FORWARD", "2", ""},
		{"--del FORWARD 2", "filter", "", "", "", "--del FORWARD 2"}, // or --delete-chain

		{"-nvL", "filter", "-L", "", "", ""},
		{"-LZ", "filter", "-L", "Z", "", ""}, // as getopt reads it: the chain Z
		{"-vxn -S FORWARD 1", "filter", "-S", "FORWARD", "1", ""},
		{"-P FORWARD DROP -w 5 -W 1000", "filter", "-P", "FORWARD", "DROP", ""},
		{"-E old new", "filter", "-E", "old", "new", ""},
		{"-L -Z", "filter", "", "", "", ""},
		{"-A INPUT -m policy --dir in --pol ipsec", "filter", "-A", "INPUT", "", "-m policy --dir 'in' --pol ipsec"},
		{"-A INPUT ! -s 10.0.0.0/8 -m recent --set --name x", "filter", "-A", "INPUT", "", "'!' -s 10.0.0.0/8 -m recent --set --name x"},
		{"-A INPUT -c 5 6 -4 -j DROP", "filter", "-A", "INPUT", "", "-j DROP"},
		{"-A INPUT -j LOG --log-prefix -F", "filter", "-A", "INPUT", "", "-j LOG --log-prefix -F"},
		{"-A INPUT -bF", "filter", "", "INPUT", "", "-bF"},
		{"-A", "filter", "-A", "", "", ""},
		{"-A INPUT -m", "filter", "-A", "INPUT", "", "-m"},
	}
	for _, c := range cases {
		args, err := Words(c.line)
		if err != nil {
			t.Fatal(err)
		}
		p := parseIptables(args)
		chain := p.chain
		if c.line == "-L -Z" {
			chain = ""
		}
		if p.table != c.table || p.verb() != c.verb || chain != c.chain || p.more != c.more || sh(p.spec...) != c.spec {
			t.Errorf("%s\nis understood as table %q, command %q, chain %q, %q, rule %s", c.line, p.table, p.verb(), p.chain, p.more, sh(p.spec...))
		}
	}
}

func TestOperationsComeThroughTheJournal(t *testing.T) {
	t.Parallel()
	ops := []Op{
		&AddFilterRules{NS: "a", Rules: []FilterRule{{V6: true, Table: "nat", Chain: "OUTPUT", Spec: []string{"-j", "DROP"}}}, Ready: true,
			usedTables: usedTables{Used: []kernel.NFTable{{Name: "nat"}}}},
		&RunIptables{NS: "a", V6: true, Args: []string{"-N", "x"}, Reverse: []string{"-X", "x"}},
		&SetPolicy{NS: "a", Chain: "INPUT", Policy: "DROP", Old: "ACCEPT"}, &FlushTable{NS: "a", Table: "raw"},
		&DelFilterRules{NS: "a", Rules: []FilterRule{{Table: "nat", Chain: "OUTPUT", Spec: []string{"-j", "DROP"}}}},
	}
	for _, o := range ops {
		kind, fields, err := Encode(o)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Decode(kind, fields)
		if err != nil {
			t.Fatal(err)
		}
		if b, _ := json.Marshal(again); string(b) != string(fields) {
			t.Errorf("%s came back as %s", fields, b)
		}
	}
}

func TestAnInterruptionEndsTheWork(t *testing.T) {
	eachPlace(t, func(p place) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		o := &AddFilterRules{NS: "fw", Rules: []FilterRule{accept("-p", "tcp")}}
		if err := o.Do(ctx, p.System); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		p.has("fw", "-S")
	})
}
