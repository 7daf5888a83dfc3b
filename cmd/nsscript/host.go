//go:build linux

package main

import (
	"context"
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"nsscript/builtins/kernel"
	"nsscript/builtins/lab"
)

// hostRights is nil where this process may build labs on the machine itself, as
// root does.
func hostRights() error {
	if os.Geteuid() != 0 {
		return errors.New("not root")
	}
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&hdr, &data[0]); err != nil {
		return err
	}
	for _, c := range []int{unix.CAP_NET_ADMIN, unix.CAP_SYS_ADMIN} {
		if data[0].Effective&(1<<c) == 0 {
			return errors.New("root, but without the rights that labs need")
		}
	}
	return unix.Access("/run", unix.W_OK)
}

// self is the path of this program.
func self() string {
	path, err := os.Executable()
	if err != nil {
		return "/proc/self/exe"
	}
	return path
}

// restart runs this command anew in place of this process, with another environment.
func restart(env []string) error { return unix.Exec(self(), os.Args, env) }

// hostPlace builds labs on the machine itself.
type hostPlace struct {
	registry lab.Registry
	claim    *lab.Claim
	alone    bool // this process builds no other lab
}

func (p *hostPlace) private() bool { return false }
func (p *hostPlace) sole() bool    { return p.alone }

func (p *hostPlace) open(ctx context.Context, m lab.Meta) (string, error) {
	claim, err := takeName(ctx, p.registry, m)
	if err != nil {
		return "", err
	}
	if err := p.begin(claim, &m); err != nil {
		return "", errors.Join(err, claim.Remove())
	}
	p.claim = claim
	return claim.Dir, nil
}

// begin records what is going to be built.
func (p *hostPlace) begin(claim *lab.Claim, m *lab.Meta) error {
	host, err := kernel.Home()
	if err != nil {
		return err
	}
	m.Host = host.ID()
	host.Close()
	if err := record(claim, m); err != nil {
		return err
	}
	return p.registry.PrepareNetNS()
}

// record writes down what a lab is whose building begins.
func record(claim *lab.Claim, m *lab.Meta) (err error) {
	if m.Boot, err = kernel.BootID(); err != nil {
		return err
	}
	m.Created, m.PID = time.Now(), os.Getpid()
	return claim.Write(m)
}

// takeName claims a lab's name and takes down what an earlier run left.
func takeName(ctx context.Context, r lab.Registry, m lab.Meta) (*lab.Claim, error) {
	claim, err := r.Claim(m.Name, m.Origin)
	if err != nil {
		return nil, err
	}
	if claim.Old != nil {
		if _, err := tearDown(ctx, claim); err != nil {
			claim.Release()
			return nil, err
		}
	}
	if err := claim.Clear(); err != nil {
		return nil, errors.Join(err, claim.Remove())
	}
	return claim, nil
}

func (p *hostPlace) settle(ctx context.Context, l *lab.Lab, stay bool) error {
	if p.claim == nil {
		l.Close()
		return nil
	}
	var failed error
	if stay {
		if failed = p.claim.SetUp(true); failed == nil {
			l.Close()
			p.claim.Release()
			return nil
		}
	}
	if err := l.TakeDown(ctx); err != nil {
		p.claim.Release()
		return errors.Join(failed, err)
	}
	return errors.Join(failed, p.claim.Remove())
}

var _ place = (*hostPlace)(nil)
