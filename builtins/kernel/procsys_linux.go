package kernel

import "golang.org/x/sys/unix"

// procSys is where the kernel parameters of new namespaces are written.
//
// Each namespace has a /proc/sys/net/ipv4 of its own, and the kernel's cache keeps
// them all under one name, so that the first look into it in the n-th namespace passes
// those of the others (proc_sys_compare). A procfs that nothing else uses, and that is
// given up for a fresh one now and then, keeps that short.
type procSys struct {
	fresh func() (int, error) // returns the root of a procfs
	fd    int                 // of the private procfs, 0 for none
	uses  int
	none  bool // none may be had: /proc serves
}

// procUses is how many namespaces one procfs serves.
const procUses = 64

// write sets parameters in the namespace of the calling thread.
func (p *procSys) write(list []Sysctl) error {
	if p.uses%procUses == 0 && !p.none {
		p.renew()
	}
	p.uses++
	for _, s := range list {
		if err := s.writeAt(p.fd); err != nil {
			return err
		}
	}
	return nil
}

// renew takes a fresh procfs. Who may not have one, as where a part of /proc is covered,
// uses /proc.
func (p *procSys) renew() {
	p.close()
	p.none = true
	if p.fresh == nil {
		return
	}
	if fd, err := p.fresh(); err == nil {
		p.fd, p.none = fd, false
	}
}

// close gives the procfs up.
func (p *procSys) close() {
	if p.fd > 0 {
		_ = unix.Close(p.fd)
		p.fd = 0
	}
}
