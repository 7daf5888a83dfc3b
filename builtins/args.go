package builtins

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	startime "go.starlark.net/lib/time"
	"go.starlark.net/starlark"

	"nsscript/builtins/kernel"
	"nsscript/builtins/lab"
	"nsscript/builtins/near"
	"nsscript/builtins/op"
	"nsscript/builtins/pattern"
)

// unpacker is a kind of argument that reads itself from a value. The error says
// what is accepted.
type unpacker interface {
	unpack(s *Session, v starlark.Value) error
}

// unpack reads the call's arguments into variables, one for each parameter, in
// their order. A variable whose argument was left out keeps its value; nil skips
// one.
func (c *call) unpack(dest ...any) error {
	if len(dest) != len(c.b.params) {
		return fmt.Errorf("internal error: %d variables for %s", len(dest), c.b.sig)
	}
	for i, d := range dest {
		v := c.args[i]
		if v == nil || d == nil {
			continue
		}
		if err := c.read(v, d); err != nil {
			return c.swapped(i, dest, &argError{name: c.b.params[i].Name, err: err})
		}
	}
	return nil
}

// swapped has an argument's error say so where another stands in its place, and
// would do in its own.
func (c *call) swapped(i int, dest []any, err error) error {
	if c.b.params[i].ByName {
		return err
	}
	for j, p := range c.b.params {
		if j == i || p.ByName || c.args[j] == nil || dest[j] == nil {
			continue
		}
		if c.read(c.args[j], dest[i]) == nil && c.read(c.args[i], dest[j]) == nil {
			return badArg(fmt.Sprintf("are %q and %q in each other's place?", c.b.params[i].Name, p.Name), "%v", err)
		}
	}
	return err
}

// argError is an argument that is not what it must be.
type argError struct {
	name string
	err  error
}

func (e *argError) Error() string { return fmt.Sprintf("argument %q: %v", e.name, e.err) }
func (e *argError) Unwrap() error { return e.err }

// given reports whether an argument was given, and not None.
func (c *call) given(name string) bool {
	for i, p := range c.b.params {
		if p.Name == name {
			return c.args[i] != nil
		}
	}
	return false
}

// want is the error of an argument of the wrong kind.
func want(what string, v starlark.Value) error {
	return badArg("", "want %s, got %s", what, describe(v))
}

// describe names a value in a message.
func describe(v starlark.Value) string {
	switch v := v.(type) {
	case starlark.String:
		s := string(v)
		if len(s) > 60 {
			s = s[:60] + "…"
		}
		return fmt.Sprintf("%q", s)
	case starlark.NoneType, starlark.Bool, starlark.Int, starlark.Float:
		return v.String()
	case *starlark.List:
		return "a list"
	case *starlark.Dict:
		return "a dict"
	case starlark.Tuple:
		return "a tuple"
	case *starlark.Function:
		return fmt.Sprintf("the function %s", v.Name())
	case *starlark.Builtin:
		return fmt.Sprintf("the function %s", v.Name())
	case *Namespace:
		return fmt.Sprintf("the Namespace %q", v.name)
	case *Link:
		return fmt.Sprintf("the Link %q", v.name)
	case *Bridge:
		return fmt.Sprintf("the Bridge %q", v.name)
	case Address:
		return "the Address " + v.String()
	case Network:
		return "the Network " + v.String()
	}
	return "a " + v.Type()
}

func (s *Session) read(v starlark.Value, dest any) error {
	switch d := dest.(type) {
	case unpacker:
		return d.unpack(s, v)
	case *starlark.Value:
		*d = v
	case *string:
		str, ok := starlark.AsString(v)
		if !ok {
			return want("a string", v)
		}
		*d = str
	case *bool:
		b, ok := v.(starlark.Bool)
		if !ok {
			return want("True or False", v)
		}
		*d = bool(b)
	case *int:
		i, ok := v.(starlark.Int)
		n, fits := int64(0), false
		if ok {
			n, fits = i.Int64()
		}
		if !fits {
			return want("a whole number", v)
		}
		*d = int(n)
	case **Namespace:
		ns, err := s.asNamespace(v)
		if err != nil {
			return err
		}
		*d = ns
	case *starlark.Callable:
		fn, ok := v.(starlark.Callable)
		if !ok {
			return want("a function", v)
		}
		*d = fn
	case **starlark.Dict:
		m, ok := v.(*starlark.Dict)
		if !ok {
			return want("a dict", v)
		}
		*d = m
	default:
		return fmt.Errorf("internal error: no way to read a %T", dest)
	}
	return nil
}

// asNamespace accepts a Namespace that was not deleted.
func (s *Session) asNamespace(v starlark.Value) (*Namespace, error) {
	ns, ok := v.(*Namespace)
	if !ok {
		return nil, badArg(s.meantNamespace(v), "want a Namespace, got %s", describe(v))
	}
	return ns, ns.alive()
}

