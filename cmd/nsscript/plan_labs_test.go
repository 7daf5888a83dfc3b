//go:build linux

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// TestPlannedLabs holds of the labs in testdata/plans, one behaviour each, that a run,
// the planned script and the picture come to one network.
func TestPlannedLabs(t *testing.T) {
	t.Parallel()
	if os.Getenv(stageEnv) != "" {
		t.Skip("inside a private host")
	}
	archives, err := filepath.Glob("testdata/plans/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no labs in testdata/plans: %v", err)
	}
	for _, file := range archives {
		a, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range a.Files {
			name := strings.TrimSuffix(f.Name, ".star")
			t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar")+"/"+name, func(t *testing.T) {
				t.Parallel()
				if needs := neededFeatures.FindSubmatch(f.Data); needs != nil {
					skipWithout(t, strings.Fields(string(needs[1]))...)
				}
				sameThreeWays(t, name, string(f.Data))
			})
		}
	}
}
