package graph

import (
	"encoding/json"

	"nsscript/builtins/picture"
)

// Network is a drawing in the form of JSON. Fields are added in time; those that there
// are keep their meaning.
type Network struct {
	Lab        string      `json:"lab"`
	Namespaces []Namespace `json:"namespaces"` // the host first
	Cables     []Cable     `json:"cables"`
	Bridges    []Bridge    `json:"bridges"`
	Walk       *WalkJSON   `json:"walk,omitempty"`
}

// Namespace is a namespace with all that is in it.
type Namespace struct {
	Name     string            `json:"name"`
	Note     string            `json:"note,omitempty"` // the processes that live in it
	Owned    bool              `json:"owned"`          // the lab made it
	Router   bool              `json:"router"`         // it forwards IPv4 or IPv6
	Links    []Link            `json:"links"`          // without lo
	Routes   []string          `json:"routes"`         // as `ip route` has them
	Sysctls  map[string]string `json:"sysctls,omitempty"`
	Tables   []TableSummary    `json:"tables"` // of the packet filter, those that have rules or drop
	Services []string          `json:"services,omitempty"`
}

// Link is an interface.
type Link struct {
	Name    string            `json:"name"`
	Kind    string            `json:"kind"`
	MAC     string            `json:"mac,omitempty"`
	MTU     int               `json:"mtu"` // bytes
	Up      bool              `json:"up"`
	Addrs   []string          `json:"addrs"`            // but those that are link-local
	Master  string            `json:"master,omitempty"` // the bridge, bond or VRF that it belongs to
	Lower   *End              `json:"lower,omitempty"`  // the device that it stands on
	Options map[string]string `json:"options,omitempty"`
}

// TableSummary is a table of iptables or ip6tables.
type TableSummary struct {
	Name     string            `json:"name"`
	V6       bool              `json:"v6,omitempty"`
	Policies map[string]string `json:"policies,omitempty"` // of the chains that have one
	Rules    int               `json:"rules"`              // how many
	Lines    []string          `json:"lines"`              // each as a command
}

// End is an interface by its names.
type End struct {
	Namespace string `json:"namespace"`
	Link      string `json:"link"`
}

// Cable joins two interfaces: the ends of a pair of veth, a device and one that stands
// on it in another namespace, or the ends of a tunnel.
type Cable struct {
	A      End    `json:"a"`
	B      End    `json:"b"`
	Kind   string `json:"kind"`             // veth, that of a tunnel, or of the device that stands on A
	Tunnel bool   `json:"tunnel,omitempty"` // what passes it goes over other cables
	Up     bool   `json:"up"`               // both ends are
}

// Bridge is a bridge with its ports.
type Bridge struct {
	Namespace string   `json:"namespace"`
	Link      string   `json:"link"`
	Ports     []string `json:"ports"`
}

// WalkJSON is the way of a packet.
type WalkJSON struct {
	Title   string     `json:"title"`
	Verdict string     `json:"verdict"`
	Arrived bool       `json:"arrived"` // and no answer was lost
	Stops   []StopJSON `json:"stops"`
	Death   *DeathJSON `json:"death,omitempty"`
}

// StopJSON is a namespace that the packet was in, or a cable that it passed.
type StopJSON struct {
	Number    int    `json:"number"`
	Namespace string `json:"namespace,omitempty"`
	Bridge    string `json:"bridge,omitempty"`
	Cable     *int   `json:"cable,omitempty"` // its place in cables
	From      *End   `json:"from,omitempty"`  // of a cable, where the packet came from
	Back      bool   `json:"back,omitempty"`  // it was the answer
}

// DeathJSON is where and why the packet was lost.
type DeathJSON struct {
	Namespace string `json:"namespace"`
	Link      string `json:"link,omitempty"`
	Reason    string `json:"reason"`
	Text      string `json:"text"`
}

func (d *drawing) json(*Options) string {
	n := Network{Lab: d.pic.Lab, Namespaces: []Namespace{}, Cables: []Cable{}, Bridges: []Bridge{}}
	for _, s := range d.pic.Namespaces {
		n.Namespaces = append(n.Namespaces, namespaceJSON(s))
		for _, l := range s.Links {
			if l.Kind == "bridge" {
				n.Bridges = append(n.Bridges, bridgeJSON(l))
			}
		}
	}
	for _, c := range d.cables {
		n.Cables = append(n.Cables, Cable{A: endJSON(c.a.link), B: endJSON(c.b.link), Kind: c.kind, Tunnel: c.tunnel, Up: !c.down()})
	}
	n.Walk = d.walkJSON()
	text, err := json.MarshalIndent(n, "", "  ")
	if err != nil {
		return "" // of strings, numbers and truth values there is none
	}
	return string(text) + "\n"
}

func endJSON(l *picture.Link) End { return End{l.NS.Name, l.Name} }

func bridgeJSON(l *picture.Link) Bridge {
	b := Bridge{l.NS.Name, l.Name, []string{}}
	for _, p := range l.Ports() {
		b.Ports = append(b.Ports, p.Name)
	}
	return b
}

func namespaceJSON(s *picture.Namespace) Namespace {
	_, router := routing(s)
	n := Namespace{
		Name: s.Name, Note: s.Note, Owned: s.Owned, Router: router, Links: []Link{}, Routes: []string{},
		Sysctls: s.Sysctls, Tables: []TableSummary{}, Services: s.Services,
	}
	for _, l := range s.Links {
		if !hidden(l) {
			n.Links = append(n.Links, linkJSON(l))
		}
	}
	for i := range s.Routes {
		n.Routes = append(n.Routes, s.Routes[i].String())
	}
	for _, t := range s.Tables {
		if sum := summary(t); len(sum.Lines) > 0 {
			n.Tables = append(n.Tables, sum)
		}
	}
	return n
}

func linkJSON(l *picture.Link) Link {
	k := Link{Name: l.Name, Kind: l.Kind, MAC: l.MAC, MTU: l.MTU, Up: l.Up, Addrs: append([]string{}, addrsOf(l)...)}
	if l.Master != nil {
		k.Master = l.Master.Name
	}
	if l.Peer != nil && l.Peer.Peer != l {
		e := endJSON(l.Peer)
		k.Lower = &e
	}
	for _, o := range l.Options {
		if k.Options == nil {
			k.Options = map[string]string{}
		}
		k.Options[o[0]] = o[1]
	}
	return k
}

func (d *drawing) walkJSON() *WalkJSON {
	t := d.track
	if t == nil {
		return nil
	}
	w := &WalkJSON{Title: t.Title, Verdict: t.Verdict, Arrived: t.Arrived, Stops: []StopJSON{}}
	for _, s := range t.stops {
		stop := StopJSON{Number: s.number, Back: s.back}
		if s.box != nil {
			stop.Namespace = s.box.ns.Name
			if s.box.bridge != nil {
				stop.Bridge = s.box.bridge.Name
			}
		} else {
			from := endJSON(s.from.link)
			stop.Cable, stop.From = &s.cable.number, &from
		}
		w.Stops = append(w.Stops, stop)
	}
	if x := t.Death; x != nil {
		w.Death = &DeathJSON{x.NS, x.Dev, x.Reason, x.Text}
	}
	return w
}
