//go:build linux

package main

import (
	"os"
	"testing"
)

func TestDescribe(t *testing.T) {
	const info = "processor\t: 0\nmodel name\t: Some  CPU @ 2GHz\nflags\t\t: fpu hypervisor sse\n"
	if got, want := describe(info, 2, "6.1.0"), "a virtual machine with 2 cores (Some CPU @ 2GHz), Linux 6.1.0"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestBetween(t *testing.T) {
	got, err := between("a\n"+readmeBegin+"old\n"+readmeEnd+"\nb\n", "new\n")
	if want := "a\n" + readmeBegin + "new\n" + readmeEnd + "\nb\n"; err != nil || got != want {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := between("a\n", "new\n"); err == nil {
		t.Error("a text without marks is no error")
	}
}

// TestReadme holds that the README has the place for the table.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := between(string(text), ""); err != nil {
		t.Error(err)
	}
}
