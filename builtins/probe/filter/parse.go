package filter

import (
	"slices"
	"strings"

	"nsscript/builtins/near"
)

// maxDepth bounds parentheses in parentheses, maxBytes the text: the kernel takes
// 4096 instructions, which less text fills.
const (
	maxDepth = 100
	maxBytes = 1 << 16
)

// parser reads tokens from left to right. Its methods return what they read; the
// first error is kept and ends the reading: from then on the next token is the end.
type parser struct {
	tokens []token
	next   int
	depth  int
	err    *Error
	last   *qualifiers // what an id without qualifiers takes; nil after what has none
	bareID bool        // the last primitive was such an id
}

// parse returns nil for an empty filter.
func parse(s string) (node, *Error) {
	if len(s) > maxBytes {
		return nil, wrong(token{}, "a filter has at most %d bytes, not %d", maxBytes, len(s))
	}
	tokens, err := lex(s)
	if err != nil {
		return nil, err
	}
	p := &parser{tokens: tokens}
	if p.peek().end() {
		return nil, nil
	}
	n := p.expr()
	if t := p.peek(); p.err == nil && !t.end() {
		p.fail(p.leftOver(t))
	}
	return n, p.err
}

func (p *parser) peek() token { return p.ahead(0) }

func (p *parser) ahead(n int) token {
	return p.tokens[min(p.next+n, len(p.tokens)-1)]
}

func (p *parser) take() token {
	t := p.peek()
	if !t.end() {
		p.next++
	}
	return t
}

// accept takes the next token if it is one of words.
func (p *parser) accept(words ...string) bool {
	if p.peek().is(words...) {
		p.take()
		return true
	}
	return false
}

func (p *parser) expect(sign string) {
	if t := p.peek(); !p.accept(sign) {
		p.fail(wrong(t, "%q must stand here", sign))
	}
}

func (p *parser) fail(err *Error) {
	if p.err == nil {
		p.err = err
	}
	p.next = len(p.tokens) - 1
}

// deeper counts parentheses and the like; the caller calls what it returns.
func (p *parser) deeper() func() {
	if p.depth++; p.depth > maxDepth {
		p.fail(wrong(p.peek(), "more than %d parentheses in each other", maxDepth))
	}
	return func() { p.depth-- }
}

// expr reads terms joined by and, or, which bind alike, from left to right.
func (p *parser) expr() node {
	n := p.term()
	for {
		switch {
		case p.accept("and", "&&"):
			n = both{n, p.term()}
		case p.accept("or", "||"):
			n = either{n, p.term()}
		default:
			return n
		}
	}
}

func (p *parser) term() node {
	defer p.deeper()()
	t := p.peek()
	switch {
	case p.accept("not", "!"):
		return negation{p.term()}
	case p.startsRelation():
		p.last = nil
		return p.relation()
	case p.accept("("):
		last := p.last
		n := p.expr()
		p.expect(")")
		p.last = last
		return n
	case t.escaped || !t.word || !isKeyword(t.text):
		if p.last == nil {
			p.fail(p.bare(t))
			return nil
		}
		n := p.id(*p.last)
		p.bareID = true
		return n
	}
	p.bareID = false
	if n, ok := p.single(); ok {
		p.last = nil
		return n
	}
	return p.head()
}

// bare is the error of an id that no qualifiers stand before.
func (p *parser) bare(t token) *Error {
	err := wrong(t, "a primitive must stand here")
	if !t.word || t.escaped {
		return err
	}
	n, isNum, _ := t.number()
	switch _, isHost := hostWord(t.text); {
	case isNum && n > 255:
		return err.hint("did you mean \"port %s\"?", t.text)
	case isNum:
		return err.hint("did you mean \"port %s\", \"proto %s\" or \"vlan %s\"?", t.text, t.text, t.text)
	case isHost:
		return err.hint("did you mean \"host %s\"?", t.text)
	case isMAC(t.text):
		return err.hint("did you mean \"ether host %s\"?", t.text)
	}
	if spaces := missingSpaces(t.text); spaces != "" {
		return err.hint("%s", spaces)
	}
	err.Problem = "no word of the filter language, and no qualifier (host, port, net …) before it"
	if word := near.Name(keywords, t.text); word != "" {
		return err.hint("%s", near.DidYouMean(word))
	}
	return err.hint("for a host write \"host %s\"", t.text)
}

// leftOver is the error of a token after a whole filter.
func (p *parser) leftOver(t token) *Error {
	if t.is(")") {
		return wrong(t, "no parenthesis is open")
	}
	if !t.word {
		return wrong(t, "\"and\", \"or\" or the end must stand here")
	}
	err := wrong(t, "\"and\", \"or\" or the end must stand here")
	if isKeyword(t.text) && !t.escaped {
		return err
	}
	before := p.tokens[max(p.next-1, 0)]
	if word := near.Name(keywords, before.text); before.word && !before.escaped && !isKeyword(before.text) && word != "" && p.bareID {
		return wrong(before, "no word of the filter language").hint("%s", near.DidYouMean(word))
	}
	_, isNum, _ := t.number()
	_, isHost := hostWord(t.text)
	isProto := before.word && !before.escaped && protocols[before.text] != ""
	switch {
	case isProto && isNum:
		return err.hint("did you mean \"%s port %s\"?", before.text, t.text)
	case isProto && isHost:
		return err.hint("did you mean \"%s host %s\"?", before.text, t.text)
	}
	if word := near.Name(keywords, t.text); word != "" {
		return err.hint("%s", near.DidYouMean(word))
	}
	return err
}

