package op

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"nsscript/builtins/kernel"
	"nsscript/builtins/picture"
)

// SetResolver has the programs of a namespace ask these servers for names.
type SetResolver struct {
	NS      string   `json:"ns"`
	Servers []string `json:"servers"` // none for those that it had before the lab
	Search  []string `json:"search,omitempty"`
	// Dir holds the files that lie over those of /etc for the namespace's programs.
	Dir string `json:"dir"`
	Old string `json:"old,omitempty"` // filled in by Prepare
}

// ResolvConf is the name of the file that names the resolvers (resolv.conf(5)).
const ResolvConf = "resolv.conf"

// switchFile says where the C library looks for names (nsswitch.conf(5)).
const switchFile = "nsswitch.conf"

// Prepare notes what is to be given back.
func (o *SetResolver) Prepare(s *System) error {
	if s.Planned() {
		return nil
	}
	text, err := os.ReadFile(filepath.Join(o.Dir, ResolvConf))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return failed(err, "the resolvers of %s", quoteNS(o.NS))
	}
	o.Old = string(text)
	return nil
}

// Do writes the file.
func (o *SetResolver) Do(_ context.Context, _ *System) error {
	if err := o.write(o.text()); err != nil {
		return failed(err, "the resolvers of %s", quoteNS(o.NS))
	}
	return nil
}

// text is the file as resolv.conf(5) has it.
func (o *SetResolver) text() string {
	if len(o.Servers) == 0 {
		return ""
	}
	return strings.Join(o.lines(), "\n") + "\n"
}

// Line is the file in one line.
func (o *SetResolver) Line() string { return strings.Join(o.lines(), ", ") }

func (o *SetResolver) lines() []string {
	var l []string
	if len(o.Search) > 0 {
		l = append(l, "search "+strings.Join(o.Search, " "))
	}
	for _, s := range o.Servers {
		l = append(l, "nameserver "+s)
	}
	return l
}

// write replaces the file, or removes it where the text is empty. A file that
// exists is written in place: programs that run see the change.
func (o *SetResolver) write(text string) error {
	path := filepath.Join(o.Dir, ResolvConf)
	if text == "" {
		for _, name := range []string{ResolvConf, switchFile} {
			if err := os.Remove(filepath.Join(o.Dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		return nil
	}
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(o.Dir, switchFile), nameSwitch(), 0o644); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(text), 0o644)
}

// nameSwitch is the machine's nsswitch.conf, in which only files and name servers are
// asked for hosts: a service of the machine (systemd-resolved, mDNS) would answer from
// outside of the lab.
func nameSwitch() []byte {
	old, err := os.ReadFile("/etc/" + switchFile)
	if err != nil {
		old = nil
	}
	var lines []string
	for line := range strings.Lines(string(old)) {
		if !strings.HasPrefix(strings.TrimSpace(line), "hosts:") {
			lines = append(lines, strings.TrimRight(line, "\n"))
		}
	}
	return []byte(strings.Join(append(lines, "hosts: files dns", ""), "\n"))
}

// Undo gives the old file back. With the lab's directory it is gone anyway.
func (o *SetResolver) Undo(context.Context, *System) error {
	if _, err := os.Stat(o.Dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return o.write(o.Old)
}

// Commands write the file that `ip netns exec` shows over /etc.
func (o *SetResolver) Commands() []string {
	if o.NS == Host {
		return []string{"# programs that the lab runs on the host ask: " + strings.Join(o.Servers, " ")}
	}
	dir := filepath.Join(kernel.NetNSEtc, o.NS)
	file := filepath.Join(dir, ResolvConf)
	if len(o.Servers) == 0 {
		return []string{sh("rm", "-f", file)}
	}
	return []string{sh("mkdir", "-p", dir), fmt.Sprintf("%s > %s", sh(append([]string{"printf", `%s\n`}, o.lines()...)...), ShellWord(file))}
}

// Inside is the namespace.
func (o *SetResolver) Inside() []string { return []string{o.NS} }

// Model notes whom the namespace asks.
func (o *SetResolver) Model(p *picture.Picture) error {
	n, err := pictured(p, o.NS)
	if err == nil {
		n.Resolvers, n.Search = o.Servers, o.Search
	}
	return err
}
