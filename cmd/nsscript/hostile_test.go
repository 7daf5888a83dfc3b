//go:build linux

package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"nsscript/builtins"
	"nsscript/builtins/lab"
)

// TestHostile gives every parameter of every builtin strings that would do harm
// as a path, as a shell's text or as an option.
func TestHostile(t *testing.T) {
	if os.Getenv(stageEnv) != "" {
		t.Skip("inside a private host")
	}
	t.Parallel()
	spec, err := json.Marshal(sweep{Lab: "hostile"})
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(inPrivateHost(t, 0, "TestInsideHostile", string(spec))) {
		if _, said, ok := strings.Cut(line, "levels: "); ok {
			t.Log(strings.TrimSpace(said))
		}
	}
}

// canary is the file that none of the strings may bring into being.
const canary = "/run/canary"

var hostileStrings = []string{
	"", "-", "-h", "--help", "--wait", "../../etc/x", "/etc/passwd", ".", "..", "a/b", "a\nb", "a\x00b", "\x1b[2J", "%s%n", "{}", "é", "\xff",
	"$(touch " + canary + ")", "`touch " + canary + "`", "; touch " + canary, "| touch " + canary, "x\ntouch " + canary, "' ; touch " + canary + " '",
	"\" -j ACCEPT; touch " + canary + "\"", strings.Repeat("x", 5000), "../../../run/canary", "net/../../kernel/hostname",
}

// plausible are values for parameters that a call needs beside the one that is
// tried, in the language.
var plausible = map[string]string{
	"ns": "red", "a": "red", "b": "blue", "from": "red", "src_ns": "red", "target": `"10.0.0.2"`, "dst": `"10.9.0.0/16"`, "addr": `"10.7.0.1/24"`,
	"network": `"10.0.0.0/24"`, "cmd": `["true"]`, "command": `["true"]`, "argv": `["true"]`, "port": "80", "tcp": "80", "key": `"net.ipv4.ip_forward"`,
	"value": "1", "link": `"eth0"`, "dev": `"eth0"`, "via": `"10.0.0.2"`, "what": `"x"`, "ok": "True", "cond": "True", "text": `"x"`, "args": `"-S"`,
	"chain": `"input"`, "to": `"10.0.0.2"`, "process": "proc", "lab": `"hostile"`, "timeout": `"20ms"`, "duration": `"1ms"`,
}

// parameter finds the names in a signature such as "ping(ns, target, *, count = 1)".
var parameter = regexp.MustCompile(`[(,]\s*\*{0,2}([a-z_][a-z_0-9]*)`)

// TestInsideHostile is the same in its private host.
func TestInsideHostile(t *testing.T) {
	var s sweep
	if err := json.Unmarshal([]byte(insideOnly(t)), &s); err != nil {
		t.Fatal(err)
	}
	h := newPrivate(t, s)
	h.before = settled("")
	place := &hostPlace{registry: lab.DefaultRegistry()}
	l, err := lab.New(lab.Options{Name: "hostile", Open: func(ctx context.Context, name, description string) (string, error) {
		return place.open(ctx, lab.Meta{Name: name, Description: description, Origin: "hostile"})
	}})
	if err != nil {
		t.Fatal(err)
	}
	session := builtins.NewSession(context.Background(), builtins.Options{
		Lab: l, Out: &strings.Builder{}, Self: filepath.Join(os.Getenv(binEnv), "nsscript"),
	})
	globals := session.Predeclared()
	begin := `red, blue = namespace("red"), namespace("blue")
veth(red, blue, name = "eth0", addr = "10.0.0.1/24", peer_addr = "10.0.0.2/24")
proc = spawn(red, ["sleep", "1000"])
port = red.link("eth0")`
	made, err := starlark.ExecFileOptions(&syntax.FileOptions{}, &starlark.Thread{}, "begin", begin, globals)
	if err != nil {
		t.Fatal(err)
	}
	for name, v := range made {
		globals[name] = v
	}
	calls, refused := 0, 0
	for _, page := range builtinPages(t) {
		for i, params := 0, parameter.FindAllStringSubmatch(page.Signature, -1); i < len(params); i++ {
			if params[i][1] == "file" {
				continue // what is written goes where the script says
			}
			for _, text := range hostileStrings {
				code := callWith(page.Signature, params, i)
				calls++
				if err := h.hostile(globals, code, text); err != nil {
					refused++
				}
			}
		}
	}
	if _, err := os.Lstat(canary); err == nil {
		t.Errorf("a string was run: %s is there", canary)
	}
	if err := l.TakeDown(context.Background()); err != nil {
		t.Error(err)
	}
	if err := place.claim.Remove(); err != nil {
		t.Error(err)
	}
	h.same("after the hostile calls", "")
	h.Logf("levels: %d calls, %d refused", calls, refused)
}

// callWith is a call of a builtin in which the parameter of that number is bad.
func callWith(signature string, params [][]string, bad int) string {
	name, rest, _ := strings.Cut(signature, "(")
	name = strings.TrimSpace(name)
	var args []string
	_, optional, _ := strings.Cut(rest, "=") // those before the first default are needed
	needed := strings.Count(rest[:len(rest)-len(optional)], ",") + 1
	if optional == "" {
		needed = len(params)
	}
	for i, p := range params {
		value, known := plausible[p[1]]
		switch {
		case i == bad:
			value = "bad"
		case i >= needed:
			continue
		case !known:
			value = `"x"`
		}
		args = append(args, p[1]+" = "+value)
	}
	return name + "(" + strings.Join(args, ", ") + ")"
}

// hostile makes one call, which may fail with an error that can be shown.
func (h *faultHost) hostile(globals starlark.StringDict, code, text string) error {
	thread := &starlark.Thread{}
	timer := time.AfterFunc(20*time.Second, func() { thread.Cancel("it takes too long") })
	defer timer.Stop()
	env := starlark.StringDict{}
	for name, v := range globals {
		env[name] = v
	}
	env["bad"] = starlark.String(text)
	_, err := starlark.EvalOptions(&syntax.FileOptions{}, thread, "hostile", code, env)
	if err == nil {
		return nil
	}
	said := err.Error()
	control := func(r rune) bool { return unicode.IsControl(r) && !slices.Contains([]rune{'\n', '\t'}, r) }
	if strings.Contains(said, "internal error") || strings.Contains(said, "takes too long") || strings.ContainsFunc(said, control) || len(said) > 12000 {
		h.Errorf("%s with %.60q: %q", code, text, said)
	}
	return err
}
