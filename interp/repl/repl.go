// Package repl is the interactive session: it reads lines from a terminal, or
// from a pipe, runs each input when it is complete, and prints what it is worth.
//
// A [Session] runs on an [interp.Interp] and a set of global names. What its lines
// do to the world is the business of a [Lab], which it asks to take back what a
// failing line had begun, so that the session is at any moment what its
// successful lines have made; from these, undo() and save() follow.
//
// repl.go is the loop, terminal.go where lines come from, steps.go the memory of
// successful lines, complete.go what the Tab key offers.
package repl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"nsscript/builtins/doc"
	"nsscript/builtins/pattern"
	"nsscript/interp"
)

// Lab is what the lines of a session work on.
type Lab interface {
	// Title is the lab's name and where it stands, for the prompt.
	Title() string
	// Use has the builtins end with a context from now on.
	Use(ctx context.Context)
	// Steps counts the changes that were begun so far.
	Steps() int
	// Rewind takes back all changes after the first steps, and returns how many
	// these were; what cannot be brought back is an error, and with force nothing
	// that hinders the others.
	Rewind(ctx context.Context, steps int, force bool) (int, error)
	// Place reports whether commands can run in a value.
	Place(v starlark.Value) bool
	// PlaceNamed returns a place of the lab by its name, nil if there is none.
	PlaceNamed(name string) starlark.Value
	// Command runs a shell's command line in a place, with the terminal handed
	// over, and returns its exit status.
	Command(ctx context.Context, place starlark.Value, line string, terminal bool) (int, error)
	// Names lists the names of a kind, for completion: "namespace", and in a place
	// "interface".
	Names(kind string, place starlark.Value) []string
}

// Config says what a session runs on.
type Config struct {
	Interp  *interp.Interp
	Globals starlark.StringDict
	Library *doc.Library
	Lab     Lab
	Display func(v starlark.Value, width int) string // prints a result in so many columns
	Out     io.Writer
	Err     io.Writer
	Style   func() doc.Style // of the terminal, as wide as it is now
	// Base is the script that the session started from.
	Base string
	// History is the file of earlier lines; "" for none.
	History string
	// OnInterrupt sets what Ctrl-C does from now on.
	OnInterrupt func(do func())
	// Programs lists the programs that a command may be.
	Programs func() []string
}

// Session is an interactive session.
type Session struct {
	Config
	in      lines
	steps   []*step
	restore map[string]starlark.Value // names that undo gives back, after the line
	kept    bool
}

// New returns a session that reads from the standard input.
func New(c Config) *Session { return &Session{Config: c} }

// Kept reports whether the lab is to stay.
func (s *Session) Kept() bool { return s.kept }

// Keep is keep().
func (s *Session) Keep(on bool) { s.kept = on }

// errFailed ends a session that reads from a pipe, after an error was shown.
var errFailed = errors.New("a line failed")

// Failed reports whether a session ended because a line of a pipe has failed; the
// error was shown.
func Failed(err error) bool { return errors.Is(err, errFailed) }

// Run reads and runs lines until the input ends, the user leaves, or the context
// is done.
func (s *Session) Run(ctx context.Context) error {
	s.in = openLines(s)
	defer s.in.close()
	for {
		input, err := s.read(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch ok, err := s.input(ctx, input); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case !ok && !s.in.interactive():
			return errFailed
		}
	}
}

// errCleared is the error of an input that Ctrl-C took away.
var errCleared = errors.New("cleared")

// read reads one input, which may have several lines.
func (s *Session) read(ctx context.Context) (string, error) {
	var buf strings.Builder
	for {
		line, err := s.in.next(ctx, s.prompt(buf.Len() > 0), buf.String())
		switch {
		case errors.Is(err, errCleared):
			buf.Reset()
			continue
		case errors.Is(err, io.EOF) && buf.Len() > 0:
			return buf.String(), nil
		case err != nil:
			return "", err
		}
		if buf.Len() == 0 && strings.TrimSpace(line) == "" {
			continue
		}
		if buf.Len() > 0 && interp.IsBlock(buf.String()) && interp.EndsBlock(buf.String(), line) {
			if strings.Count(buf.String(), "\n") < 2 { // it should have been indented
				return buf.String() + line + "\n", nil
			}
			s.in.unread(line)
			return buf.String(), nil
		}
		buf.WriteString(line + "\n")
		if _, _, command := s.asCommand(line); command && buf.Len() == len(line)+1 {
			return buf.String(), nil
		}
		if !interp.Unfinished(buf.String()) && !s.goesOn(line) {
			return buf.String(), nil
		}
	}
}

