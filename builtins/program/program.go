// Package program writes a network down as a script that builds it.
//
// [Write] starts from a picture that was read from the kernel ([picture.Scan] with its
// options Chosen, Settings and Services), and says the same in the words of the
// language, in the order in which it can be done: namespaces, switches, cables, what
// stands on these, routes, packet filters. Where no builtin has the words, the command
// ip says it. What a script cannot build, such as the machine's hardware and the
// programs that ran, is told in comments.
package program

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"nsscript/builtins/picture"
)

// Options say how a program is written.
type Options struct {
	Head     []string          // the comment that it begins with, line by line
	Reserved func(string) bool // tells of a name that the language has already
	Missing  []string          // what could not be read
}

// Write returns the program for a picture.
func Write(p *picture.Picture, o Options) []byte {
	w := &writer{
		p: p, names: newNames(o.Reserved),
		spaces: map[*picture.Namespace]string{}, vars: map[*picture.Link]string{}, made: map[*picture.Link]bool{}, why: map[*picture.Link]string{},
	}
	for _, n := range p.Namespaces {
		if n.Name == picture.Host {
			w.spaces[n] = w.names.keep(picture.Host)
		}
	}
	w.absent = slices.Clone(o.Missing)
	w.judge()
	for _, line := range o.Head {
		w.line("# %s", line)
	}
	w.namespaces()
	w.switches()
	w.cables()
	w.others()
	w.downs()
	w.interfaceSettings()
	w.shapes()
	w.routes()
	w.neighbors()
	w.goDown()
	w.rules()
	w.filters()
	w.services()
	w.leftOut()
	return w.out.Bytes()
}

// writer is a program that is being written.
type writer struct {
	p      *picture.Picture
	out    bytes.Buffer
	names  *names
	spaces map[*picture.Namespace]string // the variable of each namespace
	vars   map[*picture.Link]string      // those of interfaces that have one
	made   map[*picture.Link]bool        // interfaces that there are by now
	why    map[*picture.Link]string      // why others are left out
	absent []string                      // what is left out, for the end
	head   string                        // the section that begins with the next line
}

// line writes a line of the program, after the head of its section if it is the first.
func (w *writer) line(format string, args ...any) {
	if w.head != "" {
		fmt.Fprintf(&w.out, "\n# %s\n", w.head)
		w.head = ""
	}
	fmt.Fprintf(&w.out, format+"\n", args...)
}

// section begins a part of the program, which has no head if it stays empty.
func (w *writer) section(head string) { w.head = head }

// omit notes what is left out.
func (w *writer) omit(format string, args ...any) {
	w.absent = append(w.absent, fmt.Sprintf(format, args...))
}

func (w *writer) namespaces() {
	w.section("Namespaces")
	taken := map[string]bool{picture.Host: true}
	for _, n := range w.p.Namespaces {
		if n.Name == picture.Host {
			continue
		}
		name := validName(n.Name, taken)
		w.spaces[n] = w.names.take(name, "ns")
		note := comment(n.Note)
		if name != n.Name {
			note = strings.TrimPrefix(note+"; it was called "+comment(n.Name), "; ")
		}
		c := call{fn: "namespace"}
		c.arg(quote(name))
		settings := namespaceSettings(n)
		if settings[forward4] == "1" && settings[forward6] == "1" {
			delete(settings, forward4)
			delete(settings, forward6)
			c.named("forward", "True")
		}
		if len(settings) > 0 {
			c.named("sysctls", dict(settings))
		}
		w.line("%s = %s", w.spaces[n], commented(c, note))
	}
	w.section("Settings of the host")
	for _, n := range w.p.Namespaces {
		if n.Name == picture.Host {
			settings := namespaceSettings(n)
			for _, key := range sortedKeys(settings) {
				w.line("%s.sysctl(%s, %s)", w.spaces[n], quote(key), value(settings[key]))
			}
		}
	}
}

// services tells what listened: a program that ran cannot be run anew.
func (w *writer) services() {
	w.section("What listened, which is not started")
	for _, n := range w.p.Namespaces {
		for _, s := range n.Services {
			proto, port, _ := strings.Cut(s, " ")
			w.line("# serve(%s, %s = %s)", w.spaces[n], proto, port)
		}
	}
}

func (w *writer) leftOut() {
	w.section("Left out")
	for _, n := range w.p.Namespaces {
		for _, l := range n.Links {
			why := w.why[l]
			if why == "" {
				continue
			}
			text := fmt.Sprintf("%s of %s: %s", l.Name, n.Name, why)
			if addrs := l.Global(); len(addrs) > 0 {
				var list []string
				for _, a := range addrs {
					list = append(list, a.String())
				}
				text += " (" + strings.Join(list, ", ") + ")"
			}
			w.line("# %s", comment(text))
		}
	}
	for _, text := range w.absent {
		w.line("# %s", comment(text))
	}
}

// sortedLinks are all interfaces, those of the host last, as cables lead to it.
func (w *writer) sortedLinks() []*picture.Link {
	var list, host []*picture.Link
	for _, n := range w.p.Namespaces {
		if n.Name == picture.Host {
			host = n.Links
			continue
		}
		list = append(list, n.Links...)
	}
	return slices.Concat(list, host)
}
