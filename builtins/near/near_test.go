package near

import "testing"

// TestHint holds what is suggested for a name that is nearly right.
func TestHint(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, want string }{
		{"pnig", `did you mean "ping"?`}, {"vteh", `did you mean "veth"?`}, {"name_space", `did you mean "namespace"?`},
		{"VETH", `did you mean "veth"?`}, {"names", `did you mean "namespace"?`},
		{"zzzzzz", `there is "namespace", "ping", "up", "veth"`}, {"ip", `there is "namespace", "ping", "up", "veth"`},
		{"ping", `there is "namespace", "ping", "up", "veth"`}, {"", `there is "namespace", "ping", "up", "veth"`},
	} {
		if got := Hint([]string{"veth", "up", "ping", "namespace"}, c.name); got != c.want {
			t.Errorf("%s: %s", c.name, got)
		}
	}
	if got := Hint(nil, "x"); got != "" {
		t.Errorf("of nothing: %s", got)
	}
}
