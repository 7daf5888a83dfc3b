package builtins

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.starlark.net/starlark"

	"nsscript/builtins/kernel"
	"nsscript/builtins/lab"
	"nsscript/builtins/op"
)

var labSpecs = []spec{
	{
		sig: "lab(name, *, description = None)",
		doc: "Names the lab, before anything is built; without it the lab is called as its file is.",
		run: func(c *call) (starlark.Value, error) {
			var name, description string
			if err := c.unpack(&name, &description); err != nil {
				return nil, err
			}
			if err := lab.CheckName("lab", name); err != nil {
				return nil, err
			}
			return nil, c.lab.SetName(name, description)
		},
	},
	{
		sig: "param(name, default, *, help = None, choices = None)",
		doc: "A parameter of the script, which `--set name=value` overrides; it has the type of its default.",
		run: parameter,
	},
}

// Param is a parameter that a script asked for.
type Param struct {
	Name string `json:"name"`
	Help string `json:"help,omitempty"`
	Text string `json:"value"`
}

// Params lists the parameters that the script asked for.
func (s *Session) Params() []Param {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.params)
}

func parameter(c *call) (starlark.Value, error) {
	var name, help string
	var value, choices starlark.Value
	if err := c.unpack(&name, &value, &help, &choices); err != nil {
		return nil, err
	}
	if value == nil {
		value = starlark.None
	}
	if text, ok := c.opts.Params[name]; ok {
		v, err := parseParam(text, value)
		if err != nil {
			return nil, &ParamError{badArg("", "--set %s=%s: %v", name, text, err)}
		}
		value = v
	}
	if choices != nil {
		it, ok := choices.(starlark.Iterable)
		if !ok {
			return nil, &argError{"choices", want("a list", choices)}
		}
		if err := oneOf(name, value, it); err != nil {
			if _, set := c.opts.Params[name]; set {
				err = &ParamError{err}
			}
			return nil, err
		}
	}
	c.mu.Lock()
	c.params = append(c.params, Param{Name: name, Help: help, Text: value.String()})
	c.mu.Unlock()
	return value, nil
}

// ParamError is a value given with --set that the script does not accept.
type ParamError struct{ Err error }

func (e *ParamError) Error() string { return e.Err.Error() }
func (e *ParamError) Unwrap() error { return e.Err }

func oneOf(name string, value starlark.Value, choices starlark.Iterable) error {
	it := choices.Iterate()
	defer it.Done()
	var x starlark.Value
	var all []string
	for it.Next(&x) {
		if eq, err := starlark.Equal(x, value); err == nil && eq {
			return nil
		}
		all = append(all, x.String())
	}
	return badArg("", "parameter %q is %s: want one of %s", name, value, strings.Join(all, ", "))
}

// parseParam reads a value given as text in the type of the default.
func parseParam(text string, def starlark.Value) (starlark.Value, error) {
	switch def := def.(type) {
	case starlark.Bool:
		switch strings.ToLower(text) {
		case "true", "yes", "on", "1":
			return starlark.True, nil
		case "false", "no", "off", "0":
			return starlark.False, nil
		}
		return nil, fmt.Errorf("want true or false")
	case starlark.Int:
		n, err := strconv.ParseInt(text, 0, 64)
		if err != nil {
			return nil, fmt.Errorf("want a whole number")
		}
		return starlark.MakeInt64(n), nil
	case starlark.Float:
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, fmt.Errorf("want a number")
		}
		return starlark.Float(f), nil
	case *starlark.List:
		return parseList(text, def)
	case starlark.String, starlark.NoneType:
		return starlark.String(text), nil
	}
	return nil, fmt.Errorf("a parameter of type %s cannot be given as text", def.Type())
}

// parseList reads values separated by commas, in the type of the default list's
// first.
func parseList(text string, def *starlark.List) (starlark.Value, error) {
	var item starlark.Value = starlark.String("")
	if def.Len() > 0 {
		item = def.Index(0)
	}
	list := starlark.NewList(nil)
	text = strings.TrimSuffix(strings.TrimPrefix(text, "["), "]")
	if text == "" {
		return list, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		v, err := parseParam(strings.TrimSpace(part), item)
		if err != nil {
			return nil, fmt.Errorf("want values separated by commas; of %q: %w", strings.TrimSpace(part), err)
		}
		if err := list.Append(v); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// kernelValue is `kernel`: what is known of the kernel.
type kernelValue struct{ s *Session }

var _ starlark.HasAttrs = kernelValue{}

func (kernelValue) String() string        { return "kernel " + kernel.Version() }
func (kernelValue) Type() string          { return "kernel" }
func (kernelValue) Freeze()               {}
func (kernelValue) Truth() starlark.Bool  { return true }
func (kernelValue) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable type: kernel") }

// AttrNames lists the fields and methods.
func (kernelValue) AttrNames() []string { return []string{"has", "version"} }

// Attr returns a field or method.
func (k kernelValue) Attr(name string) (starlark.Value, error) {
	switch name {
	case "version":
		return starlark.String(kernel.Version()), nil
	case "has":
		return starlark.NewBuiltin("has", func(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			var feature string
			if err := starlark.UnpackArgs(b.Name(), args, kwargs, "feature", &feature); err != nil {
				return nil, err
			}
			if !slices.Contains(kernel.Features(), feature) {
				return nil, &callError{"kernel.has", badArg(op.Near(kernel.Features(), feature), "no kernel feature is called %q here", feature)}
			}
			ok, err := kernel.Has(feature)
			if err != nil {
				return nil, &callError{"kernel.has", err}
			}
			return starlark.Bool(ok), nil
		}), nil
	}
	return nil, nil
}
