package lab

import (
	"encoding/json"

	"nsscript/builtins/op"
)

// A line that only must be in the journal before something is done, or need not be there
// at once, goes there with others in one write.

// fullLine is a line that is written with its operation as it is.
type fullLine struct {
	Seq   int    `json:"seq"`
	State State  `json:"state"`
	Pos   string `json:"pos,omitempty"`
	Kind  string `json:"kind"`
	Op    op.Op  `json:"op"`
}

// TryLater records an operation that is done only after a Flush.
func (j *Journal) TryLater(e *Entry) error {
	return j.later(fullLine{e.Seq, Tried, e.Pos, op.Kind(e.Op), e.Op})
}

// NoteStates records the states of entries, and what their operations have filled in.
func (j *Journal) NoteStates(list []*Entry) error {
	for _, e := range list {
		var l any = line{Seq: e.Seq, State: e.State}
		if _, rules := e.Op.(*op.AddFilterRules); !rules { // which fill in nothing
			l = fullLine{e.Seq, e.State, "", op.Kind(e.Op), e.Op}
		}
		if err := j.later(l); err != nil {
			return err
		}
	}
	return j.Flush()
}

// mostPending is how many bytes wait to be written.
const mostPending = 32 << 10

func (j *Journal) later(l any) error {
	if err := json.NewEncoder(&j.pending).Encode(l); err != nil {
		return err
	}
	if j.pending.Len() < mostPending {
		return nil
	}
	return j.Flush()
}

// Flush writes the lines that are not written yet, in one write so that a reader sees
// each of them whole.
func (j *Journal) Flush() error {
	if j.pending.Len() == 0 {
		return nil
	}
	_, err := j.f.Write(j.pending.Bytes())
	j.pending.Reset()
	return err
}
