package course

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// Progress is what a student has done. It is kept in one file of the user's, and sent
// nowhere.
type Progress struct {
	Version int `json:"version"`
	// Course is the ID of the course that commands are about; "" for the built-in one.
	Course string `json:"course"`
	// Current are the exercises that commands are about where none is named, by course.
	Current map[string]string `json:"current"`
	// Courses are the records by the ID of the course and the name of the exercise.
	Courses map[string]map[string]*Record `json:"courses"`
}

// Record is what was done of one exercise.
type Record struct {
	Started time.Time `json:"started,omitzero"` // for the first time
	Solved  time.Time `json:"solved,omitzero"`  // for the first time
	// Tries are the checks up to the first that held.
	Tries int `json:"tries"`
	// Hints are how many were given out.
	Hints int `json:"hints"`
	// Shown says that the solution was shown before the student had one.
	Shown bool `json:"shown,omitempty"`
	// Network says where the network of the exercise is; nil when it is not up.
	Network json.RawMessage `json:"network,omitempty"`
	// File is the script that the student writes, where the exercise is to write one.
	File string `json:"file,omitempty"`
}

// Done reports whether the exercise was solved.
func (r *Record) Done() bool { return !r.Solved.IsZero() }

// Seconds is how long it took from the first start to the solution, 0 without one.
func (r *Record) Seconds() float64 {
	if !r.Done() {
		return 0
	}
	return r.Solved.Sub(r.Started).Seconds()
}

// Choose makes an exercise the one that commands are about.
func (p *Progress) Choose(it *Item) {
	if p.Current == nil {
		p.Current = map[string]string{}
	}
	p.Course, p.Current[it.Course] = it.Course, it.Name
}

// version is that of the file's form.
const version = 1

// Of returns the record of an exercise, which is made where there is none.
func (p *Progress) Of(course, name string) *Record {
	if p.Courses == nil {
		p.Courses = map[string]map[string]*Record{}
	}
	if p.Courses[course] == nil {
		p.Courses[course] = map[string]*Record{}
	}
	r := p.Courses[course][name]
	if r == nil {
		r = &Record{}
		p.Courses[course][name] = r
	}
	return r
}

// Store is the file that progress is kept in.
type Store struct{ Path string }

// DefaultStore is in the user's data directory (XDG Base Directory Specification).
func DefaultStore() (Store, error) {
	dir := os.Getenv("XDG_DATA_HOME")
	if !filepath.IsAbs(dir) {
		home, err := os.UserHomeDir()
		if err != nil {
			return Store{}, fmt.Errorf("where to keep your progress: %w", err)
		}
		dir = filepath.Join(home, ".local", "share")
	}
	return Store{filepath.Join(dir, "nsscript", "exercises.json")}, nil
}

// Load reads the progress; there is none where there is no file.
func (s Store) Load() (*Progress, error) {
	p := &Progress{Version: version}
	text, err := os.ReadFile(s.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return p, nil
	}
	if err != nil {
		return nil, fmt.Errorf("your progress: %w", err)
	}
	if err := json.Unmarshal(text, p); err != nil {
		return nil, fmt.Errorf("your progress in %s cannot be read (%w): move the file away to begin anew", s.Path, err)
	}
	if p.Version != version {
		return nil, fmt.Errorf("your progress in %s is of another version of nsscript", s.Path)
	}
	return p, nil
}

// Change reads the progress, has fn change it, and writes it, while no other command
// does.
func (s Store) Change(fn func(*Progress) error) (err error) {
	if err := os.MkdirAll(filepath.Dir(s.Path), 0o755); err != nil {
		return fmt.Errorf("your progress: %w", err)
	}
	lock, err := os.OpenFile(s.Path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("your progress: %w", err)
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		return fmt.Errorf("your progress: %w", err)
	}
	p, err := s.Load()
	if err != nil {
		return err
	}
	if err := fn(p); err != nil {
		return err
	}
	text, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(s.Path+".new", append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("your progress: %w", err)
	}
	return os.Rename(s.Path+".new", s.Path)
}
