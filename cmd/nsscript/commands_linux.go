package main

import (
	"errors"

	"github.com/spf13/cobra"

	"nsscript/builtins/kernel/sandbox"
)

// commands are all there are.
func commands() []*cobra.Command {
	return []*cobra.Command{
		newRun(),
		newPlan(),
		newImport(),
		newExamples(),
		newTest(),
		newTestWorker(),
		newExercise(),
		newExerciseWorker(),
		newRepl(),
		newDown(),
		newLs(),
		newShow(),
		newExec(),
		newShell(),
		newPing(),
		newTrace(),
		newGraph(),
		newCapture(),
		newFmt(),
		newCheck(),
		newLsp(),
		newDoc(),
		newDoctor(),
		newCompletion(),
		newVersion(),
		newServe(),
	}
}

// begin is what comes before everything else in a process.
func begin() {
	sandbox.Main()
	restrict()
}

// lacksSandbox reports whether an error is that no sandbox can be made here.
func lacksSandbox(err error) bool {
	var missing *sandbox.Missing
	return errors.As(err, &missing)
}
