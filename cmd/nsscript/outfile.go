package main

import (
	"errors"
	"os"

	"nsscript/builtins"
)

// envWorker tells a process that it is a worker: it holds the registry's
// directory.
const envWorker = "NSSCRIPT_WORKER"

// fdOutput is the descriptor of the file to write, inside a sandbox.
const fdOutput = 3

// openOutput opens the file that a command writes, nil for the standard output. What is
// in it stays until it is written.
func openOutput(file string) (*os.File, error) {
	switch {
	case file == "" || file == "-":
		return nil, nil
	case os.Getenv(envWorker) != "":
		return os.NewFile(fdOutput, file), nil
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		return nil, usage("%q cannot be written: %s", file, builtins.FileProblem(err))
	}
	return f, nil
}

// writeOutput writes the file, or to the standard output where out is nil.
func writeOutput(out *os.File, text string) error {
	if out == nil {
		_, err := stdout.Write([]byte(text))
		return err
	}
	// A device or a pipe cannot be cut to a length.
	if i, err := out.Stat(); err == nil && i.Mode().IsRegular() {
		if err := out.Truncate(0); err != nil {
			return err
		}
	}
	_, err := out.WriteString(text)
	return errors.Join(err, out.Close())
}
