//go:build linux

package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// A Finding is one thing that was found out about this machine.
type Finding struct {
	Name     string // what was looked at
	OK       bool   // it is as it should be
	Optional bool   // sandboxes work without
	Detail   string // what was found
	Remedy   string // what to do if not OK
}

// Diagnose finds out what this machine allows for sandboxes. It makes one and takes it
// down again.
func Diagnose(ctx context.Context) []Finding {
	return thisMachine().diagnose(ctx, os.Geteuid() != 0)
}

func (m machine) diagnose(ctx context.Context, user bool) []Finding {
	found := []Finding{m.limits(user)}
	s, err := m.start(ctx, Options{User: user, Label: "nsscript: doctor"})
	if err != nil {
		return append(found, unable(err))
	}
	defer s.Close()
	id := s.Identity()
	found = append(found, Finding{Name: "sandbox", OK: true, Detail: "can be made"})
	if user {
		ids := Finding{Name: "subordinate ids", OK: id.SubIDs, Optional: true, Detail: id.Reason, Remedy: id.Remedy}
		if ids.OK {
			ids.Detail = "users other than root exist inside"
		}
		found = append(found, ids)
	}
	for _, note := range id.Notes {
		found = append(found, Finding{Name: "file system", Optional: true, Detail: note})
	}
	found = append(found, enterable(s))
	if err := s.Kill(ctx); err != nil {
		found = append(found, Finding{Name: "taking down", Detail: err.Error()})
	}
	return found
}

// unable tells why no sandbox could be made.
func unable(err error) Finding {
	f := Finding{Name: "sandbox", Detail: err.Error()}
	var missing *Missing
	if errors.As(err, &missing) {
		f.Remedy = missing.Remedy
	}
	return f
}

// enterable tries whether programs can be run inside.
func enterable(s *Sandbox) Finding {
	f := Finding{Name: "programs inside"}
	p, err := s.Start(Command{Args: []string{"/bin/sh", "-c", "exit 0"}, Session: true})
	if err == nil {
		var status Status
		status, err = p.Wait()
		f.OK, f.Detail = status == Status{}, status.String()
	}
	if err != nil {
		f.Detail = err.Error()
	} else if f.OK {
		f.Detail = "can be run"
	}
	return f
}

// limits tells how many sandboxes there may be.
func (m machine) limits(user bool) Finding {
	f := Finding{Name: "namespaces", OK: true}
	keys := []string{"user.max_mnt_namespaces", "user.max_net_namespaces"}
	if user {
		keys = append([]string{"user.max_user_namespaces"}, keys...)
	}
	for i, key := range keys {
		value := m.sysctl(key)
		if i > 0 {
			f.Detail += ", "
		}
		f.Detail += fmt.Sprintf("%s is %s", key, value)
		if value == "0" {
			f.OK, f.Remedy = false, fmt.Sprintf("sudo sysctl -w %s=15000", key)
		}
	}
	return f
}
