package main

import (
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
	State       string    `json:"state"` // up, building, broken, gone
	Where       string    `json:"where"` // host, sandbox
	Namespaces  int       `json:"namespaces"`
	Created     time.Time `json:"created"`
	Script      string    `json:"script"`
}

func newLs() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "ls", Short: "List the labs that are up", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			rows, err := listLabs(registryHere())
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(os.Stdout).Encode(rows)
			}
			if len(rows) == 0 {
				fmt.Fprintln(os.Stderr, "no lab is up")
				return nil
			}
			w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "LAB\tSTATE\tWHERE\tNAMESPACES\tSINCE\tSCRIPT")
			for _, r := range rows {
				fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%s\n", r.Name, r.State, r.Where, r.Namespaces, r.Created.Format(time.DateTime), r.Script)
			}
			return w.Flush()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON array")
	return cmd
}

func listLabs(r lab.Registry) ([]row, error) {
	if _, inside := asWorker(); !inside {
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
	rows := []row{}
	for _, name := range names {
		m, err := r.Meta(name)
		if err != nil {
			m = &lab.Meta{Name: name}
		}
		one := row{Name: name, Description: m.Description, Where: "host", Created: m.Created, Script: m.Origin, State: state(r, m, boot)}
		if m.Sandbox != nil {
			one.Where = "sandbox"
		}
		if spaces, err := lab.NamespacesOf(r.Path(name)); err == nil {
			one.Namespaces = len(spaces)
		}
		rows = append(rows, one)
	}
	return rows, nil
}

// state says how a lab is: up, building, gone with the last boot or with its
// sandbox, or broken, because its building was cut off.
func state(r lab.Registry, m *lab.Meta, boot string) string {
	if m.Boot != "" && m.Boot != boot {
		return "gone"
	}
	if r.Busy(m.Name) {
		return "building"
	}
	if m.Sandbox != nil {
		box, err := sandbox.Open(*m.Sandbox)
		if err != nil {
			return "gone"
		}
		_ = box.Close()
	}
	if !r.Up(m.Name) {
		return "broken"
	}
	return "up"
}
