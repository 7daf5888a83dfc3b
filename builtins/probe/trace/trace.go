//go:build linux

package trace

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"nsscript/builtins/kernel"
)

// space is a namespace and what is known of it.
type space struct {
	Space
	v6     bool // the probe is of IPv6, and those counters are wanted
	tracer *kernel.NFTrace
	silent *kernel.MissingError // why its packet filter tells nothing, though there is one
	counts kernel.CountersText  // before
	before kernel.Counters
	links  map[int]kernel.Link
	addrs  []kernel.Addr
	chains []kernel.NFChain
	runs   []*run
	now    kernel.Counters
}

func (s *space) shown(index int) bool { return s.Shown == nil || s.Shown(index) }

// protocol is the number of the probe's IP protocol.
func (r *Request) protocol() uint8 {
	switch {
	case r.Proto == TCP:
		return unix.IPPROTO_TCP
	case r.Proto == UDP:
		return unix.IPPROTO_UDP
	case r.Target.Is6():
		return unix.IPPROTO_ICMPV6
	}
	return unix.IPPROTO_ICMP
}

// Follow sends one probe and says what became of it.
func Follow(ctx context.Context, req Request) (*Walk, error) {
	if req.Proto != TCP && req.Size < MinSize || req.Proto == TCP && req.Size < 0 {
		return nil, fmt.Errorf("a probe has at least %d bytes", MinSize)
	}
	t := &tracing{req: &req, known: map[netnsID]*space{}, changed: make(chan struct{}, 1)}
	for i := range req.Spaces {
		t.spaces = append(t.spaces, &space{Space: req.Spaces[i], v6: req.Target.Is6()})
	}
	i := slices.IndexFunc(t.spaces, func(s *space) bool { return s.Name == req.From })
	if i < 0 {
		return nil, fmt.Errorf("the sender %q is none of the namespaces", req.From)
	}
	t.source = t.spaces[i]
	t.id = newIdentity(req.protocol(), req.Target.Is6())
	if req.Proto == TCP {
		t.id.data = req.Size
	}
	err := t.run(ctx)
	// To take leave of the kernel takes it as long as the rest; meanwhile is told what
	// was seen.
	closed := make(chan error)
	go func() { closed <- t.close() }()
	var w *Walk
	if err == nil {
		w, err = t.walk()
	}
	if err = errors.Join(err, <-closed); err != nil {
		return nil, err
	}
	return w, nil
}

// tracing is one probe under way.
type tracing struct {
	req    *Request
	id     *identity
	spaces []*space
	source *space

	watcher *watcher
	sender  *sender
	changed chan struct{} // something was seen
	known   map[netnsID]*space
	began   time.Time
	fulls   uint64 // how often the table of neighbours had no room, before
}

// wakeUp says that there is something new.
func (t *tracing) wakeUp() {
	select {
	case t.changed <- struct{}{}:
	default:
	}
}

func (t *tracing) run(ctx context.Context) error {
	var err error
	if t.watcher, err = newWatcher(t.wakeUp); err != nil {
		return err
	}
	if err := t.source.NS.Do(func() (err error) {
		t.sender, err = newSender(t.req, t.id)
		return err
	}); err != nil {
		return err
	}
	if err := t.watch(ctx); err != nil {
		return err
	}
	if err := t.source.NS.Do(t.watcher.awaitStamps); err != nil {
		return err
	}
	if t.fulls, err = t.source.NS.NeighborTableFulls(t.req.Target.Is6()); err != nil {
		return err
	}
	t.watcher.start()
	t.began = time.Now()
	t.sender.send()
	err = t.await(ctx)
	t.watcher.stop()
	for _, s := range t.spaces {
		if s.tracer != nil {
			s.tracer.Finish()
		}
	}
	return err
}

