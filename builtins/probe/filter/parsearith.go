package filter

import (
	"fmt"
	"slices"
	"strings"
)

// relations are the comparisons, precedence the other operators: the greater binds
// the tighter. % and ^ have none in libpcap's grammar, which makes it read all that
// may stand to the right of them as their right operand, and them before what stands
// to the left: "a % b - c" is "a % (b - c)", "a - b % c" is "a - (b % c)".
var (
	relations  = []string{"=", "==", "!=", "<", ">", "<=", ">="}
	precedence = map[string]int{"|": 1, "&": 2, "<<": 3, ">>": 3, "+": 4, "-": 4, "*": 5, "/": 5, "%": tightest, "^": tightest}
)

const tightest = 6

func (t token) isArithmetic() bool { return !t.word && precedence[t.text] != 0 }

func (t token) isRelation() bool { return !t.word && slices.Contains(relations, t.text) }

// startsRelation reports whether the next token begins a comparison of numbers and
// not a primitive: a number may be an id, and a parenthesis may begin anything.
func (p *parser) startsRelation() bool {
	i := 0
	for p.ahead(i).is("(") {
		i++
	}
	t := p.ahead(i)
	_, isNum, _ := t.number()
	_, isName := constants[t.text]
	_, isProto := protocols[t.text]
	switch after := p.ahead(i + 1); {
	case t.escaped:
		return false
	case t.is("-", "len", "length"), isName && t.word:
	case isNum:
		if i == 0 && after.is("/") { // "net 10/8 or 11/8"
			third := p.ahead(3)
			return third.isArithmetic() || third.isRelation()
		}
		if i == 0 {
			return after.isArithmetic() || after.isRelation()
		}
	case isProto && after.is("["):
	default:
		return false
	}
	if i == 0 {
		return true
	}
	after := p.afterParenthesis()
	return after.isArithmetic() || after.isRelation()
}

// afterParenthesis returns the token behind the parenthesis that opens next.
func (p *parser) afterParenthesis() token {
	open := 0
	for i := 0; ; i++ {
		switch t := p.ahead(i); {
		case t.end():
			return t
		case t.is("("):
			open++
		case t.is(")"):
			if open--; open == 0 {
				return p.ahead(i + 1)
			}
		}
	}
}

func (p *parser) relation() node {
	a := p.number(1)
	op := p.operator("a comparison", relations...)
	return relation{op, a, p.number(1)}
}

// number reads operands joined by operators that bind at least as tight as least.
func (p *parser) number(least int) number {
	defer p.deeper()()
	a := p.operand()
	for {
		t := p.peek()
		if !t.isArithmetic() || precedence[t.text] < least {
			return a
		}
		p.take()
		right := precedence[t.text] + 1
		if t.is("%", "^") {
			right = 1
		}
		a = operation{t.text, a, p.number(right), t}
	}
}

func (p *parser) operand() number {
	t := p.peek()
	name, isConstant := constants[t.text]
	switch {
	case p.accept("("):
		n := p.number(1)
		p.expect(")")
		return n
	case p.accept("-"):
		return negative{p.number(tightest)}
	case p.accept("len", "length"):
		return packetLength{}
	case isConstant && t.word && !t.escaped:
		return constant{name, p.take()}
	case t.word && !t.escaped && protocols[t.text] != "" && p.ahead(1).is("["):
		return p.access()
	}
	if _, ok, _ := t.number(); !ok {
		err := wrong(t, "a number must stand here")
		if t.word && !t.escaped && protocols[t.text] != "" {
			err = err.hint("a field is written \"%s[offset:size]\"", t.text)
		} else if spaces := missingSpaces(t.text); spaces != "" {
			err = err.hint("%s", spaces)
		} else if name := nearConstant(t.text); t.word && name != "" {
			err = err.hint("did you mean %q?", name)
		}
		p.fail(err)
		return nil
	}
	return constant{p.natural(""), t}
}

// missingSpaces is the hint for a word that is meant as a difference: names contain
// hyphens.
func missingSpaces(word string) string {
	at := strings.LastIndex(word, "-")
	if at < 0 {
		return ""
	}
	left, right := word[:at], word[at+1:]
	_, isConstant := constants[left]
	if !isNumber(right) || !isNumber(left) && !isConstant && left != "len" && left != "length" {
		return ""
	}
	return fmt.Sprintf("write \"%s - %s\"", left, right)
}

// access reads "tcp[12:2]".
func (p *parser) access() number {
	a := access{at: p.peek(), proto: protocols[p.take().text], size: 1}
	p.expect("[")
	a.index = p.number(1)
	if p.accept(":") {
		t := p.peek()
		size := p.natural("a size")
		if p.err == nil && size != 1 && size != 2 && size != 4 {
			p.fail(wrong(t, "a field has 1, 2 or 4 bytes"))
		}
		a.size = int(size)
	}
	p.expect("]")
	return a
}
