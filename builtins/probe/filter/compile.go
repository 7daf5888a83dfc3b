package filter

import (
	"errors"
	"fmt"
	"net/netip"

	"golang.org/x/net/bpf"
)

// DefaultSnapLen is how many bytes of a packet tcpdump accepts: all of them.
const DefaultSnapLen = 262144

// Options say what a filter is for. The zero value is for Ethernet frames.
type Options struct {
	Link    LinkType
	SnapLen uint32 // bytes of a packet to accept, 0 for DefaultSnapLen

	// Resolve returns the addresses of a host name. Without it no name is known.
	Resolve func(name string) ([]netip.Addr, error)
}

// maxInstructions is BPF_MAXINSNS of linux/bpf_common.h.
const maxInstructions = 4096

// Compile returns the program of a filter: it returns the length to accept of a
// packet, 0 to refuse it. The empty filter accepts every packet. An error is an
// [*Error].
func Compile(expr string, o Options) ([]bpf.RawInstruction, error) {
	list, err := compile(expr, o)
	if err != nil {
		var e *Error
		if errors.As(err, &e) {
			e.Filter = expr
		}
		return nil, err
	}
	return bpf.Assemble(list)
}

func compile(expr string, o Options) ([]bpf.Instruction, error) {
	if o.SnapLen == 0 {
		o.SnapLen = DefaultSnapLen
	}
	n, err := parse(expr)
	if err != nil {
		return nil, err
	}
	c, err := lowerAny(n, o)
	if err != nil {
		return nil, err
	}
	list, ok := generate(simplify(c), o.SnapLen)
	switch {
	case !ok:
		return nil, &Error{Problem: "its arithmetic needs more than the kernel's 16 scratch words"}
	case len(list) > maxInstructions:
		return nil, &Error{Problem: fmt.Sprintf("it makes %d instructions, and the kernel takes %d", len(list), maxInstructions)}
	}
	return list, nil
}
