//go:build !linux

package capture

import (
	"context"

	"nsscript/builtins/kernel"
	"nsscript/builtins/probe"
)

// Packets are seen on Linux only.

// Start is an error.
func Start(probe.Namespace, Options) (*Tap, error) { return nil, kernel.ErrNotLinux }

// Stop does nothing: no tap was started.
func (t *Tap) Stop() error { return nil }

// Sync does nothing.
func (t *Tap) Sync(context.Context) error { return nil }

// Dropped is none.
func (t *Tap) Dropped() uint64 { return 0 }

// Write does nothing: there is no packet to write.
func (f *File) Write(*Packet) {}
