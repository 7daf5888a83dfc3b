//go:build linux

package main

import (
	"context"
	"fmt"
	"nsscript/builtins"
	"nsscript/builtins/graph"
	"nsscript/builtins/lab"
	"nsscript/builtins/picture"
	"os"
)

// machine draws the network of this machine.
func (o *graphOptions) machine(ctx context.Context) error {
	p, missing, err := readMachine(ctx, false, picture.ScanOptions{Sysctls: lab.ShownSysctls(), Services: true})
	if err != nil {
		return err
	}
	for _, m := range missing {
		fmt.Fprintln(os.Stderr, "not read:", m)
	}
	out, err := openOutput(o.file)
	if err != nil {
		return err
	}
	return o.draw(out, p, nil)
}

// lab draws a lab that is up.
func (o *graphOptions) lab(ctx context.Context, name string) error {
	l, out, err := lookWriting(name, o.file)
	if l == nil || err != nil {
		return err
	}
	defer l.Close()
	s := builtins.Look(ctx, l)
	walk, err := o.walk(s)
	if err != nil {
		return err
	}
	p, err := l.Pictured(ctx)
	if err != nil {
		return err
	}
	return o.draw(out, p, walk)
}

// walk sends the packet, if one is asked for.
func (o *graphOptions) walk(s *builtins.Session) (*graph.Walk, error) {
	if o.from == "" {
		return nil, nil
	}
	if err := joinLab(s.Lab()); err != nil {
		return nil, err
	}
	from, err := s.Find(o.from)
	if err != nil {
		return nil, err
	}
	named := map[string]any{}
	if o.tcp != 0 {
		named["tcp"] = o.tcp
	}
	if o.udp != 0 {
		named["udp"] = o.udp
	}
	path, err := s.Call("trace", []any{from, o.to}, named)
	if err != nil {
		_, err = builtins.WrongArgument(err)
		return nil, err
	}
	return builtins.WalkOf(path), nil
}

// spacesNamed are the namespaces of the lab of that name.
func spacesNamed(name string) []string {
	r := registryHere()
	m, err := r.Meta(name)
	if err != nil {
		return nil
	}
	spaces, _ := spacesOf(r, m)
	return spaces
}
