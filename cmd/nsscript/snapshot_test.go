package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
)

// snapshot is all of a private host that a lab could change, as text of which two
// can be compared.
func snapshot() string {
	var b strings.Builder
	commands := []string{
		"ip -d link", "ip -o addr", "ip route show table all", "ip -6 route show table all", "ip rule", "ip -6 rule", "ip neigh",
	}
	if os.Geteuid() == 0 {
		commands = append(commands, "nft list ruleset",
			"iptables-nft-save", "ip6tables-nft-save", "iptables-legacy-save", "ip6tables-legacy-save")
	}
	// Namespaces that a lab has joined.
	here := slices.Clone(commands)
	for _, name := range names("/run/netns") {
		for _, c := range here {
			commands = append(commands, "ip netns exec "+name+" "+c)
		}
	}
	for _, c := range commands {
		words := strings.Fields(c)
		out, err := exec.Command(words[0], words[1:]...).CombinedOutput()
		fmt.Fprintf(&b, "# %s\n%s", c, timers.ReplaceAll(withoutComments(out), []byte("$1$2")))
		if err != nil {
			fmt.Fprintf(&b, "%v\n", err)
		}
	}
	mounts, err := os.ReadFile("/proc/self/mounts")
	fmt.Fprintf(&b, "# mounts\n%s%v\n", mounts, err)
	for _, dir := range []string{"/run", "/etc/netns", fmt.Sprintf("/tmp/nsscript-%d", os.Geteuid())} {
		fmt.Fprintf(&b, "# files of %s\n%s", dir, strings.Join(files(dir), ""))
	}
	fmt.Fprintf(&b, "# processes\n%s", strings.Join(processes(), ""))
	fmt.Fprintf(&b, "# sysctl\n%s", sysctls())
	return b.String()
}

func names(dir string) []string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var list []string
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

// timers are what a bridge counts down, the packets that rules count, and what comes with
// the end of duplicate-address detection.
var timers = regexp.MustCompile(`(?m)(_timer) +[0-9.]+|(packets) \d+ bytes \d+|\[\d+:\d+\]|tentative |^local fe80:.* dev .*\n`)

func withoutComments(out []byte) []byte {
	var keep [][]byte
	for _, l := range bytes.SplitAfter(out, []byte("\n")) {
		if !bytes.HasPrefix(l, []byte("#")) {
			keep = append(keep, l)
		}
	}
	return bytes.Join(keep, nil)
}

func files(dir string) []string {
	var list []string
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && path != "/run/xtables.lock" { // iptables-legacy's own
			list = append(list, fmt.Sprintf("%s %s\n", d.Type(), path))
		}
		return nil
	})
	return list
}

// processes are those of the private host besides its first one and the test. The
// first one is given time to reap what has ended.
func processes() []string {
	for range 200 {
		if list := processesNow(); !slices.ContainsFunc(list, func(p string) bool { return strings.HasSuffix(p, " Z\n") }) {
			return list
		}
		time.Sleep(10 * time.Millisecond)
	}
	return processesNow()
}

func processesNow() []string {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return []string{err.Error()}
	}
	var list []string
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == 1 || pid == os.Getpid() {
			continue
		}
		stat, err := os.ReadFile(filepath.Join("/proc", e.Name(), "stat"))
		if err != nil {
			continue
		}
		if i := bytes.LastIndexByte(stat, ')'); i > 0 {
			name := stat[bytes.IndexByte(stat, '(')+1 : i]
			list = append(list, fmt.Sprintf("%s %s\n", name, stat[i+2:i+3]))
		}
	}
	sort.Strings(list)
	return list
}

// sysctls are the settings of this network namespace.
func sysctls() string {
	var b strings.Builder
	for _, dir := range []string{"/proc/sys/net/ipv4", "/proc/sys/net/ipv6"} {
		_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || strings.HasSuffix(path, "fastopen_key") {
				return nil
			}
			if v, err := os.ReadFile(path); err == nil {
				fmt.Fprintf(&b, "%s = %s\n", strings.TrimPrefix(path, "/proc/sys/"), bytes.TrimSpace(v))
			}
			return nil
		})
	}
	return b.String()
}
