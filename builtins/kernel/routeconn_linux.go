package kernel

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"unsafe"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// routeConn is a route netlink socket (rtnetlink(7)) for what a lab asks thousands of
// times. It sends several requests in one call, and waits in the kernel: a socket of
// the Go runtime's poller wakes a second thread with each answer.
type routeConn struct {
	mu  sync.Mutex
	fd  int
	seq uint32
}

// answers are buffers for what the kernel sends: one holds an answer about one interface,
// and a full datagram of a dump. There is a socket for each of thousands of namespaces,
// of which few are waited for at a time.
var answers = sync.Pool{New: func() any { return new([32 << 10]byte) }}

// openRoute opens a socket in the namespace of the calling thread.
func openRoute() (*routeConn, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("netlink socket: %w", err)
	}
	timeout := unix.NsecToTimeval(netlinkTimeout.Nanoseconds())
	err = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &timeout)
	if err == nil {
		err = unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_EXT_ACK, 1)
		if errors.Is(err, unix.ENOPROTOOPT) { // before Linux 4.12 errors are plain errnos
			err = nil
		}
	}
	if err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("netlink socket: %w", err)
	}
	return &routeConn{fd: fd}, nil
}

func (c *routeConn) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fd >= 0 {
		_ = unix.Close(c.fd)
		c.fd = -1
	}
}

// change has the kernel carry out changes, in order. It returns the first error and
// which change it is of; those after it are tried all the same.
func (c *routeConn) change(changes []Change) (failed int, err error) {
	requests := make([]*nl.NetlinkRequest, len(changes))
	for i, ch := range changes {
		requests[i] = ch.request
		requests[i].Flags &^= unix.NLM_F_ACK
	}
	// The kernel is done with all when it is with the last; of the others it tells only
	// failures, before.
	requests[len(requests)-1].Flags |= unix.NLM_F_ACK
	return c.exchange(requests, nil)
}

// ask returns what the kernel answers to a request that is no dump.
func (c *routeConn) ask(request *nl.NetlinkRequest) ([]byte, error) {
	var answer []byte
	_, err := c.exchange([]*nl.NetlinkRequest{request}, func(data []byte) { answer = slices.Clone(data) })
	return answer, err
}

// exchange sends requests, and waits until the last is acknowledged or answered. What got
// is given is valid only while it runs.
func (c *routeConn) exchange(requests []*nl.NetlinkRequest, got func([]byte)) (failed int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fd < 0 {
		return 0, ErrClosed
	}
	buf := answers.Get().(*[32 << 10]byte)
	defer answers.Put(buf)
	first := c.seq + 1
	if err := c.send(requests); err != nil {
		return 0, err
	}
	last := len(requests) - 1
	for ended := false; !ended; {
		n, rerr := c.receive(buf[:])
		if rerr != nil {
			return 0, rerr
		}
		for b := buf[:n]; len(b) >= unix.SizeofNlMsghdr; {
			h := (*unix.NlMsghdr)(unsafe.Pointer(&b[0]))
			if int(h.Len) < unix.SizeofNlMsghdr || int(h.Len) > len(b) {
				return 0, errors.New("netlink: a message of a wrong length")
			}
			data := b[unix.SizeofNlMsghdr:h.Len]
			b = b[min(len(b), nlAlign(int(h.Len))):]
			which := int(h.Seq - first)
			if which < 0 || which > last {
				continue // of an exchange that was given up
			}
			over := true
			switch h.Type {
			case unix.NLMSG_ERROR:
				if aerr := acknowledged(h, data); aerr != nil && err == nil {
					failed, err = which, aerr
				}
			case unix.NLMSG_DONE:
			default:
				if got != nil {
					got(data)
				}
				over = h.Flags&unix.NLM_F_MULTI == 0 && requests[which].Flags&unix.NLM_F_ACK == 0
			}
			if h.Flags&unix.NLM_F_DUMP_INTR != 0 && err == nil {
				err = netlink.ErrDumpInterrupted
			}
			ended = ended || over && which == last
		}
	}
	return failed, err
}

