package kernel

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/coreos/go-iptables/iptables"
)

// lockWait is how many seconds the xtables lock is waited for.
const lockWait = 60

// IptablesFinder finds the iptables programs once, and remembers them. The zero
// value looks in $PATH and in the directories of administrators' programs.
type IptablesFinder struct {
	Path string // a list of directories, as in $PATH, to look in instead

	mu    sync.Mutex
	found [2]*Iptables
}

// Find returns the program for IPv4 or IPv6. That it is not installed is a
// MissingError.
func (f *IptablesFinder) Find(v6 bool) (*Iptables, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	i, name, family := 0, "iptables", iptables.ProtocolIPv4
	if v6 {
		i, name, family = 1, "ip6tables", iptables.ProtocolIPv6
	}
	if f.found[i] != nil {
		return f.found[i], nil
	}
	dirs := f.Path
	if dirs == "" {
		dirs = AdminPath(os.Getenv("PATH"))
	}
	path, err := LookPath(name, dirs, "")
	if err != nil {
		return nil, &MissingError{What: fmt.Sprintf("the program %q is not installed", name), Remedy: InstallCommand("iptables")}
	}
	t, err := iptables.New(iptables.IPFamily(family), iptables.Path(path), iptables.Timeout(lockWait))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	x := &Iptables{t: t, path: path, v6: v6}
	x.nft = strings.Contains(x.Version(), "nf_tables")
	f.found[i] = x
	return f.found[i], nil
}

// Iptables is the iptables or the ip6tables program (iptables(8)). Its methods
// run it inside a namespace.
type Iptables struct {
	t    *iptables.IPTables
	path string
	v6   bool
	nft  bool // its backend is nf_tables
}

// unused reports whether the namespace has not got the table yet. Asking
// iptables-nft about such a table would make it.
func (x *Iptables) unused(n *NetNS, table string) bool {
	return x.nft && !n.HasNFTable(NFTable{V6: x.v6, Name: table})
}

