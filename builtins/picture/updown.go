package picture

// SetUp sets an interface up or down.
func (l *Link) SetUp(up bool) { l.Up = up }

// Delete removes an interface, and the other end of a cable with it.
func (l *Link) Delete() {}
