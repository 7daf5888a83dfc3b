//go:build linux

package lab

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// TestClaim holds who may have a lab's name.
func TestClaim(t *testing.T) {
	t.Parallel()
	r := Registry{Dir: filepath.Join(t.TempDir(), "nsscript")}
	c, err := r.Claim("x", "/a.star")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Write(&Meta{Name: "x", Origin: "/a.star", PID: 4711}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Claim("x", "/a.star"); err == nil || !strings.Contains(err.Error(), "process 4711") {
		t.Errorf("a lab that is worked on was given away: %v", err)
	}
	if !r.Busy("x") {
		t.Error("the lab is not busy")
	}
	c.Release()
	if _, err := r.Claim("x", "/b.star"); err == nil || !strings.Contains(err.Error(), "/a.star") {
		t.Errorf("another script took the lab: %v", err)
	}
	again, err := r.Claim("x", "/a.star")
	if err != nil || again.Old == nil {
		t.Fatalf("the same script may not replace its lab: %v", err)
	}
	if err := again.Remove(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(r.Dir); !os.IsNotExist(err) {
		t.Errorf("the registry is left: %v", err)
	}
	if _, err := r.Hold("x"); err == nil {
		t.Error("a lab that is gone was held")
	}
}

// TestBusyAsks holds that asking whether a lab is worked on keeps nobody from it.
func TestBusyAsks(t *testing.T) {
	t.Parallel()
	r := Registry{Dir: filepath.Join(t.TempDir(), "nsscript")}
	c, err := r.Claim("x", "/a.star")
	if err != nil {
		t.Fatal(err)
	}
	c.Release()
	var asking sync.WaitGroup
	defer asking.Wait()
	done := make(chan struct{})
	defer close(done)
	for range 4 {
		asking.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					r.Busy("x")
				}
			}
		})
	}
	for range 2000 {
		if c, err = r.Hold("x"); err != nil {
			t.Fatal(err)
		}
		c.Release()
	}
}

// TestLoans holds that a setting is given back when the last lab goes.
func TestLoans(t *testing.T) {
	t.Parallel()
	r := Registry{Dir: filepath.Join(t.TempDir(), "nsscript")}
	hold := func(name string) *Claim {
		c, err := r.Claim(name, name)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	a, b := hold("a"), hold("b")
	la, lb := ledger{r, "a"}, ledger{r, "b"}
	is := func(now string) func() (string, error) {
		return func() (string, error) { return now, nil }
	}
	for _, borrow := range []error{
		la.Borrow("k", "1", is("0")), lb.Borrow("k", "2", is("1")), la.Borrow("k", "3", is("1")), la.Borrow("k", "3", is("1")),
	} {
		if borrow != nil {
			t.Fatal(borrow)
		}
	}
	give := func(l ledger, loan string, want bool) {
		t.Helper()
		restored := false
		err := l.Return("k", loan, func(before string) error {
			restored = true
			if before != "0" {
				t.Errorf("restored to %q", before)
			}
			return nil
		})
		if err != nil || restored != want {
			t.Errorf("%s: %v, %v", l.lab, restored, err)
		}
	}
	give(la, "1", false)
	give(la, "1", false)
	give(la, "3", false)
	give(la, "none", false)
	// One that could not be restored is still owed.
	broken := errors.New("broken")
	if err := lb.Return("k", "2", func(string) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("the error of restoring: %v", err)
	}
	give(lb, "2", true)
	give(lb, "2", false)
	if err := a.Remove(); err != nil {
		t.Fatal(err)
	}
	if err := b.Remove(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(r.Dir); !os.IsNotExist(err) {
		t.Errorf("the registry is left: %v", err)
	}
}
