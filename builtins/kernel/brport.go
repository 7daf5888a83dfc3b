package kernel

// BridgePort is what a bridge does with one of its ports.
type BridgePort struct {
	State    string // disabled, listening, learning, forwarding, blocking (IEEE 802.1D)
	Hairpin  bool   // frames may leave where they came in
	Isolated bool   // no frames to other isolated ports
}

// brPortStates are the names of BR_STATE_* (linux/if_bridge.h).
var brPortStates = []string{"disabled", "listening", "learning", "forwarding", "blocking"}
