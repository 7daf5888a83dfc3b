package dns

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// Types are the types of records that a script can give, or ask for.
var Types = []string{"A", "AAAA", "CAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TXT"}

// typeOf is the number of a type by its name.
func typeOf(name string) (uint16, error) {
	if !slices.Contains(Types, name) && name != "ANY" {
		return 0, fmt.Errorf("no type of record is called %q: %s are known", name, strings.Join(Types, ", "))
	}
	return dns.StringToType[name], nil
}

// CheckName says what is wrong with a domain name, if anything. A first label * is
// allowed where wildcard is set.
func CheckName(name string, wildcard bool) error {
	bare := strings.TrimSuffix(name, ".")
	if wildcard {
		bare = strings.TrimPrefix(bare, "*.")
	}
	if name == "." {
		return nil
	}
	if _, ok := dns.IsDomainName(bare); !ok || bare == "" {
		return fmt.Errorf("%q is no domain name", name)
	}
	for _, r := range bare {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-_.", r) {
			return fmt.Errorf("%q is no domain name: it holds %q", name, r)
		}
	}
	return nil
}

// Parse reads one record as text: of a name, of a type, with the data as a zone file has
// it (RFC 1035, 5.1), except that names need no final dot, that a TXT needs no
// quotes, and that an MX may leave out its preference. The time to live is in seconds.
func Parse(name, kind, data string, ttl int) (string, error) {
	if err := CheckName(name, true); err != nil {
		return "", err
	}
	number, err := typeOf(kind)
	if err != nil {
		return "", err
	}
	head := dns.RR_Header{Name: dns.Fqdn(name), Rrtype: number, Class: dns.ClassINET, Ttl: uint32(ttl)}
	if kind == "TXT" {
		return oneLine(&dns.TXT{Hdr: head, Txt: chunks(data)}), nil
	}
	if kind == "MX" && len(strings.Fields(data)) == 1 && strings.Trim(data, "0123456789 ") != "" {
		data = "10 " + data
	}
	if strings.ContainsAny(data, "\n\r()\";") || strings.TrimSpace(data) == "" {
		return "", fmt.Errorf("%q is no data of a record of type %s", data, kind)
	}
	rr, err := dns.NewRR(fmt.Sprintf("%s %d IN %s %s", head.Name, ttl, kind, data))
	if err != nil || rr == nil {
		return "", fmt.Errorf("%q is no data of a record of type %s, such as %q", data, kind, samples[kind])
	}
	return oneLine(rr), nil
}

// oneLine is a record with spaces between its parts, as one would type it.
func oneLine(rr dns.RR) string { return strings.ReplaceAll(rr.String(), "\t", " ") }

// samples are data of each type.
var samples = map[string]string{
	"A": "10.0.0.1", "AAAA": "2001:db8::1", "CAA": `0 issue ca.example.com`, "CNAME": "www.example.com", "MX": "10 mail.example.com",
	"NS": "ns1.example.com", "PTR": "www.example.com", "SRV": "0 5 5060 sip.example.com",
	"SOA": "ns1.example.com hostmaster.example.com 1 3600 600 86400 60",
}

// chunks cuts a text into strings that fit into a TXT record.
func chunks(s string) []string {
	list := []string{}
	for len(s) > 255 {
		list, s = append(list, s[:255]), s[255:]
	}
	return append(list, s)
}

// Reverse is the name under which an address has its PTR record.
func Reverse(a netip.Addr) string {
	name, err := dns.ReverseAddr(a.WithZone("").String())
	if err != nil {
		return "" // no address at all
	}
	return name
}
