//go:build linux

package main

import (
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// thisMachine says what kind of machine this is: its processor, whether it is virtual,
// and its kernel.
func thisMachine() (string, error) {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "", err
	}
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return "", err
	}
	release := regexp.MustCompile(`^[0-9.]*[0-9]`).FindString(unix.ByteSliceToString(name.Release[:]))
	return describe(string(info), runtime.NumCPU(), release), nil
}

// describe puts a machine in words, from its /proc/cpuinfo.
func describe(cpuinfo string, cores int, release string) string {
	model := field(cpuinfo, "model name")
	if model == "" {
		model = runtime.GOARCH // other architectures tell no name
	}
	kind := "a machine"
	if strings.Contains(" "+field(cpuinfo, "flags")+" ", " hypervisor ") {
		kind = "a virtual machine"
	}
	return fmt.Sprintf("%s with %d cores (%s), Linux %s", kind, cores, model, release)
}

// field returns the first value of a name.
func field(cpuinfo, name string) string {
	for line := range strings.Lines(cpuinfo) {
		key, value, _ := strings.Cut(line, ":")
		if strings.TrimSpace(key) == name {
			return strings.Join(strings.Fields(value), " ")
		}
	}
	return ""
}
