//go:build !linux

package op

import "nsscript/builtins/kernel"

// doer is nothing on systems other than Linux: there operations are only planned.
type doer interface{}

// inKernel is the error that there are no namespaces but pictured ones.
func (s *System) inKernel(string) (kernel.Space, error) { return nil, kernel.ErrNotLinux }

// Settle is an error.
func (s *System) Settle() error { return kernel.ErrNotLinux }

// CatchUp has nothing to do: nothing was put off.
func (s *System) CatchUp() error { return nil }

func newMaker() kernel.Maker { return kernel.Maker{} }
