//go:build linux

package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Found is a sandbox that a search came upon.
type Found struct {
	Identity Identity
	Note     string // what was last written by Note inside, "" if nothing was
}

// Find returns the sandboxes of this user that were kept and have the given
// Options.Origin, by their keepers.
func Find(origin string) ([]Found, error) { return thisMachine().find(origin) }

func (m machine) find(origin string) ([]Found, error) {
	entries, err := os.ReadDir(m.proc)
	if err != nil {
		return nil, err
	}
	var found []Found
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		o, is := m.keeperOrder(pid)
		if !is || o.Origin != origin || m.awaited(pid) {
			continue
		}
		id, err := m.identify(pid, o)
		if isNoProcess(err) || errors.Is(err, os.ErrPermission) {
			continue // it has ended, or is another user's
		}
		if err != nil {
			return nil, err
		}
		note, _ := os.ReadFile(fmt.Sprintf("%s/%d/root%s", m.proc, pid, noteFile)) // there may be none
		found = append(found, Found{Identity: id, Note: string(note)})
	}
	return found, nil
}

// keeperOrder returns what a process was told if it is a keeper of this user's.
func (m machine) keeperOrder(pid int) (o order, is bool) {
	dir := filepath.Join(m.proc, strconv.Itoa(pid))
	args, err := os.ReadFile(dir + "/cmdline")
	if err != nil || !bytes.HasSuffix(args, []byte("\x00"+keeperName+"\x00")) {
		return o, false
	}
	var st unix.Stat_t
	if unix.Stat(dir, &st) != nil || int(st.Uid) != os.Geteuid() {
		return o, false
	}
	env, err := os.ReadFile(dir + "/environ")
	if err != nil {
		return o, false
	}
	for v := range strings.SplitSeq(string(env), "\x00") {
		if text, ok := strings.CutPrefix(v, orderEnv+"="); ok {
			return o, json.Unmarshal([]byte(text), &o) == nil
		}
	}
	return o, false
}

// awaited reports whether a keeper still waits for the word of its starter, and
// would end with it.
func (m machine) awaited(pid int) bool {
	open, err := os.Readlink(fmt.Sprintf("%s/%d/fd/%d", m.proc, pid, controlFile))
	return err == nil && strings.HasPrefix(open, "pipe:") // else it was closed, and another may have its number
}

// Fellow reports whether a process sees the /run of the sandbox that this process
// is in, and so is in that sandbox too.
func Fellow(pid int) bool {
	m := thisMachine()
	own, err := os.ReadFile(m.proc + "/self/mountinfo")
	if err != nil {
		return false
	}
	_, mark, found := strings.Cut(string(own), " - tmpfs "+markPrefix)
	if !found {
		return false
	}
	mark, _, _ = strings.Cut(mark, " ")
	v := survey{around: m.remains(Identity{Mark: markPrefix + mark})}
	return v.marked(fmt.Sprintf("%s/%d", m.proc, pid))
}

// noteFile is on the sandbox's own /run.
const noteFile = "/run/nsscript.lab"

// Note leaves a word on what the sandbox is for, which [Find] returns. It is for
// processes inside.
func Note(text string) error { return os.WriteFile(noteFile, []byte(text), 0o644) }
