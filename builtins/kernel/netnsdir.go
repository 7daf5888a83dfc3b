package kernel

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// NetNSDir is where `ip netns` keeps the names of network namespaces
// (ip-netns(8)).
const NetNSDir = "/run/netns"

// NetNSPath returns the file of the network namespace called name.
func NetNSPath(name string) string { return filepath.Join(NetNSDir, name) }

// Setup is what a new namespace gets before anything else sees it.
type Setup struct {
	Alias   string   // interface alias of lo: the mark of the lab that owns it
	Sysctls []Sysctl // written in order, inside the namespace
}

// namespaceLimit explains the errno with which unshare says that the user has
// too many namespaces.
func namespaceLimit(err error) error {
	if errors.Is(err, unix.ENOSPC) {
		return &MissingError{
			What:   "no more network namespaces are allowed here",
			Remedy: "raise the limit: sudo sysctl -w user.max_net_namespaces=65536",
			Err:    err,
		}
	}
	return err
}

// NetNSNames returns the names in NetNSDir.
func NetNSNames() ([]string, error) {
	entries, err := os.ReadDir(NetNSDir)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		return nil, err
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names, nil
}
