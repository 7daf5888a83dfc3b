//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"nsscript/builtins/lab"
)

// TestTortureRounds brings labs up and down in one process and by the command,
// and looks at what that leaves in the process and on the machine.
func TestTortureRounds(t *testing.T) {
	if os.Getenv(stageEnv) != "" {
		t.Skip("inside a private host")
	}
	t.Parallel()
	for _, inside := range []string{"TestInsideProcess", "TestInsideCommands"} {
		t.Run(inside, func(t *testing.T) {
			t.Parallel()
			spec, err := json.Marshal(sweep{Lab: "round.star"})
			if err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(inPrivateHost(t, 0, inside, string(spec))) {
				if _, said, ok := strings.Cut(line, "levels: "); ok {
					t.Log(strings.TrimSpace(said))
				}
			}
		})
	}
}

// level is what must not grow from round to round.
type level struct {
	Files, Threads, Goroutines, Mounts, Processes int
	Heap                                          uint64 // bytes
}

func count(pattern string) int {
	files, _ := filepath.Glob(pattern) // the pattern is well formed
	return len(files)
}

func levelNow() level {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	mounts, _ := os.ReadFile("/proc/self/mounts") // always there
	return level{
		Files: count("/proc/self/fd/*"), Threads: count("/proc/self/task/*"), Goroutines: runtime.NumGoroutine(),
		Mounts: strings.Count(string(mounts), "\n"), Processes: len(processes()), Heap: m.HeapAlloc,
	}
}

// level fails where more is there than before. Threads come and go as Go's
// scheduler wants them, and its heap is not the same each time.
func (h *faultHost) level(early, late level) {
	h.Logf("levels: early %+v, late %+v", early, late)
	if late.Files > early.Files || late.Mounts > early.Mounts || late.Processes > early.Processes ||
		late.Goroutines > early.Goroutines || late.Threads > early.Threads+10 || late.Heap > early.Heap+4<<20 {
		h.Errorf("it grows: early %+v, late %+v", early, late)
	}
}

// TestInsideProcess builds labs side by side in this process, while other
// goroutines look whether they are where they belong.
func TestInsideProcess(t *testing.T) {
	var s sweep
	if err := json.Unmarshal([]byte(insideOnly(t)), &s); err != nil {
		t.Fatal(err)
	}
	h := newPrivate(t, s)
	h.before = settled("")
	said, err := os.Create(filepath.Join(t.TempDir(), "said"))
	if err != nil {
		t.Fatal(err)
	}
	os.Stdout, os.Stderr = said, said
	defer func() {
		if b, err := os.ReadFile(said.Name()); t.Failed() {
			t.Logf("%s%v", b[max(0, bytes.Index(b, []byte("error: "))-2000):], err)
		}
	}()
	t.Setenv("PATH", os.Getenv(binEnv)+":"+os.Getenv("PATH"))

	rounds := 20
	if torture() {
		rounds = 1000
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(8))
	w := watch(h)
	h.rounds(rounds/10 + 4)
	early := levelNow()
	h.rounds(rounds)
	late := levelNow()
	w.stop()
	h.level(early, late)
	h.same("after the rounds", "")
	h.Logf("levels: %d rounds, %d looks of goroutines at where they are", rounds, w.looks.Load())
}

// rounds brings n labs up and down, four at a time.
func (h *faultHost) rounds(n int) {
	var all sync.WaitGroup
	for worker := range 4 {
		all.Go(func() {
			for range n / 4 {
				place := &hostPlace{registry: lab.DefaultRegistry()}
				o := runOptions{rm: true, set: []string{fmt.Sprintf("n=%d", worker+1)}}
				err := runScript(context.Background(), []string{h.lab()}, o, place)
				if ee, ok := err.(*exitError); !ok || ee.status != exitOK {
					h.Errorf("round: %v", err)
					return
				}
				runtime.GC() // has threads stopped and goroutines moved about
			}
		})
	}
	all.Wait()
}

// watcher is many goroutines of ordinary code.
type watcher struct {
	looks atomic.Int64
	over  atomic.Bool
	all   sync.WaitGroup
}

// watch starts goroutines each of which looks again and again in which namespaces
// its thread is: it must be the home ones.
func watch(h *faultHost) *watcher {
	w := &watcher{}
	spaces := []string{"net", "mnt", "user", "pid_for_children"}
	home := map[string]string{}
	for _, kind := range spaces {
		link, err := os.Readlink("/proc/self/ns/" + kind)
		if err != nil {
			h.Fatal(err)
		}
		home[kind] = link
	}
	for range 200 {
		w.all.Go(func() {
			for i := 0; !w.over.Load(); i++ {
				kind := spaces[i%len(spaces)]
				if now, err := os.Readlink("/proc/thread-self/ns/" + kind); err != nil || now != home[kind] {
					h.Errorf("a goroutine is in %s, not in %s: %v", now, home[kind], err)
					return
				}
				w.looks.Add(1)
				time.Sleep(2 * time.Millisecond) // gives its thread away
			}
		})
	}
	return w
}

func (w *watcher) stop() {
	w.over.Store(true)
	w.all.Wait()
}

// TestInsideCommands brings a lab up and down by the command.
func TestInsideCommands(t *testing.T) {
	var s sweep
	if err := json.Unmarshal([]byte(insideOnly(t)), &s); err != nil {
		t.Fatal(err)
	}
	h := newFaultHost(t, s)
	rounds := 10
	if torture() {
		rounds = 300
	}
	early := levelNow()
	for range rounds {
		h.must("run", h.lab())
		h.must("down", "round0")
	}
	h.same("after the rounds", "")
	h.level(early, levelNow())
	h.Logf("levels: %d rounds by the command", rounds)
}