// watch begins to look in all namespaces, several at a time.
func (t *tracing) watch(ctx context.Context) error {
	matches := t.id.matches()
	program, err := filter(matches)
	if err != nil {
		return err
	}
	table := fmt.Sprintf("nsscript-trace-%08x", t.id.seq)
	var all sync.WaitGroup
	todo := make(chan *space)
	failed := make([]error, len(t.spaces))
	for range 2 * runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for s := range todo {
				failed[slices.Index(t.spaces, s)] = t.watchOne(s, program, table, matches)
			}
		})
	}
	for _, s := range t.spaces {
		if ctx.Err() != nil {
			break
		}
		todo <- s
	}
	close(todo)
	all.Wait()
	return errors.Join(append(failed, ctx.Err())...)
}

// watchOne begins to look in one namespace.
func (t *tracing) watchOne(s *space, program []bpf.RawInstruction, table string, matches []kernel.TraceMatch) error {
	var f kernel.Filters
	err := s.NS.Do(func() error {
		err := t.watcher.add(s, program)
		if err == nil {
			s.counts, err = kernel.ReadCounters(s.v6)
		}
		if err == nil {
			f, err = kernel.FiltersHere()
		}
		return err
	})
	if err == nil && f.Any() {
		s.tracer, err = s.NS.TracePackets(table, f, matches, t.wakeUp)
		var missing *kernel.MissingError
		if errors.As(err, &missing) {
			s.silent, err = missing, nil
		}
	}
	if err != nil {
		return fmt.Errorf("namespace %q: %w", s.Name, err)
	}
	return nil
}

// quiet is for how long nothing must happen any more once the probe's end is
// known: there may be an ICMP error on its way.
const (
	quietAnswered = 2 * time.Millisecond
	quietDead     = 60 * time.Millisecond
	tick          = 2 * time.Millisecond
	quietLate     = 200 * time.Millisecond
	grace         = 500 * time.Millisecond
)

// patience is for how long nothing must have happened when the time is over. The
// kernel asks for a neighbour once a second, or up to a tenth of it later; so where the
// probe may wait for that, one more question is awaited.
func (t *tracing) patience() time.Duration {
	for _, s := range t.watcher.sightings() {
		if c, _ := t.id.classify(s.packet); c != resolving {
			return quietDead
		}
	}
	return quietLate
}

// await waits until the probe was answered, is known to be dead, or its time is
// over.
func (t *tracing) await(ctx context.Context) error {
	over := time.NewTimer(t.req.Timeout)
	defer over.Stop()
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	last := time.Now() // when something was seen last
	late := false
	for {
		t.sender.look()
		still := time.Since(last)
		if t.sender.answered && still > quietAnswered || still > quietDead && t.dead() || late && still > t.patience() {
			return nil
		}
		select {
		case <-t.changed:
			last = time.Now()
		case <-ticker.C:
		case <-over.C:
			if late {
				return nil
			}
			// What moves at the last moment may still arrive.
			late, last = true, time.Now()
			over.Reset(grace)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// dead reports whether it is proved that nothing more will come.
func (t *tracing) dead() bool {
	if t.sender.died() {
		return true
	}
	for _, s := range t.watcher.sightings() {
		if c, _ := t.id.classify(s.packet); c == errorMsg || c == refusal {
			return true
		}
	}
	for _, s := range t.spaces {
		if s.tracer == nil {
			continue
		}
		foreign := map[uint32]bool{} // fragments, of whatever they are
		for _, e := range s.tracer.Events() {
			if p := readIP(e.Packet); p != nil {
				foreign[e.ID] = p.fragment
			}
			if !e.Legacy && e.Verdict == kernel.VerdictDrop && !foreign[e.ID] {
				return true
			}
		}
	}
	return false
}

func (t *tracing) close() error {
	var errs []error
	for _, s := range t.spaces {
		if s.tracer != nil {
			errs = append(errs, s.tracer.Close())
		}
	}
	if t.watcher != nil {
		t.watcher.close()
	}
	if t.sender != nil {
		t.sender.close()
	}
	return errors.Join(errs...)
}
