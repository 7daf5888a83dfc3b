//go:build linux

package main

import (
	"nsscript/cmd/nsbench/internal/pen"
	"nsscript/cmd/nsbench/internal/table"
)

// startup starts nsscript for next to nothing.
func startup(k *kit) benchmark {
	script := k.file("empty.star", "")
	often := func(name string, s pen.Step) contender {
		s.Name, s.Times = up, 15
		return contender{name: name, job: pen.Job{Steps: []pen.Step{s}}}
	}
	starlark := often("starlark", pen.Step{Argv: []string{k.starlark, script}})
	starlark.lacks = k.starlarkLacks()
	return benchmark{
		name: "start-up",
		contenders: []contender{
			often("nsscript run", k.run(onHost, script)),
			often("sandbox", k.run(inSandbox, script)),
			often("nsscript --help", pen.Step{Argv: []string{k.nsscript, "--help"}}),
			starlark,
		},
		rows: []row{
			{work: "an empty script", ours: wall("nsscript run", up), against: wall("starlark", up), goal: table.AtMost(1.5)},
			{work: "an empty script, in a sandbox", ours: wall("sandbox", up), against: wall("starlark", up)},
			{work: "nsscript --help", ours: wall("nsscript --help", up), unit: table.Seconds, goal: milliseconds(15), mine: "start to end"},
		},
	}
}

// starlarkLacks says how to get the starlark command, if it is not there.
func (k *kit) starlarkLacks() string {
	if k.starlark == "" {
		return "not here; make .tools/starlark"
	}
	return ""
}
