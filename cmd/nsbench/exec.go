//go:build linux

package main

import (
	"fmt"

	"nsscript/cmd/nsbench/internal/pen"
	"nsscript/cmd/nsbench/internal/table"
)

// execs starts the program true in a namespace, one after the other.
func execs(k *kit) benchmark {
	const times = 1000
	const work = "exec(ns, [\"true\"]) × 1,000"
	script := k.file("exec.star", fmt.Sprintf(`
ns = namespace("a")
def main():
    for _ in range(%d):
        exec(ns, ["true"])
main()
`, times))
	ip := k.file("exec.sh", fmt.Sprintf(`
set -e
ip netns add a
i=0
while [ $i -lt %d ]; do
	ip netns exec a true
	i=$((i + 1))
done
`, times))
	return benchmark{
		name: "exec",
		contenders: []contender{
			{name: "fork and exec", job: pen.Job{Steps: []pen.Step{{Name: up, Argv: k.floor("exec", times)}}}},
			{name: "sandbox", job: pen.Job{Steps: []pen.Step{k.run(inSandbox, script)}}},
			{name: "ip netns exec", peer: true, lacks: program("ip"), job: pen.Job{Steps: []pen.Step{{Name: up, Argv: []string{"sh", ip}}}}},
		},
		rows: []row{
			{work: work, ours: wall("sandbox", up), against: wall("fork and exec", up), goal: table.AtMost(1.3)},
			{work: work, ours: wall("sandbox", up), against: wall("ip netns exec", up), faster: true, goal: table.AtLeast(2)},
		},
	}
}
