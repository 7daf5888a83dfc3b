package builtins

import (
	"fmt"
	"time"

	"go.starlark.net/starlark"

	"nsscript/builtins/probe/capture"
)

// Packet is a packet that was seen. It is taken apart when somebody asks.
type Packet struct {
	p     *capture.Packet
	after time.Duration // since the capture began
}

var _ starlark.HasAttrs = (*Packet)(nil)

func (p *Packet) String() string {
	return fmt.Sprintf("%.6f %s %s %s", p.after.Seconds(), p.p.Dev.Name, p.p.Dir, p.p.Summary())
}
func (p *Packet) Type() string          { return "Packet" }
func (p *Packet) Freeze()               {}
func (p *Packet) Truth() starlark.Bool  { return true }
func (p *Packet) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable type: Packet") }

var packetFields = map[string]func(*Packet) starlark.Value{
	"time":      func(p *Packet) starlark.Value { return seconds(p.after) },
	"dev":       func(p *Packet) starlark.Value { return starlark.String(p.p.Dev.Name) },
	"direction": func(p *Packet) starlark.Value { return starlark.String(p.p.Dir.String()) },
	"length":    func(p *Packet) starlark.Value { return starlark.MakeInt(p.p.Length) },
	"src":       func(p *Packet) starlark.Value { return strOrNone(p.p.Fields().Src) },
	"dst":       func(p *Packet) starlark.Value { return strOrNone(p.p.Fields().Dst) },
	"proto":     func(p *Packet) starlark.Value { return strOrNone(p.p.Fields().Proto) },
	"sport":     func(p *Packet) starlark.Value { return intOrNone(p.p.Fields().Sport) },
	"dport":     func(p *Packet) starlark.Value { return intOrNone(p.p.Fields().Dport) },
	"summary":   func(p *Packet) starlark.Value { return starlark.String(p.p.Summary()) },
}

// AttrNames lists the fields.
func (p *Packet) AttrNames() []string { return attrNames(packetFields, nil) }

// Attr returns a field.
func (p *Packet) Attr(name string) (starlark.Value, error) {
	if f, ok := packetFields[name]; ok {
		return f(p), nil
	}
	return nil, noAttr(p, name)
}

func (p *Packet) columns() []string { return []string{"TIME", "DEV", "DIRECTION", "PACKET"} }

func (p *Packet) row() ([]string, error) {
	return []string{fmt.Sprintf("%.6f", p.after.Seconds()), p.p.Dev.Name, p.p.Dir.String(), firstLine(p.p.Summary())}, nil
}

const packetDoc = `
A packet that a capture has seen; printed as tcpdump -nn prints it.

time (float, seconds): when it passed, since the capture began
dev (string): the interface on which it was seen
direction (string): "in" or "out"; what came in for a group, for everybody or for somebody else is "in" as well
length (int, bytes): its length with the link's header, also where not all of it was kept
src (string | None): the IP address that it comes from; of what is no IP the MAC address
dst (string | None): the IP address that it goes to; of what is no IP the MAC address
proto (string | None): tcp, udp, icmp, icmp6, arp, igmp, …
sport (int | None): the TCP or UDP port that it comes from
dport (int | None): the TCP or UDP port that it goes to
summary (string): what it says, on one line
example:
    red = namespace("red")
    cap = capture(red, dev = "lo", filter = "udp")
    connect(red, "127.0.0.1", 9, proto = "udp", send = "hello", timeout = "50ms")
    p = cap.packets[0]
    print(p.dev, p.direction, p.proto, p.dst, p.dport, p.length)
    #> lo in udp 127.0.0.1 9 47
source: packet(7), tcpdump(8)
`