// goesOn reports whether a block, though a blank line seems to end it, goes on with
// an indented line: a script that comes through a pipe may be written so.
func (s *Session) goesOn(line string) bool {
	if strings.TrimSpace(line) != "" {
		return false
	}
	next, ok := s.in.peek()
	return ok && (strings.TrimSpace(next) == "" || next[0] == ' ' || next[0] == '\t')
}

func (s *Session) prompt(more bool) string {
	title := s.Lab.Title()
	if more {
		return strings.Repeat(" ", max(0, len([]rune(title))-3)) + "...> "
	}
	return title + "> "
}

// input runs one input, and reports whether it worked; the error ends the session.
func (s *Session) input(ctx context.Context, text string) (ok bool, err error) {
	line := strings.TrimSpace(text)
	switch {
	case (line == "exit" || line == "quit" || line == "exit()" || line == "quit()") && s.Globals[strings.TrimSuffix(line, "()")] == nil:
		return true, s.in.leave()
	case line == "help" || line == "?":
		text = "help()\n"
	case helpMark().MatchString(line):
		topic := strings.Trim(line, "? ")
		text = fmt.Sprintf("help(%q)\n", topic)
		if s.Globals[topic] != nil {
			text = fmt.Sprintf("help(%s)\n", topic)
		}
	}
	run, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s.OnInterrupt(func() { cancel(errInterrupted) })
	defer s.OnInterrupt(func() {})
	if place, command, is := s.asCommand(line); is {
		s.OnInterrupt(func() {}) // it has reached the command by itself
		ok, err = s.command(ctx, place, command, line)
	} else {
		ok, err = s.chunk(run, text), nil
	}
	if ctx.Err() != nil {
		return ok, context.Cause(ctx)
	}
	return ok, err
}

// helpMark matches a question about a name, as IPython has it.
var helpMark = pattern.Of(`^(\?\s*[\w.]+|[\w.]+\s*\?)$`)

var errInterrupted = errors.New("interrupted")

// commandLine matches two words that are no Starlark: a name, and the beginning
// of a program's name or path.
var commandLine = pattern.Of(`^([\pL_][\pL\d_.-]*)\s+([\w./~$"'].*)$`)

// asCommand reads a line such as `red ping blue`: a place and a command for it.
func (s *Session) asCommand(line string) (place starlark.Value, command string, ok bool) {
	m := commandLine().FindStringSubmatch(strings.TrimSpace(line))
	if m == nil {
		return nil, "", false
	}
	first, _, _ := strings.Cut(m[2], " ")
	switch first {
	case "in", "not", "and", "or", "if", "else", "for", "is":
		return nil, "", false
	}
	if v, defined := s.Globals[m[1]]; defined {
		return v, m[2], s.Lab.Place(v)
	}
	v := s.Interp.Eval([]interp.Step{{Name: m[1]}}, nil)
	if v == nil {
		v = s.Lab.PlaceNamed(m[1])
	}
	return v, m[2], v != nil && s.Lab.Place(v)
}

// command runs a command in a place.
func (s *Session) command(ctx context.Context, place starlark.Value, command, line string) (bool, error) {
	from := s.Lab.Steps()
	s.Lab.Use(ctx)
	status, err := s.Lab.Command(ctx, place, command, s.in.interactive())
	if err != nil {
		s.show(err)
		return false, nil
	}
	if status != 0 {
		fmt.Fprintf(s.Err, "[exit status %d]\n", status)
		return false, nil
	}
	st := &step{text: line, command: command, from: from, to: s.Lab.Steps()}
	if name := strings.Fields(line)[0]; s.Interp.Eval([]interp.Step{{Name: name}}, s.Globals) != nil {
		st.variable = name
	}
	s.steps = append(s.steps, st)
	return true, nil
}

// chunk runs Starlark, and takes back what it did if it fails.
func (s *Session) chunk(ctx context.Context, text string) bool {
	s.Lab.Use(ctx)
	before, from := maps.Clone(s.Globals), s.Lab.Steps()
	// Positions are those of the lines that came through a pipe.
	lines := strings.Repeat("\n", s.in.before(text))
	value, err := s.Interp.Chunk(ctx, interp.Source{Name: "<repl>", Text: []byte(lines + text)}, s.Globals)
	if err != nil {
		s.show(s.reworded(text, err))
		s.takeBack(context.WithoutCancel(ctx), before, from)
		return false
	}
	for name, v := range s.restore {
		if v == nil {
			delete(s.Globals, name)
		} else {
			s.Globals[name] = v
		}
	}
	s.restore = nil
	s.remember(text, before, from)
	if value != starlark.None && value != nil {
		s.Globals["_"] = value
		fmt.Fprintln(s.Out, s.display(value))
	}
	return true
}

