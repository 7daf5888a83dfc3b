package op

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"nsscript/builtins/kernel"
)

// sh joins the words of a command, quoted as a POSIX shell wants them.
func sh(words ...string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = ShellWord(w)
	}
	return strings.Join(quoted, " ")
}

// ShellWord quotes one word for bash.
func ShellWord(w string) string {
	q, err := syntax.Quote(w, syntax.LangBash)
	if err != nil {
		// Only a NUL cannot be quoted, and no argument can hold one.
		return "''"
	}
	return q
}

// ip is an `ip` command in a namespace of the lab.
func ip(ns string, words ...string) string {
	if ns == Host {
		return sh(append([]string{"ip"}, words...)...)
	}
	return sh(append([]string{"ip", "-n", ns}, words...)...)
}

// InNS is a command line run in a namespace of the lab.
func InNS(ns string, words ...string) string {
	if ns == Host {
		return sh(words...)
	}
	return sh(append([]string{"ip", "netns", "exec", ns}, words...)...)
}

// RunCommand is a program run in a namespace of the lab, with variables added to
// its environment, in a directory, and with an input; each may be left out.
func RunCommand(ns string, argv, env []string, dir string, input []byte) string {
	cmd := InNS(ns, argv...)
	if len(env) > 0 {
		cmd = sh(append([]string{"env"}, env...)...) + " " + cmd
	}
	if input != nil {
		cmd = "printf %s " + ShellWord(string(input)) + " | " + cmd
	}
	if dir != "" {
		cmd = "(cd " + ShellWord(dir) + " && " + cmd + ")"
	}
	return cmd
}

// sysctlCommand sets parameters of a namespace. A word such as a=b needs no
// quotes where it is an argument.
func sysctlCommand(ns string, settings ...kernel.Sysctl) string {
	cmd := InNS(ns, "sysctl", "-qw")
	for _, s := range settings {
		cmd += " " + s.Key + "=" + ShellWord(s.Value)
	}
	return cmd
}
