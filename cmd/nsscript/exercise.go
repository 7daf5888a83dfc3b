//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"nsscript/builtins"
	"nsscript/builtins/op"
	"nsscript/cmd/nsscript/internal/course"
	"nsscript/cmd/nsscript/internal/markdown"
	"nsscript/examples/exercises"
)

// exerciseOptions are the flags of all commands about exercises.
type exerciseOptions struct {
	course string
}

func newExercise() *cobra.Command {
	o := &exerciseOptions{}
	cmd := &cobra.Command{
		Use: "exercise", Short: "Learn networking by exercises that check themselves",
		Long: `Learn networking by exercises that check themselves.

Each exercise has a network of its own, in a sandbox: nothing of this machine can be
changed, no rights are needed, and it stays until it is taken down, so you can log out and
go on tomorrow. In some the network is broken and you mend it, by hand in a shell
(ip, iptables, sysctl …) or with nsscript; in others you complete a script.

  nsscript exercise list         what there is, and what you have solved
  nsscript exercise start 1      begin: the task, and a drawing of the network
  nsscript exercise shell red    a shell in the namespace red, as root
  nsscript exercise check        what holds, and what does not
  nsscript exercise hint         a hint, and then the next one
  nsscript exercise next         go on

Commands are about the exercise that was started last, or the one that is named, by its
number or name.`,
		Args: unknownCommand, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.PersistentFlags().StringVar(&o.course, "course", "", "the exercises in the folder `DIR` (later commands are about them too); \"built-in\" for those that come with nsscript")
	cmd.AddCommand(
		newExerciseList(o), newExerciseStart(o), newExerciseShow(o), newExerciseCheck(o), newExerciseWatch(o), newExerciseHint(o),
		newExerciseSolve(o), newExerciseReset(o), newExerciseNext(o), newExerciseStop(o), newExerciseShell(o), newExerciseRepl(o),
		newExerciseReport(o), newExerciseNew(), newExerciseTest(o),
	)
	return cmd
}

// student is what the commands have to do with: the course, and what was done of it.
type student struct {
	store    course.Store
	progress *course.Progress
	course   *course.Course
}

// open reads the course and the progress.
func (o *exerciseOptions) open() (*student, error) {
	store, err := course.DefaultStore()
	if err != nil {
		return nil, err
	}
	s := &student{store: store}
	if s.progress, err = store.Load(); err != nil {
		return nil, err
	}
	id := s.progress.Course
	switch o.course {
	case "":
	case course.BuiltIn:
		id = course.BuiltIn
	default:
		if id, err = filepath.Abs(o.course); err != nil {
			return nil, err
		}
	}
	if s.course, err = course.Open(id, exercises.FS); err != nil {
		if o.course == "" {
			err = fmt.Errorf("%w (nsscript exercise --course built-in list is about the exercises that come with nsscript)", err)
		}
		return nil, err
	}
	if o.course == "" {
		return s, nil
	}
	return s, store.Change(func(p *course.Progress) error {
		p.Course, s.progress = id, p
		return nil
	})
}

// item finds the exercise that is named, or is at hand.
func (s *student) item(args []string) (*course.Item, error) {
	if len(args) > 0 {
		return s.course.Find(args[0])
	}
	name := s.current()
	if name == "" {
		return nil, &op.Error{Msg: "no exercise was started", Tip: "begin with: nsscript exercise start 1"}
	}
	return s.course.Find(name)
}

// current is the name of the exercise at hand, "" for none.
func (s *student) current() string { return s.progress.Current[s.course.ID] }

// record is what was done of an exercise.
func (s *student) record(it *course.Item) *course.Record { return s.progress.Of(it.Course, it.Name) }

// note changes what is kept of an exercise.
func (s *student) note(it *course.Item, change func(r *course.Record)) error {
	return s.store.Change(func(p *course.Progress) error {
		change(p.Of(it.Course, it.Name))
		s.progress = p
		return nil
	})
}

// choose makes an exercise the one that commands are about.
func (s *student) choose(it *course.Item) error {
	return s.store.Change(func(p *course.Progress) error {
		p.Choose(it)
		s.progress = p
		return nil
	})
}

// read reads the script of an exercise.
func (s *student) read(ctx context.Context, it *course.Item) (*exerciseScript, error) {
	return readExercise(ctx, it.Source, networkName(it), builtins.Options{Self: self()})
}

// network is where the exercise stands, or an error that says how to get there.
func (s *student) network(it *course.Item) (*exerciseNet, error) {
	n, err := networkOf(s.record(it))
	if err == nil && n == nil {
		e := &op.Error{Msg: fmt.Sprintf("the network of exercise %d, %s, is not up", it.N, it.Name), Tip: fmt.Sprintf("build it: nsscript exercise start %d", it.N)}
		if s.record(it).File != "" {
			e.Tip = "nsscript exercise check builds it from your script"
		}
		return nil, e
	}
	return n, err
}

// items are the exercises that are named, by number, name, file or folder; without a name
// all.
func (o *exerciseOptions) items(args []string) ([]course.Item, error) {
	var list []course.Item
	var open *student
	for _, arg := range args {
		if isPath(arg) {
			c, err := course.Open(arg, exercises.FS)
			if err != nil {
				return nil, err
			}
			list = append(list, c.Items...)
			continue
		}
		if open == nil {
			var err error
			if open, err = o.open(); err != nil {
				return nil, err
			}
		}
		it, err := open.course.Find(arg)
		if err != nil {
			return nil, err
		}
		list = append(list, *it)
	}
	if len(args) > 0 {
		return list, nil
	}
	open, err := o.open()
	if err != nil {
		return nil, err
	}
	return open.course.Items, nil
}

// isPath tells a file or a folder from the number or the name of an exercise.
func isPath(arg string) bool {
	return strings.HasSuffix(arg, ".star") || strings.ContainsRune(arg, filepath.Separator) || arg == "." || arg == ".."
}

// complete completes the name of an exercise.
func (o *exerciseOptions) complete(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	s, err := o.open()
	if err != nil || len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	names := make([]string, len(s.course.Items))
	for i, it := range s.course.Items {
		names[i] = it.Name
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// command makes a subcommand about one exercise.
func (o *exerciseOptions) command(use, short string, run func(cmd *cobra.Command, s *student, it *course.Item) error) *cobra.Command {
	return &cobra.Command{
		Use: use + " [N|NAME]", Short: short, Args: cobra.MaximumNArgs(1), ValidArgsFunction: o.complete,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 && isPath(args[0]) {
				o.course, args = args[0], []string{"1"}
			}
			s, err := o.open()
			if err != nil {
				return err
			}
			it, err := s.item(args)
			if err != nil {
				return err
			}
			return run(cmd, s, it)
		},
	}
}

func newExerciseStart(o *exerciseOptions) *cobra.Command {
	cmd := o.command("start", "Begin an exercise, or return to it", func(cmd *cobra.Command, s *student, it *course.Item) error {
		return start(cmd.Context(), s, it, false)
	})
	cmd.Use = "start N|NAME"
	cmd.Args = cobra.ExactArgs(1)
	return cmd
}

func newExerciseReset(o *exerciseOptions) *cobra.Command {
	return o.command("reset", "Build the network of the exercise anew, as it was given", func(cmd *cobra.Command, s *student, it *course.Item) error {
		return start(cmd.Context(), s, it, true)
	})
}

// start gives an exercise to the student: its network, where it is not up, and the task.
func start(ctx context.Context, s *student, it *course.Item, anew bool) error {
	e, err := s.read(ctx, it)
	if err != nil {
		return err
	}
	if err := s.choose(it); err != nil {
		return err
	}
	n, err := networkOf(s.record(it))
	if err != nil {
		return err
	}
	if n == nil || anew {
		if n, err = raise(ctx, s, it, ""); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(os.Stderr, "it is up already, as you left it; nsscript exercise reset builds it anew\n\n")
	}
	if e.Template != "" {
		if err := giveTemplate(s, it, e.Template); err != nil {
			return err
		}
	}
	return present(s, it, e, n)
}

// raise builds the network of an exercise, in place of one that is up, and notes where it
// is.
func raise(ctx context.Context, s *student, it *course.Item, file string) (*exerciseNet, error) {
	if err := stop(ctx, s, it); err != nil {
		return nil, err
	}
	n, err := build(ctx, it, file)
	if err != nil {
		return nil, err
	}
	where, err := json.Marshal(n)
	if err != nil {
		return nil, err
	}
	return n, s.note(it, func(r *course.Record) {
		if r.Network = where; r.Started.IsZero() {
			r.Started = time.Now()
		}
	})
}

// giveTemplate puts the file that the student completes into the current directory, unless
// there is one already.
func giveTemplate(s *student, it *course.Item, template string) error {
	r := s.record(it)
	if r.File != "" {
		if _, err := os.Stat(r.File); err == nil {
			return nil
		}
	}
	path, err := filepath.Abs(it.Name + ".star")
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	switch {
	case errors.Is(err, os.ErrExist):
		fmt.Fprintf(os.Stderr, "%s is there already, and is left as it is\n\n", path)
	case err != nil:
		return fmt.Errorf("the file that you are to complete: %w", err)
	default:
		_, err := f.WriteString(strings.TrimLeft(template, "\n"))
		if err = errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
	return s.note(it, func(r *course.Record) { r.File = path })
}

// present prints the task, the network as it is, and how to go on.
func present(s *student, it *course.Item, e *exerciseScript, n *exerciseNet) error {
	style := checkPrinter{color: colorful(os.Stdout)}
	fmt.Fprintf(&stdout, "%s\n", style.in(bold, fmt.Sprintf("Exercise %d of %d: %s", it.N, len(s.course.Items), e.Title)))
	fmt.Fprintf(&stdout, "%s\n\n", style.in(faint, fmt.Sprintf("%s · level %s", e.Topic, e.Level)))
	fmt.Fprint(&stdout, markdown.Render(dedent(e.Brief), markdown.Options{Width: textWidth(), Color: style.color}))
	if n != nil {
		fmt.Fprintf(&stdout, "\n%s\n\n", style.in(bold, "The network"))
		if _, err := n.work(jobFor(it, "draw")); err != nil {
			return err
		}
	}
	fmt.Fprintf(&stdout, "\n%s\n\n%s", style.in(bold, "How to go on"), howTo(s.record(it).File))
	if _, err := exec.LookPath("nsscript"); err != nil {
		fmt.Fprintf(&stdout, "\nHere nsscript is %s; in the shells of the network it is found by its name.\n", os.Args[0])
	}
	return nil
}

// howTo are the commands for a student.
func howTo(file string) string {
	if file != "" {
		return fmt.Sprintf(`  edit    %s
  nsscript exercise check        builds your network, and says what holds
  nsscript exercise shell [NS]   a shell on its host, or in the namespace NS
  nsscript exercise hint         a hint
`, shortPath(file))
	}
	return `  nsscript exercise shell [NS]   a shell on the host, or in the namespace NS
  nsscript exercise repl         the same network from nsscript's prompt
  nsscript exercise check        says what holds; check -v follows the packets
  nsscript exercise hint         a hint
`
}

// shortPath is a path as it is typed from here, where that is shorter.
func shortPath(path string) string {
	here, err := os.Getwd()
	if err != nil {
		return path
	}
	if rel, err := filepath.Rel(here, path); err == nil && filepath.IsLocal(rel) {
		return rel
	}
	return path
}

// textWidth is how wide prose is printed: as the terminal, but no wider than is read well.
func textWidth() int {
	const widest = 78
	if c := columns(); c > 0 {
		return min(c-1, widest)
	}
	return widest
}

// dedent takes from all lines the indentation that they have in common.
func dedent(text string) string {
	lines := strings.Split(strings.Trim(text, "\n"), "\n")
	common := -1
	for _, line := range lines {
		if rest := strings.TrimLeft(line, " "); rest != "" {
			if n := len(line) - len(rest); common < 0 || n < common {
				common = n
			}
		}
	}
	for i, line := range lines {
		lines[i] = line[min(len(line), max(common, 0)):]
	}
	return strings.TrimSpace(strings.Join(lines, "\n")) + "\n"
}

func newExerciseShow(o *exerciseOptions) *cobra.Command {
	return o.command("show", "Print the task again, and the network as it is now", func(cmd *cobra.Command, s *student, it *course.Item) error {
		e, err := s.read(cmd.Context(), it)
		if err != nil {
			return err
		}
		n, err := networkOf(s.record(it))
		if err != nil {
			return err
		}
		return present(s, it, e, n)
	})
}

func newExerciseNext(o *exerciseOptions) *cobra.Command {
	return &cobra.Command{
		Use: "next", Short: "Go on with the exercise that follows", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := o.open()
			if err != nil {
				return err
			}
			it := &s.course.Items[0]
			if s.current() != "" {
				done, err := s.item(nil)
				if err != nil {
					return err
				}
				if s.record(done).Done() {
					if err := stop(cmd.Context(), s, done); err != nil {
						return err
					}
				}
				if it = s.course.After(done); it == nil {
					fmt.Fprintln(os.Stderr, "that was the last exercise; nsscript exercise list shows what is left")
					return nil
				}
			}
			return start(cmd.Context(), s, it, false)
		},
	}
}

func newExerciseStop(o *exerciseOptions) *cobra.Command {
	return o.command("stop", "Take the network of the exercise down", func(cmd *cobra.Command, s *student, it *course.Item) error {
		return stop(cmd.Context(), s, it)
	})
}

// stop takes the network of an exercise down, if it is up.
func stop(ctx context.Context, s *student, it *course.Item) error {
	n, err := networkOf(s.record(it))
	if err != nil {
		return err
	}
	if n != nil {
		if err := outsideLabs(); err != nil {
			return err
		}
		if err := n.end(ctx); err != nil {
			return err
		}
	}
	return s.note(it, func(r *course.Record) { r.Network = nil })
}

func newExerciseShell(o *exerciseOptions) *cobra.Command {
	cmd := &cobra.Command{
		Use: "shell [NS [-- CMD…]]", Short: "Open a shell in a namespace of the network, as root of it",
		Long: `Open a shell in a namespace of the exercise's network, as root of it, or run a command
there. Without a namespace it is the place outside, the host of the network, where ip netns
lists the namespaces.`,
		DisableFlagsInUseLine: true,
		RunE: func(_ *cobra.Command, args []string) error {
			s, err := o.open()
			if err != nil {
				return err
			}
			it, err := s.item(nil)
			if err != nil {
				return err
			}
			n, err := s.network(it)
			if err != nil {
				return err
			}
			job := jobFor(it, "shell")
			if job.Words = args; len(args) == 0 {
				job.Words = []string{op.Host}
			}
			if len(args) > 1 && args[1] == "--" {
				job.Words = slices.Delete(slices.Clone(args), 1, 2)
			}
			_, err = n.work(job)
			return err
		},
	}
	cmd.Flags().SetInterspersed(false) // what follows the namespace is the command's
	return cmd
}

func newExerciseRepl(o *exerciseOptions) *cobra.Command {
	return o.command("repl", "Work in the network from nsscript's prompt, where its namespaces have their names", func(_ *cobra.Command, s *student, it *course.Item) error {
		n, err := s.network(it)
		if err != nil {
			return err
		}
		_, err = n.work(jobFor(it, "repl"))
		return err
	})
}
