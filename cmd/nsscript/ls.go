//go:build linux

package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"nsscript/builtins/kernel"
	"nsscript/builtins/kernel/sandbox"
	"nsscript/builtins/lab"
)

// row is what ls tells of a lab.
type row struct {
	Name        string    `json:"name"`
	Description string    `json:"description,omitempty"`
	State       string    `json:"state"` // up, building, broken, gone, lost
	Where       string    `json:"where"` // host, sandbox
	Namespaces  int       `json:"namespaces"`
	Created     time.Time `json:"created,omitzero"`
	Script      string    `json:"script"`
}

func newLs() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "ls", Short: "List the labs that are up", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			rows, err := listLabs(cmd.Context(), registryHere())
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(&stdout).Encode(rows)
			}
			if len(rows) == 0 {
				fmt.Fprintln(os.Stderr, "no lab is up")
				return nil
			}
			w := tabwriter.NewWriter(&stdout, 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "LAB\tSTATE\tWHERE\tNAMESPACES\tSINCE\tSCRIPT")
			for _, r := range rows {
				since := "-"
				if !r.Created.IsZero() {
					since = r.Created.Format(time.DateTime)
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%s\n", r.Name, r.State, r.Where, r.Namespaces, since, cmp.Or(r.Script, "-"))
			}
			return w.Flush()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON array")
	return cmd
}

func listLabs(ctx context.Context, r lab.Registry) ([]row, error) {
	_, inside := asWorker()
	if !inside {
		if err := r.Tidy(); err != nil {
			return nil, err
		}
	}
	names, err := r.Names()
	if err != nil {
		return nil, err
	}
	boot, err := kernel.BootID()
	if err != nil {
		return nil, err
	}
	rows, known := []row{}, []string{}
	for _, name := range names {
		m, err := r.Meta(name)
		if err != nil {
			m = &lab.Meta{Name: name}
		}
		held := heldBy(r, m)
		one := row{Name: name, Description: m.Description, Where: "host", Created: m.Created, Script: m.Origin, State: state(r, m, boot, held)}
		if m.Sandbox != nil {
			one.Where = "sandbox"
		}
		if spaces, err := held.Names(); err == nil {
			one.Namespaces = len(spaces)
			known = append(known, spaces...)
		}
		rows = append(rows, one)
	}
	if inside {
		return rows, nil
	}
	more, err := lost(ctx, r, known)
	return append(rows, more...), err
}

// lost lists the labs that are known only by their marks; known are the namespaces of
// the others.
func lost(ctx context.Context, r lab.Registry, known []string) ([]row, error) {
	traces, err := r.FindTraces(ctx, lab.Where{Host: hostRights() == nil, Quick: true, Known: known})
	var rows []row
	for _, t := range traces {
		one := row{Name: t.Lab, State: "lost", Where: "host", Namespaces: len(t.Namespaces)}
		if t.Whole() {
			one.Where = "sandbox"
		}
		rows = append(rows, one)
	}
	return rows, err
}

// heldBy tells which namespaces a lab has. Notes that are inside its sandbox are not read,
// but what has a name in there.
func heldBy(r lab.Registry, m *lab.Meta) *lab.Held {
	if !m.Within() || m.Sandbox == nil || os.Getenv(envWorker) != "" {
		return lab.HeldBy(r.Path(m.Name))
	}
	return lab.HeldIn(fmt.Sprintf("/proc/%d/root%s", m.Sandbox.PID, kernel.NetNSDir))
}

// spacesOf lists the namespaces of a lab.
func spacesOf(r lab.Registry, m *lab.Meta) ([]string, error) { return heldBy(r, m).Names() }

// state says how a lab is: up, building, gone with the last boot or with its
// sandbox, or broken, because its building was cut off or something else took a
// part of it away.
func state(r lab.Registry, m *lab.Meta, boot string, held *lab.Held) string {
	if m.Boot == "" {
		return "broken" // nothing is known of it
	}
	if m.Boot != boot {
		return "gone"
	}
	if r.Busy(m.Name) {
		return "building"
	}
	root := ""
	if m.Sandbox != nil {
		box, err := sandbox.Open(*m.Sandbox)
		if err != nil {
			return "gone"
		}
		_ = box.Close()
		root = fmt.Sprintf("/proc/%d/root", m.Sandbox.PID)
	}
	if !r.Up(m.Name) || !m.Within() && held.Damaged(root) {
		return "broken"
	}
	return "up"
}
