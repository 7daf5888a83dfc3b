package program

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"nsscript/builtins/kernel"
	"nsscript/builtins/picture"
)

// asPort sets what a bridge does with a port, puts it into VLANs, and gives an interface
// its other names.
func (w *writer) asPort(l *picture.Link) {
	c := call{fn: w.ref(l) + ".set"}
	for _, option := range []string{"isolated", "hairpin"} {
		if l.Option(option) != "" {
			c.named(option, "True")
		}
	}
	if len(c.args) > 0 {
		w.line("%s", c)
	}
	if port(l) && inVLANs(l) {
		w.vlans(l, l.Master)
	}
	for _, name := range l.AltNames {
		w.exec(l.NS, []string{"ip", "link", "property", "add", "dev", l.Name, "altname", name})
	}
}

// inVLANs reports whether an interface is in other VLANs than a new port is.
func inVLANs(l *picture.Link) bool {
	filters := l.Option("vlan_filtering") != "" || l.Master != nil && l.Master.Option("vlan_filtering") != ""
	return filters && !slices.Equal(l.VLANs, []kernel.PortVLAN{{ID: 1, PVID: true, Untagged: true}})
}

// vlans puts a port of a bridge, or the bridge itself, into VLANs.
func (w *writer) vlans(l, br *picture.Link) {
	var ids, untagged []string
	pvid := ""
	for _, v := range l.VLANs {
		id := strconv.Itoa(v.ID)
		ids = append(ids, id)
		if v.PVID {
			pvid = id
		}
		if v.Untagged {
			untagged = append(untagged, id)
		}
	}
	if len(ids) == 0 {
		words := []string{"bridge", "vlan", "del", "dev", l.Name, "vid", "1"}
		if l == br {
			words = append(words, "self")
		}
		w.exec(l.NS, words)
		return
	}
	c := call{w.ref(br) + ".vlan", []string{w.ref(l), "[" + strings.Join(ids, ", ") + "]"}}
	if pvid != "" {
		c.named("pvid", pvid)
	}
	if strings.Join(untagged, " ") != pvid {
		c.named("untagged", "["+strings.Join(untagged, ", ")+"]")
	}
	w.line("%s", c)
}

// shapes says how what interfaces send is shaped.
func (w *writer) shapes() {
	w.section("Lines that are slow, long or bad")
	for _, l := range w.sortedLinks() {
		switch {
		case !w.made[l]:
		case l.Queue != "":
			w.omit("%s of %s: its queueing discipline %s", l.Name, l.NS.Name, l.Queue)
		case l.Shape != nil:
			w.line("%s", w.shape(l))
		}
	}
}

func (w *writer) shape(l *picture.Link) call {
	s := *l.Shape
	c := call{fn: w.ref(l) + ".shape"}
	if s.Rate != 0 {
		c.named("rate", fmt.Sprint(s.Rate))
	}
	for _, t := range []struct {
		name  string
		value time.Duration
	}{{"delay", s.Delay}, {"jitter", s.Jitter}} {
		if t.value != 0 {
			c.word(t.name, t.value.String())
		}
	}
	for _, p := range []struct {
		name  string
		value float64
	}{{"loss", s.Loss}, {"duplicate", s.Duplicate}, {"reorder", s.Reorder}, {"corrupt", s.Corrupt}} {
		if p.value != 0 {
			c.named(p.name, strconv.FormatFloat(p.value, 'g', -1, 64))
		}
	}
	usual := s
	usual.Burst, usual.Limit = 0, 0
	usual = usual.Whole()
	c.number("burst", s.Burst, usual.Burst)
	c.number("limit", s.Limit, usual.Limit)
	return c
}

// neighbors are those that were entered for good.
func (w *writer) neighbors() {
	w.section("Neighbours")
	for _, n := range w.p.Namespaces {
		for _, e := range n.Neighbors {
			l := n.Link(e.Dev)
			if l == nil || !w.made[l] || !l.Up {
				w.omit("neighbour of %s: %s", n.Name, e.String())
				continue
			}
			mac := quote(e.MAC.String())
			// An address that nobody has chosen is another one when the interface is made anew.
			if o := w.p.LinkAt(e.MAC.String()); o != nil && o.MAC == "" && w.made[o] {
				mac = w.ref(o)
			}
			c := call{"neighbor", []string{w.spaces[n], quote(e.IP.String()), mac}}
			c.word("dev", e.Dev)
			w.line("%s", c)
		}
	}
}
