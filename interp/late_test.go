package interp

import (
	"fmt"
	"strings"
	"testing"

	"go.starlark.net/starlark"
)

// lateError is an error of a call that had returned.
type lateError struct {
	error
	stack starlark.CallStack
}

func (e *lateError) Unwrap() error             { return e.error }
func (e *lateError) Stack() starlark.CallStack { return e.stack }

// TestLateErrorsStandWhereTheyWereAskedFor holds that an error of what was put off is the
// same, with its place and its calls, as if nothing were put off.
func TestLateErrorsStandWhereTheyWereAskedFor(t *testing.T) {
	t.Parallel()
	const asks = `
def ask(n):
    want(n)

def all():
    for n in [1, 2, 3]:
        ask(n)

all()
`
	for what, after := range map[string]string{
		"when something looks":       "def other():\n    look()\n\nother()\n",
		"when the script has ended":  "x = 1\n",
		"when the script has failed": "x = 1 // 0\n",
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			var said [2]string
			for i, late := range []bool{false, true} {
				var owed error
				catchUp := func() error {
					err := owed
					owed = nil
					return err
				}
				in := New(Options{CatchUp: catchUp, Predeclared: starlark.StringDict{
					"want": builtin("want", func(thread *starlark.Thread, args starlark.Tuple) (starlark.Value, error) {
						if args[0] != starlark.MakeInt(2) {
							return starlark.None, nil
						}
						err := error(&hinted{"want: 2 is too much", "take less"})
						if late {
							owed, err = &lateError{err, thread.CallStack()}, nil
						}
						return starlark.None, err
					}),
					"look": builtin("look", func(*starlark.Thread, starlark.Tuple) (starlark.Value, error) {
						if err := catchUp(); err != nil {
							return nil, fmt.Errorf("look: %w", err)
						}
						return starlark.None, nil
					}),
				}})
				_, err := in.Run(t.Context(), Source{Name: "x.star", Text: []byte(asks + after)})
				said[i] = fmt.Sprint(err)
			}
			if said[0] != said[1] || !strings.Contains(said[0], "x.star:3:5: error: want: 2 is too much") {
				t.Errorf("late:\n%s\nat once:\n%s", said[1], said[0])
			}
		})
	}
}
