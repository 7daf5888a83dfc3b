package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"nsscript/builtins"
	"nsscript/builtins/doc"
	"nsscript/interp"
	"nsscript/stdlib"
)

func newDoc() *cobra.Command {
	var markdown bool
	cmd := &cobra.Command{
		Use: "doc [NAME]", Short: "Explain a builtin, a type or a function of the library, or list all of them", Args: cobra.MaximumNArgs(1),
		ValidArgsFunction: completeDoc,
		RunE: func(_ *cobra.Command, args []string) error {
			lib, err := library()
			if err != nil {
				return err
			}
			if markdown {
				text, err := reference(lib)
				if err == nil {
					_, err = io.WriteString(&stdout, text)
				}
				return err
			}
			if len(args) == 0 {
				_, err := fmt.Fprintf(&stdout, "%s\nnsscript doc NAME tells more of one: nsscript doc veth\nnsscript doc std lists what load(\"@std//…\") gives\n", lib.Contents(docStyle()))
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

// standard is the reference of the embedded modules.
func standard() (*doc.Library, error) { return interp.Library(stdlib.FS) }

// reference prints all of the language, the library last.
func reference(lib *doc.Library) (string, error) {
	modules, err := standard()
	if err != nil {
		return "", err
	}
	return lib.Markdown() + "\n" + modules.Markdown(), nil
}

// standardText explains a function of the library, one of its modules or, under the
// name std, all of it; "" for another name.
func standardText(name string, style doc.Style) (string, error) {
	modules, err := standard()
	if err != nil {
		return "", err
	}
	if name == "std" || name == "@std" || name == "@std//" {
		return modules.Contents(style), nil
	}
	for _, p := range modules.Pages() {
		if p.Kind != doc.Module && p.Name == name {
			return fmt.Sprintf("load(%q, %q)\n\n%s", strings.TrimPrefix(p.Group, interp.LibraryTitle), p.Name, modules.Help(p, style)), nil
		}
	}
	for _, p := range modules.Pages() {
		if p.Kind == doc.Module && moduleName(p.Name) == moduleName(name) {
			return p.Text(style) + "\n" + functionsOf(modules, p).Contents(style), nil
		}
	}
	return "", nil
}

// moduleName is a module's name as one says it: topo for @std//topo.star.
func moduleName(name string) string {
	return strings.TrimSuffix(strings.TrimPrefix(name, "@std//"), ".star")
}

// functionsOf are the pages of a module's functions.
func functionsOf(modules *doc.Library, module *doc.Page) *doc.Library {
	var functions []*doc.Page
	for _, p := range modules.Pages() {
		if p.Group == module.Group && p != module {
			functions = append(functions, p)
		}
	}
	return doc.NewLibrary(functions...)
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
		if text, err := standardText(name, style); text != "" || err != nil {
			return text, err
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
	pages := lib.Pages()
	if modules, err := standard(); err == nil {
		pages = slices.Concat(pages, modules.Pages())
	}
	var names []string
	for _, p := range pages {
		names = append(names, p.Name+"\t"+p.Summary)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
