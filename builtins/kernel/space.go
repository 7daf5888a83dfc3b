package kernel

// Space is what can be asked of a network namespace: of one of the kernel's, or of one
// that is only pictured.
type Space interface {
	// Links lists the interfaces by index.
	Links() ([]Link, error)
	// Link finds an interface by its name. When there is none the error is ENODEV.
	Link(name string) (*Link, error)
	// LinkByIndex finds an interface by its index. When there is none the error is
	// ENODEV.
	LinkByIndex(index int) (*Link, error)
	// PeerIn reports whether other is the namespace in which l's peer lives.
	PeerIn(l *Link, other Space) bool
	// Addrs lists the addresses of the interface with that index, or of all when it is 0.
	Addrs(index int) ([]Addr, error)
	// Routes lists the routes of both families in all tables but "local".
	Routes() ([]Route, error)
	// RoutesOver is Routes, where the interfaces were listed already.
	RoutesOver(links []Link) ([]Route, error)
	// AllRoutes lists the routes of both families in all tables.
	AllRoutes() ([]Route, error)
	// Rules lists the policy rules of both families.
	Rules() ([]Rule, error)
	// Neighbors lists the neighbour entries of both families.
	Neighbors() ([]Neigh, error)
	// FDB lists the forwarding database of the bridge with that index.
	FDB(bridge int) ([]FDBEntry, error)
	// ReadSysctl returns a kernel parameter.
	ReadSysctl(key string) (string, error)
	// PIDs lists the processes.
	PIDs() ([]int, error)
	// Qdisc returns the name of an interface's root queueing discipline, "" where it is
	// not known.
	Qdisc(index int) string
}
