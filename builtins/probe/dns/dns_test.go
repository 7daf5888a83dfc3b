//go:build linux

package dns

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nsscript/builtins/probe"
	"nsscript/builtins/probe/internal/nettest"
)

// start serves in a namespace until the test ends. It listens on 127.0.0.1, and on 10.1.0.1,
// whose clients have that address too.
func start(t *testing.T, opts ServerOptions) (*nettest.NS, *nettest.Log) {
	t.Helper()
	ns := nettest.New(t, "ns1")
	if out, err := command(ns, "ip", "addr", "add", "10.1.0.1/24", "dev", "lo"); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	l := &nettest.Log{}
	opts.Log, opts.Port = l, Port
	var s *Server
	ns.Must(ns.Do(func() (err error) {
		s, err = Listen(opts)
		return err
	}))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- s.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the server ended with %v", err)
		}
	})
	return ns, l
}

// command runs a program in a namespace.
func command(ns *nettest.NS, argv ...string) (out string, err error) {
	var b bytes.Buffer
	err = ns.Do(func() error {
		cmd := exec.Command(argv[0], argv[1:]...)
		cmd.Stdout, cmd.Stderr = &b, &b
		return cmd.Run()
	})
	return b.String(), err
}

func lines(t *testing.T, records ...string) []string {
	t.Helper()
	var list []string
	for _, r := range records {
		w := strings.SplitN(r, " ", 3)
		line, err := Parse(w[0], w[1], w[2], 60)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, line)
	}
	return list
}

// example are records of every kind.
func example(t *testing.T) []string {
	return lines(t,
		"www.example.com A 10.0.0.80", "www.example.com AAAA 2001:db8::80",
		"example.com MX mail.example.com", "example.com TXT v=spf1 -all", "mail.example.com A 10.0.0.25",
		"ftp.example.com CNAME www.example.com", "out.example.com CNAME www.example.org",
		"ring1.example.com CNAME ring2.example.com", "ring2.example.com CNAME ring1.example.com",
		"a.deep.down.example.com A 10.0.0.9", "*.wild.example.com A 10.0.0.7", "exact.wild.example.com TXT here",
		"_sip._udp.example.com SRV 0 5 5060 www.example.com",
		"sub.example.com NS ns.sub.example.com", "ns.sub.example.com A 10.0.2.53", "printer A 10.0.0.99")
}

// ask puts a question over lo, and fails the test where nothing is answered.
func ask(t *testing.T, ns *nettest.NS, server, name, kind string, tcp bool) Answer {
	t.Helper()
	cfg := Config{Servers: []netip.AddrPort{netip.AddrPortFrom(netip.MustParseAddr(server), Port)}}
	a, err := Ask(context.Background(), ns, cfg, Question{Name: name, Type: kind, TCP: tcp, Timeout: 5 * time.Second})
	if err != nil || a.Error != "" {
		t.Fatalf("%s %s: %v %s", name, kind, err, a.Error)
	}
	return a
}

