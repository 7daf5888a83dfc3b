//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"nsscript/cmd/nsscript/internal/suite"
)

// testOptions are the flags of test.
type testOptions struct {
	jobs             int
	set              []string
	run, limit       string
	junit            string
	tap, json, list  bool
	verbose, failNow bool
}

func newTest() *cobra.Command {
	var o testOptions
	cmd := &cobra.Command{
		Use:   "test [PATH …]",
		Short: "Run the tests of scripts, each in a sandbox of its own, and report",
		Long: `Run the tests of scripts, each in a sandbox of its own, and report.

A PATH is a file, FILE:FUNC for one test of it, or a directory (the current one
without a PATH): of a directory, *_test.star and test_*.star in it and below it are
taken, except in hidden directories. DIR/... is DIR.

Each function test_* of such a file is a test; a file without one is a test itself.
A test runs in a sandbox that nothing else is in, so that tests can run side by side
and leave nothing: the top level of the file is run there, then

    setup()       if the file defines it
    test_NAME()   which may take one argument, what setup() returned
    teardown()    if defined, also after a test that failed; may take the same argument

A test fails if a check in any of these fails or an error ends one; after an error in
setup() neither the test nor teardown() is run. skip("why") ends a test as skipped.
Only what the file defines itself is called: a setup() that is loaded is given its
name there (setup = shared_setup). Paths in a script start from the directory that
nsscript was started in, as in a run.

--run takes a regular expression, which may match any part of FILE:FUNC. --timeout is for
the top level, setup() and the test together; teardown() has as much again.

The exit status is 0 if all tests passed (or were skipped, or a directory has none),
1 if one failed, 2 for wrong usage (also a file that has no test, or --run that matches
none), 3 if the machine lacks what sandboxes need, 130 if the run was interrupted.`,
		Example: `  nsscript test                          all tests below the current directory
  nsscript test net_test.star:test_nat   one of them
  nsscript test --run 'nat|dns' -v -j 1  some, one after the other, with all they print
  nsscript test --junit report.xml       for CI`,
		ValidArgsFunction: completeStarFiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runTests(cmd.Context(), args, o)
		},
	}
	f := cmd.Flags()
	f.IntVarP(&o.jobs, "jobs", "j", runtime.NumCPU(), "run so many tests at once: `N`")
	f.StringVar(&o.run, "run", "", "run only the tests that match the regular expression `REGEX`")
	f.BoolVar(&o.list, "list", false, "print the names of the tests, and run none")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "print all tests with their output, not only those that fail")
	f.BoolVar(&o.failNow, "fail-fast", false, "begin no test after one failed")
	f.StringVar(&o.limit, "timeout", "60s", "the `TIME` that each test may take; 0 for no limit")
	f.StringArrayVar(&o.set, "set", nil, "set a parameter of the scripts: `NAME=VALUE`")
	f.StringVar(&o.junit, "junit", "", "write the results to `FILE` as JUnit's XML")
	f.BoolVar(&o.tap, "tap", false, "print the results in the Test Anything Protocol, version 14")
	f.BoolVar(&o.json, "json", false, "print the results as JSON")
	return cmd
}

func runTests(ctx context.Context, paths []string, o testOptions) error {
	limit, err := timeOf("--timeout", o.limit)
	if err != nil {
		return err
	}
	if o.jobs < 1 {
		return usage("-j wants how many tests to run at once, 1 or more")
	}
	if o.tap && o.json {
		return usage("give --tap or --json, not both")
	}
	tests, err := findTests(paths, o)
	if err != nil {
		return err
	}
	if o.list {
		return listTests(tests, o.json)
	}
	return playTests(ctx, tests, limit, o)
}

func listTests(tests []*suite.Test, asJSON bool) error {
	if asJSON {
		return suite.List(&stdout, tests)
	}
	status := exitOK
	for _, t := range tests {
		if t.Wrong != nil {
			fmt.Fprint(os.Stderr, t.Wrong.Output)
			status = exitFailed
			continue
		}
		fmt.Fprintln(&stdout, t.ID())
	}
	return &exitError{status: status}
}

// playTests runs tests and returns how that ended.
func playTests(ctx context.Context, tests []*suite.Test, limit time.Duration, o testOptions) (err error) {
	reporters := []suite.Reporter{reporterOf(len(tests), o)}
	if o.junit != "" {
		f, err := os.Create(o.junit)
		if err != nil {
			return usage("--junit: %w", err)
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		reporters = append(reporters, suite.NewJUnit(f))
	}
	line := newProgressLine(o)
	wrongUse, bad := false, false
	boxes := &testBoxes{set: o.set, limit: limit, user: hostRights() != nil}
	runner := suite.Runner{
		Jobs: o.jobs, FailFast: o.failNow, Run: boxes.run, Progress: line.show,
		Done: func(t *suite.Test, r *suite.Result) {
			line.clear()
			for _, rep := range reporters {
				rep.Done(t, r)
			}
			wrongUse, bad = wrongUse || r.Usage, bad || r.Bad()
			r.Output = "" // of thousands of tests it would be too much to keep
		},
	}
	began := time.Now()
	failed := runner.All(ctx, tests)
	line.clear()
	for _, rep := range reporters {
		err = errors.Join(err, rep.End(time.Since(began), failed))
	}
	switch {
	case ctx.Err() != nil:
		return errors.Join(&exitError{exitInterrupted, context.Cause(ctx)}, err)
	case failed != nil:
		return errors.Join(failed, err)
	case err != nil:
		return err
	case wrongUse:
		return &exitError{status: exitUsage}
	case bad:
		return &exitError{status: exitFailed}
	}
	return nil
}

func reporterOf(tests int, o testOptions) suite.Reporter {
	switch {
	case o.tap:
		return suite.NewTAP(&stdout, tests)
	case o.json:
		return suite.NewJSON(&stdout)
	}
	return suite.NewText(&stdout, o.verbose, colorful(os.Stdout))
}
