//go:build linux

package pen

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// worker does steps.
type worker struct {
	stays *staying // the program that stays, if one does
}

// staying is a program that has come to its line and waits for one.
type staying struct {
	program
	in  io.WriteCloser
	out *bufio.Reader
}

// program is one that was started.
type program struct {
	cmd *exec.Cmd
	log string // what it wrote to its standard error
}

func (s Step) title() string {
	switch {
	case s.Resume:
		return "the end of what stayed"
	case s.Watch > 0:
		return "watching"
	}
	return strings.Join(s.Argv, " ")
}

// repeat does a step as often as is asked for, and returns the measure of the median.
func (w *worker) repeat(s Step) (Measure, error) {
	var all []Measure
	for range max(1, s.Times) {
		m, err := w.do(s)
		if err != nil {
			return m, err
		}
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b Measure) int { return cmp.Compare(a.Wall, b.Wall) })
	return all[len(all)/2], nil
}

func (w *worker) do(s Step) (Measure, error) {
	switch {
	case s.Watch > 0:
		return watch(s.Watch)
	case s.Resume:
		return w.resume(s)
	}
	p, err := prepare(s)
	if err != nil {
		return Measure{}, err
	}
	if s.Stay {
		return w.stay(p)
	}
	began := time.Now()
	if err := p.cmd.Start(); err != nil {
		return Measure{}, err
	}
	return p.end(began, s)
}

// prepare makes a program ready to be started. What it writes goes to files: who stays
// in the background keeps them open, and nobody waits for that.
func prepare(s Step) (program, error) {
	log, err := os.CreateTemp("/run", "log-")
	if err != nil {
		return program{}, err
	}
	cmd := exec.Command(s.Argv[0], s.Argv[1:]...)
	cmd.Stderr = log
	cmd.Env = append(os.Environ(), "PATH="+os.Getenv("PATH")+":/usr/sbin:/sbin")
	if s.UID != 0 {
		home := filepath.Join("/run/user", fmt.Sprint(s.UID))
		if err := os.MkdirAll(home, 0o755); err != nil {
			return program{}, err
		}
		if err := os.Chown(home, s.UID, s.UID); err != nil {
			return program{}, err
		}
		cmd.Env = append(cmd.Env, "XDG_RUNTIME_DIR="+home, "HOME="+home)
		cmd.Dir = "/"
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(s.UID), Gid: uint32(s.UID)}}
	}
	return program{cmd: cmd, log: log.Name()}, nil
}

// end waits for the end of a program.
func (p program) end(began time.Time, s Step) (Measure, error) {
	if err := p.cmd.Wait(); err != nil {
		return Measure{}, p.complaint(err)
	}
	if s.Settle {
		if err := settle(); err != nil {
			return Measure{}, err
		}
	}
	state := p.cmd.ProcessState
	m := Measure{Wall: time.Since(began), CPU: state.UserTime() + state.SystemTime()}
	if usage, ok := state.SysUsage().(*syscall.Rusage); ok {
		m.Peak = usage.Maxrss << 10 // it and its descendants that were waited for, in KiB
	}
	return m, nil
}

// complaint is an error with the last that the program said.
func (p program) complaint(err error) error {
	const most = 400
	text, rerr := os.ReadFile(p.log)
	said := strings.TrimSpace(string(text))
	if rerr != nil || said == "" {
		return err
	}
	if len(said) > most {
		said = "…" + said[len(said)-most:]
	}
	return fmt.Errorf("%w: %s", err, said)
}

// stay starts a program and waits for its line.
func (w *worker) stay(p program) (Measure, error) {
	in, err := p.cmd.StdinPipe()
	if err != nil {
		return Measure{}, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return Measure{}, err
	}
	began := time.Now()
	if err := p.cmd.Start(); err != nil {
		return Measure{}, err
	}
	w.stays = &staying{p, in, bufio.NewReader(out)}
	return w.stays.line(began)
}

// line waits for a line of the program that stays.
func (s *staying) line(began time.Time) (Measure, error) {
	if _, err := s.out.ReadString('\n'); err != nil {
		_ = s.in.Close()
		return Measure{}, s.complaint(fmt.Errorf("it wrote no line: %w", err))
	}
	return Measure{Wall: time.Since(began)}, nil
}

// resume lets the program that stays go on, to its next line or to its end.
func (w *worker) resume(s Step) (Measure, error) {
	began := time.Now()
	if _, err := io.WriteString(w.stays.in, "\n"); err != nil {
		return Measure{}, w.stays.complaint(err)
	}
	if s.Stay {
		return w.stays.line(began)
	}
	if _, err := io.Copy(io.Discard, w.stays.out); err != nil {
		return Measure{}, err
	}
	return w.stays.end(began, s)
}
