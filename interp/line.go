package interp

// Line returns a line of a module that was loaded, by the module's name as positions
// have it, and counted from 1; "" where there is none.
func (in *Interp) Line(module string, n int) string {
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, f := range in.modules {
		if f.src.Name == module {
			return f.line(n)
		}
	}
	return ""
}