// single reads what begins with a keyword that is neither a qualifier nor a protocol.
func (p *parser) single() (node, bool) {
	t := p.peek()
	if why, ok := refused[t.text]; ok {
		p.fail(wrong(t, "%s", why.problem).hint("%s", why.hint))
		return nil, true
	}
	switch t.text {
	case "broadcast", "multicast":
		return cast{"", p.take()}, true
	case "less", "greater":
		p.take()
		return length{t.text == "greater", p.natural("a length")}, true
	case "inbound", "outbound":
		return direction{t.text == "outbound", p.take()}, true
	case "ifindex":
		p.take()
		return ifindex{p.natural("the number of an interface"), t}, true
	case "llc":
		p.take()
		l := llcType{at: t}
		if w := p.peek(); w.word && llcTypes[w.text] != nil {
			l.name = p.take().text
		}
		return l, true
	case "vlan", "mpls", "pppoes", "geneve":
		p.take()
		return p.encap(t), true
	}
	return nil, false
}

// encap reads the number that may stand behind vlan and its like.
func (p *parser) encap(t token) node {
	e := encap{kind: t.text, at: t, id: p.peek()}
	open := 0
	for p.ahead(open).is("(") {
		open++
	}
	if _, ok, _ := p.ahead(open).number(); !ok {
		return e
	}
	for range open {
		p.take()
	}
	e.id = p.peek()
	n := p.natural("a number")
	e.number = &n
	for range open {
		p.expect(")")
	}
	return e
}

// natural reads a number without arithmetic.
func (p *parser) natural(what string) uint32 {
	t := p.peek()
	n, ok, err := t.number()
	switch {
	case err != nil:
		p.fail(err)
	case !ok:
		p.fail(wrong(t, "%s must stand here", what))
	default:
		p.take()
	}
	return n
}

func (p *parser) operator(what string, signs ...string) string {
	t := p.peek()
	if !t.is(signs...) {
		p.fail(wrong(t, "%s must stand here", what).hint("there is %s", strings.Join(signs, " ")))
		return ""
	}
	return p.take().text
}

// head reads a primitive: qualifiers and what they qualify.
func (p *parser) head() node {
	q := qualifiers{at: p.peek()}
	if name := protocols[q.at.text]; name != "" {
		p.take()
		q.proto = name
		if t := p.peek(); p.accept("broadcast", "multicast") {
			p.last = nil
			return cast{name, t}
		}
	}
	q.dir = p.dir()
	if t := p.peek(); !t.escaped {
		switch {
		case slices.Contains(kinds, t.text):
			q.kind = p.take().text
		case q.dir == "" && t.is("proto", "protochain"):
			q.kind = p.take().text
		case q.dir != "" && t.is("proto", "protochain"):
			p.fail(wrong(t, "%q has no direction", t.text))
			return nil
		case q.dir == "" && q.proto == "":
			p.fail(wrong(t, "a primitive must stand here"))
			return nil
		case q.dir == "":
			p.last = nil
			return protocol{q.proto, q.at}
		case t.word && protocols[t.text] != "":
			p.fail(wrong(t, "the protocol stands before the direction").hint("write \"%s %s\"", t.text, q.dir))
			return nil
		}
	}
	p.last = &q
	return p.id(q)
}

var kinds = []string{"host", "net", "port", "portrange"}

// dir reads a direction: src, dst, or both joined.
func (p *parser) dir() string {
	t := p.peek()
	if !p.accept("src", "dst") {
		return ""
	}
	join, other := p.peek(), p.ahead(1)
	if !join.is("or", "||", "and", "&&") || !other.is("src", "dst") || other.text == t.text {
		return t.text
	}
	p.take()
	p.take()
	if join.is("or", "||") {
		return "src or dst"
	}
	return "src and dst"
}

// id reads what qualifiers qualify: one word, or several in parentheses.
func (p *parser) id(q qualifiers) node {
	defer p.deeper()()
	switch {
	case p.accept("not", "!"):
		return negation{p.id(q)}
	case p.accept("("):
		p.last = &q
		n := p.expr()
		p.expect(")")
		p.last = &q
		return n
	}
	t := p.peek()
	switch {
	case !t.word:
		p.fail(wrong(t, "%s must stand here", q.wants()))
		return nil
	case !t.escaped && isKeyword(t.text) && !(isProtoKind(q.kind) && protocols[t.text] != ""):
		p.fail(wrong(t, "%s must stand here, and this is a keyword", q.wants()).hint(`write "\%s" to mean the name`, t.text))
		return nil
	}
	n := primitive{qualifiers: q, id: p.take()}
	switch {
	case p.accept("/"):
		bits := p.peek()
		p.natural("the length of a prefix")
		n.bits = &bits
	case p.accept("mask"):
		mask := p.take()
		n.mask = &mask
	}
	return n
}

func isProtoKind(kind string) bool { return kind == "proto" || kind == "protochain" }

// wants names what qualifiers want.
func (q qualifiers) wants() string {
	switch {
	case q.kind == "port":
		return "a port"
	case q.kind == "portrange":
		return "a range of ports (6000-6008)"
	case q.kind == "net":
		return "a net (10.0.0.0/8)"
	case isProtoKind(q.kind):
		return "a protocol"
	case q.proto == "ether":
		return "an Ethernet address"
	}
	return "an address or a name"
}
