package kernel

import (
	"context"
	"sync"
	"syscall"
)

// Rooms run programs in views. A thread that has entered a view stays there when its
// program has ended: the next program for the same view finds all its mounts made. A
// room has one program at a time, and is given up when something about its mounts has
// changed, so that no program sees what another one has mounted. The zero value is
// ready.
type Rooms struct {
	mu   sync.Mutex
	idle []*room // the one that was left last is the last
}

// mostIdle is how many threads wait for another program at most: each has a copy of
// all mounts, and whatever is mounted outside is mounted there too.
const mostIdle = 8

// Run runs a program in a view and waits for its end, and for what it prints. When ctx
// ends before, the program and its process group are ended.
func (r *Rooms) Run(ctx context.Context, v View, p *Program) (status syscall.WaitStatus, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if in := r.take(v); in != nil {
		ready := false
		in.do(func() {
			if ready = in.asEntered(); ready {
				status, err = p.run(ctx, in.buf)
			}
		})
		if ready {
			r.put(in)
			return status, err
		}
		in.leave()
	}
	in, err := enterRoom(v)
	if err != nil {
		return 0, err
	}
	in.do(func() { status, err = p.run(ctx, in.buf) })
	if in.mounts < 0 {
		in.leave()
	} else {
		r.put(in)
	}
	return status, err
}

// take returns an idle room of a view, nil if there is none.
func (r *Rooms) take(v View) *room {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := len(r.idle) - 1; i >= 0; i-- {
		if found := r.idle[i]; found.view == v {
			r.idle = append(r.idle[:i], r.idle[i+1:]...)
			return found
		}
	}
	return nil
}

// put gives a room back for the next program.
func (r *Rooms) put(last *room) {
	r.mu.Lock()
	r.idle = append(r.idle, last)
	var oldest *room
	if len(r.idle) > mostIdle {
		oldest = r.idle[0]
		r.idle = append(r.idle[:0], r.idle[1:]...)
	}
	r.mu.Unlock()
	if oldest != nil {
		oldest.leave()
	}
}

// Leave has all idle threads leave their views. It comes before a namespace is closed,
// which they would keep alive, and after something was mounted for all of them.
func (r *Rooms) Leave() {
	r.mu.Lock()
	idle := r.idle
	r.idle = nil
	r.mu.Unlock()
	for _, room := range idle {
		room.leave()
	}
}
