package lab

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"nsscript/builtins/op"
)

// State says how far an operation got.
type State string

// The states of an operation in a journal.
const (
	Tried  State = "try"    // about to be done; perhaps done
	Done   State = "done"   // done
	Failed State = "failed" // not done, and nothing left of it
	Undone State = "undone" // taken back
)

// Entry is one operation of a lab.
type Entry struct {
	Seq   int
	Pos   string // the script's line, as file:line:column
	State State
	Op    op.Op
}

// Live reports whether the entry may have left something in the system.
func (e *Entry) Live() bool { return e.State == Tried || e.State == Done }

// line is the form of an entry in the file. Later lines about the same
// operation repeat only what changed.
type line struct {
	Seq   int             `json:"seq"`
	State State           `json:"state"`
	Pos   string          `json:"pos,omitempty"`
	Kind  string          `json:"kind,omitempty"`
	Op    json.RawMessage `json:"op,omitempty"`
}

// Journal is the file of a lab's operations, open for appending. It is not
// synced: what it must survive is the death of the process, not of the machine,
// whose namespaces end with it.
type Journal struct {
	f *os.File
}

// CreateJournal begins a new journal.
func CreateJournal(path string) (*Journal, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	return &Journal{f: f}, nil
}

// Close closes the file.
func (j *Journal) Close() error { return j.f.Close() }

// write appends one line, in one write so that a reader sees it whole.
func (j *Journal) write(l line) error {
	b, err := json.Marshal(l)
	if err != nil {
		return err
	}
	_, err = j.f.Write(append(b, '\n'))
	return err
}

// Try records an operation that is about to be done.
func (j *Journal) Try(e *Entry) error {
	kind, fields, err := op.Encode(e.Op)
	if err != nil {
		return err
	}
	return j.write(line{Seq: e.Seq, State: Tried, Pos: e.Pos, Kind: kind, Op: fields})
}

// Note records an entry's state and, when the operation filled in something,
// its fields.
func (j *Journal) Note(e *Entry) error {
	l := line{Seq: e.Seq, State: e.State}
	if e.State == Done {
		kind, fields, err := op.Encode(e.Op)
		if err != nil {
			return err
		}
		l.Kind, l.Op = kind, fields
	}
	return j.write(l)
}

// ReadJournal reads a journal. A last line that was cut off is left out: the
// operation it was to record was not begun.
func ReadJournal(path string) ([]*Entry, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	var entries []*Entry
	bySeq := map[int]*Entry{}
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 16<<20)
	var broken error
	for n := 1; sc.Scan(); n++ {
		if broken != nil {
			return entries, broken
		}
		var l line
		if err := json.Unmarshal(sc.Bytes(), &l); err != nil {
			broken = fmt.Errorf("%s:%d: %w", path, n, err)
			continue
		}
		e := bySeq[l.Seq]
		if e == nil {
			e = &Entry{Seq: l.Seq, Pos: l.Pos}
			bySeq[l.Seq] = e
			entries = append(entries, e)
		}
		e.State = l.State
		if l.Kind != "" {
			o, err := op.Decode(l.Kind, l.Op)
			if err != nil {
				return entries, fmt.Errorf("%s:%d: %w", path, n, err)
			}
			e.Op = o
		}
	}
	for i := 0; i < len(entries); i++ {
		if entries[i].Op == nil {
			return entries[:i], fmt.Errorf("%s: operation %d has no beginning", path, entries[i].Seq)
		}
	}
	return entries, sc.Err()
}
