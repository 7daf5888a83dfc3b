//go:build linux

// Package floor does the work that is measured with as little as the kernel asks for:
// plain netlink messages and system calls, one after the other, in the best order that
// is known. It keeps no notes, checks nothing and answers nobody; what is not slower by
// much is as fast as can be.
package floor

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Arg is the first argument that makes this program a floor: its main function calls
// [Main] with those that follow.
const Arg = "floor"

// works are what can be done, with so many numbers each.
var works = map[string]struct {
	numbers int
	do      func(n []int) error
}{
	"star-up":      {1, func(n []int) error { return starUp(n[0]) }},
	"star-down":    {1, func(n []int) error { return starDown(n[0]) }},
	"tree-up":      {1, func(n []int) error { return treeUp(n[0]) }},
	"tree-down":    {1, func(n []int) error { return treeDown(n[0]) }},
	"fattree-up":   {1, func(n []int) error { return fatTreeUp(n[0]) }},
	"fattree-down": {1, func(n []int) error { return fatTreeDown(n[0]) }},
	"exec":         {1, func(n []int) error { return execTrue(n[0]) }},
	"rules":        {2, func(n []int) error { return rules(n[0], n[1]) }},
	"pingall":      {1, func(n []int) error { return pingAll(n[0]) }},
}

// Main does one of the works: its name and its numbers are the arguments.
func Main(args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("which floor? there are %s", names())
	}
	w, ok := works[args[0]]
	if !ok || len(args) != w.numbers+1 {
		return fmt.Errorf("there is no floor %q of %d numbers; there are %s", args[0], len(args)-1, names())
	}
	var numbers []int
	for _, a := range args[1:] {
		n, err := strconv.Atoi(a)
		if err != nil {
			return err
		}
		numbers = append(numbers, n)
	}
	return w.do(numbers)
}

func names() string {
	var list []string
	for name := range works {
		list = append(list, name)
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}
