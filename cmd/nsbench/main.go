//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"syscall"

	"nsscript/cmd/nsbench/internal/floor"
	"nsscript/cmd/nsbench/internal/pen"
	"nsscript/cmd/nsbench/internal/table"
)

func main() {
	if err := dispatch(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "nsbench:", err)
		os.Exit(1)
	}
}

// dispatch does what this process was started for: a pen and a floor are this same
// program.
func dispatch(args []string) error {
	if len(args) > 0 {
		switch args[0] {
		case pen.Arg:
			return pen.Main(args[1:])
		case floor.Arg:
			return floor.Main(args[1:])
		}
	}
	return bench(args)
}

// options are what the user chose.
type options struct {
	nsscript string
	starlark string
	only     *regexp.Regexp
	runs     int
	peers    bool
	readme   string
}

func parse(args []string) (*options, error) {
	o := &options{}
	f := flag.NewFlagSet("nsbench", flag.ContinueOnError)
	f.StringVar(&o.nsscript, "nsscript", "bin/nsscript", "the `program` to measure")
	f.StringVar(&o.starlark, "starlark", ".tools/starlark", "the starlark `program`, compared with if it is there")
	only := f.String("only", "", "measure what matches this `regexp` alone: the table's first columns")
	f.IntVar(&o.runs, "runs", 5, "how many `rounds` are run")
	f.BoolVar(&o.peers, "peers", false, "measure other programs too, as far as they are installed")
	f.StringVar(&o.readme, "readme", "", "write the table into this `file`, between its marks")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	if f.NArg() > 0 {
		return nil, fmt.Errorf("there are no arguments, only flags: %q", f.Arg(0))
	}
	if o.runs < 1 {
		return nil, fmt.Errorf("-runs wants at least one, got %d", o.runs)
	}
	var err error
	if o.only, err = regexp.Compile(*only); err != nil {
		return nil, fmt.Errorf("-only: %w", err)
	}
	return o, nil
}

func bench(args []string) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	kit, err := newKit(o)
	if err != nil {
		return err
	}
	defer kit.remove()
	r := &runner{options: o, progress: os.Stderr}
	rows, err := r.all(ctx, benchmarks(kit))
	if err != nil {
		return err
	}
	if err := table.Print(os.Stdout, rows); err != nil {
		return err
	}
	tell(rows)
	if r.failed {
		return errors.New("not every contender has done its work")
	}
	if o.readme != "" {
		return writeReadme(o.readme, rows, o.runs)
	}
	return nil
}

// tell says how many goals are reached.
func tell(rows []table.Row) {
	goals, met, open := 0, 0, 0
	for _, r := range rows {
		switch {
		case !r.HasGoal():
			continue
		case r.Note != "":
			open++
		case r.Met():
			met++
		}
		goals++
	}
	fmt.Printf("%d of %d goals are reached", met, goals)
	if open > 0 {
		fmt.Printf(", %d could not be measured", open)
	}
	fmt.Println()
}