// meantNamespace is the hint for a namespace's name where the namespace itself
// is wanted.
func (s *Session) meantNamespace(v starlark.Value) string {
	name, ok := starlark.AsString(v)
	if !ok {
		return ""
	}
	if _, err := s.lab.System().Look(name); err != nil {
		if lab.CheckName("namespace", name) != nil {
			return ""
		}
		return fmt.Sprintf("a namespace is made first: %s = namespace(%q)", strings.NewReplacer("-", "_", ".", "_").Replace(name), name)
	}
	return fmt.Sprintf("%q is the name of a namespace: give the value that namespace(%q) returned", name, name)
}

// nearName is the hint for what looks like a name and is nearly one of those
// given.
func nearName(names []string, name string) string {
	if strings.Trim(name, "0123456789./:abcdefABCDEF") == "" {
		return "" // a mistyped address
	}
	return near.Hint(names, name)
}

// duration is a length of time: a number of seconds, "200ms", or a time
// duration.
type duration time.Duration

func (d *duration) unpack(_ *Session, v starlark.Value) error {
	const accepts = `a number of seconds, or a string such as "200ms"`
	hint := func(text string) string {
		compact := strings.ToLower(strings.ReplaceAll(text, " ", ""))
		for word, unit := range map[string]string{"seconds": "s", "second": "s", "secs": "s", "sec": "s", "minutes": "m", "minute": "m", "min": "m", "hours": "h", "hour": "h", "msec": "ms"} {
			if n, ok := strings.CutSuffix(compact, word); ok && !strings.HasSuffix(n, "m") {
				compact = n + unit
				break
			}
		}
		if n, err := strconv.ParseFloat(strings.TrimSuffix(compact, "d"), 64); err == nil && strings.HasSuffix(compact, "d") {
			return fmt.Sprintf("write \"%gh\"", 24*n)
		} else if err == nil {
			return fmt.Sprintf("write %s or \"%ss\"", compact, compact)
		}
		if _, err := time.ParseDuration(compact); err == nil && compact != text {
			return fmt.Sprintf("write %q", compact)
		}
		return ""
	}
	switch v := v.(type) {
	case startime.Duration:
		*d = duration(v)
	case starlark.Int, starlark.Float:
		f, _ := starlark.AsFloat(v)
		if !(f < 1e9) { // NaN too
			return want(accepts, v)
		}
		*d = duration(f * float64(time.Second))
	case starlark.String:
		t, err := time.ParseDuration(string(v))
		if err != nil {
			return badArg(hint(string(v)), "want %s, got %s", accepts, describe(v))
		}
		*d = duration(t)
	default:
		return want(accepts, v)
	}
	if *d < 0 {
		return want("a time that is not negative", v)
	}
	return nil
}

func (d duration) std() time.Duration { return time.Duration(d) }

// ifName is the name of an interface that is to be made.
type ifName string

func (n *ifName) unpack(_ *Session, v starlark.Value) error {
	s, ok := starlark.AsString(v)
	if !ok {
		return want("the name of an interface", v)
	}
	if err := kernel.CheckLinkName(s); err != nil {
		return err
	}
	*n = ifName(s)
	return nil
}

// devName names an interface that exists: its name or a Link.
type devName struct {
	name string
	of   *Link // nil for a bare name
}

// in returns the name, "" for none, for an interface of ns. A Link of another
// namespace is refused.
func (n devName) in(ns *Namespace, arg string) (string, error) {
	if n.of != nil && n.of.n.name != ns.name {
		return "", &argError{arg, badArg("a cable's ends are returned in the order of its arguments",
			"the Link %q is in %s, not in %s", n.name, n.of.n.title(), ns.title())}
	}
	return n.name, nil
}

func (n *devName) unpack(_ *Session, v starlark.Value) error {
	switch v := v.(type) {
	case starlark.String:
		if err := kernel.CheckLinkName(string(v)); err != nil {
			return err
		}
		n.name = string(v)
	case linkValue:
		l, err := v.link().peek()
		if err != nil {
			return err
		}
		n.name, n.of = l.Name, v.link()
	default:
		return want("the name of an interface or a Link", v)
	}
	return nil
}

// mac is a link-layer address.
type mac string

func (m *mac) unpack(_ *Session, v starlark.Value) error {
	s, ok := starlark.AsString(v)
	if !ok {
		return want(`an address such as "02:00:00:00:00:01"`, v)
	}
	hw, err := net.ParseMAC(s)
	if err != nil || len(hw) != 6 {
		return want(`an address such as "02:00:00:00:00:01"`, v)
	}
	if slices.Max(hw) == 0 {
		return badArg("", "%s stands for no address, an interface cannot have it", s)
	}
	if hw[0]&1 == 1 {
		return badArg("the lowest bit of the first byte marks a group: use an even first byte such as 02",
			"%s is a multicast address, an interface cannot have it", s)
	}
	*m = mac(hw.String())
	return nil
}

