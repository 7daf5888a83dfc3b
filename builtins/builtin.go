package builtins

import (
	"fmt"
	"runtime/debug"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"nsscript/builtins/doc"
	"nsscript/builtins/op"
)

// spec declares a builtin.
type spec struct {
	// sig is the signature as a user reads it: `veth(a, b, *, name = None)`.
	// What comes after the star can only be given by name; what has a default
	// can be left out.
	sig string
	// doc describes the builtin in the form of package doc.
	doc string
	run func(c *call) (starlark.Value, error)
}

// builtin is a declared builtin, ready to be called in a session.
type builtin struct {
	spec
	name    string // as a user writes it: nat.masquerade
	params  []doc.Arg
	session *Session
}

// declare reads a builtin's signature.
func (s *Session) declare(sp spec) *builtin {
	name, params := doc.Signature(sp.sig)
	return &builtin{spec: sp, name: name, params: params, session: s}
}

// value returns the builtin as a Starlark function.
func (b *builtin) value() *starlark.Builtin { return b.bind(nil) }

// bind returns the builtin with its first argument given: a method.
func (b *builtin) bind(recv starlark.Value) *starlark.Builtin {
	fn := func(thread *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (v starlark.Value, err error) {
		// Starlark forgets whose method it calls before a panic could be
		// reported with the script's line.
		defer func() {
			if r := recover(); r != nil {
				err = b.wrap(fmt.Errorf("internal error: %v\n%s", r, debug.Stack()))
			}
		}()
		c := &call{Session: b.session, b: b, thread: thread}
		if recv != nil {
			args = append(starlark.Tuple{recv}, args...)
		}
		if err := c.bindArgs(args, kwargs, recv != nil); err != nil {
			return nil, b.wrap(err)
		}
		if !patient[b.name] {
			if err := b.session.lab.System().CatchUp(); err != nil {
				return nil, b.wrap(err)
			}
		}
		if v, err = b.run(c); err != nil {
			return nil, b.wrap(err)
		}
		if v == nil {
			v = starlark.None
		}
		return v, nil
	}
	sb := starlark.NewBuiltin(b.name, fn)
	if recv != nil {
		sb = sb.BindReceiver(recv)
	}
	return sb
}

// patient are the builtins, and methods by their bare names, that only ask for something
// to be built, or compute: before each other one, what was put off is done.
var patient = map[string]bool{
	"lab": true, "param": true, "namespace": true, "veth": true, "bridge": true, "attach": true, "add_addr": true,
	"route": true, "rule": true, "sysctl": true, "neighbor": true,
	"cidr": true, "host": true, "subnets": true, "contains": true,
	"firewall.policy": true, "firewall.allow": true, "firewall.drop": true, "firewall.reject": true, "firewall.log": true,
	"nat.masquerade": true, "nat.snat": true, "nat.dnat": true, "nat.redirect": true,
}

// wrap puts the builtin's name before an error.
func (b *builtin) wrap(err error) error { return &callError{name: b.name, err: err} }

// callError is an error of a builtin.
type callError struct {
	name string
	err  error
}

func (e *callError) Error() string { return e.name + ": " + e.err.Error() }
func (e *callError) Unwrap() error { return e.err }

// call is one call of a builtin.
type call struct {
	*Session
	b      *builtin
	thread *starlark.Thread
	args   []starlark.Value // by parameter; nil where none was given
	none   map[string]bool  // parameters for which None was given
	rest   []starlark.Tuple // what was given by name beyond the parameters, where **rest takes it
	method bool             // the first argument is the value that the method is of
}

// badArg is a mistake in how a builtin was called.
func badArg(hint, format string, args ...any) error {
	return &op.Error{Msg: fmt.Sprintf(format, args...), Tip: hint}
}

func (c *call) bindArgs(args starlark.Tuple, kwargs []starlark.Tuple, method bool) error {
	params := c.b.params
	c.method = method
	c.args = make([]starlark.Value, len(params))
	names := make([]string, len(kwargs))
	for i, kv := range kwargs {
		names[i] = string(kv[0].(starlark.String))
	}
	bound := 0
	if method {
		bound = 1
	}
	if wrong := doc.Takes(c.b.sig, params, bound, doc.Call{Positional: len(args), Names: names}); wrong != nil {
		if method && len(args) > 1 && args[0] == args[1] {
			wrong.Tip = "what stands before the dot is the first argument already"
		}
		return badArg(wrong.Tip, "%s", wrong.Msg)
	}
	copy(c.args, args)
	for n, name := range names {
		i := slices.IndexFunc(params, func(p doc.Arg) bool { return p.Name == name && p.Rest == "" })
		if i < 0 {
			c.rest = append(c.rest, kwargs[n])
			continue
		}
		c.args[i] = kwargs[n][1]
	}
	for i, p := range params {
		if c.args[i] == starlark.None && p.Optional {
			c.args[i] = nil
			if c.none == nil {
				c.none = map[string]bool{}
			}
			c.none[p.Name] = true
		}
	}
	return nil
}

// pos is the script's line of the call.
func (c *call) pos() string { return position(c.thread) }

// position is where a thread stands: in a module of the library, the line of the
// script that called it.
func position(thread *starlark.Thread) string {
	inside := ""
	for d := 0; d < thread.CallStackDepth(); d++ {
		p := thread.CallFrame(d).Pos
		switch {
		case p.Line == 0:
		case !strings.HasPrefix(p.Filename(), "@std//"):
			return p.String()
		case inside == "":
			inside = p.String()
		}
	}
	return inside
}

// do applies an operation to the lab.
func (c *call) do(o op.Op) error { return c.lab.Do(c.ctx, c.pos(), o) }
