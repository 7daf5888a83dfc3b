package lsp_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/sourcegraph/jsonrpc2"

	"nsscript/builtins"
	"nsscript/interp"
	"nsscript/interp/lsp"
	"nsscript/stdlib"
)

// editor is the other end of a session: it speaks the protocol over a pipe, and
// keeps the diagnostics that it is told.
type editor struct {
	t     *testing.T
	dir   string
	conn  *jsonrpc2.Conn
	told  chan map[string]any
	ended chan error
}

type both struct {
	io.Reader
	io.WriteCloser
}

func open(t *testing.T) *editor {
	t.Helper()
	lib, err := builtins.Reference()
	if err != nil {
		t.Fatal(err)
	}
	if lib, err = interp.WithUniverse(lib); err != nil {
		t.Fatal(err)
	}
	c := lsp.Config{
		Version: "test", Library: lib, Std: stdlib.FS, StdDir: filepath.Join(t.TempDir(), "std"),
		Interp: func(overlay func(string) ([]byte, bool)) *interp.Interp {
			return interp.New(interp.Options{Predeclared: interp.Placeholders(lib), Std: stdlib.FS, Overlay: overlay})
		},
	}
	e := &editor{t: t, dir: t.TempDir(), told: make(chan map[string]any, 10000), ended: make(chan error, 1)}
	fromEditor, toServer := io.Pipe()
	fromServer, toEditor := io.Pipe()
	go func() {
		e.ended <- lsp.Serve(context.Background(), fromEditor, toEditor, c)
		_ = toEditor.Close()
	}()
	stream := jsonrpc2.NewBufferedStream(both{fromServer, toServer}, jsonrpc2.VSCodeObjectCodec{})
	e.conn = jsonrpc2.NewConn(context.Background(), stream, jsonrpc2.HandlerWithError(func(_ context.Context, _ *jsonrpc2.Conn, req *jsonrpc2.Request) (any, error) {
		if req.Method == "textDocument/publishDiagnostics" {
			var p map[string]any
			if err := json.Unmarshal(*req.Params, &p); err != nil {
				return nil, err
			}
			e.told <- p
		}
		return nil, nil
	}))
	t.Cleanup(func() { _ = e.conn.Close() })
	return e
}

// call asks and returns the answer.
func (e *editor) call(method string, params any) any {
	e.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	var out any
	if err := e.conn.Call(ctx, method, params, &out); err != nil {
		e.t.Fatalf("%s: %v", method, err)
	}
	return out
}

func (e *editor) notify(method string, params any) {
	e.t.Helper()
	if err := e.conn.Notify(context.Background(), method, params); err != nil {
		e.t.Fatalf("%s: %v", method, err)
	}
}

func (e *editor) initialize(snippets bool) any {
	e.t.Helper()
	got := e.call("initialize", map[string]any{"processId": nil, "rootUri": nil, "capabilities": map[string]any{
		"textDocument": map[string]any{"completion": map[string]any{"completionItem": map[string]any{"snippetSupport": snippets}}},
	}})
	e.notify("initialized", map[string]any{})
	return got
}

func (e *editor) uri(name string) string { return "file://" + filepath.Join(e.dir, name) }

// edit gives a document a text, in which | is the cursor, and returns where that
// is.
func (e *editor) edit(name, text string) map[string]any {
	e.t.Helper()
	before, after, _ := strings.Cut(text, "|")
	e.notify("textDocument/didOpen", map[string]any{"textDocument": map[string]any{
		"uri": e.uri(name), "languageId": "starlark", "version": 1, "text": before + after,
	}})
	lines := strings.Split(before, "\n")
	last := lines[len(lines)-1]
	units := 0
	for _, r := range last {
		units++
		if r > 0xFFFF {
			units++
		}
	}
	return map[string]any{
		"textDocument": map[string]any{"uri": e.uri(name)},
		"position":     map[string]any{"line": len(lines) - 1, "character": units},
	}
}