// mtu is the largest packet of an interface in bytes.
type mtu int

func (m *mtu) unpack(_ *Session, v starlark.Value) error {
	return readInt(v, (*int)(m), 68, 65535, "bytes")
}

// readInt reads a whole number within bounds.
func readInt(v starlark.Value, n *int, low, high int, unit string) error {
	i, ok := v.(starlark.Int)
	if ok {
		if k, fits := i.Int64(); fits && k >= int64(low) && k <= int64(high) {
			*n = int(k)
			return nil
		}
	}
	what := "a whole number"
	if unit != "" {
		what = "a number of " + unit
	}
	return want(fmt.Sprintf("%s from %d to %d", what, low, high), v)
}

// within reads a whole number within bounds into a variable; the unit may be "".
type within struct {
	n         *int
	low, high int
	unit      string
}

func (w within) unpack(_ *Session, v starlark.Value) error {
	return readInt(v, w.n, w.low, w.high, w.unit)
}

// port is a TCP or UDP port.
type port int

func (p *port) unpack(_ *Session, v starlark.Value) error {
	if readInt(v, (*int)(p), 1, 65535, "") != nil {
		return wantPort("a port from 1 to 65535", v)
	}
	return nil
}

// wantPort is the error of what is no port, with the number that was meant.
func wantPort(what string, v starlark.Value) error {
	tip := ""
	if name, ok := starlark.AsString(v); ok {
		if n, err := net.LookupPort("tcp", name); err == nil && n > 0 {
			tip = fmt.Sprintf("write the number: %d", n)
		}
	}
	return badArg(tip, "want %s, got %s", what, describe(v))
}

// words is a command: a list of words, or a string that is split as a shell
// would split it.
type words []string

func (w *words) unpack(_ *Session, v starlark.Value) error {
	switch v := v.(type) {
	case starlark.String:
		list, err := splitWords(string(v))
		if err != nil {
			return badArg("for pipes, variables and redirection use sh()", "%q is no simple command: %v", string(v), err)
		}
		if sign := shellSign(string(v)); sign != "" {
			return badArg("use sh() for pipes, redirection and several commands, spawn() for the background; in quotes it is a word",
				"%q holds %s, which only a shell understands, and none is run", string(v), sign)
		}
		*w = list
	case *starlark.Dict:
		return want("a command: a list of words or a string", v)
	case starlark.Iterable:
		it := v.Iterate()
		defer it.Done()
		var x starlark.Value
		for it.Next(&x) {
			s, err := wordOf(x)
			if err != nil {
				return err
			}
			*w = append(*w, s)
		}
	default:
		return want("a command: a list of words or a string", v)
	}
	if len(*w) == 0 || (*w)[0] == "" {
		return badArg("", "the command is empty")
	}
	return nil
}

// shellSigns match words that are a shell's, not a command's.
var shellSigns = pattern.Of(`^(\|{1,2}|&{1,2}|;|\d?>{1,2}(&\d|\S+)?|<\S*|&>\S*)$`)

// shellSign returns the first word of a command that stands in no quotes and would
// be a sign to a shell.
func shellSign(command string) string {
	quote := rune(0)
	word := ""
	for _, r := range command + " " {
		switch {
		case quote != 0:
			if r == quote {
				quote = 0
			}
			word += string(r)
		case r == '\'' || r == '"':
			quote = r
			word += string(r)
		case r == ' ' || r == '\t' || r == '\n':
			if shellSigns().MatchString(word) {
				return word
			}
			word = ""
		default:
			word += string(r)
		}
	}
	return ""
}

// wordOf is one word of a command, an environment variable's value and the like.
func wordOf(v starlark.Value) (string, error) {
	switch v := v.(type) {
	case starlark.String:
		if strings.Contains(string(v), "\x00") {
			return "", badArg("", "a word of a command cannot hold a NUL")
		}
		return string(v), nil
	case starlark.Int, starlark.Float, Address, Network:
		return v.String(), nil
	case linkValue:
		l, err := v.link().read()
		if err != nil {
			return "", err
		}
		return l.Name, nil
	case *Namespace:
		return v.name, nil
	}
	return "", want("a string as word of a command", v)
}

// splitWords splits a command as a shell would, quotes and backslashes
// understood, nothing expanded.
func splitWords(s string) ([]string, error) {
	if strings.Contains(s, "\x00") {
		return nil, fmt.Errorf("it holds a NUL")
	}
	return op.Words(s)
}
