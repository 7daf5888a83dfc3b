package kernel

// NFTable names a table of nf_tables. iptables-nft keeps its tables there under
// iptables' own names, and makes each when it is first needed.
type NFTable struct {
	V6   bool   `json:"v6,omitempty"`
	Name string `json:"name"`
}
