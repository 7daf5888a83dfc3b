package lab

import (
	"fmt"
	"time"

	"nsscript/builtins/op"
)

// netnsMade is the file in the registry that says that /run/netns is made into a
// mount for labs, and that this is taken back with the last one. It names the
// directory when that was not there before either.
const netnsMade = ".netns"

func undoError(e *Entry, err error) error {
	return fmt.Errorf("taking back %s: %w", e.Pos, err)
}

// outside returns the ends of a cable that stand in namespaces which stay.
func outside(o *op.AddVeth, owned map[string]bool) []op.End {
	var ends []op.End
	for _, e := range []op.End{o.A, o.B} {
		if !owned[e.NS] {
			ends = append(ends, e)
		}
	}
	return ends
}

// cableWait is how long the kernel may take to end namespaces: it does so in the
// background, and takes the cables that lead into them along.
const cableWait = 5 * time.Second
