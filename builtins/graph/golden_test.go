package graph

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

func drawn(t testing.TB, n network, o Options) string {
	t.Helper()
	var b strings.Builder
	if err := Draw(&b, n.Picture, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// droppedWalk is the way of a packet that the firewall of threeTier drops.
func droppedWalk() *Walk {
	return &Walk{
		Title: "web → db  tcp 22   10.0.1.10 → 10.0.3.10", Verdict: "✗ dropped in fw, chain FORWARD, by its policy",
		Steps: []Step{{NS: "web"}, {NS: "web", Dev: "eth0", Out: true}, {NS: "fw", Dev: "eth1"}, {NS: "fw"}},
		Death: &Death{NS: "fw", Dev: "eth1", Reason: "firewall-drop", Text: "dropped in fw, chain FORWARD, by its policy"},
	}
}

// answeredWalk is the way of a packet over twoBridges, and of its answer.
func answeredWalk() *Walk {
	w := &Walk{Title: "a1 → b3  icmp   10.0.0.1 → 10.0.1.3", Verdict: "✓ delivered to b3, and answered", Arrived: true}
	there := []Step{
		{NS: "a1", Dev: "eth0", Out: true}, {NS: "host", Dev: "a1-eth0"}, {NS: "host", Dev: "router-eth0", Out: true},
		{NS: "router", Dev: "eth0"}, {NS: "router", Dev: "eth1", Out: true}, {NS: "host", Dev: "router-eth1"},
		{NS: "host", Dev: "b3-eth0", Out: true}, {NS: "b3", Dev: "eth0"},
	}
	w.Steps = append(w.Steps, there...)
	for i := len(there) - 1; i >= 0; i-- {
		s := there[i]
		s.Out, s.Back = !s.Out, true
		w.Steps = append(w.Steps, s)
	}
	return w
}

// TestGolden draws small networks in every form.
func TestGolden(t *testing.T) {
	for _, c := range []struct {
		name string
		net  network
		walk *Walk
	}{
		{"star", star(4), nil},
		{"star40", star(40), nil},
		{"three_tier", threeTier(), nil},
		{"dropped", threeTier(), droppedWalk()},
		{"answered", twoBridges(), answeredWalk()},
		{"docker", docker(), nil},
		{"kinds", kinds(), nil},
		{"tunnel", tunnel(), nil},
		{"fabric", spineLeaf(2, 12, 3), nil},
	} {
		for _, format := range Formats() {
			if len(c.net.Namespaces) > 12 && format != "text" {
				continue
			}
			t.Run(c.name+"/"+format, func(t *testing.T) {
				t.Parallel()
				got := drawn(t, c.net, Options{Format: format, Walk: c.walk})
				file := filepath.Join("testdata", c.name+"."+format)
				if *update {
					if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(string(want), got); diff != "" {
					t.Errorf("the drawing has changed (-want +got); if it is meant to, run the test with -update:\n%s", diff)
				}
			})
		}
	}
}
