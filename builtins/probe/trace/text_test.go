package trace

import (
	"net/netip"
	"testing"
	"time"
)

// TestString holds the printed form of a walk to what it is meant to look like.
func TestString(t *testing.T) {
	us := func(f float64) time.Duration { return time.Duration(f * float64(time.Microsecond)) }
	w := &Walk{
		From: "web", To: "db", Proto: TCP, Port: 5432, Src: netip.MustParseAddr("10.0.1.10"), Dst: netip.MustParseAddr("10.0.3.10"),
		Steps: []Step{
			{Space: "web", Dev: "eth0", Dir: "out", Text: "SYN"},
			{Space: "host", Dev: "web-eth0", Dir: "in", Time: us(9.1), Text: "bridge br-web"},
			{Space: "host", Dev: "fw-eth1", Dir: "out", Time: us(12), Hidden: true},
			{Space: "fw", Dev: "eth1", Dir: "in", Time: us(14)},
			{Space: "fw", Stage: "routing", Text: "10.0.3.10 via eth3 (10.0.3.0/24)"},
			{Space: "fw", Stage: "FORWARD", Verdict: "DROP", Text: "by policy (no rule matched)"},
		},
		Death: &Death{Text: "dropped in fw, chain FORWARD, by its policy"},
	}
	const want = `web → db  tcp 5432   10.0.1.10 → 10.0.3.10
 0.0 µs  web   eth0      out   SYN
 9.1 µs  host  web-eth0  in    bridge br-web
14.0 µs  fw    eth1      in
         fw    routing         10.0.3.10 via eth3 (10.0.3.0/24)
         fw    FORWARD   DROP  by policy (no rule matched)
✗ dropped in fw, chain FORWARD, by its policy`
	if got := w.String(); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	w.Death, w.At, w.Replied, w.RTT = nil, "db", true, us(48.25)
	w.Size, w.DF = 1400, true
	w.Notes = []string{"and one thing more"}
	w.Steps = w.Steps[:1]
	const answered = `web → db  tcp 5432, 1400 bytes, df   10.0.1.10 → 10.0.3.10
0.0 µs  web  eth0  out  SYN
✓ delivered to db, and answered after 48.2 µs
  and one thing more`
	if got := w.String(); got != answered {
		t.Errorf("got:\n%s\nwant:\n%s", got, answered)
	}
}
