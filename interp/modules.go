package interp

import (
	"io/fs"
	"slices"
)

// StdModules returns the names by which the embedded modules are loaded.
func (in *Interp) StdModules() []string {
	if in.opts.Std == nil {
		return nil
	}
	files, err := fs.Glob(in.opts.Std, "*.star")
	if err != nil {
		return nil // the pattern is well formed
	}
	for i, name := range files {
		files[i] = std + name
	}
	return files
}

// Exports returns the names that a script in the working directory can load from a
// module, sorted; none if it cannot be read.
func (in *Interp) Exports(module string) []string { return in.ExportsTo(Source{}, module) }

// ExportsTo is Exports for the script that loads the module.
func (in *Interp) ExportsTo(loading Source, module string) []string {
	f := &file{src: loading, id: identity(loading), loads: map[string]*file{}}
	t, e := in.resolve(f, module)
	if e != nil {
		return nil
	}
	src, e := in.read(t, module)
	if e != nil {
		return nil
	}
	m, e := in.parse(Dialect(), src, t.id)
	if e != nil || in.compile(m) != nil {
		return nil
	}
	names := m.exports()
	slices.Sort(names)
	return names
}
