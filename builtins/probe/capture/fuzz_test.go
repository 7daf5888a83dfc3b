//go:build linux

package capture

import (
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/gopacket/gopacket/layers"
)

// FuzzSummary puts anything in words: it says something, on a line that a terminal can
// show, and does not take its time.
func FuzzSummary(f *testing.F) {
	for _, b := range crafted() {
		f.Add(b, uint8(0), len(b))
		f.Add(b[14:], uint8(1), len(b)-14)
	}
	kinds := []layers.LinkType{layers.LinkTypeEthernet, layers.LinkTypeRaw, layers.LinkTypeLinuxSLL}
	f.Fuzz(func(t *testing.T, b []byte, kind uint8, length int) {
		dev := &Device{Space: "red", Name: "eth0", Link: kinds[int(kind)%len(kinds)]}
		var flows Flows
		begun := time.Now()
		for name, s := range styles {
			p := &Packet{Dev: dev, Length: max(length, len(b)), Data: b}
			flows.Note(p)
			text := p.Text(s.style)
			if strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }) {
				t.Errorf("%s: %q", name, text)
			}
			if strings.Contains(text, "%!") || len(text) > 100000 {
				t.Errorf("%s: %.1000q", name, text)
			}
		}
		if took := time.Since(begun); took > time.Second {
			t.Errorf("it takes %v", took)
		}
	})
}
