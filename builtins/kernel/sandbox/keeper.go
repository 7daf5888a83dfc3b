//go:build linux

package sandbox

import (
	"context"
	"encoding/json"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A keeper is started as
//
//	LABEL nsscript-keeper
//
// with an [order] in its environment and these files open. It is born in the
// sandbox's namespaces.
const (
	keeperName  = "nsscript-keeper"
	orderEnv    = "NSSCRIPT_KEEPER"
	reportFile  = 3 // where the keeper says that the sandbox is ready, or why not
	controlFile = 4 // from the starter: keepByte, or the end of file when it is dead
)

// goByte lets a newborn keeper go on once its ids are mapped, keepByte tells it
// to live on without its starter.
const (
	goByte   = 'g'
	keepByte = 'k'
)

// An order tells a keeper what to make.
type order struct {
	User   bool     // it is in a user namespace of its own
	Mark   string   // the name of the tmpfs on /run
	Origin string   `json:",omitempty"` // see Options.Origin
	Share  []string // see Options.Share
	Closed *Closed  `json:",omitempty"` // see Options.Closed
}

// A report is what the keeper says to its starter.
type report struct {
	Step  string        `json:",omitempty"` // what went wrong …
	Errno syscall.Errno `json:",omitempty"` // … and how
	Notes []string      `json:",omitempty"` // what could not be had, though the sandbox is good without
}

// Main must be called first thing in main(). If this process was started as a
// keeper, it does the keeper's work and never returns.
func Main() {
	if len(os.Args) != 2 || os.Args[1] != keeperName {
		return
	}
	text, started := os.LookupEnv(orderEnv)
	if !started {
		return // a person typed the name
	}
	var o order
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		os.Exit(2)
	}
	os.Exit(keeper(o))
}

// keeper prepares the sandbox around itself, says so and sleeps until it is told
// to end.
func keeper(o order) int {
	signal.Ignore(syscall.SIGINT, syscall.SIGHUP)
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM)
	settle()

	rep := report{}
	notes, err := furnish(o)
	if err != nil {
		rep.Step, rep.Errno = err.step, err.errno
	}
	rep.Notes = notes
	out := os.NewFile(reportFile, "report")
	wrong := json.NewEncoder(out).Encode(rep)
	out.Close()
	if err != nil || wrong != nil {
		return 1
	}

	select {
	case <-end:
	case kept := <-awaitStarter():
		if kept {
			rest()
			<-end
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if inside, err := surroundings(o); err == nil {
		_ = inside.clear(ctx)
	}
	return 0
}

// settle rids the process of what it inherited and does not need.
func settle() {
	unix.Umask(0o022)
	_ = os.Unsetenv(orderEnv)
	// ps shows the name; nothing depends on it.
	_ = os.WriteFile("/proc/self/comm", []byte(keeperName), 0)
	unix.CloseOnExec(reportFile)
	unix.CloseOnExec(controlFile)
	closeInherited(controlFile + 1)
}

// closeInherited closes the files from first on that were open when the process
// began. Go opens its own with close-on-exec, which such a file cannot have.
func closeInherited(first int) {
	names, _ := os.ReadDir("/proc/self/fd")
	for _, name := range names {
		fd, err := strconv.Atoi(name.Name())
		if err != nil || fd < first {
			continue
		}
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		if err == nil && flags&unix.FD_CLOEXEC == 0 {
			unix.Close(fd)
		}
	}
}

// awaitStarter tells, once, whether the starter wants the sandbox kept (true) or
// is dead (false).
func awaitStarter() <-chan bool {
	kept := make(chan bool, 1)
	go func() {
		b := make([]byte, 1)
		for {
			n, err := unix.Read(controlFile, b)
			if err == unix.EINTR {
				continue
			}
			unix.Close(controlFile)
			kept <- n == 1 && b[0] == keepByte
			return
		}
	}()
	return kept
}

// A stepError is what went wrong in a keeper: the step in words, and the errno,
// which unlike an error can be sent.
type stepError struct {
	step  string
	errno syscall.Errno
}

// furnish makes the namespaces the keeper was born in a place to live in.
func furnish(o order) (notes []string, err *stepError) {
	if o.Closed != nil {
		go reapOrphans()
		err = o.Closed.furnish(o.Mark)
	} else {
		notes, err = privateMounts(o)
	}
	if err != nil {
		return notes, err
	}
	return notes, privateNetwork()
}
