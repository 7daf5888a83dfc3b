package kernel

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/coreos/go-iptables/iptables"
)

// do runs fn, which runs the program, inside the namespace, words its error, and
// does so again while another program holds the xtables lock.
func (x *Iptables) do(ctx context.Context, n *NetNS, fn func() error) error {
	until := time.Now().Add(x.wait)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := n.Do(fn)
		var e *iptables.Error
		if errors.As(err, &e) {
			err = x.complaint(e.ExitStatus(), ownWords(e))
		}
		var said *IptablesError
		if !errors.As(err, &said) || !said.locked {
			return err
		}
		if time.Now().After(until) {
			return said
		}
	}
}

// with is do for what go-iptables does.
func (x *Iptables) with(ctx context.Context, n *NetNS, fn func(t *iptables.IPTables) error) error {
	t, err := x.lib()
	if err != nil {
		return err
	}
	return x.do(ctx, n, func() error { return fn(t) })
}

// ownWords is what the program wrote, of what go-iptables makes of it:
// "running [COMMAND]: exit status N: WORDS".
func ownWords(e *iptables.Error) string {
	_, said, _ := strings.Cut(e.Error(), fmt.Sprintf("]: exit status %d: ", e.ExitStatus()))
	return said
}

// Result is what a run of the program came to.
type Result struct {
	Stdout, Stderr []byte
	Status         int // exit status (iptables(8), "DIAGNOSTICS")
}

// Run runs the program with any arguments, which must not be about waiting for
// the lock. An exit status other than 0 is an [IptablesError], and the Result is
// filled in all the same.
func (x *Iptables) Run(ctx context.Context, n *NetNS, args []string) (Result, error) {
	return x.run(ctx, n, x.path, args, nil)
}

// run runs iptables or one of its companions (iptables-save(8),
// iptables-restore(8)) inside the namespace.
func (x *Iptables) run(ctx context.Context, n *NetNS, path string, args []string, stdin []byte) (r Result, err error) {
	if path != x.path+"-save" {
		args = append([]string{"--wait", strconv.Itoa(lockSlice)}, args...)
	}
	err = x.do(ctx, n, func() error {
		var out, errs bytes.Buffer
		cmd := exec.CommandContext(ctx, path, args...)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = io.Reader(bytes.NewReader(stdin)), &out, &errs
		err := cmd.Run()
		r = Result{Stdout: out.Bytes(), Stderr: errs.Bytes()}
		var exit *exec.ExitError
		switch {
		case err != nil && ctx.Err() != nil:
			return ctx.Err()
		case errors.As(err, &exit):
			r.Status = exit.ExitCode()
			return x.complaint(r.Status, errs.String())
		}
		return err
	})
	return r, err
}

// Restore puts what Save returned in place of all that the table holds. Some
// versions of ip6tables-nft begin the counters at 0 again.
func (x *Iptables) Restore(ctx context.Context, n *NetNS, saved []byte) error {
	_, err := x.run(ctx, n, x.path+"-restore", []string{"-c"}, saved)
	return err
}

// Version returns what the program says of itself: its version and backend.
func (x *Iptables) Version() string {
	out, err := exec.Command(x.path, "--version").Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}
