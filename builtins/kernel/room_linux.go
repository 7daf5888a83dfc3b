package kernel

import (
	"runtime"
	"slices"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// room is a thread that has entered a view.
type room struct {
	view   View
	files  []overlay
	mounts int // the thread's list of mounts, which tells when it changes; -1 for none
	buf    []byte
	work   chan func() // what the thread is to do; closed to let it go
}

// enterRoom has a new thread enter a view.
func enterRoom(v View) (*room, error) {
	in := &room{view: v, mounts: -1, buf: make([]byte, readSize), work: make(chan func())}
	entered := make(chan error, 1)
	go func() {
		// This thread is never unlocked: it ends with the goroutine, and with it
		// go the namespaces that it was moved to.
		runtime.LockOSThread()
		err := v.enterRestricted()
		if err == nil {
			in.watch()
		}
		entered <- err
		if err != nil {
			return
		}
		for fn := range in.work {
			fn()
		}
	}()
	return in, <-entered
}

// do has the room's thread do something, and waits for it.
func (in *room) do(fn func()) {
	done := make(chan struct{})
	in.work <- func() {
		defer close(done)
		fn()
	}
	<-done
}

// leave has the thread leave the view, and end. The namespace is free when it returns.
func (in *room) leave() {
	in.do(func() {
		if in.mounts >= 0 {
			_ = unix.Close(in.mounts)
		}
		// A thread takes a while to end.
		if home, err := netns.GetFromPath("/proc/self/ns/net"); err == nil {
			_ = netns.Set(home)
			_ = home.Close()
		}
	})
	close(in.work)
}

// watch notes what the thread has entered, to tell later whether it is as it was. Where
// that cannot be told, the room is for one program.
func (in *room) watch() {
	var err error
	if in.files, err = in.view.overlays(); err != nil {
		return
	}
	// proc_pid_mounts(5): a change makes the file readable for exceptions.
	in.mounts, err = unix.Open("/proc/thread-self/mounts", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		in.mounts = -1
	}
}

// asEntered reports whether the thread's file system is what entering the view anew
// would make of it. It is called on the thread.
func (in *room) asEntered() bool {
	poll := []unix.PollFd{{Fd: int32(in.mounts), Events: unix.POLLPRI}}
	if n, err := unix.Poll(poll, 0); n != 0 || err != nil {
		return false
	}
	files, err := in.view.overlays()
	return err == nil && slices.Equal(files, in.files) && !slices.ContainsFunc(files, overlay.missing)
}

// missing reports whether a file no longer lies over the other one, or never did.
func (o overlay) missing() bool {
	var from, to unix.Stat_t
	if unix.Stat(o.from, &from) != nil || unix.Stat(o.to, &to) != nil {
		return true
	}
	return from.Dev != to.Dev || from.Ino != to.Ino
}
