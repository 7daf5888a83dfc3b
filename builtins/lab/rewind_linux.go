package lab

import (
	"context"
	"errors"
	"slices"

	"nsscript/builtins/op"
)

func (l *Lab) takeBack(ctx context.Context, r *rewound) error {
	defer l.touch(r.entry.Op)
	if r.by == nil {
		if err := r.entry.Op.Undo(ctx, l.sys); err != nil {
			return err
		}
		return l.note(r.entry, Undone)
	}
	if del, ok := r.by.(*op.DelNamespace); ok {
		l.addrs.forget(del.Name)
	}
	if err := r.by.Do(ctx, l.sys); err != nil {
		return err
	}
	return l.note(r.entry, Undone)
}

// Rewind takes back all operations after the first steps, the newest first, in a
// lab that lives on. Where one of them cannot be taken back it changes nothing and
// says so, unless force is set: then it takes back the others and says so. It
// returns how many it has taken back.
func (l *Lab) Rewind(ctx context.Context, steps int, force bool) (taken int, err error) {
	var back []*rewound
	var errs []error
	if err := errors.Join(l.dropLate(steps), l.CatchUp(ctx)); err != nil {
		errs = append(errs, err)
	}
	for _, e := range slices.Backward(l.Entries()[steps:]) {
		if !e.Live() {
			continue
		}
		r := &rewound{entry: e}
		if rev, ok := e.Op.(op.Reverser); ok {
			var err error
			if r.by, err = rev.Reverse(); err != nil {
				errs = append(errs, err)
				continue
			}
		}
		back = append(back, r)
	}
	if len(errs) > 0 && !force {
		return 0, errors.Join(errs...)
	}
	for _, r := range back {
		if err := l.takeBack(ctx, r); err != nil {
			errs = append(errs, undoError(r.entry, err))
			continue
		}
		taken++
	}
	return taken, errors.Join(errs...)
}
