package lab

import (
	"errors"
	"io/fs"

	"golang.org/x/sys/unix"

	"nsscript/builtins/kernel"
)

type tracedLink struct {
	ns    string // the path of the namespace
	index int
	name  string
}

type tracedRule struct {
	ns    string
	v6    bool
	table string
	rule  kernel.ListedRule
}

// ownNetNS is the path of the namespace of this process.
const ownNetNS = "/proc/self/ns/net"

// Where says where FindTraces looks.
type Where struct {
	Host  bool     // on the host too, for which it needs the rights to build labs there
	Quick bool     // on the host, only for namespaces and interfaces, not for rules and processes
	Lab   string   // for this lab alone, also if it has a directory in the registry
	Known []string // names of namespaces that labs of the registry have: they are not looked into
}

// gone reports whether a namespace ended meanwhile, or was none.
func gone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.EINVAL) || errors.Is(err, kernel.ErrNoNetNS)
}
