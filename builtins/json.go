package builtins

import (
	"encoding/json"
	"fmt"

	starjson "go.starlark.net/lib/json"
	"go.starlark.net/starlark"

	"nsscript/builtins/doc"
)

// What json.encode makes of the lab's values: results are objects of their fields, in
// which a namespace stands as its name; addresses and networks are their text. Values
// that are parts of the lab have no form of their own in JSON: they hold one another.

var _ = []json.Marshaler{(*record)(nil), Address{}, Network{}, (*Namespace)(nil), (*Link)(nil), (*Route)(nil),
	(*PolicyRule)(nil), (*Rule)(nil), (*Process)(nil), (*Capture)(nil), (*Packet)(nil), kernelValue{}}

// MarshalJSON writes the fields as an object.
func (r *record) MarshalJSON() ([]byte, error) { return jsonOf(r.fields) }

func jsonOf(list []field) ([]byte, error) {
	fields := starlark.NewDict(len(list))
	for _, f := range list {
		v := f.value
		if n, ok := v.(*Namespace); ok {
			v = starlark.String(n.name)
		}
		if err := fields.SetKey(starlark.String(f.name), v); err != nil {
			return nil, err
		}
	}
	text, err := starlark.Call(&starlark.Thread{Name: "json"}, starjson.Module.Members["encode"], starlark.Tuple{fields}, nil)
	if err != nil {
		return nil, err
	}
	s, _ := starlark.AsString(text)
	return []byte(s), nil
}

// MarshalJSON writes the address with its prefix length as a string.
func (a Address) MarshalJSON() ([]byte, error) { return json.Marshal(a.String()) }

// MarshalJSON writes the network as a string.
func (n Network) MarshalJSON() ([]byte, error) { return json.Marshal(n.String()) }

func noJSON(v starlark.Value, field string) ([]byte, error) {
	return nil, fmt.Errorf("%s cannot be written as JSON; take the fields that you want, such as %s", doc.WithArticle(v.Type()), field)
}

// MarshalJSON writes the fields as an object.
func (p *Packet) MarshalJSON() ([]byte, error) {
	var list []field
	for _, name := range p.AttrNames() {
		list = append(list, field{name, packetFields[name](p)})
	}
	return jsonOf(list)
}

// MarshalJSON is the error that a capture has no form in JSON.
func (p *Capture) MarshalJSON() ([]byte, error) { return noJSON(p, "capture.packets") }

// MarshalJSON is the error that a namespace has no form in JSON.
func (n *Namespace) MarshalJSON() ([]byte, error) { return noJSON(n, "ns.name") }

// MarshalJSON is the error that an interface has no form in JSON.
func (l *Link) MarshalJSON() ([]byte, error) { return noJSON(l, "link.name") }

// MarshalJSON is the error that a route has no form in JSON.
func (r *Route) MarshalJSON() ([]byte, error) { return noJSON(r, "route.dst") }

// MarshalJSON is the error that a rule has no form in JSON.
func (r *PolicyRule) MarshalJSON() ([]byte, error) { return noJSON(r, "rule.priority") }

// MarshalJSON is the error that a rule has no form in JSON.
func (r *Rule) MarshalJSON() ([]byte, error) { return noJSON(r, "rule.spec") }

// MarshalJSON is the error that a process has no form in JSON.
func (p *Process) MarshalJSON() ([]byte, error) { return noJSON(p, "process.pid") }

// MarshalJSON is the error that the kernel has no form in JSON.
func (k kernelValue) MarshalJSON() ([]byte, error) { return noJSON(k, "kernel.version") }
