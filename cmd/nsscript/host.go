package main

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/mattn/go-isatty"
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

// colorful reports whether colours are wanted on a file (no-color.org).
func colorful(f *os.File) bool {
	return os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && isatty.IsTerminal(f.Fd())
}

// hostPlace builds labs on the machine itself.
type hostPlace struct {
	registry lab.Registry
	claim    *lab.Claim
	meta     lab.Meta
}

func (p *hostPlace) private() bool { return false }

func (p *hostPlace) open(ctx context.Context, m lab.Meta) (string, error) {
	claim, err := takeName(ctx, p.registry, m)
	if err != nil {
		return "", err
	}
	host, err := kernel.Home()
	if err != nil {
		return "", errors.Join(err, claim.Remove())
	}
	m.Host = host.ID()
	host.Close()
	m.Created, m.Boot, m.PID = time.Now(), kernel.BootID(), os.Getpid()
	if err := errors.Join(claim.Write(&m), p.registry.PrepareNetNS()); err != nil {
		return "", errors.Join(err, claim.Remove())
	}
	p.claim, p.meta = claim, m
	return claim.Dir, nil
}

// takeName claims a lab's name and takes down what an earlier run left.
func takeName(ctx context.Context, r lab.Registry, m lab.Meta) (*lab.Claim, error) {
	claim, err := r.Claim(m.Name, m.Origin)
	if err != nil {
		return nil, err
	}
	if claim.Old != nil {
		if err := tearDown(ctx, claim); err != nil {
			claim.Release()
			return nil, err
		}
	}
	if err := claim.Clear(); err != nil {
		claim.Release()
		return nil, err
	}
	return claim, nil
}

func (p *hostPlace) settle(ctx context.Context, l *lab.Lab, stay bool) error {
	if p.claim == nil {
		l.Close()
		return nil
	}
	if stay {
		l.Close()
		p.meta.Up = true
		err := p.claim.Write(&p.meta)
		p.claim.Release()
		return err
	}
	if err := l.TakeDown(ctx); err != nil {
		p.claim.Release()
		return err
	}
	return errors.Join(p.claim.Remove(), p.registry.RestoreNetNS())
}

var _ place = (*hostPlace)(nil)
