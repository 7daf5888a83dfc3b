//go:build !linux

package trace

import (
	"context"

	"nsscript/builtins/kernel"
)

// Follow is an error: packets are followed on Linux only.
func Follow(context.Context, Request) (*Walk, error) { return nil, kernel.ErrNotLinux }
