//go:build linux

package main

// benchmarks are all of them, as the table has them.
func benchmarks(k *kit) []benchmark {
	return []benchmark{
		star(k),
		tree(k),
	}
}