// send puts the requests, numbered, into one datagram.
func (c *routeConn) send(requests []*nl.NetlinkRequest) error {
	var out []byte
	for _, r := range requests {
		c.seq++
		r.Seq = c.seq
		out = append(out, r.Serialize()...)
		out = append(out, make([]byte, nlAlign(len(out))-len(out))...)
	}
	return unix.Sendto(c.fd, out, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
}

func (c *routeConn) receive(buf []byte) (int, error) {
	for {
		n, _, err := unix.Recvfrom(c.fd, buf, 0)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.EAGAIN):
			return 0, fmt.Errorf("netlink: the kernel has not answered within %s", netlinkTimeout)
		}
		return n, err
	}
}

func nlAlign(n int) int { return (n + unix.NLMSG_ALIGNTO - 1) &^ (unix.NLMSG_ALIGNTO - 1) }

// acknowledged returns the error of an acknowledgement, with the kernel's own words
// where it has some (NLMSGERR_ATTR_MSG, linux/netlink.h).
func acknowledged(h *unix.NlMsghdr, data []byte) error {
	if len(data) < 4+unix.SizeofNlMsghdr {
		return errors.New("netlink: a short acknowledgement")
	}
	code := *(*int32)(unsafe.Pointer(&data[0]))
	if code == 0 {
		return nil
	}
	err := error(unix.Errno(-code))
	if h.Flags&unix.NLM_F_ACK_TLVS == 0 {
		return err
	}
	echoed := unix.SizeofNlMsghdr
	if h.Flags&unix.NLM_F_CAPPED == 0 {
		echoed = nlAlign(int((*unix.NlMsghdr)(unsafe.Pointer(&data[4])).Len))
	}
	if len(data) < 4+echoed {
		return err
	}
	attrs, perr := nl.ParseRouteAttr(data[4+echoed:])
	if perr != nil {
		return err
	}
	for _, a := range attrs {
		if a.Attr.Type == nl.NLMSGERR_ATTR_MSG {
			return fmt.Errorf("%w: %s", err, unix.ByteSliceToString(a.Value))
		}
	}
	return err
}

// linkRequest is a request about the interface with that index, 0 for one that is
// named by an attribute.
func linkRequest(kind, flags, index int) (*nl.NetlinkRequest, *nl.IfInfomsg) {
	r := nl.NewNetlinkRequest(kind, flags)
	msg := nl.NewIfInfomsg(unix.AF_UNSPEC)
	msg.Index = int32(index)
	r.AddData(msg)
	return r, msg
}

// What an answer about an interface holds besides (RTEXT_FILTER_*, linux/rtnetlink.h).
const (
	vfInfo    = nl.RTEXT_FILTER_VF
	skipStats = 1 << 3 // nor counters
)

// askLink asks for one interface, by its index or its name.
func (c *routeConn) askLink(index int, name string, mask uint32) ([]byte, error) {
	if index == 0 && name == "" {
		return nil, unix.ENODEV
	}
	r, _ := linkRequest(unix.RTM_GETLINK, 0, index)
	r.AddData(nl.NewRtAttr(unix.IFLA_EXT_MASK, nl.Uint32Attr(mask)))
	if name != "" {
		kind := unix.IFLA_IFNAME
		if len(name) >= unix.IFNAMSIZ {
			kind = unix.IFLA_ALT_IFNAME
		}
		r.AddData(nl.NewRtAttr(kind, nl.ZeroTerminated(name)))
	}
	data, err := c.ask(r)
	if errors.Is(err, unix.ENODEV) {
		return nil, unix.ENODEV
	}
	return data, err
}

// getLink is askLink with the answer read.
func (c *routeConn) getLink(index int, name string, mask uint32) (*Link, error) {
	data, err := c.askLink(index, name, mask)
	if err != nil {
		return nil, err
	}
	l, err := netlink.LinkDeserialize(nil, data)
	return foundLink(l, err)
}

