package builtins

import (
	"fmt"
	"strings"
	"testing"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// TestNetworkArithmetic evaluates expressions over n, a network.
func TestNetworkArithmetic(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ cidr, expr, want string }{
		{"10.0.0.0/24", "n.host(1)", "10.0.0.1/24"},
		{"10.0.0.0/24", "n.host(0)", "10.0.0.0/24"},
		{"10.0.0.0/24", "n.host(-1)", "10.0.0.254/24"},
		{"10.0.0.0/24", "n.host(256)", "error"},
		{"10.0.0.0/24", "n.host(-300)", "error"},
		{"10.0.0.0/24", "n.host(1).ip", `"10.0.0.1"`},
		{"10.0.0.0/24", "n.host(1).network == n", "True"},
		{"10.0.0.0/24", "n.netmask, n.broadcast, n.prefix, n.version", `("255.255.255.0", "10.0.0.255", 24, 4)`},
		{"10.0.0.0/24", "n.subnets(26)", "[10.0.0.0/26, 10.0.0.64/26, 10.0.0.128/26, 10.0.0.192/26]"},
		{"10.0.0.0/24", "n.subnets(24)", "[10.0.0.0/24]"},
		{"10.0.0.0/24", "n.subnets(23)", "error"},
		{"10.0.0.0/24", "n.subnets(33)", "error"},
		{"10.0.0.0/24", "len(list(n))", "254"},
		{"10.0.0.0/24", `n.contains("10.0.0.7"), n.contains("10.0.1.0"), n.contains("10.0.0.0/25"), n.contains("10.0.0.0/23")`, "(True, False, True, False)"},
		{"10.0.0.0/24", `"10.0.0.7" in n, "10.0.1.7" in n`, "(True, False)"},
		{"10.0.0.9/24", "n", "10.0.0.0/24"},
		{"10.0.0.0/30", "list(n)", "[10.0.0.1/30, 10.0.0.2/30]"},
		{"10.0.0.0/31", "list(n), n.host(-1)", "([10.0.0.0/31, 10.0.0.1/31], 10.0.0.1/31)"},
		{"10.0.0.1/32", "list(n), n.netmask", `([10.0.0.1/32], "255.255.255.255")`},
		{"0.0.0.0/0", "n.netmask, n.broadcast", `("0.0.0.0", "255.255.255.255")`},
		{"2001:db8::/64", "n.host(1), n.version, n.broadcast", "(2001:db8::1/64, 6, None)"},
		{"2001:db8::/64", "n.host(-1)", "2001:db8::ffff:ffff:ffff:ffff/64"},
		{"2001:db8::/64", "n.subnets(65)", "[2001:db8::/65, 2001:db8:0:0:8000::/65]"},
		{"2001:db8::/32", "n.subnets(64)", "error"},
		{"2001:db8::/126", "list(n)", "[2001:db8::1/126, 2001:db8::2/126, 2001:db8::3/126]"},
		{"2001:db8::/127", "list(n)", "[2001:db8::/127, 2001:db8::1/127]"},
		{"2001:db8::1/128", "list(n)", "[2001:db8::1/128]"},
		{"2001:db8::/64", `n.contains("10.0.0.1")`, "False"},
		{"10.0.0.0/24", "n == cidr(\"10.0.0.0/24\"), n < cidr(\"10.0.1.0/24\"), {n: 1}[cidr(\"10.0.0.0/24\")]", "(True, True, 1)"},
		{"10.0.0.0/24", "sorted([n.host(10), n.host(9)])", "[10.0.0.9/24, 10.0.0.10/24]"},
	} {
		t.Run(tt.cidr+" "+tt.expr, func(t *testing.T) {
			t.Parallel()
			if got := evalNetwork(t, tt.cidr, tt.expr); got != tt.want && (tt.want != "error" || !strings.HasPrefix(got, "error: ")) {
				t.Errorf("with n = %s, %s is %s, want %s", tt.cidr, tt.expr, got, tt.want)
			}
		})
	}
}

func evalNetwork(t *testing.T, text, expr string) string {
	t.Helper()
	network := func(s string) Network {
		var n Network
		if err := n.unpack(nil, starlark.String(s)); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
		return n
	}
	env := starlark.StringDict{
		"n": network(text),
		"cidr": starlark.NewBuiltin("cidr", func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
			return network(string(args[0].(starlark.String))), nil
		}),
	}
	v, err := starlark.EvalOptions(&syntax.FileOptions{}, &starlark.Thread{}, "test", expr, env)
	if err != nil {
		return fmt.Sprintf("error: %v", err)
	}
	return v.String()
}
