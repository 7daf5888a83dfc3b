package op

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"nsscript/builtins/kernel"
	"nsscript/builtins/near"
	"nsscript/builtins/picture"
)

// SetSysctl sets a kernel parameter of a namespace.
type SetSysctl struct {
	NS    string `json:"ns"`
	Key   string `json:"key"`
	Value string `json:"value"`
	Old   string `json:"old"`            // filled in by Prepare
	Loan  string `json:"loan,omitempty"` // the same, where it is borrowed
}

// Prepare notes the value that is to be given back.
func (o *SetSysctl) Prepare(s *System) error {
	n, err := s.Look(o.NS)
	if err != nil {
		return err
	}
	if o.Old, err = n.ReadSysctl(o.Key); err != nil {
		return SysctlError(o.NS, o.Key, err)
	}
	if !s.Owned(o.NS) {
		o.Loan = newLoan()
	}
	return nil
}

// Do sets the parameter.
func (o *SetSysctl) Do(_ context.Context, s *System) error {
	n, err := s.NS(o.NS)
	if err != nil {
		return err
	}
	if err := s.borrow(o.NS, o.Key, o.Loan, func() (string, error) { return n.ReadSysctl(o.Key) }); err != nil {
		return err
	}
	if err := n.WriteSysctl(kernel.Sysctl{Key: o.Key, Value: o.Value}); err != nil {
		return SysctlError(o.NS, o.Key, err)
	}
	return nil
}

// SysctlError words why a parameter of a namespace cannot be read or set.
func SysctlError(ns, key string, err error) error {
	var missing *kernel.NoSysctlError
	if errors.As(err, &missing) {
		tip := ""
		if missing.Near != "" {
			tip = near.DidYouMean(missing.Near)
		}
		return &Error{Msg: fmt.Sprintf("%s has no sysctl %q", quoteNS(ns), key), Tip: tip, Err: err, Mute: true}
	}
	return &Error{Msg: err.Error(), Err: err, Mute: true}
}

// Undo gives the old value back.
func (o *SetSysctl) Undo(_ context.Context, s *System) error {
	n, err := s.NS(o.NS)
	if errors.Is(err, kernel.ErrClosed) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.giveBack(o.NS, o.Key, o.Loan, o.Old, func(before string) error {
		if now, err := n.ReadSysctl(o.Key); err == nil && now == before {
			return nil
		}
		err := n.WriteSysctl(kernel.Sysctl{Key: o.Key, Value: before})
		if errors.Is(err, fs.ErrNotExist) {
			return nil // the parameter went with its interface
		}
		return err
	})
}

// Commands is `sysctl -w`.
func (o *SetSysctl) Commands() []string {
	return []string{sysctlCommand(o.NS, kernel.Sysctl{Key: o.Key, Value: o.Value})}
}

// Inside is the namespace.
func (o *SetSysctl) Inside() []string { return []string{o.NS} }

// Model sets the parameter.
func (o *SetSysctl) Model(p *picture.Picture) error {
	n, err := pictured(p, o.NS)
	if err == nil {
		n.SetSysctl(o.Key, o.Value)
	}
	return err
}
