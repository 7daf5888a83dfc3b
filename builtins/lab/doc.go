// Package lab keeps labs: what a script builds, so that it can be found again,
// shown and taken down by any later command, whatever happened in between.
//
// A [Lab] applies operations (package op) and writes each to its [Journal]
// before it is done and after. Taking a lab down, [Lab.TakeDown], reads that
// list backwards and undoes what no enclosing undo covers: a namespace that goes
// takes its links, addresses, routes and rules along.
//
// Rules of the packet filter are not added one by one: [Lab.Later] puts them off, in the
// lab's own namespaces, until something looks or waits, and [Lab.CatchUp] adds them
// together (gather.go). What fails then fails with the place where it was asked for.
//
// A [Registry] is the directory in which labs that are up are listed, one
// directory for each: /run/nsscript for root, $XDG_RUNTIME_DIR/nsscript for an
// ordinary user. A lab's directory holds
//
//	lab.json   what the lab is: its script, its host, its sandbox ([Meta])
//	journal    its operations, one JSON object a line
//	lock       held by whoever builds it or takes it down
//	sign       what the lab's processes bear in their environment
//	hosts/NS   the /etc/hosts that programs in namespace NS see
//	log/N      the output of its background processes
//
// [Registry.Claim] takes a name, which is either free or that of an earlier run
// of the same script.
package lab
