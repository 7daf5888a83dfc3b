//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"

	"nsscript/builtins"
	"nsscript/cmd/nsscript/internal/course"
	"nsscript/cmd/nsscript/internal/markdown"
	"nsscript/examples/exercises"
)

// fewest is how many hints and wrong answers each exercise of the course has at least,
// and leastExercises how many exercises there are.
const (
	fewest         = 3
	leastExercises = 28
)

// opened are the exercises which a student solves when he forwards everything and asks no
// packet where it came from: that is what they are about.
var opened = []string{"forwarding", "rp_filter"}

func theCourse(t *testing.T) *course.Course {
	t.Helper()
	c, err := course.Embedded(exercises.FS)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestExercises holds each exercise of the course to what the format promises: its checks
// hold for the solution and for every other right answer, and not for what is given, for
// wrong answers, for the usual cheats, or in a network that is not there. It is all done
// by an ordinary user.
func TestExercises(t *testing.T) {
	t.Parallel()
	c := theCourse(t)
	if len(c.Items) < leastExercises {
		t.Errorf("there are %d exercises, want %d", len(c.Items), leastExercises)
	}
	slots := make(chan struct{}, 2)
	for _, it := range c.Items {
		t.Run(it.Name, func(t *testing.T) {
			t.Parallel()
			slots <- struct{}{}
			defer func() { <-slots }()
			inPrivateHost(t, ordinary, "TestInsideExercise", it.Name)
		})
	}
}

// TestInsideExercise proves one exercise of the course.
func TestInsideExercise(t *testing.T) {
	name := insideOnly(t)
	args := []string{"exercise", "test", "--strict"}
	if !slices.Contains(opened, name) {
		args = append(args, "--cheat", "forward")
	}
	cmd := exec.Command(filepath.Join(os.Getenv(binEnv), "nsscript"), append(args, "--course", course.BuiltIn, name)...)
	cmd.Env = append(os.Environ(), "XDG_DATA_HOME="+t.TempDir())
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
}

// TestExerciseTexts holds the texts of the course to what a student's terminal shows.
func TestExerciseTexts(t *testing.T) {
	t.Parallel()
	titles := map[string]string{}
	written := 0
	for _, it := range theCourse(t).Items {
		e, err := readExercise(t.Context(), it.Source, networkName(&it), builtins.Options{})
		if err != nil {
			t.Errorf("%s: %v", it.Name, err)
			continue
		}
		if e.Template != "" {
			written++
		}
		if len(e.hints) < fewest || len(e.wrong) < fewest {
			t.Errorf("%s has %d hints and %d wrong answers, want %d of each", it.Name, len(e.hints), len(e.wrong), fewest)
		}
		if other := titles[e.Title]; other != "" {
			t.Errorf("%s and %s have the title %q", other, it.Name, e.Title)
		}
		titles[e.Title] = it.Name
		if !strings.Contains(e.Brief, "## Your task") {
			t.Errorf("%s does not say what the task is", it.Name)
		}
		texts := append([]string{e.Brief, e.docOf(e.solution)}, e.hints...)
		for _, text := range texts {
			for line := range strings.Lines(markdown.Render(dedent(text), markdown.Options{})) {
				if ansi.StringWidth(line) > 80 {
					t.Errorf("%s: a line is wider than a terminal: %s", it.Name, line)
				}
			}
		}
		if strings.TrimSpace(e.docOf(e.solution)) == "" || e.bodyOf(e.solution) == "" {
			t.Errorf("%s does not explain its solution", it.Name)
		}
	}
	if written == 0 {
		t.Error("no exercise is to write a script")
	}
}

// TestReadmeExercises holds that the README lists the course as it is.
func TestReadmeExercises(t *testing.T) {
	const begin, end = "<!-- exercises -->\n", "<!-- end -->"
	var list strings.Builder
	for _, it := range theCourse(t).Items {
		e, err := readExercise(t.Context(), it.Source, networkName(&it), builtins.Options{})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&list, "%d. %s\n", it.N, e.Title)
	}
	file := filepath.Join("..", "..", "README.md")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), begin)
	_, after, ended := strings.Cut(rest, end)
	if !ok || !ended {
		t.Fatalf("the README has no place for the exercises, between %q and %q", begin, end)
	}
	want := before + begin + list.String() + end + after
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Errorf("the README's list of exercises is not current (-want +have); make reference writes it:\n%s", diff)
	}
}
