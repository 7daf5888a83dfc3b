package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// wrongFile holds wrong scripts, NAME.star, each followed by what is said of it,
// NAME.want; `go test ./cmd/nsscript -run TestWrong -update` writes the latter.
const wrongFile = "testdata/wrong.txtar"

// TestWrong runs each wrong script as root on a machine of its own, and holds
// the whole error, the exit status and that nothing is left.
func TestWrong(t *testing.T) {
	if os.Getenv(stageEnv) != "" {
		t.Skip("not inside another test's host")
	}
	t.Parallel()
	archive, err := txtar.ParseFile(wrongFile)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for _, f := range archive.Files {
		if name, ok := strings.CutSuffix(f.Name, ".want"); ok {
			want[name] = string(f.Data)
		}
	}
	updated := &txtar.Archive{Comment: archive.Comment}
	for _, f := range archive.Files {
		name, ok := strings.CutSuffix(f.Name, ".star")
		if !ok {
			continue
		}
		got := runWrong(t, f)
		updated.Files = append(updated.Files, f, txtar.File{Name: name + ".want", Data: []byte(got)})
		if diff := cmp.Diff(want[name], got); diff != "" && !*update {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if *update {
		if err := os.WriteFile(wrongFile, txtar.Format(updated), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func runWrong(t *testing.T, f txtar.File) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, f.Name), f.Data, 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("bash", "-c", `
mount --make-rprivate / && mount -t tmpfs none /run && ip link set lo up || exit
"$1/nsscript" run "$2" 2>&1
echo "exit status $?"
find /run -mindepth 1
ip -brief link | sed '/^lo /d'
`, "bash", os.Getenv(binEnv), f.Name)
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", f.Name, err, out.String())
	}
	return strings.ReplaceAll(out.String(), dir, "$DIR")
}
