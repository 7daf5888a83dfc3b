package op

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"nsscript/builtins/kernel"
)

// Restore gives a setting back without the operation that has borrowed it, by its
// key in the ledger. open finds the namespace of an inode, nil if it is gone.
func Restore(ctx context.Context, key, before string, open func(inode uint64) *kernel.NetNS) error {
	number, setting, _ := strings.Cut(key, " ")
	inode, err := strconv.ParseUint(number, 10, 64)
	if err != nil {
		return fmt.Errorf("the ledger's key %q: %w", key, err)
	}
	n := open(inode)
	if n == nil {
		return nil
	}
	defer n.Close()
	var finder kernel.IptablesFinder
	words := strings.Fields(setting)
	switch {
	case len(words) == 3 && words[0]+" " == tablePrefix:
		if before == present {
			return nil
		}
		return n.DropEmptyNFTable(kernel.NFTable{Name: words[1], V6: words[2] == "true"})
	case len(words) == 5 && words[1] == "-t" && words[3] == "-P":
		x, err := finder.Find(words[0] == "ip6tables")
		if err != nil {
			return err
		}
		return x.SetPolicy(ctx, n, words[2], words[4], before)
	}
	err = n.WriteSysctl(kernel.Sysctl{Key: setting, Value: before})
	if errors.Is(err, fs.ErrNotExist) {
		return nil // the parameter went with its interface
	}
	return err
}
