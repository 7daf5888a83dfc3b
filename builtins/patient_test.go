package builtins

import "testing"

// TestPatient holds that what may wait is a builtin, or a method, of that name.
func TestPatient(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, list := range [][]spec{specs, namespaceMethods, linkMethods, bridgeMethods, networkMethods} {
		for _, sp := range list {
			known[(&Session{}).declare(sp).name] = true
		}
	}
	for name := range patient {
		if !known[name] {
			t.Errorf("there is no builtin %q", name)
		}
	}
}
