package dns

import (
	"nsscript/builtins/probe"
)

// Listen opens the port, over UDP and TCP, in the namespace of the calling thread.
func Listen(opts ServerOptions) (*Server, error) {
	s := &Server{opts: opts, forward: newForwarder(opts.Forward)}
	var err error
	if s.base, err = parseAll(opts.Records); err != nil {
		return nil, err
	}
	for _, v := range opts.Views {
		records, err := parseAll(v.Records)
		if err != nil {
			return nil, err
		}
		s.views = append(s.views, view{v.Clients, records})
	}
	if s.udp, err = probe.ListenUDP(opts.Port); err != nil {
		return nil, err
	}
	if s.tcp, err = probe.ListenTCP(opts.Port); err != nil {
		_ = s.udp.Close()
		return nil, err
	}
	return s, nil
}
