package kernel

// PortVLAN is a VLAN that a port of a bridge is in.
type PortVLAN struct {
	ID       int
	PVID     bool // what comes in without a tag belongs to it
	Untagged bool // what goes out has no tag
}
