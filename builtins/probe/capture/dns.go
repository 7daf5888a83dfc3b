package capture

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
)

// rcodes are the answers' codes (IANA), as tcpdump names them.
var rcodes = map[layers.DNSResponseCode]string{
	1: " FormErr", 2: " ServFail", 3: " NXDomain", 4: " NotImp", 5: " Refused", 6: " YXDomain", 7: " YXRRSet", 8: " NXRRSet",
	9: " NotAuth", 10: " NotZone",
}

// dns puts a question to the domain name system, or its answer, in words (RFC 1035).
func (w *line) dns(b []byte, length int, multicast bool) {
	var d layers.DNS
	if err := d.DecodeFromBytes(b, gopacket.NilDecodeFeedback); err != nil && len(b) < 12 {
		w.cut("domain")
		return
	} else if err != nil {
		w.f("%d", u16(b))
		w.cut("domain")
		return
	}
	flag := func(on bool, text string) {
		if on {
			w.f("%s", text)
		}
	}
	w.f("%d", d.ID)
	if d.QR {
		w.f("%s", rcodes[d.ResponseCode])
		flag(d.AA, "*")
		flag(!d.RA, "-")
		flag(d.TC, "|")
		flag(d.Z&2 != 0, "$")
		if int(d.QDCount) != 1 {
			w.f(" [%dq]", d.QDCount)
		}
		w.f(" %d/%d/%d", d.ANCount, d.NSCount, d.ARCount)
		for i, rr := range d.Answers {
			if i > 0 {
				w.f(",")
			}
			w.f(" %s", w.record(&rr, multicast))
		}
		w.f(" (%d)", length)
		return
	}
	flag(d.RD, "+")
	flag(d.Z&1 != 0, "%%")
	if d.QDCount != 1 {
		w.f(" [%dq]", d.QDCount)
	}
	if d.ANCount != 0 {
		w.f(" [%da]", d.ANCount)
	}
	if d.NSCount != 0 {
		w.f(" [%dn]", d.NSCount)
	}
	if d.ARCount != 0 {
		w.f(" [%dau]", d.ARCount)
	}
	for i, q := range d.Questions {
		if i > 0 {
			w.f(",")
		}
		class := ""
		if multicast {
			class = " (QM)"
			if q.Class&0x8000 != 0 {
				class = " (QU)"
			}
		}
		w.f(" %s%s? %s", dnsType(q.Type), class, dnsName(q.Name))
	}
	w.f(" (%d)", length)
}

func dnsType(t layers.DNSType) string {
	if name, ok := map[layers.DNSType]string{255: "ANY", 43: "DS", 46: "RRSIG", 48: "DNSKEY", 65: "HTTPS", 64: "SVCB", 257: "CAA"}[t]; ok {
		return name
	}
	if s := t.String(); s != "Unknown" {
		return s
	}
	return fmt.Sprintf("Type%d", t)
}

func dnsName(b []byte) string { return printable(b) + "." }

func (w *line) record(rr *layers.DNSResourceRecord, multicast bool) string {
	text := ""
	if multicast && rr.Class&0x8000 != 0 {
		text = "(Cache flush) "
	}
	if w.style.Verbose {
		text = dnsName(rr.Name) + " " + text
	}
	text += dnsType(rr.Type)
	switch rr.Type {
	case layers.DNSTypeA, layers.DNSTypeAAAA:
		if a, ok := netip.AddrFromSlice(rr.IP); ok {
			return text + " " + a.Unmap().String()
		}
	case layers.DNSTypeCNAME:
		return text + " " + dnsName(rr.CNAME)
	case layers.DNSTypeNS:
		return text + " " + dnsName(rr.NS)
	case layers.DNSTypePTR:
		return text + " " + dnsName(rr.PTR)
	case layers.DNSTypeMX:
		return fmt.Sprintf("%s %s %d", text, dnsName(rr.MX.Name), rr.MX.Preference)
	case layers.DNSTypeSRV:
		return fmt.Sprintf("%s %s:%d %d %d", text, dnsName(rr.SRV.Name), rr.SRV.Port, rr.SRV.Priority, rr.SRV.Weight)
	case layers.DNSTypeTXT:
		var parts []string
		for _, s := range rr.TXTs {
			parts = append(parts, fmt.Sprintf("%q", printable(s)))
		}
		return text + " " + strings.Join(parts, " ")
	}
	return text
}
