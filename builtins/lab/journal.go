package lab

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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

	Private bool `json:"private,omitempty"` // in a first line that is of no operation
}

// begun is the state of a line that is of no operation.
const begun State = "begun"

// Journal is the file of a lab's operations, open for appending. It is not
// synced: what it must survive is the death of the process, not of the machine,
// whose namespaces end with it.
type Journal struct {
	f       *os.File
	pending bytes.Buffer // lines that go with the next one
}

// CreateJournal begins a new journal, of a lab whose host is its own if private.
func CreateJournal(path string, private bool) (*Journal, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	j := &Journal{f: f}
	if private {
		if err := j.write(line{State: begun, Private: true}); err != nil {
			return nil, errors.Join(err, j.Close())
		}
	}
	return j, nil
}

// appendJournal opens a journal to go on with it.
func appendJournal(path string) (*Journal, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return nil, err
	}
	return &Journal{f: f}, nil
}

// Close closes the file.
func (j *Journal) Close() error { return j.f.Close() }

// write appends one line, in one write so that a reader sees it whole.
func (j *Journal) write(l line) error {
	if err := j.later(l); err != nil {
		return err
	}
	return j.Flush()
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

// errSpoiled is the error of a journal of which a part is lost.
var errSpoiled = errors.New("a part of it cannot be read")

// ReadJournal reads the entries of a journal. A last line that was cut off is left out: the
// operation it was to record was not begun. Where a line before cannot be read,
// the entries of the others are returned with an error.
func ReadJournal(path string) ([]*Entry, error) {
	r := journalReader{bySeq: map[int]*Entry{}}
	err := r.read(path)
	return r.entries, err
}

type journalReader struct {
	entries []*Entry
	bySeq   map[int]*Entry
	private bool
	wants   func(kind string) bool // nil for all; of others it is known only that they are there
	spoiled error                  // by the first line that could not be read
}

func (r *journalReader) read(path string) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the lab's journal: %w: %w", errSpoiled, err)
	}
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	in := bufio.NewReader(f)
	for n := 1; ; n++ {
		text, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			break // with a part of a line, or without
		}
		if err != nil {
			return err
		}
		if err := r.line(text); err != nil && r.spoiled == nil {
			r.spoiled = fmt.Errorf("%s:%d: %w: %w", path, n, errSpoiled, err)
		}
	}
	return r.spoiled
}

func (r *journalReader) line(text []byte) error {
	var l line
	if err := json.Unmarshal(text, &l); err != nil {
		return err
	}
	if l.State == begun {
		r.private = l.Private
		return nil
	}
	var o op.Op
	if l.Kind != "" && (r.wants == nil || r.wants(l.Kind)) {
		var err error
		if o, err = op.Decode(l.Kind, l.Op); err != nil {
			return err
		}
	}
	e := r.bySeq[l.Seq]
	if e == nil {
		if l.Kind == "" {
			return fmt.Errorf("operation %d has no beginning", l.Seq)
		}
		e = &Entry{Seq: l.Seq, Pos: l.Pos}
		r.bySeq[l.Seq] = e
		r.entries = append(r.entries, e)
	}
	e.State = l.State
	if o != nil {
		e.Op = o
	}
	return nil
}
