package kernel

import "io"

// Program is a program that is run to its end.
type Program struct {
	Path   string
	Args   []string
	Env    []string
	Dir    string // "" for where this process is
	Input  []byte // nil for /dev/null
	Stdout io.Writer
	Stderr io.Writer
}
