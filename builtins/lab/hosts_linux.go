package lab

import (
	"nsscript/builtins/kernel"
	"nsscript/builtins/op"
)

// View is what a program run in a namespace of the lab sees.
func (l *Lab) View(name string) (kernel.View, error) {
	ns, err := l.sys.NS(name)
	if err == nil {
		err = l.sys.Settle()
	}
	if err != nil {
		return kernel.View{}, err
	}
	if err := l.RefreshNames(); err != nil {
		return kernel.View{}, err
	}
	hosts, err := l.Hosts(name)
	if err != nil {
		return kernel.View{}, err
	}
	v := kernel.View{NS: ns, Hosts: hosts, Etc: l.EtcDir(name)}
	if name != op.Host {
		v.Name = name
	}
	return v, nil
}
