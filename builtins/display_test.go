package builtins

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestFit holds what becomes of a table in terminals of several widths.
func TestFit(t *testing.T) {
	rows := func() [][]string {
		return [][]string{
			{"INTERFACE", "KIND", "MTU", "MAC", "ADDRESSES", "IN"},
			{"eth0", "veth", "1500", "02:00:00:00:00:01", "10.0.0.1/24 fe80::1/64", "red"},
			{"größe", "bridge", "9000", "02:00:00:00:00:02", "", "blue"},
		}
	}
	spare := (&Link{}).spare()
	for width, want := range map[int]string{
		0: `
INTERFACE  KIND    MTU   MAC                ADDRESSES               IN
eth0       veth    1500  02:00:00:00:00:01  10.0.0.1/24 fe80::1/64  red
größe      bridge  9000  02:00:00:00:00:02                          blue
`,
		62: `
INTERFACE  KIND    MTU   MAC                ADDRESSES    IN
eth0       veth    1500  02:00:00:00:00:01  10.0.0.1/24  red
                                            fe80::1/64
größe      bridge  9000  02:00:00:00:00:02               blue
`,
		50: `
INTERFACE  KIND    MTU   ADDRESSES    IN
eth0       veth    1500  10.0.0.1/24  red
                         fe80::1/64
größe      bridge  9000               blue
`,
		10: `
INTERFACE  ADDRESSES    IN
eth0       10.0.0.1/24  red
           fe80::1/64
größe                   blue
`,
	} {
		if d := cmp.Diff(strings.Trim(want, "\n"), align(fit(rows(), spare, width))); d != "" {
			t.Errorf("in %d columns (-want +got)\n%s", width, d)
		}
	}
}
