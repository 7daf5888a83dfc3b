package builtins

import (
	"fmt"
	"net/netip"

	"go.starlark.net/starlark"

	"nsscript/builtins/op"
	"nsscript/builtins/probe"
	"nsscript/builtins/probe/trace"
)

// A script that is planned runs to its end with nobody to ask: no packet is sent and
// no program run. What it asks is answered as if it had worked; each such answer is an
// assumption, which the caller is told of.

// Assumption is something that a planned script has asked and that was not tried.
type Assumption struct {
	Pos     string // the script's line
	Command string // what would have been run
	// Runs says that it is a program of the script's, which may change the network, and
	// no look at it.
	Runs bool
}

// assume notes that a look at the network is only planned, and reports whether it is.
// The command that does the same is explained otherwise.
func (s *Session) assume(pos, command string) bool {
	return s.assumed(Assumption{Pos: pos, Command: command})
}

// told reports whether anybody is told the commands of what is no operation.
func (s *Session) told() bool { return s.lab.Planned() || s.lab.Explains() }

func (s *Session) assumed(a Assumption) bool {
	if !s.lab.Planned() {
		s.lab.Explain(a.Pos, a.Command)
		return false
	}
	s.mu.Lock()
	s.assumptions++
	s.mu.Unlock()
	if s.opts.Assume != nil {
		s.opts.Assume(a)
	}
	return true
}

// Assumptions is how many answers were assumed so far.
func (s *Session) Assumptions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.assumptions
}

// planWait notes that a script waits for something, which a plan cannot see come.
func (c *call) planWait() { c.assumed(Assumption{Pos: c.pos(), Command: "sleep 0.5", Runs: true}) }

// plannedWay is through whom a packet would go to an address, by the routes of the
// pictured namespaces: the addresses of the routers that it comes in by, and the target
// last.
func (s *Session) plannedWay(from string, to netip.Addr) []netip.Addr {
	at := s.lab.Picture().Namespace(from)
	var way []netip.Addr
	for range 64 { // a routing loop has no end
		next := at.Towards(to)
		if next == to || !next.IsValid() {
			break
		}
		name := s.lab.NameOf(next)
		if name == "" {
			break
		}
		way, at = append(way, next), s.lab.Picture().Namespace(name)
	}
	return append(way, to)
}

// plannedHops is what a traceroute that works would say.
func (c *call) plannedHops(from string, to netip.Addr) starlark.Value {
	way := c.plannedWay(from, to)
	hops := make([]starlark.Value, len(way))
	for i, ip := range way {
		hops[i] = c.hop(probe.Hop{TTL: i + 1, From: ip})
	}
	return starlark.NewList(hops)
}

// plannedPath is what a trace that arrives would say, as far as the routes tell.
func (c *call) plannedPath(from *Namespace, to netip.Addr) (starlark.Value, error) {
	text := fmt.Sprintf("%s → %s", from.name, to)
	planned := trace.Step{Stage: "routing"}
	hops := []starlark.Value{walkHop(from, &planned)}
	for _, ip := range c.plannedWay(from.name, to) {
		name := c.nameOf(ip)
		if name == "" {
			continue
		}
		n, err := c.Find(name)
		if err != nil {
			return nil, err
		}
		hops = append(hops, walkHop(n, &planned))
	}
	return path{text: text + " (planned)", delivered: true, replied: true, hops: hops, at: starlark.None, verdict: "planned: not sent"}.value(), nil
}

// plannedPID is the first of the numbers that stand for processes which a plan has not
// started: above all that a kernel gives (pid_max in proc_sys_kernel(5)).
const plannedPID = 1 << 22

// PlannedJob returns which of the lab's processes, counted from 1, a number stands for
// in place of the id that a plan does not know; 0 for none.
func PlannedJob(pid int) int { return max(pid-plannedPID, 0) }

// planProcess notes a background process that a plan does not start.
func (c *call) planProcess(ns *Namespace, o *op.StartProcess) (*Process, error) {
	c.mu.Lock()
	c.jobs++
	o.Job = c.jobs
	c.mu.Unlock()
	o.NS, o.PID = ns.name, plannedPID+o.Job
	if err := c.do(o); err != nil {
		return nil, err
	}
	p := &Process{n: ns, start: o, done: make(chan struct{})}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.planned = append(c.planned, p)
	return p, nil
}

// lastPID is the highest number that a process can have.
func (c *call) lastPID() int {
	if c.lab.Planned() {
		return plannedPID + c.jobs
	}
	return plannedPID
}
