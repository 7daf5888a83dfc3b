//go:build linux

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// interference is what somebody else does to a lab that is up.
type interference struct {
	Name  string
	Does  string // by sh; $RUN is the registry's directory
	State string // what ls calls the lab then
	Says  string // what down prints of it: regular expressions, one a line
	After string // by sh: removes what is not the lab's and has to be there still
	Down  string // the arguments of down, "faults" if empty
}

const byMarks = "gone already: all that /run/nsscript told of it; it was known by the marks on 2 namespaces, 4 interfaces, 5 rules"

// emptyTables deletes the tables that iptables leaves empty: with the notes it is
// lost whose they are.
const emptyTables = "nft delete table ip filter; nft delete table ip6 filter; " +
	"ip netns exec there nft delete table ip filter; ip netns exec there nft delete table ip6 filter"

// hostInterferences are those on the machine itself.
var hostInterferences = []interference{
	{Name: "nothing", State: "up"},
	{Name: "namespace", Does: "ip netns del red", State: "broken", Says: `gone already: namespace "red"`},
	{Name: "another namespace of its name", Does: "ip netns del red; ip netns add red", State: "broken",
		Says: `gone already: namespace "red"`, After: "ip netns del red"},
	{Name: "all namespaces", Does: "ip -all netns del; ip netns add there; ip -n there link set lo up", State: "broken",
		Says: "gone already: namespace \"red\"\ngone already: namespace \"blue\""},
	{Name: "interface", Does: "ip link del h-blue", State: "up", Says: `gone already: interface "h-blue"`},
	{Name: "another interface of its name", Does: "ip link del h-blue; ip link add h-blue type bridge", State: "up",
		After: "ip link del h-blue"},
	{Name: "bridge", Does: "ip link del br-faults", State: "up", Says: `gone already: bridge "br-faults"`},
	{Name: "interface inside", Does: "ip -n red link del to-there", State: "up", Says: `gone already: interface "eth9"`},
	{Name: "address", Does: "ip addr flush dev br-faults", State: "up"},
	{Name: "rules", Does: "iptables -F; iptables -X", State: "up"},
	{Name: "another rule like its", State: "up",
		Does:  "iptables -I FORWARD -s 10.90.0.0/24 -j ACCEPT; iptables -A INPUT -p tcp --dport 99 -j DROP",
		After: "iptables -D FORWARD -s 10.90.0.0/24 -j ACCEPT && iptables -D INPUT -p tcp --dport 99 -j DROP && nft delete table ip filter"},
	{Name: "processes", Does: "kill -9 $(pgrep -x sleep)", State: "up",
		Says: "gone already: process \\d+ \\(sleep 1001\\)\ngone already: process \\d+ \\(sleep 1002\\)"},
	{Name: "journal", Does: "rm $RUN/faults/journal", State: "broken", Says: "gone already: the notes of it"},
	{Name: "half of the journal's last line", Does: "truncate -s -20 $RUN/faults/journal", State: "up"},
	{Name: "half of a line in the journal", Does: "sed -i '5s/,.*//' $RUN/faults/journal", State: "broken",
		Says: "gone already: the notes of it, or a part of them"},
	{Name: "what it is", Does: "rm $RUN/faults/lab.json", State: "broken", Says: "gone already: the notes of it"},
	{Name: "half of what it is", Does: "truncate -s 30 $RUN/faults/lab.json", State: "broken", Says: "gone already: the notes of it"},
	{Name: "lock", Does: "rm $RUN/faults/lock $RUN/.lock", State: "up"},
	{Name: "half of the ledger", Does: "truncate -s 50 $RUN/.borrowed", State: "up", After: emptyTables},
	{Name: "its files", Does: "rm -rf $RUN/faults/hosts $RUN/faults/log $RUN/faults/sign", State: "up"},
	{Name: "the mount of /run/netns", Does: "umount -l /run/netns", State: "broken",
		Says:  "gone already: namespace \"red\"\ngone already: namespace \"blue\"",
		After: "rm /run/netns/there; ip netns add there; ip -n there link set lo up; rmdir /run/mount"},
	{Name: "a reboot", Does: "cp -a $RUN /run/kept; nsscript down faults; cp -a /run/kept $RUN; rm -r /run/kept; " +
		`sed -i 's/"boot": "[^"]*"/"boot": "another"/' $RUN/faults/lab.json`, State: "gone",
		Says: "gone already: all of it, with an earlier boot of the machine"},
	{Name: "its directory", Does: "rm -r $RUN/faults", State: "lost", Says: byMarks + ", 5 settings"},
	{Name: "the registry", Does: "rm -r $RUN; sysctl -qw net.ipv4.ip_forward=0", State: "lost", Down: "--all",
		Says: byMarks + "\ncannot be known any more", After: emptyTables},
	{Name: "the registry, and things like its", State: "lost", Down: "--all", Says: byMarks,
		Does: "rm -r $RUN; sysctl -qw net.ipv4.ip_forward=0; ip netns add green; ip link add h-faults type bridge; " +
			"iptables -A FORWARD -s 10.90.0.0/24 -m comment --comment 'not nsscript:faults' -j ACCEPT; ip -n there link add own type bridge",
		After: "ip netns del green && ip link del h-faults && ip -n there link del own && " +
			"iptables -D FORWARD -s 10.90.0.0/24 -m comment --comment 'not nsscript:faults' -j ACCEPT; " + emptyTables},
}

