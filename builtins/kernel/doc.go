// Package kernel is what talks to Linux: network namespaces, netlink, sysctls,
// iptables and processes. It is plain Go; it knows nothing of Starlark, of labs
// or of scripts.
//
// The one type to know is [NetNS], an open network namespace. It is used in
// three ways:
//
//   - [NetNS.Netlink] is a netlink handle whose socket was opened inside the
//     namespace once. A socket belongs for ever to the namespace in which it was
//     made, so links, addresses and routes are worked on without any thread
//     going anywhere.
//   - [NetNS.Do] runs a function on a locked thread inside the namespace: for
//     sockets, sysctls and whatever else looks at the calling thread. A thread
//     that cannot be proved to be home again is never given back to Go.
//   - [Start] and [Exec] run a program inside the namespace as `ip netns exec`
//     does: with a mount namespace of its own, the namespace's /sys and the
//     files of /etc/netns/NAME in place. [Rooms] does so for programs that are
//     waited for, and keeps what it has entered for the next one.
//
// Reading is done by functions that return plain structs ([Link], [Addr],
// [Route], [Rule], [Neigh]); each has a String method that prints it on one line
// as `ip` prints it.
//
// Errors carry the kernel's own words: the errno can be found with errors.Is
// and the extended acknowledgement is part of the text. What the machine lacks
// is a [MissingError], which says how to get it.
package kernel
