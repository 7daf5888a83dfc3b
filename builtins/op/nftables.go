package op

import (
	"fmt"
	"slices"

	"nsscript/builtins/kernel"
)

// usedTables notes, for a namespace that is not the lab's, which tables an
// operation works on: iptables makes a table that is not there, and leaves it
// behind empty.
type usedTables struct {
	Used     []kernel.NFTable `json:"used,omitempty"`
	UsedLoan string           `json:"used_loan,omitempty"`
}

// tablePrefix begins the names of tables among the settings that labs borrow.
const tablePrefix = "table "

func tableKey(t kernel.NFTable) string { return fmt.Sprintf("%s%s %t", tablePrefix, t.Name, t.V6) }

// noteTables notes the tables, for Prepare.
func (u *usedTables) noteTables(s *System, ns string, tables ...kernel.NFTable) {
	if s.Owned(ns) {
		return
	}
	u.Used, u.UsedLoan = nil, newLoan()
	for _, t := range tables {
		if !slices.Contains(u.Used, t) {
			u.Used = append(u.Used, t)
		}
	}
}

// What a table was before the first lab used it.
const (
	absent  = "absent"
	present = "present"
)
