package kernel

import (
	"slices"
	"strings"
	"testing"
)

// FuzzListedRule reads lines of `iptables -v -S` and prints them again.
func FuzzListedRule(f *testing.F) {
	for _, s := range []string{
		"-A FORWARD -s 10.0.0.0/24 -c 12 1008 -j ACCEPT", `-A INPUT -m comment --comment "a \"b\" c" -c 0 0 -j DROP`, "-P INPUT ACCEPT -c 1 2", "-N x",
		"-A INPUT", "-A", "", `-A INPUT --comment "`, "-A INPUT -c", "-A INPUT -c x y", "-A INPUT -p 6 --dport 80:90 -m limit --limit 5/sec",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		r, ok := parseListed(line)
		if !ok {
			return
		}
		canonical := CanonicalSpec(r.Spec)
		if again := CanonicalSpec(canonical); !slices.Equal(again, canonical) {
			t.Errorf("%q is %q, and that is %q", r.Spec, canonical, again)
		}
		if strings.ContainsAny(line, "\"\\'\n") {
			return // only iptables itself knows how it quotes what
		}
		if back, ok := parseListed("-A " + r.Chain + " " + SpecText(r.Spec)); ok && !slices.Equal(back.Spec, r.Spec) {
			t.Errorf("%q is printed as %q, which is %q", r.Spec, SpecText(r.Spec), back.Spec)
		}
	})
}
