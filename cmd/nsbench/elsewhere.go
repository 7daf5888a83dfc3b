//go:build !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "nsbench: it measures what only Linux can do")
	os.Exit(3)
}
