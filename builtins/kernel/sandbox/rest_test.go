//go:build linux

package sandbox

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestUnchanged(t *testing.T) {
	const smaps = `00400000-00d25000 r-xp 00000000 fe:00 1234   /usr/bin/a program
Size:               9364 kB
Anonymous:             0 kB
VmFlags: rd ex mr mw me
00d25000-0168a000 r--p 00925000 fe:00 1234   /usr/bin/a program
Anonymous:             8 kB
0168a000-01710000 rw-p 0128a000 fe:00 1234   /usr/bin/a program
Anonymous:             0 kB
01710000-03ea9000 rw-p 00000000 00:00 0
Anonymous:             0 kB
03ea9000-03eaa000 r--p 00000000 00:00 0
Anonymous:             0 kB
7f63a2749000-7f63a274b000 r-xp 00000000 00:00 0                          [vdso]
Anonymous:             0 kB
7fff00000000-7fff00001000 r--p 00000000 fe:00 99 /usr/lib/x
Anonymous:             0 kB
`
	want := []mapping{{0x400000, 0xd25000}, {0x7fff00000000, 0x7fff00001000}}
	if diff := cmp.Diff(want, unchanged([]byte(smaps)), cmp.AllowUnexported(mapping{})); diff != "" {
		t.Error(diff)
	}
}
