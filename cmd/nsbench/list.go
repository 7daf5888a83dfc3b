//go:build linux

package main

// benchmarks are all of them, as the table has them.
func benchmarks(k *kit) []benchmark {
	return []benchmark{
		star(k),
		starBesidePeers(k),
		tree(k),
		fatTree(k),
		pingall(k),
		execs(k),
		firewalls(k),
		startup(k),
		loop(k),
		looks(k),
	}
}