// TestAnswers holds what a server says to each kind of question, over UDP and TCP.
func TestAnswers(t *testing.T) {
	t.Parallel()
	ns, log := start(t, ServerOptions{Records: example(t), Views: []View{
		{Clients: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/24")}, Records: lines(t, "www.example.com A 10.1.0.80")},
	}})
	for _, c := range []struct{ server, name, kind, want string }{
		{"127.0.0.1", "www.example.com", "A", "NOERROR aa 10.0.0.80"},
		{"127.0.0.1", "WWW.Example.COM", "A", "NOERROR aa 10.0.0.80"},
		{"127.0.0.1", "www.example.com", "AAAA", "NOERROR aa 2001:db8::80"},
		{"127.0.0.1", "www.example.com", "MX", "NOERROR aa"},
		{"127.0.0.1", "no.example.com", "A", "NXDOMAIN aa"},
		{"127.0.0.1", "example.com", "MX", "NOERROR aa 10 mail.example.com."},
		{"127.0.0.1", "example.com", "TXT", "NOERROR aa v=spf1 -all"},
		{"127.0.0.1", "example.com", "SOA", "NOERROR aa ns.example.com. hostmaster.example.com. 1 3600 600 86400 5"},
		{"127.0.0.1", "ftp.example.com", "A", "NOERROR aa 10.0.0.80"},
		{"127.0.0.1", "ftp.example.com", "CNAME", "NOERROR aa www.example.com."},
		{"127.0.0.1", "out.example.com", "A", "NOERROR aa"},
		{"127.0.0.1", "ring1.example.com", "A", "SERVFAIL aa"},
		{"127.0.0.1", "down.example.com", "A", "NOERROR aa"}, // an empty name between others
		{"127.0.0.1", "x.deep.down.example.com", "A", "NXDOMAIN aa"},
		{"127.0.0.1", "any.thing.wild.example.com", "A", "NOERROR aa 10.0.0.7"},
		{"127.0.0.1", "exact.wild.example.com", "A", "NOERROR aa"}, // no wildcard where the name exists
		{"127.0.0.1", "x.exact.wild.example.com", "A", "NXDOMAIN aa"},
		{"127.0.0.1", "_sip._udp.example.com", "SRV", "NOERROR aa 0 5 5060 www.example.com."},
		{"127.0.0.1", "x.sub.example.com", "A", "NOERROR"}, // a referral
		{"127.0.0.1", "80.0.0.10.in-addr.arpa", "PTR", "NOERROR aa www.example.com."},
		{"127.0.0.1", "1.0.0.10.in-addr.arpa", "PTR", "NXDOMAIN aa"},
		{"127.0.0.1", Reverse(netip.MustParseAddr("2001:db8::80")), "PTR", "NOERROR aa www.example.com."},
		{"127.0.0.1", "printer", "A", "NOERROR aa 10.0.0.99"},
		{"127.0.0.1", "www.example.org", "A", "REFUSED"},
		{"10.1.0.1", "www.example.com", "A", "NOERROR aa 10.1.0.80"},
		{"10.1.0.1", "www.example.com", "AAAA", "NOERROR aa"}, // the view has the whole name
		{"10.1.0.1", "mail.example.com", "A", "NOERROR aa 10.0.0.25"},
		{"10.1.0.1", "ftp.example.com", "A", "NOERROR aa 10.1.0.80"},
	} {
		for _, tcp := range []bool{false, true} {
			a := ask(t, ns, c.server, c.name, c.kind, tcp)
			got := a.Rcode
			if a.Authority {
				got += " aa"
			}
			got = strings.TrimSpace(got + " " + strings.Join(a.Answers, ", "))
			if got != c.want {
				t.Errorf("%s %s @%s (tcp %v): %s, want %s", c.name, c.kind, c.server, tcp, got, c.want)
			}
		}
	}
	if want := "127.0.0.1 udp www.example.com. A NOERROR 10.0.0.80\n"; !strings.HasPrefix(log.String(), want) {
		t.Errorf("the log begins with\n%s", log)
	}
}

// TestDig holds that a client of another make understands the answers.
func TestDig(t *testing.T) {
	t.Parallel()
	var many []string
	for i := range 60 {
		many = append(many, fmt.Sprintf("many.example.com A 10.0.%d.1", i))
	}
	ns, log := start(t, ServerOptions{Records: append(example(t), lines(t, many...)...)})
	for _, c := range []struct{ args, want string }{
		{"+short www.example.com", "10.0.0.80"},
		{"+short -x 10.0.0.80", "www.example.com."},
		{"+noall +comments no.example.com", "status: NXDOMAIN"},
		{"+noall +authority no.example.com", "example.com.\t\t5\tIN\tSOA\tns.example.com. hostmaster.example.com. 1 3600 600 86400 5"},
		{"+noall +authority www.example.com TXT", "SOA"},
		{"+noall +authority +additional x.sub.example.com", "ns.sub.example.com.\t60\tIN\tA\t10.0.2.53"},
		{"+noall +additional example.com MX", "mail.example.com.\t60\tIN\tA\t10.0.0.25"},
		{"+noall +comments www.example.com CH TXT", "REFUSED"},
		{"+short example.com AXFR", "Transfer failed"},
		{"+noall +comments +opcode=notify example.com SOA", "NOTIMP"},
		{"+noedns +ignore +noall +comments many.example.com", "flags: qr aa tc rd"},
	} {
		out, err := command(ns, append([]string{"dig", "@127.0.0.1", "+tries=1", "+time=2"}, strings.Fields(c.args)...)...)
		if err != nil || !strings.Contains(out, c.want) {
			t.Errorf("dig %s: %v\n%s\nwant %q in it", c.args, err, out, c.want)
		}
	}
	out, err := command(ns, "dig", "@127.0.0.1", "+short", "+noedns", "many.example.com")
	if n := strings.Count(out, "\n"); err != nil || n != 60 {
		t.Errorf("after a truncated answer: %d addresses of 60, %v\n%s", n, err, out)
	}
	if !strings.Contains(log.String(), "tcp many.example.com. A NOERROR") || !strings.Contains(log.String(), "(truncated)") {
		t.Errorf("the log does not tell of the truncated answer, and of the question over TCP:\n%s", log)
	}
}

// TestTruncated holds that the own client asks again over TCP.
func TestTruncated(t *testing.T) {
	t.Parallel()
	var many []string
	for i := range 250 {
		many = append(many, fmt.Sprintf("many.example.com A 10.0.%d.1", i))
	}
	ns, log := start(t, ServerOptions{Records: lines(t, many...)})
	if a := ask(t, ns, "127.0.0.1", "many.example.com", "A", false); len(a.Answers) != 250 {
		t.Errorf("%d addresses of 250\n%s", len(a.Answers), log)
	}
}

// TestNames holds that a file of names is read, and read again when it has changed.
func TestNames(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "names")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("10.0.0.1\tred\n")
	ns, _ := start(t, ServerOptions{Names: file})
	if a := ask(t, ns, "127.0.0.1", "red", "A", false); strings.Join(a.Answers, " ") != "10.0.0.1" {
		t.Errorf("red is %v", a.Answers)
	}
	write("10.0.0.1\tred\n10.0.0.2\tblue\n\nnonsense\n")
	if a := ask(t, ns, "127.0.0.1", "blue", "A", false); strings.Join(a.Answers, " ") != "10.0.0.2" {
		t.Errorf("blue is %v", a.Answers)
	}
}

