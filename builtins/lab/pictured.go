package lab

import (
	"context"
	"slices"

	"nsscript/builtins/op"
	"nsscript/builtins/picture"
)

// ShownSysctls are the parameters by which a picture tells a router.
func ShownSysctls() []string {
	return []string{"net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"}
}

// Pictured returns the lab as it is now: what a plan has come to, else what the kernel
// has. Of the machine's own namespace there is only what the lab has made.
func (l *Lab) Pictured(ctx context.Context) (*picture.Picture, error) {
	if l.Planned() {
		return l.Picture(), nil
	}
	return l.standing(ctx)
}

// running notes the processes of the lab that run.
func (l *Lab) running(p *picture.Picture) error {
	for _, e := range l.Entries() {
		o, ok := e.Op.(*op.StartProcess)
		if !ok || !e.Live() || p.Namespace(o.NS) == nil {
			continue
		}
		alive, err := o.Alive()
		if err != nil {
			return err
		}
		if alive {
			if err := o.Model(p); err != nil {
				return err
			}
		}
	}
	return nil
}

// keepOwn drops from the machine's own namespace what others have there.
func (l *Lab) keepOwn(n *picture.Namespace) {
	n.Services = nil
	for _, t := range n.Tables {
		led := map[string]bool{} // chains that the lab's rules lead to
		for _, c := range t.Chains {
			if c.Policy != "" {
				c.Policy = "ACCEPT"
			}
			c.Rules = slices.DeleteFunc(c.Rules, func(spec []string) bool { return op.RuleLab(spec) != l.name })
			for _, spec := range c.Rules {
				for _, word := range spec {
					led[word] = true
				}
			}
		}
		t.Chains = slices.DeleteFunc(t.Chains, func(c *picture.Chain) bool {
			return c.Policy == "" && len(c.Rules) == 0 && !led[c.Name]
		})
	}
}

// inOrder are the namespaces in the order in which they were made, the host first.
func (l *Lab) inOrder() []string {
	have := map[string]bool{}
	for _, name := range l.sys.Names() {
		have[name] = true
	}
	names := []string{op.Host}
	take := func(name string) {
		if have[name] {
			names = append(names, name)
			delete(have, name)
		}
	}
	for _, e := range l.Entries() {
		switch o := e.Op.(type) {
		case *op.AddNamespace:
			take(o.Name)
		case *op.JoinNamespace:
			take(o.Name)
		}
	}
	for _, name := range l.sys.Names() {
		take(name)
	}
	return names
}
