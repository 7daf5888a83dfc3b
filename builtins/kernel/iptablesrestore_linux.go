package kernel

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// AppendAll adds rules to one table and sets policies, all of them or none: several go in
// one iptables-restore.
func (x *Iptables) AppendAll(ctx context.Context, n *NetNS, table string, rules []ChainRule) error {
	if len(rules) == 1 && rules[0].Policy == "" {
		return x.Append(ctx, n, table, rules[0].Chain, rules[0].Spec)
	}
	var in bytes.Buffer
	fmt.Fprintf(&in, "*%s\n", table)
	for _, r := range rules {
		if r.Policy != "" {
			fmt.Fprintf(&in, "-P %s %s\n", r.Chain, r.Policy)
			continue
		}
		in.WriteString("-A " + r.Chain)
		for _, w := range r.Spec {
			if w == "" || strings.ContainsAny(w, "\n\x00") {
				return &IptablesError{program: x.name, Status: 2, Text: fmt.Sprintf("a rule cannot hold the word %q", w)}
			}
			in.WriteByte(' ')
			in.WriteString(quoteWord(w))
		}
		in.WriteByte('\n')
	}
	in.WriteString("COMMIT\n")
	err := x.restore(ctx, n, in.Bytes())
	var e *IptablesError
	if errors.As(err, &e) {
		e.explainLine(rules)
	}
	return err
}

// DeleteAll takes back what AppendAll has added: the last rules of the chains, and the
// policies, of which rules hold those that were before. It goes by number, so that it must
// not be used where others change rules too.
func (x *Iptables) DeleteAll(ctx context.Context, n *NetNS, table string, rules []ChainRule) error {
	chains, err := x.ListChains(ctx, n, table)
	if err != nil {
		return err
	}
	last := map[string]int{}
	for _, c := range chains {
		last[c.Name] = len(c.Rules)
	}
	var in bytes.Buffer
	fmt.Fprintf(&in, "*%s\n", table)
	for _, r := range slices.Backward(rules) {
		if r.Policy != "" {
			fmt.Fprintf(&in, "-P %s %s\n", r.Chain, r.Policy)
			continue
		}
		fmt.Fprintf(&in, "-D %s %d\n", r.Chain, last[r.Chain])
		last[r.Chain]--
	}
	in.WriteString("COMMIT\n")
	return x.restore(ctx, n, in.Bytes())
}

// restore changes a table, all that it is told or nothing (iptables-restore(8)). It reads
// and writes files in memory: with pipes, goroutines would have to take turns with it.
func (x *Iptables) restore(ctx context.Context, n *NetNS, lines []byte) error {
	in, err := memoryFile(lines)
	if err != nil {
		return err
	}
	defer in.Close()
	return x.do(ctx, n, func() error {
		errs, err := memoryFile(nil)
		if err != nil {
			return err
		}
		defer errs.Close()
		if _, err := in.Seek(0, io.SeekStart); err != nil {
			return err
		}
		cmd := exec.CommandContext(ctx, x.path+"-restore", "--wait", strconv.Itoa(lockSlice), "--noflush")
		cmd.Stdin, cmd.Stderr = in, errs
		err = cmd.Run()
		var exit *exec.ExitError
		switch {
		case err != nil && ctx.Err() != nil:
			return ctx.Err()
		case errors.As(err, &exit):
			said, err := io.ReadAll(io.NewSectionReader(errs, 0, 1<<20))
			if err != nil {
				return err
			}
			return x.complaint(exit.ExitCode(), string(said))
		}
		return err
	})
}

// memoryFile is a file without a name that holds text.
func memoryFile(text []byte) (*os.File, error) {
	fd, err := unix.MemfdCreate("iptables-restore", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	f := os.NewFile(uintptr(fd), "iptables-restore")
	if _, err := f.Write(text); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
