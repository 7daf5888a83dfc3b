package builtins

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"nsscript/builtins/doc"
)

// ours are the chapters about what only nsscript has: no command does the same, and
// no document but this describes it.
var ours = map[string]bool{"Labs": true, "Checks and control": true, "The interactive session": true}

// TestReference holds that every builtin, argument, method and field is described
// in full.
func TestReference(t *testing.T) {
	lib, err := Reference()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range lib.Pages() {
		if p.Callable() {
			if p.Returns.Type == "" {
				t.Errorf("%s does not say what it returns", p.Name)
			}
			if p.Example == "" || len(p.Commands) == 0 && p.Kind == doc.Builtin && !ours[p.Group] && p.Group != "Addresses" {
				t.Errorf("%s has no example, or no command that does the same", p.Name)
			}
		}
		if p.Source == "" && !ours[p.Group] && p.Kind != doc.Value {
			t.Errorf("%s names no manual page, kernel document or RFC", p.Name)
		}
		if p.Name != "kernel" && p.Kind == doc.Value && p.Returns.Type == "" {
			t.Errorf("%s does not say of what type it is", p.Name)
		}
		for _, a := range append(slices.Clone(p.Args), p.Fields...) {
			if a.Type == "" || a.Text == "" {
				t.Errorf("%s: the argument or field %q is not described", p.Name, a.Name)
			}
		}
	}
}

// TestReferenceFields holds that the fields described are those that the values
// have.
func TestReferenceFields(t *testing.T) {
	lib, err := Reference()
	if err != nil {
		t.Fatal(err)
	}
	have := recordFields(t)
	for kind, fields := range map[string][]string{
		"Namespace":  append(slices.Collect(maps.Keys(namespaceFields)), "nat", "firewall"),
		"Link":       slices.Collect(maps.Keys(linkFields)),
		"Bridge":     slices.Collect(maps.Keys(bridgeFields)),
		"Wireguard":  slices.Collect(maps.Keys(wireguardFields)),
		"Route":      slices.Collect(maps.Keys(routeFields)),
		"PolicyRule": slices.Collect(maps.Keys(policyRuleFields)),
		"Rule":       slices.Collect(maps.Keys(ruleFields)),
		"Lease":      slices.Collect(maps.Keys(leaseFields)),
		"Process":    slices.Collect(maps.Keys(processFields)),
		"Capture":    slices.Collect(maps.Keys(captureFields)),
		"Packet":     slices.Collect(maps.Keys(packetFields)),
		"Network":    slices.Collect(maps.Keys(networkFields)),
		"Address":    Address{}.AttrNames(),
		"kernel":     {"version"},
	} {
		have[kind] = fields
	}
	for _, p := range lib.Pages() {
		if len(p.Fields) > 0 && have[p.Name] == nil {
			t.Errorf("%s is described, but is no type", p.Name)
		}
	}
	for kind, fields := range have {
		p := lib.Page(kind)
		if p == nil {
			t.Errorf("the type %s is not described", kind)
			continue
		}
		var described []string
		for _, f := range p.Fields {
			described = append(described, f.Name)
		}
		slices.Sort(described)
		slices.Sort(fields)
		if !slices.Equal(described, fields) {
			t.Errorf("%s has the fields\n  %v\nand described are\n  %v", kind, fields, described)
		}
	}
}

// recordFields reads from the source which fields each kind of record is given.
func recordFields(t *testing.T) map[string][]string {
	t.Helper()
	kinds := map[string][]string{}

	names, err := fs.Glob(os.DirFS("."), "*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			lit, ok := n.(*ast.CompositeLit)
			if id, is := litType(lit); ok && is && id == "record" {
				kind, fields := recordLit(lit)
				if kinds[kind] == nil {
					kinds[kind] = fields
				} else if !slices.Equal(kinds[kind], fields) {
					t.Errorf("%s is made with different fields", kind)
				}
			}
			return true
		})
	}
	return kinds
}

func litType(lit *ast.CompositeLit) (string, bool) {
	if lit == nil {
		return "", false
	}
	id, ok := lit.Type.(*ast.Ident)
	if !ok {
		return "", false
	}
	return id.Name, true
}

// recordLit reads record{kind: "…", fields: []field{{"name", …}, …}}.
func recordLit(lit *ast.CompositeLit) (kind string, fields []string) {
	for _, e := range lit.Elts {
		kv, ok := e.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		switch kv.Key.(*ast.Ident).Name {
		case "kind":
			kind = unquote(kv.Value)
		case "fields":
			for _, f := range kv.Value.(*ast.CompositeLit).Elts {
				fields = append(fields, unquote(f.(*ast.CompositeLit).Elts[0]))
			}
		}
	}
	return kind, fields
}

func unquote(e ast.Expr) string {
	s, err := strconv.Unquote(e.(*ast.BasicLit).Value)
	if err != nil {
		return ""
	}
	return s
}
