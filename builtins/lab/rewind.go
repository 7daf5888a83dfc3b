package lab

import (
	"nsscript/builtins/op"
)

// Steps returns how many operations the lab has begun so far, for Rewind.
func (l *Lab) Steps() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.entries)
}

// rewound is an operation that is to be taken back, by another one where Undo
// does not do.
type rewound struct {
	entry *Entry
	by    op.Op
}
