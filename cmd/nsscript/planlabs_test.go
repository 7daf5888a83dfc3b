package main

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// TestPlannedLabs holds of the labs of testdata/plans that they come to one network
// three ways.
func TestPlannedLabs(t *testing.T) {
	t.Parallel()
	if os.Getenv(stageEnv) != "" {
		t.Skip("inside a private host")
	}
	a, err := txtar.ParseFile("testdata/plans/labs.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range a.Files {
		name := strings.TrimSuffix(f.Name, ".star")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sameThreeWays(t, name, string(f.Data))
		})
	}
}
