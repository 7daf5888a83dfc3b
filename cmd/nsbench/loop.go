//go:build linux

package main

import (
	"nsscript/cmd/nsbench/internal/pen"
	"nsscript/cmd/nsbench/internal/table"
)

// loop has the language alone at work. What is compared is the processor time: a few
// hundredths are lost in the time by the clock, in which others work too.
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
			{work: "a loop of 10 million steps, processor time", ours: processor("nsscript run", up), against: processor("starlark", up), goal: table.AtMost(1.03)},
		},
	}
}
