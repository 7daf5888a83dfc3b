//go:build linux

package dhcp

import (
	"net/netip"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
)

// FuzzMessage holds that whatever comes in from the network is answered with what can be sent, and
// never with an address outside of the pool.
func FuzzMessage(f *testing.F) {
	for _, kind := range []dhcpv4.MessageType{dhcpv4.MessageTypeDiscover, dhcpv4.MessageTypeRequest, dhcpv4.MessageTypeDecline, dhcpv4.MessageTypeRelease, dhcpv4.MessageTypeInform} {
		m, err := dhcpv4.New(dhcpv4.WithMessageType(kind), dhcpv4.WithHwAddr([]byte{2, 0, 0, 0, 0, 1}),
			dhcpv4.WithOption(dhcpv4.OptRequestedIPAddress([]byte{10, 0, 0, 101})))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(m.ToBytes())
	}
	frame, err := packet(netip.MustParseAddrPort("10.0.0.1:67"), netip.MustParseAddrPort("10.0.0.2:68"), []byte("x"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(frame)
	f.Fuzz(func(t *testing.T, b []byte) {
		payloadOf(b, clientPort)
		m, err := dhcpv4.FromBytes(b)
		if err != nil {
			t.Skip()
		}
		subnet := home(3)
		s := &Server{config: Config{Subnets: []Subnet{subnet}}, leases: newLeases()}
		r, _ := s.respond(m, arrival{&subnet, netip.MustParseAddr("10.0.0.1"), nil}, time.Now())
		answerTo(m, b, []dhcpv4.MessageType{m.MessageType()})
		if r == nil {
			return
		}
		if _, err := dhcpv4.FromBytes(r.ToBytes()); err != nil {
			t.Fatalf("the answer cannot be read: %v", err)
		}
		if a := addrOf(r.YourIPAddr); !a.IsUnspecified() && (a.Less(subnet.First) || subnet.Last.Less(a)) {
			t.Fatalf("an address outside of the pool: %s", a)
		}
		leaseOf(r)
	})
}
