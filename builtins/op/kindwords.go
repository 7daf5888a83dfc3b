package op

import (
	"slices"
	"strings"
)

// kindWords are a kind of link and its options as words of `ip link add … type`.
func kindWords(kind string, options [][2]string) []string {
	words := []string{kind}
	for _, o := range options {
		words = append(words, o[0])
		if o[1] != "" {
			words = append(words, o[1])
		}
	}
	return words
}

// linkKeywords are the words that `ip link add` knows, any beginning of which it takes
// for them.
var linkKeywords = []string{
	"link", "name", "dev", "index", "address", "broadcast", "mtu", "txqueuelen", "txqlen", "qlen", "netns", "type",
	"group", "alias", "up", "down", "numtxqueues", "numrxqueues", "gso_max_size", "help", "addrgenmode", "master", "vf", "xdp", "promisc", "protodown",
	"arp", "trailers", "multicast", "allmulticast", "dynamic", "nomaster", "operstate", "state", "mode", "link-netnsid", "protodown_reason",
	"gso_max_segs", "gro_max_size", "gso_ipv4_max_size", "gro_ipv4_max_size", "parentdev", "xdpgeneric", "xdpdrv", "xdpoffload",
}

// linkName is the name of a new interface in `ip link add`: after a word that says that
// it is one, where it could be taken for another word.
func linkName(name string) []string {
	if slices.ContainsFunc(linkKeywords, func(k string) bool { return strings.HasPrefix(k, name) }) {
		return []string{"name", name}
	}
	return []string{name}
}