// takeBack undoes what a failing input had done.
func (s *Session) takeBack(ctx context.Context, before starlark.StringDict, from int) {
	clear(s.Globals)
	maps.Copy(s.Globals, before)
	s.restore = nil
	n, err := s.Lab.Rewind(ctx, from, true)
	if err != nil {
		s.show(err)
	} else if n > 0 {
		fmt.Fprintln(s.Err, "   what this line had begun was taken back")
	}
}

// display prints a result.
func (s *Session) display(v starlark.Value) string {
	b, ok := v.(*starlark.Builtin)
	if !ok {
		return s.Display(v, s.Style().Width)
	}
	pages := s.Library.Find(s.pageName(b))
	if len(pages) != 1 {
		return s.Display(v, s.Style().Width)
	}
	topic := pages[0].Name
	if pages[0].Kind == doc.Method {
		topic = fmt.Sprintf("%q", topic)
	}
	return fmt.Sprintf("%s%s\n(call it with brackets; help(%s) tells more)", s.Style().Signature(pages[0].Signature), pages[0].Summary, topic)
}

// pageName is the name of the page that describes a builtin.
func (s *Session) pageName(b *starlark.Builtin) string {
	if recv := b.Receiver(); recv != nil {
		if name := recv.Type() + "." + b.Name(); s.Library.Page(name) != nil {
			return name
		}
	}
	return b.Name()
}

// reworded explains an input that is neither Starlark nor a command.
func (s *Session) reworded(text string, err error) error {
	var e *interp.Error
	var wrong syntax.Error
	if errors.As(err, &e) && errors.As(err, &wrong) && strings.TrimLeft(text, " \t") != text {
		c := *e
		c.Hint = "at the prompt an empty line ends a block; write blocks without one"
		return &c
	}
	word := strings.TrimSpace(text)
	m := commandLine().FindStringSubmatch(word)
	if p := programLine().FindStringSubmatch(word); m == nil && p != nil && slices.Contains(s.Programs(), p[1]) {
		m = p
	}
	if m == nil && errors.As(err, &e) && plainWord().MatchString(word) && slices.Contains(s.Programs(), word) {
		c := *e
		c.Hint = "a command runs in a namespace: NAMESPACE " + word
		return &c
	}
	if m == nil || !errors.As(err, &e) || !errors.As(err, &wrong) || interp.IsBlock(text) || !strings.Contains(e.Msg, "does not belong here") {
		return err
	}
	if strings.Count(word, "\n") > 0 {
		return err
	}
	c := *e
	if v := s.Globals[m[1]]; v != nil {
		program, _, _ := strings.Cut(m[2], " ")
		if s.Lab.Place(v) || !slices.Contains(s.Programs(), program) {
			return err
		}
		c.Msg = fmt.Sprintf("%q is %s, not a namespace, so this is no command to run in one", m[1], interp.WithArticle(v.Type()))
		c.Hint = fmt.Sprintf("a namespace is made with brackets: %s = namespace(%q)", m[1], m[1])
		return &c
	}
	c.Msg = fmt.Sprintf("%q is no namespace, so this is no command to run in one", m[1])
	c.Hint = s.commandHint(m[1], m[2])
	return &c
}

// programLine matches a program and its first argument, which may be a flag.
var programLine = pattern.Of(`^([a-z][a-z0-9_-]*)\s+(-\S.*)$`)

// plainWord matches what may be the name of a program alone.
var plainWord = pattern.Of(`^[a-z][a-z0-9_-]*$`)

// commandHint helps with a line that is a command's without a namespace before it.
func (s *Session) commandHint(first, rest string) string {
	places := s.Lab.Names("namespace", nil)
	if page := s.Library.Page(first); page != nil && page.Callable() {
		words := strings.Fields(rest)
		known := !slices.ContainsFunc(words, func(w string) bool { return !slices.Contains(places, w) })
		if known {
			return fmt.Sprintf("write: %s(%s)", first, strings.Join(words, ", "))
		}
		return "it is called with brackets: " + page.Signature
	}
	place := "NAMESPACE"
	if len(places) > 1 {
		place = places[0]
	}
	if slices.Contains(s.Programs(), first) {
		return fmt.Sprintf("a command runs in a namespace: %s %s %s", place, first, rest)
	}
	hint := "a command is written NAMESPACE COMMAND"
	if len(places) > 0 {
		hint += ", and there is " + strings.Join(places, ", ")
	}
	return hint
}

func (s *Session) show(err error) {
	var e *interp.Error
	if errors.As(err, &e) {
		fmt.Fprintln(s.Err, e.Format(s.Style().Color))
		return
	}
	fmt.Fprintf(s.Err, "error: %v\n", err)
	var h interp.Hinter
	if errors.As(err, &h) && h.Hint() != "" {
		fmt.Fprintf(s.Err, "   hint: %s\n", h.Hint())
	}
}