// briefLink reads the little of an RTM_NEWLINK that who made an interface needs.
func briefLink(data []byte) (*Link, error) {
	if len(data) < unix.SizeofIfInfomsg {
		return nil, errors.New("netlink: a short interface")
	}
	msg := nl.DeserializeIfInfomsg(data)
	attrs, err := nl.ParseRouteAttr(data[unix.SizeofIfInfomsg:])
	if err != nil {
		return nil, err
	}
	l := &Link{Index: int(msg.Index), Flags: msg.Flags, Kind: "device"}
	for _, a := range attrs {
		switch a.Attr.Type {
		case unix.IFLA_IFNAME:
			l.Name = unix.ByteSliceToString(a.Value)
		case unix.IFLA_MTU:
			l.MTU = int(nl.NativeEndian().Uint32(a.Value))
		case unix.IFLA_LINKINFO:
			infos, err := nl.ParseRouteAttr(a.Value)
			if err != nil {
				return nil, err
			}
			for _, i := range infos {
				if i.Attr.Type == nl.IFLA_INFO_KIND {
					l.Kind = unix.ByteSliceToString(i.Value)
				}
			}
		}
	}
	return l, nil
}

// links lists all interfaces.
func (c *routeConn) links(mask uint32) ([]Link, error) {
	r, _ := linkRequest(unix.RTM_GETLINK, unix.NLM_F_DUMP, 0)
	r.AddData(nl.NewRtAttr(unix.IFLA_EXT_MASK, nl.Uint32Attr(mask)))
	var list []Link
	var spoiled error
	_, err := c.exchange([]*nl.NetlinkRequest{r}, func(data []byte) {
		l, err := netlink.LinkDeserialize(nil, slices.Clone(data)) // it keeps parts of it
		if err != nil {
			spoiled = errors.Join(spoiled, err)
			return
		}
		list = append(list, newLink(l))
	})
	return list, errors.Join(err, spoiled)
}

// addrs lists all addresses.
func (c *routeConn) addrs() ([]Addr, error) {
	r := nl.NewNetlinkRequest(unix.RTM_GETADDR, unix.NLM_F_DUMP)
	r.AddData(nl.NewIfInfomsg(unix.AF_UNSPEC))
	var list []Addr
	var spoiled error
	_, err := c.exchange([]*nl.NetlinkRequest{r}, func(data []byte) {
		a, err := readAddr(data)
		list, spoiled = append(list, a), errors.Join(spoiled, err)
	})
	return list, errors.Join(err, spoiled)
}

// readAddr reads an RTM_NEWADDR.
func readAddr(data []byte) (Addr, error) {
	if len(data) < unix.SizeofIfAddrmsg {
		return Addr{}, errors.New("netlink: a short address")
	}
	msg := nl.DeserializeIfAddrmsg(data)
	attrs, err := nl.ParseRouteAttr(data[unix.SizeofIfAddrmsg:])
	if err != nil {
		return Addr{}, err
	}
	a := Addr{Link: int(msg.Index), Flags: uint32(msg.IfAddrmsg.Flags), Scope: scopeName(int(msg.Scope))}
	var local, address netip.Addr
	for _, at := range attrs {
		switch at.Attr.Type {
		case unix.IFA_LOCAL:
			local, _ = netip.AddrFromSlice(at.Value)
		case unix.IFA_ADDRESS:
			address, _ = netip.AddrFromSlice(at.Value)
		case unix.IFA_FLAGS:
			a.Flags = nl.NativeEndian().Uint32(at.Value)
		}
	}
	switch {
	case !local.IsValid():
		local = address
	case address != local:
		a.Peer = address
	}
	a.Prefix = netip.PrefixFrom(local, int(msg.Prefixlen))
	return a, nil
}

// scopeName is the name that `ip addr` gives a scope.
func scopeName(scope int) string {
	if scope == unix.RT_SCOPE_UNIVERSE {
		return "global"
	}
	return netlink.Scope(scope).String()
}
