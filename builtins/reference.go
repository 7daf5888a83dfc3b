package builtins

import (
	"errors"
	"fmt"

	"nsscript/builtins/doc"
)

// chapter is a part of the reference: names that belong together.
type chapter struct {
	title   string
	values  []description
	modules []description
	specs   []spec
	types   []typeDoc
}

// description describes what is no function.
type description struct{ name, doc string }

// typeDoc describes a type of value: its fields, and its methods as specs whose
// first parameter is the value.
type typeDoc struct {
	name, doc string
	methods   []spec
}

// chapters are all that a script can name, in the order of the reference.
var chapters = []chapter{
	{title: "Labs", specs: labSpecs, values: []description{{"host", hostDoc}, {"kernel", kernelDoc}},
		types: []typeDoc{{"kernel", "", kernelMethods}}},
	{title: "Topology", specs: topologySpecs, types: []typeDoc{
		{"Namespace", namespaceDoc, namespaceMethods}, {"Link", linkDoc, linkMethods}, {"Bridge", bridgeTypeDoc, bridgeMethods},
		{"LinkStats", linkStatsDoc, nil}, {"Neighbor", neighborDoc, nil}, {"FDBEntry", fdbEntryDoc, nil},
	}},
	{title: "Other kinds of links", specs: kindSpecs, types: []typeDoc{
		{"Wireguard", wireguardTypeDoc, wireguardMethods}, {"WireguardKey", wireguardKeyTypeDoc, nil},
	}},
	{title: "Routes", specs: routeSpecs, types: []typeDoc{
		{"Route", routeTypeDoc, routeMethods}, {"PolicyRule", policyRuleDoc, policyRuleMethods},
	}},
	{title: "Addresses", specs: cidrSpecs, types: []typeDoc{
		{"Network", networkDoc, networkMethods}, {"Address", addressDoc, nil},
	}},
	{title: "Firewall", specs: firewallSpecs, modules: []description{{"firewall", firewallDoc}},
		types: []typeDoc{{"Rule", ruleTypeDoc, ruleMethods}}},
	{title: "NAT", specs: natSpecs, modules: []description{{"nat", natDoc}}},
	{title: "iptables", specs: iptablesSpecs},
	{title: "Processes", specs: processSpecs, types: []typeDoc{
		{"Result", resultDoc, nil}, {"Process", processTypeDoc, processMethods},
	}},
	{title: "Services", specs: serviceSpecs, types: []typeDoc{
		{"Resolver", resolverTypeDoc, nil}, {"DNSAnswer", dnsAnswerDoc, nil}, {"DNSRecord", dnsRecordDoc, nil},
		{"Lease", leaseDoc, leaseMethods},
	}},
	{title: "Packets", specs: probeSpecs, types: []typeDoc{
		{"PingResult", pingResultDoc, nil}, {"ConnResult", connResultDoc, nil},
		{"Response", responseDoc, nil}, {"Hop", hopDoc, nil}, {"Throughput", throughputResultDoc, nil},
		{"Matrix", matrixDoc, nil}, {"Unreached", unreachedDoc, nil},
		{"Path", pathDoc, nil}, {"WalkHop", walkHopDoc, nil},
		{"Capture", captureTypeDoc, captureMethods}, {"Packet", packetDoc, nil},
	}},
	{title: "Checks and control", specs: checkSpecs},
	{title: "The interactive session", specs: consoleSpecs},
}

// Reference describes all that a script can name.
func Reference() (*doc.Library, error) {
	r := referenceReader{}
	for _, c := range chapters {
		r.chapter(c)
	}
	lib := doc.NewLibrary(r.pages...)
	lib.Other, lib.Setters = OtherMembers, fieldSetters
	return lib, errors.Join(r.errs...)
}

type referenceReader struct {
	group string
	pages []*doc.Page
	errs  []error
}

func (r *referenceReader) chapter(c chapter) {
	r.group = c.title
	for _, v := range c.values {
		r.page(doc.Value, v.name, "", v.doc)
	}
	for _, m := range c.modules {
		r.page(doc.Module, m.name, "", m.doc)
	}
	for _, sp := range c.specs {
		name, _ := doc.Signature(sp.sig)
		p := r.page(doc.Builtin, name, sp.sig, sp.doc)
		if p != nil && len(p.Args) > 0 && p.Args[0].Name == "ns" {
			p.Args[0].Type = "Namespace"
			if p.Args[0].Text == "" {
				p.Args[0].Text = "the namespace that it is about; before a dot, in the method form"
			}
		}
	}
	for _, t := range c.types {
		// A value whose type has its name is described by one page.
		if r.find(t.name) == nil {
			r.page(doc.Type, t.name, "", t.doc)
		}
		for _, sp := range t.methods {
			name, _ := doc.Signature(sp.sig)
			if p := r.page(doc.Method, t.name+"."+name, sp.sig, sp.doc); p != nil {
				*p = *p.Bound()
			}
		}
	}
}

func (r *referenceReader) find(name string) *doc.Page {
	for _, p := range r.pages {
		if p.Name == name {
			return p
		}
	}
	return nil
}

func (r *referenceReader) page(kind doc.Kind, name, sig, text string) *doc.Page {
	p, err := doc.Parse(kind, name, sig, text)
	if err != nil {
		r.errs = append(r.errs, fmt.Errorf("internal error: %w", err))
		return nil
	}
	p.Group = r.group
	r.pages = append(r.pages, p)
	return p
}
