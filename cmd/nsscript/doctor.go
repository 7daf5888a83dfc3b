//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"nsscript/builtins/kernel"
	"nsscript/builtins/kernel/sandbox"
)

// finding is one thing that doctor has looked at.
type finding struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Needed bool   `json:"needed"` // labs do not work without it
	Detail string `json:"detail,omitempty"`
	Remedy string `json:"remedy,omitempty"`
}

func newDoctor() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "doctor", Short: "Tell what this machine has and lacks for labs, with the remedy", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			all := examine(cmd.Context())
			if asJSON {
				enc := json.NewEncoder(&stdout)
				enc.SetIndent("", "  ")
				if err := enc.Encode(all); err != nil {
					return err
				}
			} else {
				printFindings(all)
			}
			for _, f := range all {
				if !f.OK && f.Needed {
					return &exitError{status: exitMissing}
				}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON array")
	return cmd
}

func printFindings(all []finding) {
	for _, f := range all {
		mark := "✓"
		switch {
		case !f.OK && f.Needed:
			mark = "✗"
		case !f.OK:
			mark = "–"
		}
		fmt.Fprintf(&stdout, "%s %s", mark, f.Name)
		if f.Detail != "" {
			fmt.Fprintf(&stdout, ": %s", f.Detail)
		}
		fmt.Fprintln(&stdout)
		if !f.OK && f.Remedy != "" {
			fmt.Fprintf(&stdout, "    %s\n", strings.ReplaceAll(f.Remedy, "\n", "\n    "))
		}
	}
}

func examine(ctx context.Context) []finding {
	all := []finding{kernelAge()}
	if err := hostRights(); err == nil {
		all = append(all, finding{Name: "rights", OK: true, Detail: "root: labs stand on the machine itself; --sandbox gives them a private host"})
	} else {
		all = append(all, finding{Name: "rights", OK: true, Detail: "no root: every lab has a sandbox of its own"})
	}
	needed := hostRights() != nil
	for _, d := range sandbox.Diagnose(ctx) {
		all = append(all, finding{Name: d.Name, OK: d.OK, Needed: needed && !d.Optional, Detail: d.Detail, Remedy: d.Remedy})
	}
	all = append(all, untrustedFinding())
	all = append(all, iptablesFindings()...)
	all = append(all, programs()...)
	return append(all, kernelFeatures()...)
}

// The oldest kernel that labs work on.
const oldestMajor, oldestMinor = 4, 15

func kernelAge() finding {
	v := kernel.Version()
	parts := strings.SplitN(v, ".", 3)
	f := finding{Name: "kernel", Needed: true, Detail: v}
	if len(parts) >= 2 {
		major, _ := strconv.Atoi(parts[0])
		minor, _ := strconv.Atoi(strings.TrimRight(parts[1], "-abcdefghijklmnopqrstuvwxyz+"))
		f.OK = major > oldestMajor || major == oldestMajor && minor >= oldestMinor
	}
	f.Remedy = fmt.Sprintf("labs need Linux %d.%d or later", oldestMajor, oldestMinor)
	return f
}

func iptablesFindings() []finding {
	f := finding{Name: "iptables"}
	var finder kernel.IptablesFinder
	for _, v6 := range []bool{false, true} {
		t, err := finder.Find(v6)
		if err != nil {
			f.Detail, f.Remedy = err.Error(), kernel.InstallCommand("iptables")
			return []finding{f}
		}
		if !v6 {
			f.Detail = t.Version()
		}
	}
	f.OK = true
	return []finding{f}
}

// untrustedFinding tells whether a stranger's lab can be tried here.
func untrustedFinding() finding {
	f := finding{Name: "run --untrusted"}
	if err := sandbox.CheckClosed(); err != nil {
		f.Detail = err.Error()
		var missing *sandbox.Missing
		if errors.As(err, &missing) {
			f.Remedy = missing.Remedy
		}
		return f
	}
	f.OK, f.Detail = true, "a stranger's lab gets none of your files and processes"
	return f
}

// programs are not needed, but what people run in labs.
func programs() []finding {
	var all []finding
	path := kernel.AdminPath(os.Getenv("PATH"))
	for _, p := range []struct{ name, pkg string }{{"ip", "iproute2"}, {"ping", "iputils-ping"}, {"tcpdump", "tcpdump"}} {
		at, err := kernel.LookPath(p.name, path, "")
		all = append(all, finding{Name: "program " + p.name, OK: err == nil, Detail: at, Remedy: kernel.InstallCommand(p.pkg)})
	}
	return all
}

// kernelFeatures tries what this kernel can do. Without the right to make a
// namespace here, that is done inside a sandbox.
func kernelFeatures() []finding {
	var have, lack []string
	for _, name := range kernel.Features() {
		ok, err := kernel.Has(name)
		if err != nil {
			return featuresInSandbox()
		}
		if ok {
			have = append(have, name)
		} else {
			lack = append(lack, name)
		}
	}
	return featureRow(strings.Join(have, " "), strings.Join(lack, " "))
}

func featureRow(have, lack string) []finding {
	f := []finding{{Name: "kernel has", OK: true, Detail: have}}
	if lack != "" {
		var remedies []string
		for _, name := range strings.Fields(lack) {
			remedies = append(remedies, name+": "+kernel.Remedy(name))
		}
		f = append(f, finding{Name: "kernel lacks", Detail: lack, Remedy: strings.Join(remedies, "\n")})
	}
	return f
}

func featuresInSandbox() []finding {
	script := `print(" ".join([f for f in features if kernel.has(f)]) + "|" + " ".join([f for f in features if not kernel.has(f)]))`
	list, err := json.Marshal(kernel.Features())
	if err != nil {
		return nil
	}
	out, err := exec.Command(self(), "run", "-c", "features = "+string(list)+"\n"+script).Output()
	if err != nil {
		return []finding{{Name: "kernel features", Detail: "not known: they can be tried only in a sandbox"}}
	}
	have, lack, _ := strings.Cut(strings.TrimSpace(string(out)), "|")
	return featureRow(have, lack)
}
