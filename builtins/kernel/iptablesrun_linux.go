package kernel

import (
	"context"
	"fmt"
)

// Save returns a table as iptables-save prints it, with counters.
func (x *Iptables) Save(ctx context.Context, n *NetNS, table string) ([]byte, error) {
	if unused, err := x.unused(n, table); err != nil || unused {
		return fmt.Appendf(nil, "*%s\nCOMMIT\n", table), err
	}
	r, err := x.run(ctx, n, x.path+"-save", []string{"-c", "-t", table}, nil)
	return r.Stdout, err
}