// problems waits for the diagnostics of a document: LINE:FROM-TO severity message.
func (e *editor) problems(name string) []string {
	e.t.Helper()
	for {
		select {
		case p := <-e.told:
			if p["uri"] != e.uri(name) {
				continue
			}
			list := []string{}
			for _, d := range p["diagnostics"].([]any) {
				d := d.(map[string]any)
				r := d["range"].(map[string]any)
				at := r["start"].(map[string]any)
				list = append(list, fmt.Sprintf("%v:%v-%v %v %v", at["line"], at["character"], r["end"].(map[string]any)["character"], d["severity"], d["message"]))
			}
			return list
		case <-time.After(10 * time.Second):
			e.t.Fatalf("no diagnostics for %s", name)
		}
	}
}

func (e *editor) labels(at map[string]any) []string {
	e.t.Helper()
	var list []string
	for _, i := range e.call("textDocument/completion", at).(map[string]any)["items"].([]any) {
		list = append(list, i.(map[string]any)["label"].(string))
	}
	return list
}

const two = "red = namespace(\"red\")\nblue = namespace(\"blue\")\na, b = veth(red, blue, name = \"veth-red\", addr = \"10.0.0.1/24\")\n"

// TestCompletion completes at the cursor: want is what must be offered, and with a
// minus what must not.
func TestCompletion(t *testing.T) {
	e := open(t)
	e.initialize(false)
	if err := os.WriteFile(filepath.Join(e.dir, "lib.star"), []byte("def helper(x): return x\nLIMIT = 3\n_own = 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for i, c := range []struct{ text, want string }{
		{"ve|", "veth -red"},
		{two + "re|", "red return reversed repr -blue"},
		{two + "red.|", "ping links route nat firewall exec name"},
		{two + "red.li|", "link links -name"},
		{two + "red.nat.|", "masquerade dnat snat"},
		{two + "a.|", "mtu set add_addr -ping"},
		{two + "red.link(\"lo\").|", "mtu set"},
		{two + "red.links[0].s|", "set state stats -mtu"},
		{two + "ping(red, blue, |", "count = size = ttl = -ns ="},
		{two + "ping(red, blue, count = 1, t|)", "ttl = timeout = -count ="},
		{two + "red.ping(blue, |)", "count = -target ="},
		{two + "veth(|", "red blue"},
		{two + "route(red, \"default\", dev = \"|", "veth-red lo"},
		{two + "ping(red, \"|\")", "red blue host"},
		{two + "firewall.policy(red, input = \"|\")", "accept drop"},
		{"load(\"|", "@std//topo.star lib.star"},
		{"load(\"@std//topo.star\", \"|", "star ring"},
		{"load(\"./lib.star\", \"|\")", "helper LIMIT -_own"},
		{"load(\"./lib.star\", \"helper\")\nhel|", "helper help"},
		{"def f(inner):\n    in|\n", "inner int"},
		{"def f(inner):\n    pass\nin|\n", "int -inner"},
		{"def f(one, two = 2): pass\nf(1, |)", "two ="},
		{"for n in [namespace(\"x\")]:\n    n.pi|\n", "ping pids"},
		{"def f():\n    return namespace(\"x\")\nf().|", "ping"},
		{"x = ping(host, host)\nx.|\n", "sent received loss"},
		{"\"\".|", "join split format"},
		{"math.|", "sqrt pi"},
		{"# a comm|", "-command"},
		// While the text cannot be parsed.
		{two + "red.|\nblue.ping(red)\n", "ping links"},
		{two + "check(\"x\", red.ping(blue, |\nprint(\"more\")\n", "count ="},
		{two + "def f():\n    red.|\n", "ping"},
		{two + "def f(node):\n    for x in red.addrs:\n        x.|\n", "ip prefix"},
		{two + "exec(red, [\n    \"ls\",\n    red.|\n", "name"},
	} {
		got := e.labels(e.edit(fmt.Sprintf("c%d.star", i), c.text))
		for want := range strings.FieldsSeq(strings.ReplaceAll(c.want, " =", "·=")) {
			want = strings.ReplaceAll(want, "·", " ")
			name, not := strings.CutPrefix(want, "-")
			if slices.Contains(got, name) == not {
				t.Errorf("%q: %s in %v", c.text, want, got)
			}
		}
	}
}

// TestCompletionEdit holds what completing changes.
func TestCompletionEdit(t *testing.T) {
	e := open(t)
	e.initialize(true)
	edit := func(text, label string) string {
		for _, i := range e.call("textDocument/completion", e.edit("x.star", text)).(map[string]any)["items"].([]any) {
			if i := i.(map[string]any); i["label"] == label {
				b, _ := json.Marshal(i["textEdit"])
				return string(b)
			}
		}
		return "not offered"
	}
	for _, c := range []struct{ text, label, want string }{
		{"x = \"𝄞\" + ve|", "veth", `{"newText":"veth($0)","range":{"end":{"character":13,"line":0},"start":{"character":11,"line":0}}}`},
		{"ve|(a)", "veth", `{"newText":"veth","range":{"end":{"character":2,"line":0},"start":{"character":0,"line":0}}}`},
		{"ping(host, host, co|)", "count =", `{"newText":"count = ","range":{"end":{"character":19,"line":0},"start":{"character":17,"line":0}}}`},
		{"load(\"@std//to|\")", "@std//topo.star", `{"newText":"@std//topo.star","range":{"end":{"character":14,"line":0},"start":{"character":6,"line":0}}}`},
	} {
		if got := edit(c.text, c.label); got != c.want {
			t.Errorf("%q\ngot  %s\nwant %s", c.text, got, c.want)
		}
	}
}

func TestHover(t *testing.T) {
	e := open(t)
	e.initialize(false)
	for _, c := range []struct{ text, want string }{
		{two + "pi|ng(red, blue)", "ping(ns, target, *, count = 1"},
		{two + "red.pi|ng(blue)", "ping(target, *, count = 1"},
		{two + "ping(red, blue, co|unt = 2)", "count = 1"},
		{two + "re|d", "red: Namespace"},
		{two + "|a", "a: Link"},
		{two + "a.mt|u", "Link.mtu: int"},
		{two + "red.n|at", "Network address translation"},
		{"def f(x, y = 2):\n    \"\"\"Adds.\n\n    Twice.\n    \"\"\"\n    return \"a\"\n|f(1)", "def f(x, y = 2)\n```\nAdds.\n\nTwice.\n\n**Returns** `string`"},
		{"load(\"@std//topo.star\", \"star\")\nst|ar", "| `n` | `int`, at most 1023 | how many |"},
		{"load(\"@std//to|po.star\", \"star\")", "@std//topo.star"},
		{"le|n(\"\")", "len(x)"},
		{"ho|st", "The namespace that the lab stands in"},
		{"x = 1 + |2", ""},
	} {
		got := ""
		if h, ok := e.call("textDocument/hover", e.edit("h.star", c.text)).(map[string]any); ok {
			got = h["contents"].(map[string]any)["value"].(string)
		}
		if !strings.Contains(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%q\ngot  %s\nwant %s", c.text, got, c.want)
		}
	}
}

func TestSignatureHelp(t *testing.T) {
	e := open(t)
	e.initialize(false)
	for _, c := range []struct{ text, want string }{
		{two + "ping(|", "ns"},
		{two + "ping(red, |", "target"},
		{two + "ping(red, blue, count = |)", "count = 1"},
		{two + "ping(red, blue, |)", ""},
		{two + "red.ping(|)", "target"},
		{two + "print(len(red.route(\"default\", via = |", "via = None"},
		{"def f(a, *rest, b = 2): pass\nf(1, 2, |)", "*rest"},
		{"def f(a, *rest, b = 2): pass\nf(1, 2, b = |)", "b = 2"},
	} {
		got := ""
		if h, ok := e.call("textDocument/signatureHelp", e.edit("s.star", c.text)).(map[string]any); ok {
			sig := h["signatures"].([]any)[0].(map[string]any)
			params := sig["parameters"].([]any)
			if n := int(h["activeParameter"].(float64)); n < len(params) {
				at := params[n].(map[string]any)["label"].([]any)
				got = sig["label"].(string)[int(at[0].(float64)):int(at[1].(float64))]
			}
		}
		if got != c.want {
			t.Errorf("%q: got %q, want %q", c.text, got, c.want)
		}
	}
	if got := e.call("textDocument/signatureHelp", e.edit("s.star", "x = (|")); got != nil {
		t.Errorf("outside of a call: %v", got)
	}
}

// TestDefinition goes from the cursor to FILE:LINE:CHARACTER.
func TestDefinition(t *testing.T) {
	e := open(t)
	e.initialize(false)
	if err := os.WriteFile(filepath.Join(e.dir, "lib.star"), []byte("# a module\ndef helper(x, y = 1):\n    return x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ text, want string }{
		{two + "re|d", "d.star:0:0"},
		{two + "print(|b)", "d.star:2:3"},
		{"x = 1\nif x:\n    x = 2\n|x", "d.star:0:0 d.star:2:4"},
		{"def f(arg):\n    return ar|g\n", "d.star:0:6"},
		{"def f(arg):\n    return arg\nf(a|rg = 1)", "d.star:0:6"},
		{"def f(arg): pass\n|f(1)", "d.star:0:4"},
		{"load(\"./lib.star\", \"helper\")\nhel|per(1)", "lib.star:1:4"},
		{"load(\"./lib.star\", \"help|er\")\n", "lib.star:1:4"},
		{"load(\"./lib.star\", h = \"helper\")\n|h(1, y = 2)", "lib.star:1:4"},
		{"load(\"./lib.star\", h = \"helper\")\nh(1, |y = 2)", "lib.star:1:14"},
		{"load(\"./l|ib.star\", \"helper\")\n", "lib.star:0:0"},
		{"load(\"@std//topo.star\", \"star\")\nst|ar(3)", "topo.star"},
		{"pi|ng(host, host)", ""},
		{"x = \"𝄞\"; y = 1; print(|y)", "d.star:0:10"},
	} {
		var got []string
		for _, l := range e.call("textDocument/definition", e.edit("d.star", c.text)).([]any) {
			l := l.(map[string]any)
			file := strings.TrimPrefix(l["uri"].(string), "file://")
			if _, err := os.Stat(file); err != nil && !strings.HasSuffix(file, "d.star") {
				t.Error(err)
			}
			at := l["range"].(map[string]any)["start"].(map[string]any)
			got = append(got, fmt.Sprintf("%s:%v:%v", filepath.Base(file), at["line"], at["character"]))
		}
		if s := strings.Join(got, " "); s != c.want && !(c.want == "topo.star" && strings.HasPrefix(s, "topo.star:")) {
			t.Errorf("%q: got %q, want %q", c.text, s, c.want)
		}
	}
}

// TestDiagnostics follows a document, and one that it loads, as both are changed.
func TestDiagnostics(t *testing.T) {
	e := open(t)
	e.initialize(false)
	e.edit("lab.star", "load(\"./lib.star\", \"f\")\nf(1)\n𝄞 = pnig(host)\n")
	want := []string{
		"0:5-17 1 cannot load \"./lib.star\": there is no file " + filepath.Join(e.dir, "lib.star"),
		"2:0-0 1 ",
	}
	got := e.problems("lab.star")
	if len(got) == 0 {
		t.Fatalf("got %q", got)
	}
	e.edit("lab.star", "load(\"./lib.star\", \"f\")\nf(1)\nx = \"𝄞\" + pnig(host)\nprint(x)\n")
	want[1] = "2:11-15 1 \"pnig\" is not defined\nhint: did you mean \"ping\"?"
	if d := cmp.Diff(want, e.problems("lab.star")); d != "" {
		t.Error(d)
	}
	// A module that the editor has open counts, though it is on no disk.
	e.edit("lib.star", "def f():\n    pass\n")
	if d := cmp.Diff([]string{want[1]}, skip(e.problems("lab.star"), "f: takes")); d != "" {
		t.Error(d)
	}
	e.notify("textDocument/didChange", map[string]any{
		"textDocument": map[string]any{"uri": e.uri("lib.star"), "version": 2}, "contentChanges": []any{map[string]any{"text": "def f(a):\n    return b\n"}},
	})
	for {
		if got := e.problems("lab.star"); len(got) == 2 && strings.Contains(got[0], "0:0-4 1 the module that is loaded here has an error: lib.star:2:12: \"b\" is not defined") {
			break
		}
	}
	e.notify("textDocument/didClose", map[string]any{"textDocument": map[string]any{"uri": e.uri("lab.star")}})
	for len(e.problems("lab.star")) > 0 {
		continue
	}
}

func skip(list []string, with string) []string {
	return slices.DeleteFunc(list, func(s string) bool { return strings.Contains(s, with) })
}

func TestSymbolsAndFormatting(t *testing.T) {
	e := open(t)
	e.initialize(false)
	at := e.edit("x.star", "a,b=1,2\ndef f(x):\n  def g():\n    pass\n  return x\na=3\n|")
	var names func(list any) string
	names = func(list any) string {
		var all []string
		for _, s := range list.([]any) {
			s := s.(map[string]any)
			name := s["name"].(string)
			if c, ok := s["children"]; ok {
				name += "(" + names(c) + ")"
			}
			all = append(all, name)
		}
		return strings.Join(all, " ")
	}
	if got := names(e.call("textDocument/documentSymbol", at)); got != "a b f(g)" {
		t.Errorf("symbols: %s", got)
	}
	edits := e.call("textDocument/formatting", at).([]any)
	want := "a, b = 1, 2\n\ndef f(x):\n    def g():\n        pass\n\n    return x\n\na = 3\n"
	if got := edits[0].(map[string]any)["newText"]; len(edits) != 1 || got != want {
		t.Errorf("laid out: %q", got)
	}
	if got := e.call("textDocument/formatting", e.edit("y.star", want)).([]any); len(got) != 0 {
		t.Errorf("laid out already: %v", got)
	}
	if got := e.call("textDocument/formatting", e.edit("z.star", "x = (")); got != nil {
		t.Errorf("broken: %v", got)
	}
}

// TestSession begins and ends sessions in order and not.
func TestSession(t *testing.T) {
	e := open(t)
	got := e.initialize(false).(map[string]any)
	if info := got["serverInfo"].(map[string]any); info["name"] != "nsscript" || info["version"] != "test" {
		t.Errorf("serverInfo is %v", info)
	}
	var none any
	err := e.conn.Call(context.Background(), "textDocument/nothing", map[string]any{}, &none)
	var wrong *jsonrpc2.Error
	if !errors.As(err, &wrong) || wrong.Code != jsonrpc2.CodeMethodNotFound {
		t.Errorf("an unknown method: %v", err)
	}
	err = e.conn.Call(context.Background(), "textDocument/hover", []int{1}, &none)
	if !errors.As(err, &wrong) || wrong.Code != jsonrpc2.CodeInvalidParams {
		t.Errorf("wrong parameters: %v", err)
	}
	e.notify("$/cancelRequest", map[string]any{"id": 1})
	if e.call("shutdown", nil) != nil {
		t.Error("shutdown answers something")
	}
	e.notify("exit", nil)
	if err := <-e.ended; err != nil {
		t.Error(err)
	}

	e = open(t)
	e.initialize(false)
	e.notify("exit", nil)
	if err := <-e.ended; !errors.Is(err, lsp.ErrNoShutdown) {
		t.Errorf("exit without shutdown: %v", err)
	}
	e = open(t)
	e.initialize(false)
	_ = e.conn.Close()
	if err := <-e.ended; !errors.Is(err, lsp.ErrNoShutdown) {
		t.Errorf("an editor that is gone: %v", err)
	}
}