// Version returns what the program says of itself: its version and backend.
func (x *Iptables) Version() string {
	out, err := exec.Command(x.path, "--version").Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// do runs fn in the namespace and words its error.
func (x *Iptables) do(n *NetNS, fn func(*iptables.IPTables) error) error {
	return n.Do(func() error {
		err := fn(x.t)
		var e *iptables.Error
		if errors.As(err, &e) {
			return &IptablesError{Status: e.ExitStatus(), Text: firstComplaint(e.Error()), gone: e.IsNotExist()}
		}
		return err
	})
}

// IptablesError is what iptables complained of.
type IptablesError struct {
	Status int // exit status: 1 an error, 2 a mistake in the arguments, 3 another version of the kernel, 4 the lock is held
	Text   string
	gone   bool
}

func (e *IptablesError) Error() string { return "iptables: " + e.Text }

// Gone reports whether the rule or chain was not there.
func (e *IptablesError) Gone() bool { return e.gone }

// chatter is what iptables puts before its complaints.
var chatter = regexp.MustCompile(`^(running \[.*\]: exit status \d+: )?(ip6?tables(-restore)?( v[0-9.]+( \([a-z_]+\))?)?: )?`)

// firstComplaint is the line of iptables' stderr that says what is wrong.
func firstComplaint(s string) string {
	s = strings.ReplaceAll(s, "\r", "")
	if i := strings.Index(s, "]: exit status "); i >= 0 {
		if _, rest, ok := strings.Cut(s[i+15:], ": "); ok {
			s = rest
		}
	}
	var lines []string
	for line := range strings.SplitSeq(s, "\n") {
		line = strings.TrimSpace(chatter.ReplaceAllString(line, ""))
		if line == "" || strings.HasPrefix(line, "Try `") || strings.HasPrefix(line, "Another app is currently holding") {
			continue
		}
		lines = append(lines, strings.TrimSuffix(line, "."))
	}
	if len(lines) == 0 {
		return "it failed and did not say why"
	}
	return strings.Join(lines, "; ")
}

// Append adds a rule at the end of a chain.
func (x *Iptables) Append(n *NetNS, table, chain string, spec []string) error {
	return x.do(n, func(t *iptables.IPTables) error { return t.Append(table, chain, spec...) })
}

// Delete removes a rule by what it says. One that is not there is no error.
func (x *Iptables) Delete(n *NetNS, table, chain string, spec []string) error {
	err := x.do(n, func(t *iptables.IPTables) error { return t.Delete(table, chain, spec...) })
	var e *IptablesError
	if errors.As(err, &e) && (e.Gone() || strings.Contains(e.Text, "does a matching rule exist")) {
		return nil
	}
	return err
}

// restoreFrom is the number of rules from which on they go in one call.
const restoreFrom = 4

// AppendAll adds rules to one table; many go in one iptables-restore.
func (x *Iptables) AppendAll(n *NetNS, table string, rules []ChainRule) error {
	if len(rules) < restoreFrom {
		for i, r := range rules {
			if err := x.Append(n, table, r.Chain, r.Spec); err != nil {
				for _, done := range rules[:i] {
					err = errors.Join(err, x.Delete(n, table, done.Chain, done.Spec))
				}
				return err
			}
		}
		return nil
	}
	var in bytes.Buffer
	fmt.Fprintf(&in, "*%s\n", table)
	for _, r := range rules {
		fmt.Fprintf(&in, "-A %s", r.Chain)
		for _, w := range r.Spec {
			in.WriteByte(' ')
			in.WriteString(restoreWord(w))
		}
		in.WriteByte('\n')
	}
	in.WriteString("COMMIT\n")
	return n.Do(func() error {
		cmd := exec.Command(x.path+"-restore", "--noflush", "--wait", strconv.Itoa(lockWait))
		cmd.Stdin = &in
		out, err := cmd.CombinedOutput()
		if err != nil {
			return &IptablesError{Status: cmd.ProcessState.ExitCode(), Text: firstComplaint(string(out))}
		}
		return nil
	})
}

// ChainRule is a rule of a chain.
type ChainRule struct {
	Chain string
	Spec  []string
}

// restoreWord quotes a word as iptables-restore reads it.
func restoreWord(w string) string {
	if w != "" && !strings.ContainsAny(w, " \t\"'\\") {
		return w
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(w) + `"`
}

// Policy returns the policy of a built-in chain: ACCEPT or DROP.
func (x *Iptables) Policy(n *NetNS, table, chain string) (policy string, err error) {
	if x.unused(n, table) {
		return "ACCEPT", nil
	}
	err = x.do(n, func(t *iptables.IPTables) error {
		lines, err := t.List(table, chain)
		if err != nil {
			return err
		}
		for _, l := range lines {
			if w := strings.Fields(l); len(w) >= 3 && w[0] == "-P" && w[1] == chain {
				policy = w[2]
				return nil
			}
		}
		return fmt.Errorf("chain %s has no policy", chain)
	})
	return policy, err
}

// SetPolicy sets the policy of a built-in chain.
func (x *Iptables) SetPolicy(n *NetNS, table, chain, policy string) error {
	return x.do(n, func(t *iptables.IPTables) error { return t.ChangePolicy(table, chain, policy) })
}

// ListedRule is a rule as the kernel has it.
type ListedRule struct {
	Chain          string
	Spec           string // as `iptables -S` prints it, from the chain's name on
	Packets, Bytes uint64
}

// counters are what `iptables -v -S` prints of a rule's traffic.
var counters = regexp.MustCompile(` -c (\d+) (\d+)`)

// List returns the rules of a table, in all its chains.
func (x *Iptables) List(n *NetNS, table string) (rules []ListedRule, err error) {
	if x.unused(n, table) {
		return nil, nil
	}
	stdout, stderr, status, err := x.Run(n, []string{"-t", table, "-v", "-S"})
	if err != nil {
		return nil, err
	}
	if status != 0 {
		return nil, &IptablesError{Status: status, Text: firstComplaint(string(stderr))}
	}
	for line := range strings.SplitSeq(strings.TrimSpace(string(stdout)), "\n") {
		rest, ok := strings.CutPrefix(line, "-A ")
		if !ok {
			continue
		}
		r := ListedRule{}
		if m := counters.FindStringSubmatch(rest); m != nil {
			r.Packets, _ = strconv.ParseUint(m[1], 10, 64)
			r.Bytes, _ = strconv.ParseUint(m[2], 10, 64)
			rest = strings.Replace(rest, m[0], "", 1)
		}
		r.Chain, r.Spec, _ = strings.Cut(rest, " ")
		rules = append(rules, r)
	}
	return rules, nil
}

// Run runs the program with any arguments; the xtables lock is waited for.
func (x *Iptables) Run(n *NetNS, args []string) (stdout, stderr []byte, status int, err error) {
	var out, errs bytes.Buffer
	err = n.Do(func() error {
		cmd := exec.Command(x.path, append([]string{"--wait", strconv.Itoa(lockWait)}, args...)...)
		cmd.Stdout, cmd.Stderr = &out, &errs
		err := cmd.Run()
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			status = exit.ExitCode()
			return nil
		}
		return err
	})
	return out.Bytes(), errs.Bytes(), status, err
}

// Complaint words what the program wrote on its stderr.
func Complaint(stderr []byte) string { return firstComplaint(string(stderr)) }
