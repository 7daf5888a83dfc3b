//go:build linux

package sandbox

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// mapped says what ids a user namespace has.
type mapped struct {
	sub            bool   // more than root
	reason, remedy string // if not, why
}

// mapIDs maps the ids of the user namespace that process pid was born in. Root
// inside is the caller. The caller's subordinate ids follow where there are any;
// where the caller is root all ids it knows are the same inside.
func (m machine) mapIDs(ctx context.Context, pid int) (mapped, error) {
	if os.Geteuid() == 0 {
		return m.mapAll(pid)
	}
	uids, gids, why := m.subordinate()
	if why == nil {
		// The two are apart: either may be refused, and each is written once.
		uidErr := runMapper(ctx, "newuidmap", pid, os.Geteuid(), uids)
		gidErr := runMapper(ctx, "newgidmap", pid, os.Getegid(), gids)
		if uidErr == nil && gidErr == nil {
			return mapped{sub: true}, nil
		}
		if uidErr == nil {
			why = &mapped{reason: gidErr.Error()}
			return *why, m.mapOwnGroup(pid)
		}
		why = &mapped{reason: uidErr.Error()}
		if gidErr == nil {
			return *why, m.mapOwnUser(pid)
		}
	}
	if err := m.mapOwnUser(pid); err != nil {
		return mapped{}, err
	}
	return *why, m.mapOwnGroup(pid)
}

func (m machine) mapOwnUser(pid int) error {
	return m.writeProc(pid, "uid_map", fmt.Sprintf("0 %d 1\n", os.Geteuid()))
}

// mapOwnGroup maps the caller's group alone, which the kernel allows only where no
// process inside can shed groups.
func (m machine) mapOwnGroup(pid int) error {
	if err := m.writeProc(pid, "setgroups", "deny"); err != nil {
		return err
	}
	return m.writeProc(pid, "gid_map", fmt.Sprintf("0 %d 1\n", os.Getegid()))
}

func (m machine) mapAll(pid int) (mapped, error) {
	total := int64(0)
	for _, name := range []string{"uid_map", "gid_map"} {
		var text strings.Builder
		for _, r := range m.idRanges("self/" + name) {
			fmt.Fprintf(&text, "%d %d %d\n", r.inside, r.inside, r.count)
			total += r.count
		}
		if err := m.writeProc(pid, name, text.String()); err != nil {
			return mapped{}, err
		}
	}
	if total > 2 {
		return mapped{sub: true}, nil
	}
	return mapped{reason: "the user namespace this runs in has no ids but root's"}, nil
}

func (m machine) writeProc(pid int, name, text string) error {
	path := fmt.Sprintf("%s/%d/%s", m.proc, pid, name)
	fd, err := unix.Open(path, unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err == nil {
		_, err = unix.Write(fd, []byte(text))
		unix.Close(fd)
	}
	if err != nil {
		return &os.PathError{Op: "write", Path: path, Err: err}
	}
	return nil
}

// A subRange is a line of /etc/subuid or /etc/subgid.
type subRange struct{ first, count int64 }

// subordinate returns the caller's subordinate ids, or why there are none.
func (machine) subordinate() (uids, gids []subRange, why *mapped) {
	for _, program := range []string{"newuidmap", "newgidmap"} {
		if _, err := findMapper(program); err != nil {
			return nil, nil, &mapped{
				reason: fmt.Sprintf("the program %s is not installed, so root is the only user inside a sandbox", program),
				remedy: "install the package uidmap (shadow-utils on Fedora, shadow on Arch)",
			}
		}
	}
	id := strconv.Itoa(os.Geteuid())
	name := id
	if u, err := user.LookupId(id); err == nil {
		name = u.Username
	}
	uids, gids = readSubIDs("/etc/subuid", name, id), readSubIDs("/etc/subgid", name, id)
	for file, ranges := range map[string][]subRange{"/etc/subuid": uids, "/etc/subgid": gids} {
		if len(ranges) == 0 {
			return nil, nil, &mapped{
				reason: fmt.Sprintf("%s has no range for %s, so root is the only user inside a sandbox", file, name),
				remedy: fmt.Sprintf("sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 %s", name),
			}
		}
	}
	return uids, gids, nil
}

func readSubIDs(path, name, id string) []subRange {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	var ranges []subRange
	for line := range strings.Lines(string(text)) {
		fields := strings.Split(strings.TrimSpace(line), ":")
		if len(fields) != 3 || fields[0] != name && fields[0] != id {
			continue
		}
		first, err1 := strconv.ParseInt(fields[1], 10, 64)
		count, err2 := strconv.ParseInt(fields[2], 10, 64)
		if err1 == nil && err2 == nil && count > 0 {
			ranges = append(ranges, subRange{first, count})
		}
	}
	return ranges
}

// findMapper finds newuidmap or newgidmap, on the path or where systems keep it.
func findMapper(program string) (string, error) {
	path, err := exec.LookPath(program)
	if err == nil {
		return path, nil
	}
	for _, dir := range []string{"/usr/bin", "/bin", "/usr/sbin", "/usr/local/bin", "/run/wrappers/bin"} {
		if path, err := exec.LookPath(filepath.Join(dir, program)); err == nil {
			return path, nil
		}
	}
	return "", err
}

// runMapper maps own to root and the subordinate ids to 1 and up.
func runMapper(ctx context.Context, program string, pid, own int, subs []subRange) error {
	path, err := findMapper(program)
	if err != nil {
		return err
	}
	args := []string{strconv.Itoa(pid), "0", strconv.Itoa(own), "1"}
	next := int64(1)
	for _, r := range subs {
		for _, n := range []int64{next, r.first, r.count} {
			args = append(args, strconv.FormatInt(n, 10))
		}
		next += r.count
	}
	cmd := exec.CommandContext(ctx, path, args...)
	if out, err := cmd.CombinedOutput(); err != nil {
		first, _, _ := bytes.Cut(bytes.TrimSpace(out), []byte("\n"))
		return fmt.Errorf("%s refused the subordinate ids (%s: %w), so root is the only user inside a sandbox", program, first, err)
	}
	return nil
}
