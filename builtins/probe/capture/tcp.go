package capture

import (
	"fmt"
	"strings"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
)

// tcp puts a segment in words, with its ends.
func (w *line) tcp(n network, b []byte, length int) {
	if len(b) < 4 {
		w.f("%s > %s:", n.src, n.dst)
		w.cut("tcp")
		return
	}
	w.ports(b)
	w.f("%s.%d > %s.%d: ", n.src, u16(b), n.dst, u16(b[2:]))
	w.tcpBare(n, b, length)
}

// ports notes the ports that a packet is about.
func (w *line) ports(b []byte) {
	if w.depth == 0 && len(b) >= 4 {
		w.fields.Sport, w.fields.Dport = u16(b), u16(b[2:])
	}
}

// tcpBare puts a segment in words.
func (w *line) tcpBare(n network, b []byte, length int) {
	w.ports(b)
	var t layers.TCP
	if err := t.DecodeFromBytes(b, gopacket.NilDecodeFeedback); err != nil && t.DataOffset == 0 {
		w.cut("tcp")
		return
	}
	head := int(t.DataOffset) * 4
	data := length - head
	if w.style.Quick {
		w.f("tcp %d", data)
		return
	}
	seq, ack := t.Seq, t.Ack
	back := false
	if w.flow != nil && w.depth == 0 {
		h := tcpHead{src: endOf(n.src, b), dst: endOf(n.dst, b[2:])}
		if back = h.reversed(); back {
			seq, ack = seq-w.flow.ack, ack-w.flow.seq
		} else {
			seq, ack = seq-w.flow.seq, ack-w.flow.ack
		}
	}
	w.f("Flags [%s]", tcpFlags(u16(b[12:])))
	if head > length {
		w.f(" [bad hdr length %d - too long, > %d]", head, length)
		return
	}
	if data > 0 || t.SYN || t.FIN || t.RST {
		w.f(", seq %d", seq)
		if data > 0 {
			w.f(":%d", seq+uint32(data))
		}
	}
	if t.ACK {
		w.f(", ack %d", ack)
	}
	w.f(", win %d", t.Window)
	if t.URG {
		w.f(", urg %d", t.Urgent)
	}
	if head > 20 {
		w.tcpOptions(b[20:min(head, len(b))], head-20, back)
	}
	w.f(", length %d", data)
	if data > 0 {
		w.application(int(t.SrcPort), int(t.DstPort), b[min(head, len(b)):], data, true)
	}
}

// tcpFlags are the letters of tcpdump.
func tcpFlags(n int) string {
	text := ""
	for i, letter := range "FSRP.UEWe" {
		if n&(1<<i) != 0 {
			text += string(letter)
		}
	}
	if text == "" {
		return "none"
	}
	return text
}

// Kinds of TCP's options (IANA).
const (
	optEnd       = 0
	optNop       = 1
	optMSS       = 2
	optWindow    = 3
	optSackOK    = 4
	optSack      = 5
	optTimestamp = 8
	optMPTCP     = 30
	optFastOpen  = 34
)

func (w *line) tcpOptions(b []byte, announced int, back bool) {
	var list []string
	say := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	cut := len(b) < announced
	for len(b) > 0 {
		kind := b[0]
		if kind == optEnd {
			say("eol")
			break
		}
		if kind == optNop {
			say("nop")
			b = b[1:]
			continue
		}
		if len(b) < 2 || b[1] < 2 || int(b[1]) > len(b) {
			cut = true
			break
		}
		v := b[2:b[1]]
		b = b[b[1]:]
		switch {
		case kind == optMSS && len(v) == 2:
			say("mss %d", u16(v))
		case kind == optWindow && len(v) == 1:
			say("wscale %d", v[0])
		case kind == optSackOK:
			say("sackOK")
		case kind == optSack && len(v)%8 == 0:
			say("sack %d %s", len(v)/8, w.sack(v, back))
		case kind == optTimestamp && len(v) == 8:
			say("TS val %d ecr %d", u32(v), u32(v[4:]))
		case kind == optMPTCP:
			say("mptcp %d", len(v)+2)
		case kind == optFastOpen && len(v) == 0:
			say("tfo  cookiereq")
		case kind == optFastOpen:
			say("tfo  cookie %x", v)
		default:
			say("unknown-%d %s", kind, hexWords(v))
		}
	}
	w.f(", options [%s]", strings.Join(list, ","))
	if cut {
		w.cut("tcp")
	}
}

func hexWords(v []byte) string { return fmt.Sprintf("0x%x", v) }

// sack are the ranges that have come, counted from where the other way begins.
func (w *line) sack(v []byte, back bool) string {
	from := uint32(0)
	if w.flow != nil && w.depth == 0 {
		if from = w.flow.ack; back {
			from = w.flow.seq
		}
	}
	text := ""
	for ; len(v) >= 8; v = v[8:] {
		text += fmt.Sprintf("{%d:%d}", u32(v)-from, u32(v[4:])-from)
	}
	return text
}
