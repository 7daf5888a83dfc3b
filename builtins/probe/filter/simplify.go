package filter

import (
	"reflect"
	"slices"
)

// simplify returns an equal condition that makes a shorter program. It changes no
// order in which loads can end a program: alternatives that begin with the same value
// equal to different numbers exclude each other, so those with the same number can be
// brought together.
func simplify(c cond) cond { return finish(gather(c)) }

// gather brings together what belongs together, from the inside out.
func gather(c cond) cond {
	switch c := c.(type) {
	case not:
		return joinNot(gather(c.of))
	case all:
		list := make(all, len(c))
		for i, part := range c {
			list[i] = gather(part)
		}
		return joinAll(list)
	case one:
		list := make(one, len(c))
		for i, part := range c {
			list[i] = gather(part)
		}
		return joinOne(list)
	}
	return c
}

// finish does what would hide from gather what belongs together.
func finish(c cond) cond {
	switch c := c.(type) {
	case not:
		return not{finish(c.of)}
	case all:
		list := make(all, len(c))
		for i, part := range c {
			list[i] = finish(part)
		}
		return list
	case one:
		list := make(one, len(c))
		for i, part := range c {
			list[i] = finish(part)
		}
		return sortTests(joinEqual(list))
	}
	return c
}

// joinNot, joinAll and joinOne simplify what is made of simple conditions.
func joinNot(c cond) cond {
	switch c := c.(type) {
	case not:
		return c.of
	case truth:
		return !c
	}
	return not{c}
}

func joinAll(c all) cond {
	var list all
	for _, part := range c {
		switch part := part.(type) {
		case truth:
			if !part {
				return append(list, part) // what stands before may end the program
			}
		case all:
			list = append(list, part...)
		default:
			list = append(list, part)
		}
	}
	list = neither(list)
	switch len(list) {
	case 0:
		return truth(true)
	case 1:
		return list[0]
	}
	return list
}

// neither makes "not (a or b)" of "not a and not b", to find what a and b share.
func neither(c all) all {
	var list all
	for i := 0; i < len(c); i++ {
		var nots one
		for ; i < len(c); i++ {
			n, ok := c[i].(not)
			if !ok {
				break
			}
			nots = append(nots, n.of)
		}
		if len(nots) > 0 {
			list = append(list, joinNot(joinOne(nots)))
		}
		if i < len(c) {
			list = append(list, c[i])
		}
	}
	return list
}

func joinOne(c one) cond {
	var list one
	for _, part := range c {
		switch part := part.(type) {
		case truth:
			if part {
				return append(list, part)
			}
		case one:
			list = append(list, part...)
		default:
			list = append(list, part)
		}
	}
	list = group(list)
	switch len(list) {
	case 0:
		return truth(false)
	case 1:
		return list[0]
	}
	return list
}

// split divides an alternative into its first condition and the others.
func split(c cond) (first cond, rest all) {
	if list, ok := c.(all); ok && len(list) > 0 {
		return list[0], list[1:]
	}
	return c, nil
}

// excludes reports whether a and b compare the same value with different numbers.
func excludes(a, b cond) bool {
	x, ok := a.(test)
	y, ok2 := b.(test)
	if !ok || !ok2 || x.op != equal || y.op != equal || x.a != y.a {
		return false
	}
	m, ok := x.b.(lit)
	n, ok2 := y.b.(lit)
	return ok && ok2 && m != n
}

const maxBack = 64 // alternatives to look back at

// group brings alternatives together that begin with the same condition. None is
// moved past one that it does not exclude.
func group(c one) one {
	type branch struct {
		first cond
		rest  one // what may follow
	}
	var list []branch
	for _, part := range c {
		first, rest := split(part)
		at := len(list) - 1
		for at >= max(0, len(list)-maxBack) && excludes(list[at].first, first) {
			at--
		}
		_, isStore := first.(store)
		if at >= 0 && !isStore && reflect.DeepEqual(list[at].first, first) {
			list[at].rest = append(list[at].rest, joinAll(rest))
		} else {
			list = append(list, branch{first, one{joinAll(rest)}})
		}
	}
	if len(list) == len(c) {
		return c
	}
	var out one
	for _, b := range list {
		out = append(out, joinAll(all{b.first, joinOne(b.rest)}))
	}
	return out
}

// joinEqual makes "(a or b) and c" of the neighbours "a and c", "b and c".
func joinEqual(c one) one {
	var out one
	for i := 0; i < len(c); {
		first, rest := split(c[i])
		firsts := one{first}
		for i++; i < len(c) && len(rest) > 0; i++ {
			next, others := split(c[i])
			if !excludes(first, next) || !reflect.DeepEqual(rest, others) {
				break
			}
			firsts = append(firsts, next)
		}
		if len(firsts) == 1 {
			out = append(out, c[i-1])
		} else {
			out = append(out, append(all{firsts}, rest...))
		}
	}
	return out
}

// sortTests brings together the comparisons of each value, so that it is loaded once:
// "src is a or dst is a or src is b or dst is b". Each value is still loaded first
// where it was: after that its loads cannot end the program.
func sortTests(c one) one {
	var out one
	for i := 0; i < len(c); {
		n := 0
		var values []value
		last := 0 // where a value comes for the first time
		for ; i+n < len(c); n++ {
			t, ok := c[i+n].(test)
			if _, isLit := t.b.(lit); !ok || !isLit {
				break
			}
			if !slices.Contains(values, t.a) {
				values, last = append(values, t.a), n+1
			}
		}
		out = append(out, c[i:i+last]...)
		slices.Reverse(values) // the accumulator has the last one
		for _, v := range values {
			for _, part := range c[i+last : i+n] {
				if part.(test).a == v {
					out = append(out, part)
				}
			}
		}
		i += n
		if i < len(c) {
			out = append(out, c[i])
			i++
		}
	}
	return out
}
