package op

import (
	"context"

	"nsscript/builtins/kernel"
)

// doer is what Linux can be asked of an operation.
type doer interface {
	// Do makes the change. When it fails, Undo is called for what it left.
	Do(ctx context.Context, s *System) error
	// Undo takes the change back. It is called for changes that were made, were
	// half made or were never made, and in any of these cases leaves alone what
	// is not the lab's. What is already gone is no error.
	Undo(ctx context.Context, s *System) error
}

// inKernel returns what can be asked of an open namespace.
func (s *System) inKernel(name string) (kernel.Space, error) { return s.NS(name) }
