package kernel

import (
	"slices"
	"strconv"
	"strings"
)

// ChainRule is a rule of a chain, or with Policy what becomes of packets that no rule of
// a built-in chain has decided on.
type ChainRule struct {
	Chain  string
	Spec   []string
	Policy string
}

// text is the rule as iptables is told of it.
func (r *ChainRule) text() string {
	if r.Policy != "" {
		return "-P " + r.Chain + " " + r.Policy
	}
	return "-A " + r.Chain + " " + SpecText(r.Spec)
}

// ListedRule is a rule as the kernel has it.
type ListedRule struct {
	Chain          string
	Spec           []string // the words that `iptables -S` prints after the chain
	Text           string   // the same as it prints them
	Packets, Bytes uint64
}

// ListedChain is a chain as iptables lists it.
type ListedChain struct {
	Name   string
	Policy string // of a built-in chain: ACCEPT or DROP; "" of a user's
	Rules  []ListedRule
}

// parseListed reads a line of `iptables -v -S`:
//
//	-A FORWARD -s 10.0.0.0/24 -c 12 1008 -j ACCEPT
func parseListed(line string) (r ListedRule, ok bool) {
	words := splitListed(line)
	if len(words) < 2 || words[0].text != "-A" {
		return r, false
	}
	r.Chain = words[1].text
	start := words[1].end
	var parts []string
	for i := 2; i < len(words); i++ {
		w := words[i]
		// A counter's option stands bare; one in quotes is a comment's text.
		if w.text == "-c" && !w.quoted && i+2 < len(words) && !takesText(words[i-1].text) {
			r.Packets, _ = strconv.ParseUint(words[i+1].text, 10, 64)
			r.Bytes, _ = strconv.ParseUint(words[i+2].text, 10, 64)
			parts = append(parts, strings.TrimSpace(line[start:w.start]))
			start = words[i+2].end
			i += 2
			continue
		}
		r.Spec = append(r.Spec, w.text)
	}
	parts = append(parts, strings.TrimSpace(line[start:]))
	parts = slices.DeleteFunc(parts, func(s string) bool { return s == "" })
	r.Text = strings.Join(parts, " ")
	return r, true
}

// listedWord is a word of a line and where it stands.
type listedWord struct {
	text       string
	quoted     bool
	start, end int
}

// splitListed splits a line as iptables quotes it, which is not a shell's way:
// words with other than letters, digits, '_' and '-' may stand in double quotes,
// in which a backslash precedes '"', '\' and '\”.
func splitListed(line string) []listedWord {
	var words []listedWord
	for i := 0; i < len(line); {
		if line[i] == ' ' || line[i] == '\t' {
			i++
			continue
		}
		w := listedWord{start: i}
		var b strings.Builder
		open := false
		for ; i < len(line) && (open || line[i] != ' ' && line[i] != '\t'); i++ {
			switch c := line[i]; {
			case c == '"':
				open, w.quoted = !open, true
			case c == '\\' && open && i+1 < len(line):
				i++
				b.WriteByte(line[i])
			default:
				b.WriteByte(c)
			}
		}
		w.text, w.end = b.String(), i
		words = append(words, w)
	}
	return words
}

// textOptions are the options whose value is any text (iptables-extensions(8)):
// iptables prints it in quotes, and it may begin with a dash.
var textOptions = []string{"--comment", "--log-prefix", "--nflog-prefix", "--string", "--hex-string"}

func takesText(option string) bool { return slices.Contains(textOptions, option) }

// SpecText prints a rule's words as `iptables -S` does.
func SpecText(spec []string) string {
	out := make([]string, len(spec))
	for i, w := range spec {
		out[i] = w
		if i > 0 && takesText(spec[i-1]) && strings.Trim(w, plainLetters) != "" || strings.ContainsAny(w, " \t\"") {
			out[i] = quoted(w)
		}
	}
	return strings.Join(out, " ")
}

// plainLetters are those of texts that iptables prints without quotes.
const plainLetters = "_-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

func quoted(w string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `'`, `\'`).Replace(w) + `"`
}

// quoteWord quotes a word as iptables-restore reads it.
func quoteWord(w string) string {
	if strings.ContainsAny(w, " \t\"'\\") {
		return quoted(w)
	}
	return w
}
