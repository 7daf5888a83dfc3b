package kernel

import (
	"fmt"
	"os"
	"strings"
)

// FoundNetNS is a network namespace of this machine.
type FoundNetNS struct {
	ID   NSID
	Path string // the file by which it can be opened
	Name string // as `ip netns list` shows it, "" for none
	PIDs []int  // the processes that live in it, as far as they can be seen
	Home bool   // this process lives in it
}

// containerDirs are where container engines keep the files of network namespaces,
// under names that tell nobody anything.
var containerDirs = []string{"/run/docker/netns", "/var/run/docker/netns"}

// Command returns the name of the program that a process runs, "" when it has ended.
func Command(pid int) string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// Container returns the id of the container that a process is in, by the name of its
// control group, "" for none.
func Container(pid int) string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	if err != nil {
		return ""
	}
	for word := range strings.FieldsFuncSeq(string(b), func(r rune) bool { return strings.ContainsRune("/:-.\n", r) }) {
		if len(word) == 64 && strings.Trim(word, "0123456789abcdef") == "" {
			return word
		}
	}
	return ""
}
