package op

import (
	"slices"
	"strings"
	"testing"
	"unicode"
)

// unprintable is what is printed in the way of bash alone, as in $'a\nb'.
func unprintable(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }

// FuzzIptablesArgs splits a command line, reads it as iptables' arguments and
// prints it: nothing of it may be lost or become something else.
func FuzzIptablesArgs(f *testing.F) {
	for _, s := range []string{
		"-A FORWARD -s 10.0.0.0/8 -j ACCEPT", "-t nat -I PREROUTING 2 -p tcp --dport 80 -j DNAT --to-destination 10.0.0.1:80",
		"-AINPUT -jDROP", "--table=mangle --append OUTPUT ! -d 10.0.0.1 -m comment --comment 'a b' -j RETURN", "-P FORWARD DROP", "-N x", "-w 5 -A INPUT",
		"-D INPUT 1", "-S", "-L -v -n", "-t", "--", "-", "", "'", "-A 'a\nb'", "-m comment --comment \"$(reboot)\" -A INPUT", "\x00",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		args, err := Words(line)
		if err != nil {
			return
		}
		if back, err := Words(sh(args...)); !strings.ContainsFunc(line, unprintable) && (err != nil || !slices.Equal(back, args)) {
			t.Errorf("%q is printed as %q, which is %q (%v)", args, sh(args...), back, err)
		}
		p := parseIptables(args)
		q := parseIptables(p.again(p.spec))
		if !p.unsure && !q.unsure && p.verb() != "" && p.chain != "" && !strings.HasPrefix(p.chain, "-") && (p.verb() != q.verb() || p.table != q.table || p.chain != q.chain) {
			t.Errorf("%q is %s %s %s, and again %s %s %s", args, p.table, p.verb(), p.chain, q.table, q.verb(), q.chain)
		}
		if spec := marked(p.spec, MarkOf("x")); len(p.spec) > 0 && !bearsMark(spec, MarkOf("x")) {
			t.Errorf("%q bears no mark: %q", p.spec, spec)
		}
		RuleLab(p.spec)
	})
}
