//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestRunProgress runs slow scripts in a terminal.
func TestRunProgress(t *testing.T) {
	if os.Getenv(stageEnv) != "" {
		t.Skip("not inside another test's host")
	}
	t.Parallel()
	inPrivateHost(t, 0, "TestInsideRunProgress", "")
}

// slowly builds 30 namespaces within two seconds, and prints in between.
const slowly = `
def some(n):
    for i in range(n):
        namespace("%s%d" % ("abc"[n % 3], i))
        sleep(0.05)

sleep(0.5)
some(16)
print("in the midst")
sh(host, "printf 'a part'; sleep 0.3; echo; sleep 0.2; echo complaint >&2", show = True)
some(14)
`

func TestInsideRunProgress(t *testing.T) {
	insideOnly(t)
	const counting = `^\d+ operations, \d+/s`
	t.Run("prints", func(t *testing.T) {
		s := openScreen(t, 80, nil, "run", "--sandbox", "--rm", "-c", slowly)
		s.expect(counting)
		s.expect("in the midst")
		s.expect("complaint")
		s.expect(counting)
		s.ended(exitOK)
		s.left("in the midst", "a part", "complaint")
	})
	t.Run("host", func(t *testing.T) {
		s := openScreen(t, 80, nil, "run", "--rm", "-c", slowly+"check('sound', True)")
		s.expect(counting)
		s.ended(exitOK)
		s.left("in the midst", "a part", "complaint", "✓ sound", "1 check: 1 passed, 0 failed")
	})
	t.Run("fails", func(t *testing.T) {
		s := openScreen(t, 80, nil, "run", "--sandbox", "-c", slowly+"fail('over')")
		s.expect(counting)
		s.ended(exitFailed)
		s.left("in the midst", "a part", "complaint", "<command line>:12:1: error: fail: over",
			"   12 | fail('over')", "      | ^^^^", "lab cmdline was taken back; --keep leaves it, to look at")
	})
	t.Run("interrupted", func(t *testing.T) {
		s := openScreen(t, 80, nil, "run", "--sandbox", "-c", slowly+"sleep(60)")
		s.expect("complaint")
		s.expect(counting)
		s.keys(ctrlC)
		s.ended(exitInterrupted)
		if got := s.rows(); strings.Contains(strings.Join(got, "\n"), "operations") {
			t.Errorf("the line is left on the terminal:\n%s", strings.Join(got, "\n"))
		}
	})
	t.Run("narrow", func(t *testing.T) {
		s := openScreen(t, 12, nil, "run", "--sandbox", "--rm", "-c", slowly)
		s.expect(`^\d+ operati…$`)
		s.ended(exitOK)
		s.left("in the midst", "a part", "complaint")
	})
	for name, args := range map[string][]string{"json": {"--json"}, "explained": {"--explain"}} {
		t.Run(name, func(t *testing.T) {
			s := openScreen(t, 80, nil, append([]string{"run", "--sandbox", "--rm", "-c", slowly}, args...)...)
			s.ended(exitOK)
			s.silent()
		})
	}
	t.Run("dumb", func(t *testing.T) {
		s := openScreen(t, 80, []string{"TERM=dumb"}, "run", "--sandbox", "--rm", "-c", slowly)
		s.ended(exitOK)
		s.silent()
	})
	t.Run("no terminal", func(t *testing.T) {
		out, err := exec.Command(filepath.Join(os.Getenv(binEnv), "nsscript"), "run", "--sandbox", "--rm", "-c", slowly).CombinedOutput()
		if want := "in the midst\na part\ncomplaint\n"; err != nil || string(out) != want {
			t.Errorf("%v: %q, want %q", err, out, want)
		}
	})
}

// silent holds that no progress was told.
func (s *screen) silent() {
	s.t.Helper()
	if got := strings.Join(s.rows(), "\n"); strings.Contains(got, "operations") || strings.Contains(string(s.all), clearLine) {
		s.t.Errorf("progress is told:\n%s", got)
	}
}

// left holds which lines are on the terminal at the end.
func (s *screen) left(want ...string) {
	s.t.Helper()
	if diff := cmp.Diff(want, s.rows()); diff != "" {
		s.t.Errorf("what is left on the terminal: %s\nof %q", diff, s.all)
	}
}

// rows are the lines that a terminal shows of what was printed: a line that is removed
// is gone.
func (s *screen) rows() []string {
	time.Sleep(50 * time.Millisecond) // the last of it may be on its way
	s.mu.Lock()
	defer s.mu.Unlock()
	var rows []string
	for line := range strings.SplitSeq(string(s.all), "\r\n") {
		rows = append(rows, line[strings.LastIndex(clearLine+line, clearLine):])
	}
	return rows[:len(rows)-1] // below the last line break there is nothing
}

func TestProgressText(t *testing.T) {
	for _, c := range []struct {
		ops, rate int64
		want      string
	}{
		{1, 0, "1 operation"}, {999, 12, "999 operations, 12/s"},
		{2310, 4120, "2,310 operations, 4,120/s"}, {1234567, 0, "1,234,567 operations"},
	} {
		if got := progressText(c.ops, c.rate); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func TestOpsRate(t *testing.T) {
	began := time.Now()
	r := opsRate{{at: began}}
	var got int64
	for i := range 50 { // 30 operations in each tick, then none
		got = r.of(began.Add(time.Duration(i+1)*progressEvery), int64(min(i+1, 20)*30))
		if i == 19 && got != 300 {
			t.Errorf("the rate is %d, want 300", got)
		}
	}
	if got != 0 {
		t.Errorf("the rate is %d a while after the last operation", got)
	}
}
