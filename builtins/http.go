package builtins

import (
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.starlark.net/starlark"

	"nsscript/builtins/op"
	"nsscript/builtins/probe"
)

var httpSpec = spec{
	sig: "http(ns, url, *, method = \"GET\", body = None, headers = {}, timeout = \"5s\")",
	doc: httpDoc,
	run: httpRequest,
}

func httpRequest(c *call) (starlark.Value, error) {
	var ns *Namespace
	var address, body starlark.Value
	var headers *starlark.Dict
	timeout := duration(5 * time.Second)
	req := probe.HTTPRequest{Method: "GET"}
	if err := c.unpack(&ns, &address, &req.Method, &body, &headers, &timeout); err != nil {
		return nil, err
	}
	req.Timeout = timeout.std()
	var err error
	if req.URL, err = parseURL(address); err != nil {
		return nil, &argError{"url", err}
	}
	if req.Method == "" || strings.ContainsFunc(req.Method, func(r rune) bool { return r < 'A' || r > 'Z' }) {
		return nil, &argError{"method", want(`the name of a method in capitals, such as "POST"`, starlark.String(req.Method))}
	}
	if req.Header, err = readHeaders(headers); err != nil {
		return nil, &argError{"headers", err}
	}
	switch v := body.(type) {
	case nil:
	case starlark.String:
		req.Body = []byte(v)
	case starlark.Bytes:
		req.Body = []byte(v)
	default:
		return nil, &argError{"body", want("a string or bytes", body)}
	}
	if req.Target, err = c.hostOf(ns, req.URL); err != nil {
		return nil, &argError{"url", err}
	}
	if c.assume(c.pos(), op.InNS(ns.name, curlWords(req)...)) {
		return response(probe.HTTPResult{Status: http.StatusOK}), nil
	}
	k, err := ns.ready()
	if err != nil {
		return nil, err
	}
	r, err := probe.HTTP(c.ctx, k, req)
	if err != nil {
		return nil, c.interrupted(err)
	}
	got := outcome(r.Error, netip.Addr{})
	if r.Status != 0 && r.Error == "" {
		got = strings.TrimSpace(fmt.Sprintf("%d %s", r.Status, r.Reason))
	}
	to := req.Target
	c.probed(Asked{ns: ns, target: starlark.String(to.Addr().String()), proto: "tcp", port: int(to.Port()), OK: r.Status != 0, Got: got}, to.Addr())
	return response(r), nil
}

// parseURL reads a URL; without a scheme it is HTTP's.
func parseURL(v starlark.Value) (*url.URL, error) {
	text, ok := starlark.AsString(v)
	if n, is := v.(*Namespace); is {
		return nil, badArg(fmt.Sprintf("write: \"http://%s/\"", n.name), "want a URL, got %s", describe(v))
	}
	if !ok {
		return nil, want(`a URL such as "http://web:8080/index.html"`, v)
	}
	full := text
	if !strings.Contains(text, "://") {
		full = "http://" + text
	}
	u, err := url.Parse(full)
	switch {
	case err != nil || u.Host == "":
		return nil, want(`a URL such as "http://web:8080/index.html"`, starlark.String(text))
	case u.Scheme == "https":
		return nil, badArg(fmt.Sprintf("exec(ns, [\"curl\", %q]) does", text), "TLS is not spoken here")
	case u.Scheme != "http":
		return nil, want(`a URL that begins with "http://"`, starlark.String(text))
	}
	return u, nil
}

// hostOf finds out where the host of a URL is: an address, or a name of the lab.
func (c *call) hostOf(ns *Namespace, u *url.URL) (netip.AddrPort, error) {
	port := 80
	if p := u.Port(); p != "" {
		n, err := strconv.Atoi(p)
		if err != nil || n < 1 || n > 65535 {
			return netip.AddrPort{}, badArg("", "%q is no port: 1 to 65535 are possible", p)
		}
		port = n
	}
	ips, err := c.targets(ns, starlark.String(u.Hostname()))
	if err != nil {
		return netip.AddrPort{}, err
	}
	return netip.AddrPortFrom(ips[0], uint16(port)), nil
}

func readHeaders(d *starlark.Dict) (http.Header, error) {
	h := http.Header{}
	if d == nil {
		return h, nil
	}
	for _, item := range d.Items() {
		name, ok := starlark.AsString(item[0])
		if !ok || name == "" || strings.ContainsAny(name, " :\r\n") {
			return nil, want(`names of header fields, such as "Accept"`, item[0])
		}
		value, err := wordOf(item[1])
		if err != nil || strings.ContainsAny(value, "\r\n") {
			return nil, badArg("", "%s: want one line of text, got %s", name, describe(item[1]))
		}
		h.Set(name, value)
	}
	return h, nil
}

// curlWords are those of the curl program for the same.
func curlWords(r probe.HTTPRequest) []string {
	w := []string{"curl", "-s", "-i", "--max-time", fmt.Sprint(r.Timeout.Seconds())}
	if r.Method != "GET" {
		w = append(w, "-X", r.Method)
	}
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		w = append(w, "-H", name+": "+r.Header.Get(name))
	}
	if len(r.Body) > 0 {
		w = append(w, "--data-binary", string(r.Body))
	}
	return append(w, r.URL.String())
}

func response(r probe.HTTPResult) starlark.Value {
	text := r.Error
	var status starlark.Value = starlark.None
	if r.Status != 0 {
		status = starlark.MakeInt(r.Status)
		text = strings.TrimSpace(fmt.Sprintf("%d %s", r.Status, r.Reason))
		if body := strings.TrimRight(string(r.Body), "\n"); body != "" {
			text += "\n" + body
		}
		if r.Error != "" {
			text += "\n" + r.Error
		}
	}
	headers := starlark.NewDict(len(r.Header))
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		_ = headers.SetKey(starlark.String(name), starlark.String(strings.Join(r.Header[name], ", "))) // a fresh dict takes it
	}
	headers.Freeze()
	return &record{kind: "Response", truth: r.Error == "" && r.Status < 400, text: text, fields: []field{
		{"status", status},
		{"body", starlark.String(r.Body)},
		{"headers", headers},
		{"error", strOrNone(r.Error)},
	}}
}

const httpDoc = `
Sends a request of HTTP/1.1 and reads the answer; needs no program.

Names of the lab's namespaces resolve in the URL. A redirection is an answer like any other, and not followed. TLS is not spoken.

url (string): such as "http://web:8080/index.html"; without a scheme it is http
method (string): GET, POST, PUT, HEAD, DELETE …
body (string | bytes): what is sent
headers (dict[string, string]): header fields beside the usual ones
timeout (duration): how long all of it may take
returns (Response): truthy when an answer came whose status is below 400
errors: it is no URL; its host is neither an address nor a namespace of the lab
example:
    red, web = namespace("red"), namespace("web")
    veth(red, web, addr = "10.0.0.1/24", peer_addr = "10.0.0.2/24")
    serve(web, http = 80)
    r = http(red, "http://web/")
    print(r.status, r.body.strip())
    #> 200 hello from web
    print(http(red, "http://web:81/").error)
    #> refused
command: ip netns exec NS curl -i URL
source: RFC 9110, RFC 9112
`

const responseDoc = `
The answer of an HTTP server; truthy when one came whose status is below 400.

status (int | None): 200 and so on; None where no answer came
body (string): what was sent with it, at most 16 MiB
headers (dict[string, string]): its header fields
error (string | None): refused, timeout, unreachable, reset, or malformed for what is no HTTP
source: RFC 9110
`
