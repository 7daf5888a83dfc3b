// Package interp runs scripts written in Starlark: it reads them, follows their
// load statements, runs them so that they can be stopped at any moment, and says
// what is wrong with them in words a beginner understands. What a script can do
// is no business of this package: the values it may name are handed in.
//
// # The types
//
// A [Source] is the text of a script, with the name it has in messages and the
// file it came from. [ReadFile] makes one from a file; a command line's -c or
// standard input makes one with an empty Path.
//
// An [Interp] is made by [New] from [Options]: the predeclared names, where
// print goes, and the embedded modules that a script loads as
// "@std//name.star". It remembers the modules that it has run, so that each runs
// once. It does four things with a script:
//
//   - [Interp.Scan] reads it and all it loads without running anything, and
//     returns a [Usage]: which predeclared names, attributes and parameters
//     occur in it.
//   - [Interp.Run] runs it. Everything it loads, directly or not, is read and
//     checked before the first line runs, so that a spelling mistake in a module
//     is not found halfway through the work.
//   - [Interp.Call] calls a function that a script has defined.
//   - [Interp.Chunk] runs one input of an interactive session.
//
// An [Error] is what all four return when something is wrong. It carries the
// position, the message, a hint, the line of the script with a caret under the
// place, and the [Call]s that led there, and prints all of it. An error returned
// by a builtin can be reached with [errors.As], and gives its advice by having
// the method of a [Hinter]. A builtin that panics gives an Error around a
// [Panic].
//
// # From the text to its values
//
// A file (file.go) is parsed and compiled once. Its load statements are resolved
// to other files (load.go), depth first, so that a cycle, a missing module and a
// name that a module does not have are found at once. A run (run.go) is one
// Starlark thread; a module that is loaded runs on the thread of the loading
// one, so a stop, the limit on depth and the list of calls cover both.
//
// The thread carries the run's context.Context under the local key "context",
// for builtins that wait.
//
// # From a failure to an Error
//
// Starlark reports a call at its opening parenthesis, an attribute at its dot.
// place.go maps these back to what a reader would point at, with the syntax tree
// of the file. explain.go joins position, cause and calls; reword.go and the
// files of rules turn the evaluator's terse messages into sentences. syntax.go
// does the same for what the parser rejects: tokens.go finds out which word it
// was, slips.go what is wrong with it, foreign.go what comes from Python or
// another language. names.go is for names that do not exist, near.go for what
// was meant. format.go prints the result.
package interp