// sandboxInterferences are those that a lab in a sandbox can suffer.
var sandboxInterferences = []interference{
	{Name: "nothing", State: "up"},
	{Name: "keeper", Does: "kill -9 $(pgrep -f 'nsscript-keepe[r]'); while pgrep -f 'nsscript-keepe[r]'; do sleep 0.02; done", State: "gone", Says: "gone already: its sandbox"},
	{Name: "namespace", Does: "nsscript exec faults/host -- ip netns del red", State: "broken"},
	{Name: "journal", Does: "rm $RUN/faults/journal", State: "broken"},
	{Name: "what it is", Does: "rm $RUN/faults/lab.json", State: "broken", Says: "gone already: the notes of it"},
	{Name: "its directory", Does: "rm -r $RUN/faults", State: "lost", Says: "it was known by the marks on 1 sandbox"},
	{Name: "the registry", Does: "rm -r $RUN", State: "lost", Says: "it was known by the marks on 1 sandbox", Down: "--all"},
}

// TestInterference damages labs from outside, and takes them down.
func TestInterference(t *testing.T) {
	if os.Getenv(stageEnv) != "" {
		t.Skip("inside a private host")
	}
	t.Parallel()
	sweeps := []sweep{{Lab: "outside.star"}, {Lab: "small.star", Flags: []string{"--sandbox"}}, {Lab: "small.star", User: true}}
	for _, s := range sweeps {
		spec, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			inPrivateHost(t, 0, "TestInsideInterference", string(spec))
		})
	}
}

// TestInsideInterference is what befalls one lab.
func TestInsideInterference(t *testing.T) {
	var s sweep
	if err := json.Unmarshal([]byte(insideOnly(t)), &s); err != nil {
		t.Fatal(err)
	}
	list := sandboxInterferences
	if s.Lab == "outside.star" {
		list = hostInterferences
	}
	h := newFaultHost(t, s)
	for _, i := range list {
		t.Run(i.Name, func(t *testing.T) {
			h := *h
			h.T = t
			h.interfere(i)
		})
		if t.Failed() {
			break // what is left would confuse the others
		}
	}
}

func (h *faultHost) interfere(i interference) {
	h.must("run", append(h.Flags, h.lab())...)
	h.sh(i.Does)
	var labs []row
	list := h.must("ls", "--json")
	if err := json.Unmarshal([]byte(list), &labs); err != nil || len(labs) != 1 || labs[0].State != i.State {
		h.Errorf("ls: %v: want one lab that is %s\n%s", err, i.State, list)
	}
	down := i.Down
	if down == "" {
		down = "faults"
	}
	said := h.must("down", down)
	for _, want := range strings.Split(i.Says, "\n") {
		if !regexp.MustCompile(want).MatchString(said) {
			h.Errorf("down does not say %q:\n%s", want, said)
		}
	}
	if !strings.Contains(said, "lab faults is down") || i.Says == "" && strings.Contains(said, "gone already") {
		h.Errorf("down said:\n%s", said)
	}
	h.sh(i.After)
	h.same("down", said)
}

// sh runs a script as the user of the lab.
func (h *faultHost) sh(script string) {
	if script == "" {
		return
	}
	if out, err := h.shell(script); err != nil {
		h.Errorf("%s: %v\n%s", script, err, out)
	}
}

// shell is sh without judging.
func (h *faultHost) shell(script string) ([]byte, error) {
	cmd := exec.Command("sh", "-ec", script)
	cmd.WaitDelay = time.Second // a process of the lab may hold its streams
	dir := "/run/nsscript"
	if h.User {
		dir = fmt.Sprintf("/run/user/%d/nsscript", ordinary)
	}
	cmd.Env = append(h.env, "RUN="+dir, "PATH="+os.Getenv(binEnv)+":"+os.Getenv("PATH"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: h.cred}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, exec.ErrWaitDelay) {
		err = nil
	}
	return out, err
}
