//go:build !linux

package probe

import (
	"context"
	"time"

	"nsscript/builtins/kernel"
)

// Packets are sent on Linux only.

// Ping is an error.
func Ping(context.Context, Namespace, PingRequest) (PingResult, error) {
	return PingResult{}, kernel.ErrNotLinux
}

// PingAll is an error.
func PingAll(context.Context, []*kernel.NetNS, []*PingPair, time.Duration) error {
	return kernel.ErrNotLinux
}

// Connect is an error.
func Connect(context.Context, Namespace, ConnectRequest) (ConnectResult, error) {
	return ConnectResult{}, kernel.ErrNotLinux
}

// HTTP is an error.
func HTTP(context.Context, Namespace, HTTPRequest) (HTTPResult, error) {
	return HTTPResult{}, kernel.ErrNotLinux
}

// Traceroute is an error.
func Traceroute(context.Context, Namespace, TracerouteRequest) ([]Hop, error) {
	return nil, kernel.ErrNotLinux
}

// Throughput is an error.
func Throughput(context.Context, Namespace, ThroughputRequest) (ThroughputResult, error) {
	return ThroughputResult{}, kernel.ErrNotLinux
}
