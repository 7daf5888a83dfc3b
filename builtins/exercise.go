package builtins

import (
	"fmt"
	"strings"

	"go.starlark.net/starlark"

	"nsscript/builtins/op"
)

// Exercise is what a script says of itself with exercise().
type Exercise struct {
	Title string `json:"title"`
	// Brief is the task, in Markdown.
	Brief string `json:"brief"`
	Level string `json:"level"`
	Topic string `json:"topic"`
	// Template is the file that the student completes; "" where a network is to be
	// mended.
	Template string `json:"template,omitempty"`
}

var exerciseSpec = spec{
	sig: "exercise(title, brief, level, topic, *, template = None)",
	doc: exerciseDoc,
	run: exercise,
}

func exercise(c *call) (starlark.Value, error) {
	var e Exercise
	var level starlark.Value
	if err := c.unpack(&e.Title, &e.Brief, &level, &e.Topic, &e.Template); err != nil {
		return nil, err
	}
	switch v := level.(type) {
	case starlark.String:
		e.Level = string(v)
	case starlark.Int:
		e.Level = v.String()
	default:
		return nil, &argError{"level", want("a number or a string", level)}
	}
	for _, part := range []struct{ name, text string }{{"title", e.Title}, {"brief", e.Brief}, {"level", e.Level}, {"topic", e.Topic}} {
		if strings.TrimSpace(part.text) == "" {
			return nil, badArg("", "argument %q: it is empty", part.name)
		}
	}
	for _, line := range []struct{ name, text string }{{"title", e.Title}, {"level", e.Level}, {"topic", e.Topic}} {
		if strings.ContainsFunc(line.text, func(r rune) bool { return r < ' ' }) {
			return nil, badArg("", "argument %q: it has to be one line", line.name)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.exercise != nil {
		return nil, &op.Error{Msg: fmt.Sprintf("this file is the exercise %q already", c.exercise.Title), Tip: "one file is one exercise"}
	}
	c.exercise = &e
	return starlark.None, nil
}

// Exercise returns what the script has said with exercise(), nil if nothing.
func (s *Session) Exercise() *Exercise {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.exercise
}

const exerciseDoc = `
Says that the script is an exercise, which "nsscript exercise" gives to a student: what it is called and what is to be done.

The script defines the parts of the exercise. setup() builds the network that the student is given, and may be left out. checks() holds, with check(), what must be true in the end: only what can be seen from outside, packets that arrive or do not. solution() does what the student should have done; its doc string explains it, in Markdown. hints is a list of strings, given out one by one. wrong is a list of functions: usual wrong answers, which checks() must not accept. right, where there is one, is a list of other right answers.

Each of these functions may take one argument, which is what setup() returned. Each is run by a process of its own in the sandbox of the exercise, where setup() is planned once more to have its values: it must not depend on what a program prints or a packet finds. What checks() has made is taken back.

"nsscript exercise test" tries all of it: checks() has to fail on what setup() has built, where nothing is built and after each wrong answer, and to pass after each right one.

title (string): what it is called, in one line
brief (string): the task, in Markdown
level (int | string): how hard it is, 1 for the easiest
topic (string): what it is about, in a word or two
template (string): the exercise is to write a script, and this is the file that the student completes
returns (None): nothing
errors: an argument is empty, or the file is an exercise already
example:
    exercise("A cable", "Connect red and blue.", level = 1, topic = "links")

    def setup():
        return struct(red = namespace("red"), blue = namespace("blue"))

    def checks(net):
        check("red reaches blue", lambda: ping(net.red, "10.0.0.2"))

    def solution(net):
        """A veth is a cable with two ends."""
        veth(net.red, net.blue, addr = "10.0.0.1/24", peer_addr = "10.0.0.2/24")

    hints = ["A cable is called veth.", "Both ends need an address.", "veth(red, blue, addr = …, peer_addr = …)"]
    wrong = [lambda net: veth(net.red, net.blue)]
`
