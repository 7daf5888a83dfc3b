//go:build linux

package op

import (
	"errors"
	"testing"

	"github.com/vishvananda/netlink"

	"nsscript/builtins/kernel"
)

// door returns a system with the namespace "door", which is not the lab's, and "fw",
// which is, connected by a cable whose ends are called eth0.
func door(t *testing.T) *System {
	t.Helper()
	s := NewSystem(freshNetNS(t), testMark, false)
	t.Cleanup(s.Close)
	s.Attach("fw", freshNetNS(t), true)
	s.Attach("door", freshNetNS(t), false)
	perform(t, s, &AddVeth{A: End{NS: "fw", Name: "eth0"}, B: End{NS: "door", Name: "eth0"}, Up: true})
	return s
}

func perform(t *testing.T, s *System, o Op) {
	t.Helper()
	if p, ok := o.(Preparer); ok {
		if err := p.Prepare(s); err != nil {
			t.Fatal(err)
		}
	}
	if err := o.Do(t.Context(), s); err != nil {
		t.Fatalf("%T: %v", o, err)
	}
}

func linkIn(t *testing.T, s *System, ns, name string) *kernel.Link {
	t.Helper()
	n, err := s.NS(ns)
	if err != nil {
		t.Fatal(err)
	}
	l, err := n.Link(name)
	if err != nil {
		return nil
	}
	return l
}

// recorded is an operation as a later process knows it.
func recorded(t *testing.T, o Op) Op {
	t.Helper()
	kind, fields, err := Encode(o)
	if err != nil {
		t.Fatal(err)
	}
	back, err := Decode(kind, fields)
	if err != nil {
		t.Fatal(err)
	}
	return back
}

func undo(t *testing.T, s *System, o Op) {
	t.Helper()
	if err := o.Undo(t.Context(), s); err != nil {
		t.Errorf("undoing %T: %v", o, err)
	}
}

// TestNewLinksBearTheMark holds that an interface of any kind in a namespace which is
// not the lab's bears its mark, and is taken back.
func TestNewLinksBearTheMark(t *testing.T) {
	t.Parallel()
	over := Over{NS: "fw", Dev: "eth0"}
	link := func(name string) NewLink { return NewLink{NS: "door", Name: name, Up: true} }
	for _, c := range []struct {
		feature string
		op      Op
	}{
		{"macvlan", &AddMacvlan{NewLink: link("new0"), Over: over, Mode: "bridge"}},
		{"macvlan", &AddMacvlan{NewLink: link("mac0"), Over: Over{NS: "door", Dev: "eth0"}, Mode: "bridge"}},
		{"vxlan", &AddVXLAN{NewLink: link("new0"), VNI: 7, Port: 4789}},
		{"vlan", &AddVLAN{NewLink: link("new0"), Over: over, ID: 7}},
		{"ipvlan", &AddIPvlan{NewLink: link("new0"), Over: over, Mode: "l2", Flag: "bridge"}},
		{"dummy", &AddDummy{NewLink: link("new0")}},
		{"bonding", &AddBond{NewLink: link("new0"), Mode: "802.3ad", Miimon: 100}},
		{"vrf", &AddVRF{NewLink: link("new0"), Table: 9}},
		{"gre", &AddTunnel{NewLink: link("new0"), Kind: "gre", Local: "10.0.0.1", Remote: "10.0.0.2"}},
		{"wireguard", &AddWireguard{NewLink: link("new0"), Key: "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk="}},
	} {
		t.Run(c.feature, func(t *testing.T) {
			t.Parallel()
			skipWithout(t, c.feature)
			s := door(t)
			perform(t, s, c.op)
			name := "new0"
			l := linkIn(t, s, "door", name)
			if l == nil {
				name = "mac0"
				l = linkIn(t, s, "door", name)
			}
			if l == nil || l.Alias != testMark || l.Group != 0 || !l.Up() {
				t.Fatalf("made was %+v", l)
			}
			undo(t, s, recorded(t, c.op))
			if linkIn(t, s, "door", name) != nil {
				t.Error("it is still there")
			}
			undo(t, s, recorded(t, c.op))
		})
	}
}

func skipWithout(t *testing.T, feature string) {
	t.Helper()
	has, err := kernel.Has(feature)
	if err != nil {
		t.Fatal(err)
	}
	if !has {
		t.Skipf("this kernel lacks %s: %s", feature, kernel.Remedy(feature))
	}
}

// TestNewLinksLeaveOthersAlone holds that an interface of the same name which the lab did
// not make stays, and is told of.
func TestNewLinksLeaveOthersAlone(t *testing.T) {
	t.Parallel()
	s := door(t)
	for _, ns := range []string{"door", "fw"} {
		n, err := s.NS(ns)
		if err != nil {
			t.Fatal(err)
		}
		h, err := n.Netlink()
		if err != nil {
			t.Fatal(err)
		}
		if err := h.LinkAdd(&netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: "mine", TxQLen: -1}}); err != nil {
			t.Fatal(err)
		}
		o := &AddMacvlan{NewLink: NewLink{NS: ns, Name: "mine"}, Over: Over{NS: "fw", Dev: "eth0"}, Mode: "bridge"}
		if err := o.Prepare(s); err != nil {
			t.Fatal(err)
		}
		if ns == "door" {
			o.Temp = "new-1" // as if there were one in fw too
		}
		err = o.Do(t.Context(), s)
		var told *Error
		if !errors.As(err, &told) || !told.Untouched || told.Error() != quoteNS(ns)+` already has an interface "mine"` {
			t.Errorf("it was made over another: %v", err)
		}
		undo(t, s, recorded(t, o))
		if l := linkIn(t, s, ns, "mine"); l == nil || l.Kind != "bridge" {
			t.Errorf("the other is gone: %+v", l)
		}
		links, err := n.Links()
		if err != nil || len(links) != 3 {
			t.Errorf("something is left of what was not made: %v, %v", links, err)
		}
	}
}

// TestNewLinksOfAKilledRun holds that what was made, but not marked yet, is recognised.
func TestNewLinksOfAKilledRun(t *testing.T) {
	t.Parallel()
	for _, temporary := range []bool{false, true} {
		s := door(t)
		o := &AddMacvlan{NewLink: NewLink{NS: "door", Name: "new0"}, Over: Over{NS: "fw", Dev: "eth0"}, Mode: "bridge"}
		if temporary {
			o.Name = "eth0" // as the one that it stands on is called
		}
		if err := o.Prepare(s); err != nil {
			t.Fatal(err)
		}
		name := o.Name
		if temporary {
			name = o.Temp
		}
		n, err := s.NS("door")
		if err != nil {
			t.Fatal(err)
		}
		h, err := n.Netlink()
		if err != nil {
			t.Fatal(err)
		}
		a := o.attrs()
		a.Name = name
		if err := h.LinkAdd(&netlink.Bridge{LinkAttrs: a}); err != nil {
			t.Fatal(err)
		}
		if l := linkIn(t, s, "door", name); l == nil || l.Alias != "" || l.Group == 0 {
			t.Fatalf("made was %+v", l)
		}
		undo(t, s, recorded(t, o))
		if linkIn(t, s, "door", name) != nil {
			t.Errorf("%q is still there", name)
		}
	}
}

// TestNewLinksCommands holds that a name which `ip` would take for a word of its own is
// said to be a name.
func TestNewLinksCommands(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"t": "ip -n red link add name t type dummy", "br": "ip -n red link add name br type dummy", "br0": "ip -n red link add br0 type dummy",
	} {
		o := &AddDummy{NewLink{NS: "red", Name: name}}
		if got := o.Commands()[0]; got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
}
