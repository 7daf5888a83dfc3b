package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"nsscript/builtins"
	"nsscript/builtins/doc"
	"nsscript/interp"
)

func newDoc() *cobra.Command {
	var markdown bool
	cmd := &cobra.Command{
		Use: "doc [NAME]", Short: "Explain a builtin, a type, or list all of them", Args: cobra.MaximumNArgs(1),
		ValidArgsFunction: completeDoc,
		RunE: func(_ *cobra.Command, args []string) error {
			lib, err := library()
			if err != nil {
				return err
			}
			if markdown {
				_, err := io.WriteString(&stdout, lib.Markdown())
				return err
			}
			if len(args) == 0 {
				_, err := fmt.Fprintf(&stdout, "%s\nnsscript doc NAME tells more of one: nsscript doc veth\n", lib.Contents(docStyle()))
				return err
			}
			text, err := explainName(lib, args[0], docStyle())
			if err != nil {
				return err
			}
			_, err = io.WriteString(&stdout, text)
			return err
		},
	}
	cmd.Flags().BoolVar(&markdown, "markdown", false, "print the whole reference as Markdown")
	return cmd
}

// library is the reference of all that a script can name.
func library() (*doc.Library, error) {
	lib, err := builtins.Reference()
	if err != nil {
		return nil, err
	}
	return interp.WithUniverse(lib)
}

// explainName prints the pages that a name may mean.
func explainName(lib *doc.Library, name string, style doc.Style) (string, error) {
	name = strings.TrimSuffix(name, "()")
	pages := lib.Find(name)
	if len(pages) == 0 {
		if text := fieldText(lib, name); text != "" {
			return text, nil
		}
		if text := chapterText(lib, name, style); text != "" {
			return text, nil
		}
		return "", unknownName(lib, name)
	}
	var texts []string
	for _, p := range pages {
		texts = append(texts, lib.Help(p, style))
	}
	return strings.Join(texts, "\n"), nil
}

// fieldText explains a field, given with its type (Link.mtu) or alone.
func fieldText(lib *doc.Library, name string) string {
	of, field, _ := doc.CutName(name)
	var b strings.Builder
	for _, p := range lib.Pages() {
		for _, f := range p.Fields {
			if f.Name == field && (of == "" || of == p.Name) {
				fmt.Fprintf(&b, "%s.%s  %s\n", p.Name, f.Name, f.Line())
			}
		}
	}
	if m, ok := lib.Member(of, field); ok && b.Len() == 0 && m.Page != nil {
		return lib.Help(m.Page, docStyle())
	}
	return b.String()
}

// docStyle is how pages look on this terminal.
func docStyle() doc.Style {
	return doc.Style{Color: colorful(os.Stdout), Width: columns()}
}

// completeDoc completes the names that doc explains.
func completeDoc(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	lib, err := library()
	if err != nil || len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, p := range lib.Pages() {
		names = append(names, p.Name+"\t"+p.Summary)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
