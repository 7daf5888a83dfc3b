package kernel

var _ Space = (*NetNS)(nil)
