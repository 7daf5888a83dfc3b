package interp

import (
	"fmt"
	"strings"
	"unicode"
)

// foreignSign finds operators and characters of other languages.
func (s *slip) foreignSign() bool {
	t := s.tok(0)
	prev := s.tok(-1)
	for _, o := range []struct {
		sign, msg, hint string
	}{
		{"**", "there is no operator **", "multiply, or use math.pow(x, y)"},
		{"&&", "there is no operator &&", "write: and"},
		{"||", "there is no operator ||", "write: or"},
		{"++", "there is no operator ++", "write: x += 1"},
		{"--", "there is no operator --", "write: x -= 1"},
		{":=", "there is no operator :=", "assign in a line of its own, with ="},
		{"->", "functions have no declared types here", "leave out the -> and the type"},
		{"=>", "there is no operator =>", "a function without a name is written: lambda x: x + 1"},
		{"!", "there is no operator !", "write: not x"},
		{"?", "there is no operator ?", "write: a if condition else b"},
		{"@", "there are no decorators, and no operator @", "call the function: f = decorate(f)"},
		{"$", `"$" means nothing here`, "names stand without it; in a string: \"…%s…\" % name"},
		{"`", "a string does not stand in backquotes", `write "…" or '…'`},
		{"/*", "comments do not begin with /*", "a comment begins with # in each line"},
	} {
		if t.is(o.sign) && !(o.sign == "**" && s.want == "identifier") {
			return s.say(o.msg, o.hint)
		}
		if (o.sign == "++" || o.sign == "--") && prev.is(o.sign) {
			s.i--
			return s.say(o.msg, o.hint)
		}
	}
	switch {
	case t.is("//") && t.first:
		return s.say("comments do not begin with //", "a comment begins with #")
	case t.is(":") && s.inParams():
		return s.say("parameters have no declared types here", "leave out the : and the type")
	case t.is(":") && s.want == "newline" && prev.kind == word && prev.first:
		return s.say("names have no declared types here", fmt.Sprintf("write: %s = …", prev.text))
	case t.is("=") && s.raw == "keyword argument must have form name=expr":
		return s.say("only a name can stand before the = of an argument", "a comparison is written ==")
	case s.raw == "keyword argument must have form name=expr" && prev.is("="):
		s.i--
		return s.say("only a name can stand before the = of an argument", "a comparison is written ==")
	case t.is("“", "”", "„", "‘", "’", "«", "»"):
		return s.say(fmt.Sprintf("the quote %s is not one that begins a string", t.text), `type plain ones: "…" or '…'`)
	case t.kind == sign && unicode.IsSpace([]rune(t.text + " ")[0]), t.is("\u200b", "\ufeff"):
		return s.say(fmt.Sprintf("there is an invisible character here (%U)", []rune(t.text)[0]), "delete it and type a space; it often comes with copied text")
	}
	return false
}

// inParams reports whether the wrong token is among the parameters of a def.
func (s *slip) inParams() bool {
	open := s.tok(0).open
	return open >= 2 && s.toks[open-2].is("def")
}

// reserved finds the words of Python that the dialect has not.
func (s *slip) reserved() bool {
	t := s.tok(0)
	if t.kind != word {
		return false
	}
	first := s.toks[s.lineStart()]
	if first.is("from", "import") && (t.is("import", "from")) {
		s.i = s.lineStart()
	}
	const noExceptions = "an error ends the script; check before with if, or stop with fail(\"message\")"
	for _, w := range []struct{ words, msg, hint string }{
		{"import from", `there is no "import"`, `names from another file come with load("./file.star", "name")`},
		{"try except finally", "there are no exceptions to catch", noExceptions},
		{"raise", `there is no "raise"`, `stop the script with fail("message")`},
		{"class", "there are no classes", "struct(name = value) makes a value with fields; functions do the rest"},
		{"with", `there is no "with"`, "call the function and keep its value: x = f()"},
		{"is", `there is no operator "is"`, "compare with == or !="},
		{"del", `there is no "del"`, "d.pop(key) takes a key out of a dict, xs.pop(i) an element out of a list"},
		{"global nonlocal", fmt.Sprintf("there is no %q", t.text), "a function cannot assign to a name outside of it: return the value, or change a list or dict"},
		{"yield", `there is no "yield"`, "return a list"},
		{"async await", fmt.Sprintf("there is no %q", t.text), "leave it out"},
		{"as", `there is no "as"`, `another name for a loaded one: load("./file.star", mine = "name")`},
	} {
		for r := range strings.FieldsSeq(w.words) {
			if t.text == r {
				return s.say(w.msg, w.hint)
			}
		}
	}
	return false
}

// foreignWord finds statements of other languages at the beginning of a line.
func (s *slip) foreignWord() bool {
	start := s.lineStart()
	first, t := s.toks[start], s.tok(0)
	if first.kind != word || s.i != start+1 || t.kind == newline || t.is("(", "=", ".", "[") {
		return false
	}
	for _, w := range []struct{ words, msg, hint string }{
		{"print echo", "print is a function", `write: print("…")`},
		{"assert", `there is no "assert"`, `write: if not condition: fail("message")`},
		{"let var const local my auto", "a name is not declared", "write: name = value"},
		{"function func fn fun", `a function begins with "def"`, "write: def name(x):"},
		{"elseif elsif elsf", fmt.Sprintf("there is no %q", first.text), "write: elif"},
		{"switch match case", fmt.Sprintf("there is no %q", first.text), "write: if … elif … else"},
		{"foreach", `there is no "foreach"`, "write: for x in xs:"},
		{"unless until", fmt.Sprintf("there is no %q", first.text), "write: if not …, or while not …"},
	} {
		for r := range strings.FieldsSeq(w.words) {
			if first.text == r {
				s.i = start
				return s.say(w.msg, w.hint)
			}
		}
	}
	return false
}

// text finds what should be in quotes, or is joined to a string in a way that
// the dialect has not.
func (s *slip) text() bool {
	t, prev := s.tok(0), s.tok(-1)
	if (t.kind == quoted || t.kind == unended) && prev.kind == word && prev.end == t.start {
		if strings.EqualFold(prev.text, "f") || strings.EqualFold(prev.text, "rf") || strings.EqualFold(prev.text, "fr") {
			s.i--
			return s.say("there are no f-strings", `write: "…%s…" % x, or "…{}…".format(x)`)
		}
		return s.say(fmt.Sprintf("%q is no prefix of a string", prev.text), "")
	}
	if t.kind == quoted && prev.kind == quoted {
		return s.say("two strings stand side by side", "join them with +, or put a comma between")
	}
	if prev.kind == number && prev.end == t.start && t.kind != newline && t.kind != end && t.kind != sign {
		s.i--
		return s.say(fmt.Sprintf("%q is no number", prev.text+t.text), textHint)
	}
	if t.kind == number && (strings.Count(t.text, ".") > 1 || s.want != "" && strings.ContainsFunc(t.text, unicode.IsLetter)) {
		return s.say(fmt.Sprintf("%q is no number", t.text), textHint)
	}
	return false
}

const textHint = `text stands in quotes: "…"`
