package filter

// node is a filter or a part of it that is true or false of a packet.
type node any

type (
	both     struct{ a, b node } // a and b
	either   struct{ a, b node } // a or b
	negation struct{ of node }   // not of

	// primitive is an id with its qualifiers: "tcp dst port 80".
	primitive struct {
		qualifiers
		id   token
		mask *token // "mask 255.0.0.0"
		bits *token // "/8"
	}

	// protocol is one that stands alone: "tcp".
	protocol struct {
		name string
		at   token
	}

	// cast is "broadcast" or "multicast", perhaps of a protocol.
	cast struct {
		proto string
		at    token
	}

	// length is "less 100" or "greater 100".
	length struct {
		greater bool
		n       uint32
	}

	direction struct {
		out bool
		at  token
	}

	ifindex struct {
		n  uint32
		at token
	}

	// llcType is "llc" with the type that may follow it.
	llcType struct {
		name string
		at   token
	}

	// encap is vlan, mpls, pppoes or geneve, with the number that may follow.
	encap struct {
		kind   string
		number *uint32
		at, id token
	}

	// relation compares two numbers: "ip[8] < 5".
	relation struct {
		op   string
		a, b number
	}
)

// qualifiers say what an id is: protocol, direction, and type. "" is none given.
type qualifiers struct {
	proto, dir, kind string
	at               token // the first of them
}

// number is an arithmetic expression.
type number any

type (
	constant struct {
		n  uint32
		at token
	}

	// access is bytes of a header: "tcp[12:2]".
	access struct {
		proto string
		index number
		size  int
		at    token
	}

	packetLength struct{}

	operation struct {
		op   string
		a, b number
		at   token
	}

	negative struct{ of number }
)
