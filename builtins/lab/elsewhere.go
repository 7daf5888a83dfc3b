//go:build !linux

package lab

import (
	"context"

	"nsscript/builtins/kernel"
	"nsscript/builtins/op"
	"nsscript/builtins/picture"
)

// On systems other than Linux a lab can only be planned.

func (l *Lab) apply(context.Context, string, op.Op) error { return kernel.ErrNotLinux }

// Later is Do: nothing is put off in a plan.
func (l *Lab) Later(ctx context.Context, pos string, o op.Waiting, _ func() func(error) error) error {
	return l.Do(ctx, pos, o)
}

// CatchUp has nothing to do: nothing was put off.
func (l *Lab) CatchUp(context.Context) error { return nil }

func (l *Lab) standing(context.Context) (*picture.Picture, error) { return nil, kernel.ErrNotLinux }

// View is an error.
func (l *Lab) View(string) (kernel.View, error) { return kernel.View{}, kernel.ErrNotLinux }

// Holds is an error.
func (l *Lab) Holds(string, string) (bool, error) { return false, kernel.ErrNotLinux }
