//go:build linux

package main

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"

	"nsscript/builtins/near"
	"nsscript/builtins/op"
	"nsscript/cmd/nsscript/internal/suite"
)

// findTests finds the tests that paths name and that --run lets through. No script is
// run for it.
func findTests(paths []string, o testOptions) ([]*suite.Test, error) {
	if len(paths) == 0 {
		paths = []string{"."}
	}
	var match *regexp.Regexp
	if o.run != "" {
		var err error
		if match, err = regexp.Compile(o.run); err != nil {
			return nil, usage("--run: %w", err)
		}
	}
	files, err := readTests(paths)
	if err != nil {
		return nil, err
	}
	if err := checkSets(files, o.set); err != nil {
		return nil, err
	}
	var all, chosen []*suite.Test
	for _, f := range files {
		all = append(all, f.Tests...)
		if match != nil {
			f.Tests = slices.DeleteFunc(slices.Clone(f.Tests), func(t *suite.Test) bool { return !match.MatchString(t.ID()) })
		}
		chosen = append(chosen, f.Tests...)
	}
	if len(chosen) == 0 && len(all) > 0 {
		return nil, usage("%w", noneMatches(o.run, all))
	}
	return chosen, nil
}

func noneMatches(pattern string, all []*suite.Test) error {
	var names []string
	for _, t := range all {
		names = append(names, t.Name())
	}
	tip := near.Hint(names, pattern)
	if tip == "" {
		tip = "--list prints the names that there are"
	}
	return &op.Error{Msg: fmt.Sprintf("no test matches --run %q", pattern), Tip: tip}
}

// readTests reads the test files that paths name, each once.
func readTests(paths []string) ([]*suite.File, error) {
	found, empty, err := suite.Files(paths)
	if err != nil {
		return nil, usage("%w", err)
	}
	for _, dir := range empty {
		fmt.Fprintf(os.Stderr, "no test files in %s (*_test.star, test_*.star)\n", dir)
	}
	lib, err := library()
	if err != nil {
		return nil, err
	}
	in := reader(lib, nil)
	var files []*suite.File
	byPath := map[string]*suite.File{}
	asked := map[*suite.Test]bool{}
	for _, one := range found {
		f := byPath[one.Real]
		if f == nil {
			f = suite.Read(in, one.Path)
			byPath[one.Real] = f
			if f.Idle && !one.Named {
				fmt.Fprintf(os.Stderr, "no test in %s\n", one.Path)
			} else {
				files = append(files, f)
			}
		}
		tests := f.Tests
		switch {
		case one.Only != "":
			if tests, err = f.Only(one.Only); err != nil {
				return nil, usage("%w", err)
			}
		case f.Idle && one.Named:
			return nil, usage("%w", &op.Error{Msg: fmt.Sprintf("%s has no test: it defines no function test_*, and its top level does nothing", one.Path)})
		}
		for _, t := range tests {
			asked[t] = true
		}
	}
	for _, f := range files {
		f.Tests = slices.DeleteFunc(f.Tests, func(t *suite.Test) bool { return !asked[t] })
	}
	return files, nil
}

// checkSets holds that each parameter that is set is one of some file.
func checkSets(files []*suite.File, sets []string) error {
	params, err := parseSets(sets)
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for _, f := range files {
		if f.AnyParam {
			return nil
		}
		maps.Copy(known, f.Params)
	}
	for name := range params {
		if !known[name] && len(files) > 0 {
			tip := "they have none"
			if len(known) > 0 {
				tip = "they have " + strings.Join(slices.Sorted(maps.Keys(known)), ", ")
			}
			return usage("%w", &op.Error{Msg: fmt.Sprintf("the scripts have no parameter %q", name), Tip: tip})
		}
	}
	return nil
}
