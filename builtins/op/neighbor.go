package op

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"nsscript/builtins/kernel"
	"nsscript/builtins/picture"
)

// AddNeighbor enters who has an address on a link, for good, or that this namespace
// answers for it there (ip-neighbour(8)).
type AddNeighbor struct {
	NS  string `json:"ns"`
	Dev string `json:"dev"`
	IP  string `json:"ip"`
	MAC string `json:"mac,omitempty"` // "" for an address that this namespace answers for
	// Of is the neighbour's interface where its address is not known yet: in a plan.
	Of *Over `json:"of,omitempty"`
}

// Prepare sees to it that Undo can only remove what Do added.
func (o *AddNeighbor) Prepare(s *System) error {
	if s.Owned(o.NS) {
		return nil
	}
	n, err := s.Look(o.NS)
	if err != nil {
		return err
	}
	list, err := n.Neighbors()
	if err != nil {
		return failed(err, "the neighbours of %s", quoteNS(o.NS))
	}
	for _, e := range list {
		if e.Dev == o.Dev && e.IP.String() == o.IP && strings.Contains(e.State, "PERMANENT") {
			return o.there(unix.EEXIST)
		}
	}
	return nil
}

func (o *AddNeighbor) there(err error) error {
	return &Error{Msg: fmt.Sprintf("%s has an entry for %s on %q already", quoteNS(o.NS), o.IP, o.Dev), Err: err, Mute: true, Untouched: true}
}

// Commands is `ip neigh`.
func (o *AddNeighbor) Commands() []string {
	switch {
	case o.Of != nil:
		address := InNS(o.Of.NS, "cat", "/sys/class/net/"+o.Of.Dev+"/address")
		return []string{ip(o.NS, "neigh", "replace", o.IP, "nud", "permanent", "dev", o.Dev, "lladdr") + ` "$(` + address + `)"`}
	case o.MAC == "":
		return []string{ip(o.NS, "neigh", "add", "proxy", o.IP, "dev", o.Dev)}
	}
	return []string{ip(o.NS, "neigh", "replace", o.IP, "lladdr", o.MAC, "nud", "permanent", "dev", o.Dev)}
}

// Inside is the namespace.
func (o *AddNeighbor) Inside() []string { return []string{o.NS} }

// Model enters the neighbour.
func (o *AddNeighbor) Model(p *picture.Picture) error {
	l, err := picturedLink(p, o.NS, o.Dev)
	if err != nil {
		return err
	}
	ip, err := netip.ParseAddr(o.IP)
	if err != nil || o.MAC == "" && o.Of == nil {
		return err // `ip neigh` does not list those that somebody answers for
	}
	same := func(e kernel.Neigh) bool { return e.IP == ip && e.Dev == o.Dev }
	l.NS.Neighbors = append(slices.DeleteFunc(l.NS.Neighbors, same), kernel.Neigh{IP: ip, MAC: parseMAC(o.MAC), Dev: o.Dev, State: "PERMANENT"})
	return nil
}
