package op

import (
	"fmt"

	"nsscript/builtins/picture"
)

// AddVLAN makes the end of a VLAN (IEEE 802.1Q): what it sends leaves by another
// interface with a tag.
type AddVLAN struct {
	NewLink
	Over     Over   `json:"over"`
	ID       int    `json:"id"`
	Protocol string `json:"protocol,omitempty"` // 802.1Q or 802.1ad; "" for the first
}

// Prepare picks what the interface is recognised by.
func (o *AddVLAN) Prepare(s *System) error { return o.prepareOver(s, o.Over) }

func (o *AddVLAN) twin() string {
	return fmt.Sprintf("interface %q in %s has the VLAN %d already", o.Over.Dev, quoteNS(o.Over.NS), o.ID)
}

func (o *AddVLAN) options() [][2]string {
	list := [][2]string{{"id", fmt.Sprint(o.ID)}}
	if o.Protocol != "" {
		list = append(list, [2]string{"protocol", o.Protocol})
	}
	return list
}

// Commands are those of `ip link`.
func (o *AddVLAN) Commands() []string {
	return o.commandsOver(o.Over, kindWords("vlan", o.options())...)
}

// Model adds the interface.
func (o *AddVLAN) Model(p *picture.Picture) error {
	lower, err := picturedLink(p, o.Over.NS, o.Over.Dev)
	if err != nil {
		return err
	}
	for _, ns := range p.Namespaces {
		for _, l := range ns.Links {
			if l.Kind == "vlan" && l.Peer == lower && l.Option("id") == fmt.Sprint(o.ID) && l.Option("protocol") == o.Protocol && l.Name != o.Name {
				return &Error{Msg: o.twin()}
			}
		}
	}
	l, err := o.modelOver(p, o.Over, "vlan", o.options()...)
	if err != nil {
		return err
	}
	if l.MAC == "" {
		l.MAC = lower.MAC
	}
	return o.modelFinish(l)
}
