//go:build linux

package trace

import (
	"fmt"
	"strings"
)

// death completes a death: of an answer it is the answer that was lost.
func (a *analysis) death(s *space, c class, d Death) *Death {
	d.Space = s.Name
	if d.Proto == 0 {
		d.Proto = a.id.proto
	}
	d.Src, d.Dst, d.SrcPort, d.DstPort = d.flow.src, d.flow.dst, d.flow.sport, d.flow.dport
	if c == answer || c == restAnswer {
		d.Back, d.Cause, d.Reason = true, d.Reason, AsymmetricReturn
	}
	return &d
}

// filtered is a death by the packet filter.
func (a *analysis) filtered(s *space, r *run, d *decision, c class) *Death {
	reason, verb := FirewallDrop, "dropped"
	if d.target == "REJECT" {
		reason, verb = FirewallReject, "rejected"
	}
	if d.queued() {
		verb = "handed to a program, which did not let it pass,"
	}
	by := "by its policy"
	switch {
	case d.number > 0 && d.rule != "":
		by = fmt.Sprintf("by rule %d: %s", d.number, d.rule)
	case d.number > 0:
		by = fmt.Sprintf("by rule %d", d.number)
	}
	family := ""
	if d.native {
		family = d.family
	}
	hook := ""
	if r.hook < len(hookChains) {
		hook = hookChains[r.hook]
	}
	return a.death(s, c, Death{Hook: hook, Proto: r.pkt.proto, Gone: d.gone, Family: family, Reason: reason, Legacy: r.legacy, Table: d.table, Chain: d.chain, Rule: d.number, RuleText: d.rule,
		In: s.name(r.in), Dev: s.name(r.out), flow: r.pkt.flow(),
		Text: fmt.Sprintf("%s in %s, %s, %s", verb, s.Name, d.place(), by)})
}

func (a *analysis) unknown(s *space, c class, f flow) *Death {
	d := Death{Reason: Unknown, flow: f, Text: "lost in " + s.Name + ", for no reason that can be seen"}
	if why := s.counted(a.id.v6); why != "" {
		d.Text = "lost in " + s.Name + ": it counted " + why
	}
	if s.silent != nil {
		d.Text += fmt.Sprintf("; perhaps by its packet filter: %s (%s)", s.silent.What, s.silent.Remedy)
	}
	return a.death(s, c, d)
}

// losses are the counters of packets that were thrown away (nstat(8)).
var losses = []string{
	"IpInHdrErrors", "IpInAddrErrors", "IpInUnknownProtos", "IpInDiscards", "IpOutDiscards", "IpOutNoRoutes",
	"IpReasmFails", "IpFragFails", "IpExtInNoRoutes", "IpExtInTruncatedPkts", "IpExtInCsumErrors",
	"TcpExtIPReversePathFilter", "TcpExtListenOverflows", "TcpExtListenDrops", "TcpExtTCPBacklogDrop", "TcpInCsumErrors",
	"UdpInErrors", "UdpRcvbufErrors", "UdpNoPorts", "IcmpInErrors", "IcmpOutErrors",
	"Ip6InHdrErrors", "Ip6InTooBigErrors", "Ip6InNoRoutes", "Ip6InAddrErrors", "Ip6InDiscards", "Ip6OutDiscards", "Ip6OutNoRoutes", "Ip6ReasmFails",
	"Udp6InErrors", "Udp6RcvbufErrors", "Udp6NoPorts", "Icmp6InErrors",
}

// counted lists the losses that the namespace counted meanwhile.
func (s *space) counted(v6 bool) string {
	var list []string
	for _, name := range losses {
		ofV6, ofV4 := strings.Contains(name, "p6"), strings.HasPrefix(name, "Ip") || strings.HasPrefix(name, "Icmp")
		if s.grew(name) && (ofV6 == v6 || !ofV6 && !ofV4) {
			list = append(list, name)
		}
	}
	return strings.Join(list, ", ")
}
