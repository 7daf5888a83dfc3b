//go:build linux

package main

import (
	"nsscript/cmd/nsbench/internal/pen"
	"nsscript/cmd/nsbench/internal/table"
)

// loop has the language alone at work.
func loop(k *kit) benchmark {
	script := k.file("loop.star", `
def main():
    n = 0
    for i in range(10000000):
        n += i
    return n
main()
`)
	return benchmark{
		name: "loop",
		contenders: []contender{
			{name: "nsscript run", job: pen.Job{Steps: []pen.Step{k.run(onHost, script)}}},
			{name: "starlark", lacks: k.starlarkLacks(), job: pen.Job{Steps: []pen.Step{{Name: up, Argv: []string{k.starlark, script}}}}},
		},
		rows: []row{
			{work: "a loop of 10 million steps", ours: wall("nsscript run", up), against: wall("starlark", up), goal: table.Within(0.03)},
		},
	}
}