// TestSilence holds what a client is told where nobody answers.
func TestSilence(t *testing.T) {
	t.Parallel()
	ns := nettest.New(t, "red")
	cfg := Config{Servers: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:53")}}
	a, err := Ask(context.Background(), ns, cfg, Question{Name: "www.example.com", Type: "A", Timeout: time.Second})
	if err != nil || a.Error != probe.Refused || a.Rcode != "" {
		t.Errorf("where nobody listens: %q, %q, %v", a.Error, a.Rcode, err)
	}
	cfg.Servers[0] = netip.MustParseAddrPort("192.0.2.1:53")
	a, err = Ask(context.Background(), ns, cfg, Question{Name: "www.example.com", Type: "A", Timeout: time.Second})
	if err != nil || a.Error != probe.Unreachable {
		t.Errorf("where no way leads: %q, %v", a.Error, err)
	}
}

// TestSearch holds how short names are completed.
func TestSearch(t *testing.T) {
	t.Parallel()
	ns, _ := start(t, ServerOptions{Records: example(t)})
	cfg := ReadConfig("search example.com\nnameserver 127.0.0.1\n")
	for name, want := range map[string]string{"www": "www.example.com.", "mail.example.com": "mail.example.com.", "printer": "printer."} {
		a, err := Ask(context.Background(), ns, cfg, Question{Name: name, Type: "A", Timeout: time.Second})
		if err != nil || a.Name != want || len(a.Answers) != 1 {
			t.Errorf("%s became %s: %v, %v", name, a.Name, a.Answers, err)
		}
	}
}

// TestParse holds what is no record.
func TestParse(t *testing.T) {
	t.Parallel()
	for _, c := range [][3]string{
		{"www.example.com", "A", "10.0.0"}, {"www.example.com", "A", "2001:db8::1"}, {"www.example.com", "AAAA", "10.0.0.1"},
		{"www example.com", "A", "10.0.0.1"}, {"$INCLUDE", "A", "10.0.0.1"}, {"a..b", "A", "10.0.0.1"}, {"", "A", "10.0.0.1"},
		{"www.example.com", "MX", "10"}, {"www.example.com", "MX", ""}, {"www.example.com", "CNAME", "a b"},
		{"www.example.com", "A", "10.0.0.1\nx A 10.0.0.2"}, {"www.example.com", "WKS", "1"}, {"www.example.com", "A", "10.0.0.1 ; x"},
	} {
		if line, err := Parse(c[0], c[1], c[2], 60); err == nil {
			t.Errorf("%q is a record: %s", c, line)
		}
	}
}
