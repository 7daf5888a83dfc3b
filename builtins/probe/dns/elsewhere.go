//go:build !linux

package dns

import (
	"context"

	"nsscript/builtins/kernel"
	"nsscript/builtins/probe"
)

// Ask is an error: questions are sent on Linux only.
func Ask(context.Context, probe.Namespace, Config, Question) (Answer, error) {
	return Answer{}, kernel.ErrNotLinux
}
