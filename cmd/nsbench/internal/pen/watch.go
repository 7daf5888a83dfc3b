//go:build linux

package pen

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// watch looks at the processes that were left in the pen: how much processor time they
// take in a while, and how much memory they have at its end.
func watch(d time.Duration) (Measure, error) {
	pids, err := left()
	if err != nil {
		return Measure{}, err
	}
	before, err := timeOf(pids)
	if err != nil {
		return Measure{}, err
	}
	time.Sleep(d)
	after, err := timeOf(pids)
	m := Measure{Wall: d, CPU: after - before}
	for _, pid := range pids {
		rss, rerr := residentOf(pid)
		err = errors.Join(err, rerr)
		m.Left += rss
	}
	return m, err
}

// left are the processes of the pen but for its own two.
func left() ([]int, error) {
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, dir := range dirs {
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err == nil && pid != 1 && pid != os.Getpid() {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// residentOf returns VmRSS.
func residentOf(pid int) (int64, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	defer func() { _ = f.Close() }()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), "VmRSS:"); ok {
			kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kib << 10, err
		}
	}
	return 0, lines.Err()
}

// timeOf returns the processor time that processes have taken. The scheduler counts it in
// nanoseconds; utime and stime of stat are coarser, by 10 ms.
func timeOf(pids []int) (time.Duration, error) {
	var sum time.Duration
	for _, pid := range pids {
		tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
		if err != nil {
			return 0, err
		}
		for _, task := range tasks {
			text, err := os.ReadFile(task)
			if err != nil {
				return 0, err
			}
			ns, err := strconv.ParseInt(strings.Fields(string(text))[0], 10, 64)
			if err != nil {
				return 0, err
			}
			sum += time.Duration(ns)
		}
	}
	return sum, nil
}
