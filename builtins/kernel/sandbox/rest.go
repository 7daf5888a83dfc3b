//go:build linux

package sandbox

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"runtime/debug"
	"strings"

	"golang.org/x/sys/unix"
)

// rest gives back the memory that a keeper has used to begin with and that it does not
// need to sleep: of the heap, and the pages of the program. What it needs of these once
// more is read from the file again. An error leaves it as it is.
func rest() {
	debug.FreeOSMemory()
	text, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		return
	}
	for _, m := range unchanged(text) {
		// The slice would be one of memory that Go does not know.
		_, _, _ = unix.Syscall(unix.SYS_MADVISE, m.from, m.to-m.from, unix.MADV_DONTNEED)
	}
}

// mapping is a range of addresses.
type mapping struct{ from, to uintptr }

// unchanged lists the mappings of files in which no page is this process' own, from its
// smaps (proc_pid_smaps(5)): from the file all of it can be had again.
func unchanged(smaps []byte) (list []mapping) {
	var m mapping
	file := false
	for lines := bufio.NewScanner(bytes.NewReader(smaps)); lines.Scan(); {
		words := strings.Fields(lines.Text())
		switch {
		case len(words) == 0:
		case !strings.HasSuffix(words[0], ":"): // a mapping begins
			_, err := fmt.Sscanf(words[0], "%x-%x", &m.from, &m.to)
			file = err == nil && len(words) > 5 && strings.HasPrefix(words[5], "/") && !strings.Contains(words[1], "w")
		case words[0] == "Anonymous:" && file && words[1] == "0":
			list = append(list, m)
		}
	}
	return list
}
