package builtins

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	startime "go.starlark.net/lib/time"
	"go.starlark.net/starlark"

	"nsscript/builtins/lab"
	"nsscript/builtins/near"
	"nsscript/builtins/op"
)

// Look returns a session on a lab that is up, for commands that look at it as a
// script would. The caller closes the lab.
func Look(ctx context.Context, l *lab.Lab) *Session {
	s := NewSession(ctx, Options{Lab: l, Out: io.Discard})
	for _, name := range l.System().Names() {
		s.remember(&Namespace{s: s, name: name, joined: !l.System().Owned(name)})
	}
	return s
}

// Find returns a namespace of the lab by its name; the one that the lab stands in
// is called host.
func (s *Session) Find(name string) (*Namespace, error) {
	if n := s.NamespaceNamed(name); n != nil {
		return n, nil
	}
	return nil, badArg(near.Hint(append(s.lab.System().Names(), op.Host), name), "the lab %q has no namespace %q", s.lab.Name(), name)
}

// Call calls a builtin, such as "ping", as a script does. Arguments are values of a
// script, or strings, numbers, truth values and lengths of time of Go; nil is None.
func (s *Session) Call(name string, args []any, named map[string]any) (starlark.Value, error) {
	b := s.byName[name]
	if b == nil {
		return nil, fmt.Errorf("internal error: there is no builtin %q", name)
	}
	var tuple starlark.Tuple
	for _, a := range args {
		v, err := scriptValue(a)
		if err != nil {
			return nil, err
		}
		tuple = append(tuple, v)
	}
	var pairs []starlark.Tuple
	for k, a := range named {
		v, err := scriptValue(a)
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, starlark.Tuple{starlark.String(k), v})
	}
	v, err := starlark.Call(&starlark.Thread{Name: name}, b.value(), tuple, pairs)
	// Starlark adds a backtrace, which for a command is empty.
	var traced *starlark.EvalError
	if errors.As(err, &traced) {
		err = traced.Unwrap()
	}
	return v, err
}

func scriptValue(a any) (starlark.Value, error) {
	switch a := a.(type) {
	case nil:
		return starlark.None, nil
	case starlark.Value:
		return a, nil
	case string:
		return starlark.String(a), nil
	case int:
		return starlark.MakeInt(a), nil
	case bool:
		return starlark.Bool(a), nil
	case time.Duration:
		return startime.Duration(a), nil
	}
	return nil, fmt.Errorf("internal error: no value of a script is made of a %T", a)
}

// WrongArgument tells which argument of a builtin an error is about, and what is
// wrong with it; the name is "" for an error of another kind.
func WrongArgument(err error) (name string, why error) {
	var arg *argError
	if errors.As(err, &arg) {
		return arg.name, arg.err
	}
	var call *callError
	if errors.As(err, &call) {
		return "", call.err
	}
	return "", err
}
