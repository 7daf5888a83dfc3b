// Package builtins is what a script can name: the functions and values of the
// language that make and look at networks. It is glue: a builtin checks its
// arguments, builds an operation (package op) or a probe (package probe), hands
// it to the lab, and wraps the result.
//
// A [Session] is one run of a script: its lab, its parameters, its checks.
// [Session.Predeclared] gives the names.
//
// A builtin is declared by a spec: a signature as a user reads it, from which
// both its arguments are bound and its documentation comes, a summary, and a
// function. A builtin whose first parameter is called ns is a method of
// Namespace too.
//
// Arguments are unpacked into Go variables at the top of each builtin; a custom
// kind of argument (an address, a duration, a target) is a type with an unpack
// method, so that no builtin parses text by itself.
//
// The values:
//
//	Namespace, Link, Bridge   names for kernel objects; their fields are read
//	                          from the kernel each time
//	Network, Address          plain values
//	Route, Rule               what was read from the kernel, with delete()
//	Process                   a background program of the lab
//	record                    results: named fields, a printed form, a truth
package builtins
