package builtins

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.starlark.net/starlark"

	"nsscript/builtins/kernel"
	"nsscript/builtins/lab"
	"nsscript/builtins/near"
	"nsscript/builtins/pattern"
)

var labSpecs = []spec{
	{
		sig: "lab(name, *, description = None)",
		doc: labDoc,
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
		doc: paramDoc,
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

// paramName matches the names that --set can set.
var paramName = pattern.Of(`^[\pL_][\pL\d_-]*$`)

func parameter(c *call) (starlark.Value, error) {
	var name, help string
	var value, choices starlark.Value
	if err := c.unpack(&name, &value, &help, &choices); err != nil {
		return nil, err
	}
	if !paramName().MatchString(name) {
		return nil, badArg("--set NAME=VALUE sets it", "argument \"name\": want letters, digits, \"_\" and \"-\", beginning with a letter, got %q", name)
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
	if len(all) == 0 {
		return &argError{"choices", badArg("", "the list is empty")}
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
	if name == "version" {
		return starlark.String(kernel.Version()), nil
	}
	for _, sp := range kernelMethods {
		if b := k.s.declare(sp); b.name == name {
			b.name = "kernel." + name
			return b.bind(k), nil
		}
	}
	return nil, noAttr(k, name)
}

var kernelMethods = []spec{{
	sig: "has(kernel, feature)", doc: kernelHasDoc,
	run: func(c *call) (starlark.Value, error) {
		var feature string
		if err := c.unpack(nil, &feature); err != nil {
			return nil, err
		}
		known := kernel.Features() // none where there is no Linux to ask
		if len(known) > 0 && !slices.Contains(known, feature) {
			tip := near.Hint(known, feature)
			if tip == "" {
				tip = "there are " + strings.Join(known, ", ")
			}
			return nil, badArg(tip, "no kernel feature is called %q here", feature)
		}
		if c.lab.Planned() { // that this kernel has not, another may have
			c.assume(c.pos(), "nsscript doctor")
			return starlark.True, nil
		}
		ok, err := kernel.Has(feature)
		return starlark.Bool(ok), err
	},
}}

const labDoc = `
Names the lab, before anything is built; without it the lab is called as its file is.

name (string): letters, digits, ".", "_" and "-"; what "nsscript down NAME" ends
description (string): a sentence about the lab, shown by "nsscript ls"
returns (None): nothing
errors: something was built before, or the lab has been named already
example:
    lab("office", description = "two floors and a router")
    namespace("floor1")
`

const paramDoc = `
A parameter of the script: "--set NAME=VALUE" of the command overrides its default.

name (string): as it is written after --set
default (any): the value where none is given; a given one is read in its type: a bool, int, float, string, or a list of these with commas
help (string): a sentence about it, part of the result of "run --json"
choices (list): the values that it may have; None for any
returns (any): the value
errors: the value given with --set is none of that type or none of the choices (exit status 2)
example:
    n = param("clients", 2, help = "how many clients there are")
    for i in range(n):
        namespace("client%d" % i)
    print(n)
    #> 2
`

const kernelDoc = `
What is known of the kernel that the lab runs on.

version (string): as "uname -r" prints it
example:
    print(bool(kernel.version))
    #> True
source: uname(2)
`

const kernelHasDoc = `
Tells whether the kernel has a feature, such as a kind of link, by trying it once in a namespace of its own.

feature (string): the kind of link or queueing discipline, as "ip link add type" has it; "netem" for shaping
returns (bool): whether it is there
errors: no feature has that name; the message lists those that have
example:
    if kernel.has("netem"):
        print("links can be shaped")
`
