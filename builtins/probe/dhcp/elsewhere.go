//go:build !linux

package dhcp

import (
	"context"

	"nsscript/builtins/kernel"
	"nsscript/builtins/probe"
)

// Obtain is an error: addresses are asked for on Linux only.
func Obtain(context.Context, probe.Namespace, Request) (*Lease, error) {
	return nil, kernel.ErrNotLinux
}
