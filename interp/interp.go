package interp

import (
	"io/fs"
	"maps"
	"slices"
	"sync"

	"go.starlark.net/lib/json"
	"go.starlark.net/lib/math"
	"go.starlark.net/lib/time"
	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"
	"go.starlark.net/syntax"
)

// DefaultMaxDepth is how many calls may be inside one another where
// [Options] says nothing.
const DefaultMaxDepth = 2000

// Options says what the scripts of an [Interp] find.
type Options struct {
	// Predeclared are the names that every script and module can use, beside
	// Starlark's own and struct, json, math and time.
	Predeclared starlark.StringDict

	// Print receives what a script prints. Nil means standard error.
	Print func(thread *starlark.Thread, msg string)

	// Std holds the embedded modules: load("@std//topo.star", …) reads topo.star
	// in it. Nil means that there are none.
	Std fs.FS

	// Overlay returns the text of a file that is not to be read from the file
	// system, such as one that an editor holds. Nil means that there is none.
	Overlay func(path string) (text []byte, ok bool)

	// OtherNames are names that scripts do not have and that people may write,
	// each with what helps.
	OtherNames map[string]string

	// CatchUp, if set, is called when a script, a chunk or a function has ended, to do
	// what its builtins have put off. Its error is the script's; a [Late] one also where
	// the script has failed, for it came first.
	CatchUp func() error

	// MaxDepth is how many calls may be inside one another; 0 means
	// [DefaultMaxDepth]. More than 10000 are never allowed: they could exhaust
	// the memory of the program.
	MaxDepth int
}

// An Interp runs scripts that share predeclared names and loaded modules. It may
// be used by several goroutines; a module that two of them load for the first
// time in the same moment is run by both.
type Interp struct {
	opts        Options
	predeclared starlark.StringDict

	mu sync.Mutex
	// modules are the loaded files, by identity.
	modules map[string]*file
	// parsed finds the file that a position lies in, by the position without
	// line and column.
	parsed map[syntax.Position]*file
}

// New returns an Interp.
func New(opts Options) *Interp {
	if opts.MaxDepth <= 0 {
		opts.MaxDepth = DefaultMaxDepth
	}
	opts.MaxDepth = min(opts.MaxDepth, 10_000)
	pre := starlark.StringDict{
		"struct": starlark.NewBuiltin("struct", starlarkstruct.Make),
		"json":   json.Module,
		"math":   math.Module,
		"time":   time.Module,
	}
	for name, v := range opts.Predeclared {
		pre[name] = guard(v)
	}
	return &Interp{
		opts:        opts,
		predeclared: pre,
		modules:     map[string]*file{},
		parsed:      map[syntax.Position]*file{},
	}
}

// Names returns the names that every script can use, predeclared and universal,
// sorted.
func (in *Interp) Names() []string {
	names := slices.Concat(slices.Collect(maps.Keys(in.predeclared)), slices.Collect(maps.Keys(starlark.Universe)))
	slices.Sort(names)
	return slices.Compact(names)
}

// Dialect returns the options with which scripts are parsed: sets, while,
// recursion, if and loops at the top level, and global names that can be
// assigned again.
func Dialect() *syntax.FileOptions {
	return &syntax.FileOptions{
		Set:             true,
		While:           true,
		TopLevelControl: true,
		GlobalReassign:  true,
		Recursion:       true,
	}
}

// Predeclared returns what a name that every script can use stands for, nil where
// there is none.
func (in *Interp) Predeclared(name string) starlark.Value { return in.lookup(name, nil) }
