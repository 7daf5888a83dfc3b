//go:build linux

package sandbox

import (
	"os"
	"strconv"
	"strings"
)

// A machine is where this package looks up facts about the system it runs on.
type machine struct {
	proc string // where its proc(5) is mounted
	sys  string // where its sysctls are
}

func thisMachine() machine { return machine{proc: "/proc", sys: "/proc/sys"} }

// sysctl returns a kernel setting, or "" when the kernel lacks it.
func (m machine) sysctl(key string) string {
	text, err := os.ReadFile(m.sys + "/" + strings.ReplaceAll(key, ".", "/"))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

// has reports whether a file of proc exists.
func (m machine) has(name string) bool {
	_, err := os.Lstat(m.proc + "/" + name)
	return err == nil
}

// filtered reports whether system calls of this process go through a seccomp
// filter, as in most containers.
func (m machine) filtered() bool {
	text, err := os.ReadFile(m.proc + "/self/status")
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(text)) {
		if value, found := strings.CutPrefix(line, "Seccomp:"); found {
			return strings.TrimSpace(value) == "2"
		}
	}
	return false
}

// jailed reports whether this process's root directory is not that of its mount
// namespace (chroot): the kernel makes no user namespace there.
func (m machine) jailed() bool {
	text, err := os.ReadFile(m.proc + "/self/mountinfo")
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) > 4 && fields[4] == "/" {
			return false
		}
	}
	return true
}

// An idRange is a line of /proc/PID/uid_map or gid_map.
type idRange struct{ inside, outside, count int64 }

// idRanges reads a map of ids.
func (m machine) idRanges(name string) []idRange {
	text, err := os.ReadFile(m.proc + "/" + name)
	if err != nil {
		return nil
	}
	var ranges []idRange
	for line := range strings.Lines(string(text)) {
		var n [3]int64
		fields := strings.Fields(line)
		if len(fields) != len(n) {
			return nil
		}
		for i, field := range fields {
			if n[i], err = strconv.ParseInt(field, 10, 64); err != nil {
				return nil
			}
		}
		ranges = append(ranges, idRange{n[0], n[1], n[2]})
	}
	return ranges
}
