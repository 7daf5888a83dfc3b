package suite

import (
	"bytes"
	"fmt"
	"strings"
)

// most is how much of the beginning, and of the end, of a test's output is kept.
const most = 512 << 10

// Output keeps what a test prints: all of it, or where it is too much the beginning
// and the end. The zero value is empty.
type Output struct {
	head, tail []byte
	left       int64 // bytes left out
}

// Write never fails.
func (o *Output) Write(b []byte) (int, error) {
	n := len(b)
	take := min(most-len(o.head), n)
	o.head = append(o.head, b[:take]...)
	o.tail = append(o.tail, b[take:]...)
	if drop := len(o.tail) - most; drop > most { // now and then, not at each write
		o.left += int64(drop)
		o.tail = append(o.tail[:0], o.tail[drop:]...)
	}
	return n, nil
}

// String returns what was kept, in whole lines where something is left out.
func (o *Output) String() string {
	head, tail, left := o.head, o.tail, o.left
	if drop := len(tail) - most; drop > 0 {
		left += int64(drop)
		tail = tail[drop:]
	}
	if left == 0 {
		return strings.ToValidUTF8(string(head)+string(tail), "\uFFFD")
	}
	if i := bytes.LastIndexByte(head, '\n'); i >= 0 {
		left += int64(len(head) - i - 1)
		head = head[:i+1]
	}
	if i := bytes.IndexByte(tail, '\n'); i >= 0 && i+1 < len(tail) {
		left += int64(i + 1)
		tail = tail[i+1:]
	}
	text := string(head)
	if !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return strings.ToValidUTF8(text+fmt.Sprintf("… %d bytes left out …\n", left)+string(tail), "\uFFFD")
}
