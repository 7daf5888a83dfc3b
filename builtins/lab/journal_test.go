package lab

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nsscript/builtins/op"
)

// TestHalfLine holds that a journal is read up to a line that was cut off, and
// that what was recorded last counts.
func TestHalfLine(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal")
	j, err := CreateJournal(path, false)
	if err != nil {
		t.Fatal(err)
	}
	made := &Entry{Seq: 1, Pos: "a.star:1:1", State: Tried, Op: &op.AddBridge{Name: "br0"}}
	undone := &Entry{Seq: 2, Pos: "a.star:2:1", State: Tried, Op: &op.AddNamespace{Name: "red"}}
	for _, e := range []*Entry{made, undone} {
		if err := j.Try(e); err != nil {
			t.Fatal(err)
		}
	}
	made.State = Done
	made.Op.(*op.AddBridge).MAC = "fe:00:00:00:00:01"
	undone.State = Undone
	for _, e := range []*Entry{made, undone} {
		if err := j.Note(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for cut := range len(whole) + 1 {
		if err := os.WriteFile(path, whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		entries, err := ReadJournal(path)
		if err != nil {
			t.Fatalf("cut after %d of %d bytes: %v", cut, len(whole), err)
		}
		if lines := strings.Count(string(whole[:cut]), "\n"); min(lines, 2) > len(entries) {
			t.Fatalf("cut after %d bytes: %d entries of %d lines", cut, len(entries), lines)
		}
		if cut == len(whole) {
			if b := entries[0].Op.(*op.AddBridge); b.MAC != "fe:00:00:00:00:01" || !entries[0].Live() || entries[1].Live() {
				t.Errorf("read %+v, %+v", entries[0], entries[1])
			}
		}
	}
}
