package markdown

import "strings"

// word is what stands between two spaces, in one or more styles.
type word struct {
	spans []span
	width int
}

// wrap breaks pieces of text into lines of so many columns. A longer word has a line of
// its own.
func wrap(spans []span, width int) []string {
	var lines []string
	var line strings.Builder
	used := 0
	end := func() {
		if used > 0 {
			lines = append(lines, line.String())
		}
		line.Reset()
		used = 0
	}
	for _, w := range words(spans) {
		if w.spans == nil { // a line ends
			end()
			continue
		}
		if used > 0 && used+1+w.width > width {
			end()
		}
		if used > 0 {
			line.WriteByte(' ')
			used++
		}
		for _, s := range w.spans {
			if s.style != "" {
				line.WriteString(s.style + s.text + plain)
			} else {
				line.WriteString(s.text)
			}
		}
		used += w.width
	}
	end()
	return lines
}

// words takes pieces of text apart at their spaces.
func words(spans []span) []word {
	var list []word
	var w word
	end := func() {
		if w.spans != nil {
			list = append(list, w)
		}
		w = word{}
	}
	for _, s := range spans {
		if s.brk {
			end()
			list = append(list, word{})
			continue
		}
		for i, part := range strings.FieldsFunc(s.text, isSpace) {
			if i > 0 || isSpace(rune(s.text[0])) {
				end()
			}
			w.spans = append(w.spans, span{text: part, style: s.style})
			w.width += columns(part)
		}
		if n := len(s.text); n > 0 && isSpace(rune(s.text[n-1])) {
			end()
		}
	}
	end()
	return list
}

// isSpace tells where a line may be broken; a no-break space is none.
func isSpace(c rune) bool { return c == ' ' || c == '\n' || c == '\t' }
