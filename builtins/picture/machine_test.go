//go:build linux

package picture

import (
	"slices"
	"testing"

	"nsscript/builtins/kernel"
)

func TestNamesAreOrderedAsPeopleDo(t *testing.T) {
	want := []string{"", "a", "r1", "r2", "r10", "r010b", "r10c", "web"}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortStableFunc(got, natural)
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestNamesAreOneEach(t *testing.T) {
	taken := map[string]bool{}
	var got []string
	for range 3 {
		got = append(got, unique("web", taken))
	}
	if want := []string{"web", "web-2", "web-3"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestNamespacesAreCalledAfterWhoLivesInThem(t *testing.T) {
	for _, c := range []struct {
		found kernel.FoundNetNS
		want  string
	}{
		{kernel.FoundNetNS{Home: true, Name: "red"}, Host},
		{kernel.FoundNetNS{Name: "red"}, "red"},
		{kernel.FoundNetNS{Name: "cni-2ef1bf5c-903f-9ca0-f39d-000000000002"}, "cni-2ef1bf5c"},
		{kernel.FoundNetNS{}, "unnamed"},
	} {
		if got := describe(&c.found).name; got != c.want {
			t.Errorf("%+v is called %q, want %q", c.found, got, c.want)
		}
	}
}

// A setting counts as somebody's choice where it is not what follows from others.
func TestSettingsThatSomebodyHasChosen(t *testing.T) {
	fresh := map[string]string{"net.ipv4.ip_forward": "0", "net.ipv4.conf.all.accept_redirects": "1", "net.ipv4.conf.default.rp_filter": "0", "net.ipv6.conf.all.forwarding": "0"}
	now := map[string]string{
		"net.ipv4.ip_forward": "1", "net.ipv4.conf.all.accept_redirects": "0", "net.ipv4.conf.all.forwarding": "1",
		"net.ipv4.conf.eth0.forwarding": "1", "net.ipv4.conf.eth1.forwarding": "0",
		"net.ipv4.conf.default.rp_filter": "2", "net.ipv4.conf.eth0.rp_filter": "2", "net/ipv4/conf/eth0.5/rp_filter": "0", "net.ipv4.conf.lo.rp_filter": "2",
		"net.ipv6.conf.all.forwarding": "0",
	}
	fresh["net.ipv4.conf.lo.rp_filter"] = "0"
	var got []string
	for key, value := range now {
		if expected(key, false, fresh, now) != value {
			got = append(got, key)
		}
	}
	slices.Sort(got)
	want := []string{"net.ipv4.conf.default.rp_filter", "net.ipv4.conf.eth1.forwarding", "net.ipv4.ip_forward", "net/ipv4/conf/eth0.5/rp_filter"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
