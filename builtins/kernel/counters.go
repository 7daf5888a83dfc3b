package kernel

import (
	"errors"
	"io/fs"
	"strconv"
	"strings"
)

// Counters are a namespace's own counts of what became of packets, by the names
// that nstat(8) gives them: IpInAddrErrors, TcpExtListenDrops, Ip6InNoRoutes …
type Counters map[string]uint64

// CountersText are counters as the kernel has told them. It has hundreds, and of most
// namespaces nobody wants to know any.
type CountersText []string

// Counters reads the counts, of IPv6 only where v6 is set.
func (n *NetNS) Counters(v6 bool) (Counters, error) {
	var text CountersText
	err := n.Do(func() (err error) {
		text, err = ReadCounters(v6)
		return err
	})
	return text.Counters(), err
}

// ReadCounters reads the counts of the calling thread's namespace from proc
// (/proc/net/snmp, netstat and snmp6).
func ReadCounters(v6 bool) (CountersText, error) {
	files := []string{"snmp", "netstat"}
	if v6 {
		files = append(files, "snmp6")
	}
	var text CountersText
	for _, file := range files {
		s, err := procNet(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue // without IPv6
		}
		if err != nil {
			return nil, err
		}
		text = append(text, s)
	}
	return text, nil
}

// Counters are the numbers in the text.
func (t CountersText) Counters() Counters {
	c := Counters{}
	for _, file := range t {
		c.read(file)
	}
	return c
}

// read reads a file of counters: either a line of names, then one of values, for
// each protocol, or a name and a value in each line.
func (c Counters) read(text string) {
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		words := strings.Fields(lines[i])
		if len(words) == 2 && !strings.HasSuffix(words[0], ":") {
			c.add(words[0], words[1])
			continue
		}
		if i+1 == len(lines) || len(words) == 0 {
			continue
		}
		values := strings.Fields(lines[i+1])
		i++
		if len(values) != len(words) {
			continue
		}
		proto := strings.TrimSuffix(words[0], ":")
		for k := 1; k < len(words); k++ {
			c.add(proto+words[k], values[k])
		}
	}
}

func (c Counters) add(name, value string) {
	if v, err := strconv.ParseUint(value, 10, 64); err == nil { // some are −1
		c[name] = v
	}
}
