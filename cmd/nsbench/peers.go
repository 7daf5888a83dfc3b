//go:build linux

package main

import (
	"embed"
	"fmt"
	"os"
	"os/exec"

	"nsscript/cmd/nsbench/internal/pen"
	"nsscript/cmd/nsbench/internal/table"
)

// Other programs that build the star. What one of them needs is said where it is missing.

//go:embed peers
var peerFiles embed.FS

// peer writes a peer's script for it to be run, and returns its path.
func (k *kit) peer(name string) string {
	text, _ := peerFiles.ReadFile("peers/" + name) // the names are given here
	return k.file(name, string(text))
}

// starBesidePeers builds smaller stars, as the peers can do them in the time.
func starBesidePeers(k *kit) benchmark {
	const most, some, few = 1000, 300, 100
	of := func(who string, n int) string { return fmt.Sprintf("%s of %d", who, n) }
	big, middle, small := of("sandbox", most), of("sandbox", some), of("sandbox", few)
	batch := "ip -batch"
	return benchmark{
		name: "star beside peers",
		contenders: []contender{
			k.star(big, inSandbox, most),
			k.star(middle, inSandbox, some),
			k.star(small, inSandbox, few),
			k.ipStar(batch, "ip_batch_star.sh", most, "first"),
			k.ipStar(batch+", bridge up last", "ip_batch_star.sh", most, "last"),
			k.ipStar("ip -n", "ip_star.sh", few),
			k.mininetStar(some),
			k.pyroute2Star(few),
		},
		rows: []row{
			{work: "star of 1,000: up", ours: wall(big, up), against: wall(batch, up), faster: true, mine: "sandbox", goal: table.AtLeast(4)},
			{work: "star of 1,000: up", ours: wall(big, up), against: wall(batch+", bridge up last", up), faster: true, mine: "sandbox"},
			{work: "star of 1,000: down", ours: wall(big, down), against: wall(batch, down), faster: true, mine: "sandbox"},
			{work: "star of 100: up", ours: wall(small, up), against: wall("ip -n", up), faster: true, mine: "sandbox", goal: table.AtLeast(12)},
			{work: "star of 100: down", ours: wall(small, down), against: wall("ip -n", down), faster: true, mine: "sandbox"},
			{work: "star of 300: up", ours: wall(middle, up), against: wall("Mininet", up), faster: true, mine: "sandbox", goal: table.AtLeast(15)},
			{work: "star of 300: down", ours: wall(middle, down), against: wall("Mininet", down), faster: true, mine: "sandbox", goal: table.AtLeast(20)},
			{work: "star of 100: up", ours: wall(small, up), against: wall("pyroute2", up), faster: true, mine: "sandbox"},
			{work: "star of 100: down", ours: wall(small, down), against: wall("pyroute2", down), faster: true, mine: "sandbox"},
		},
	}
}

func (k *kit) ipStar(name, file string, n int, more ...string) contender {
	script := k.peer(file)
	command := func(verb string) []string { return append([]string{"sh", script, verb, fmt.Sprint(n)}, more...) }
	return contender{name: name, peer: true, lacks: program("ip"), job: pen.Job{Steps: []pen.Step{
		{Name: up, Argv: command(up)},
		{Name: down, Argv: command(down), Settle: true},
	}}}
}

func (k *kit) mininetStar(n int) contender {
	python, lacks := pythonWith("mininet")
	if lacks == "" {
		lacks = program("mnexec", "brctl")
	}
	return contender{name: "Mininet", peer: true, lacks: lacks, job: pen.Job{Steps: []pen.Step{
		{Name: up, Argv: []string{python, k.peer("mininet_star.py"), fmt.Sprint(n)}, Stay: true},
		{Name: down, Resume: true, Settle: true},
	}}}
}

func (k *kit) pyroute2Star(n int) contender {
	python, lacks := pythonWith("pyroute2")
	script := k.peer("pyroute2_star.py")
	return contender{name: "pyroute2", peer: true, lacks: lacks, job: pen.Job{Steps: []pen.Step{
		{Name: up, Argv: []string{python, script, up, fmt.Sprint(n)}},
		{Name: down, Argv: []string{python, script, down, fmt.Sprint(n)}, Settle: true},
	}}}
}

// pythonWith finds a Python that has a module: the distribution's own, for which it has
// packages, or the first in PATH.
func pythonWith(module string) (python, lacks string) {
	for _, python := range []string{"/usr/bin/python3", "python3"} {
		cmd := exec.Command(python, "-c", "import "+module)
		cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
		if cmd.Run() == nil {
			return python, ""
		}
	}
	return "python3", module + " is not installed"
}
