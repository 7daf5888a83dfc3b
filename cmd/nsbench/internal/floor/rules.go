//go:build linux

package floor

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/vishvananda/netns"
)

// rules makes so many namespaces and gives each so many rules by one iptables-restore,
// which is started inside; none where there are no rules.
func rules(namespaces, each int) error {
	m, err := newMachine()
	if err != nil {
		return err
	}
	if err := mountNames(); err != nil {
		return err
	}
	text := ruleset(each)
	for i := range namespaces {
		name := host(i)
		if each == 0 {
			name = "bare-" + name
		}
		s, err := m.namespace(name)
		if err == nil && each > 0 {
			err = m.restore(s, text)
		}
		if err != nil {
			return err
		}
		s.close()
	}
	return nil
}

func (m *machine) restore(s *space, text string) error {
	cmd := exec.Command("iptables-restore", "--noflush", "--wait")
	cmd.Stdin, cmd.Stderr = strings.NewReader(text), os.Stderr
	if err := netns.Set(s.fd); err != nil {
		return err
	}
	return errors.Join(cmd.Run(), netns.Set(m.home))
}

func ruleset(n int) string {
	var b strings.Builder
	b.WriteString("*filter\n")
	for i := range n {
		fmt.Fprintf(&b, "-A FORWARD -s 10.1.%d.%d/32 -p tcp -m tcp --dport 80 -j DROP\n", i/250, i%250+1)
	}
	b.WriteString("COMMIT\n")
	return b.String()
}
