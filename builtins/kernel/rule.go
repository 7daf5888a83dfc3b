package kernel

import (
	"fmt"
	"net/netip"
	"strings"
)

// Rule is a rule of the routing policy database (ip-rule(8)).
type Rule struct {
	Priority int
	Family   int
	Src, Dst netip.Prefix // invalid for all
	IIF, OIF string
	Mark     uint32
	Mask     uint32 // all ones when the rule has none of its own
	Table    int
	Invert   bool
	Type     string // "" for a table look-up; blackhole, unreachable, prohibit, goto, nop
}

// String prints the rule on one line as `ip rule` does.
func (r *Rule) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d:", r.Priority)
	if r.Invert {
		b.WriteString(" not")
	}
	b.WriteString(" from " + prefixOrAll(r.Src))
	if r.Dst.IsValid() {
		b.WriteString(" to " + prefixOrAll(r.Dst))
	}
	if r.Mark != 0 {
		fmt.Fprintf(&b, " fwmark %#x", r.Mark)
		if r.Mask != ^uint32(0) {
			fmt.Fprintf(&b, "/%#x", r.Mask)
		}
	}
	if r.IIF != "" {
		b.WriteString(" iif " + r.IIF)
	}
	if r.OIF != "" {
		b.WriteString(" oif " + r.OIF)
	}
	if r.Type != "" {
		b.WriteString(" " + r.Type)
	} else {
		b.WriteString(" lookup " + TableName(r.Table))
	}
	return b.String()
}

func prefixOrAll(p netip.Prefix) string {
	switch {
	case !p.IsValid():
		return "all"
	case p.IsSingleIP():
		return p.Addr().String()
	}
	return p.String()
}
