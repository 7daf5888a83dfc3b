// Package sandbox makes and enters private places for labs: a network namespace
// and a mount namespace and, for an ordinary user, a user namespace in which
// that user is root. Whatever happens inside, the machine's own network is out
// of reach.
//
// # The keeper
//
// Namespaces live as long as a process is in them. So each sandbox has a
// keeper: one small process, this program started once more under another
// name, that prepares the sandbox and then sleeps. Every program that can start
// one calls [Main] first thing in its main function; in a keeper that call never
// returns.
//
// [Start] makes a sandbox and returns a [Sandbox]. Until [Sandbox.Keep] is
// called the keeper holds the reading end of a pipe of the starter's: when the
// starter ends, by whatever death, the keeper ends what runs in the sandbox and
// then itself. After Keep it lives on alone. SIGTERM makes it do the same at any
// time.
//
// # Finding it again
//
// [Sandbox.Identity] says in a few facts that survive a trip through JSON which
// process of which boot the keeper is and which namespaces it holds. A later
// command gives them to [Open], which returns the same sandbox, or [ErrGone]
// when it is no more: a process id or an inode number that was given away again
// is never taken for it.
//
// # Going in
//
// [Sandbox.Start] starts a [Command] inside and returns a [Process]. Linux lets
// only a process with a single thread enter a user namespace, which a Go program
// never is. So the package forks by itself: the child, a copy of this process with
// one thread, enters the namespaces by plain system calls and then becomes the
// command (fork.go). The command keeps the terminal, the process group and,
// where it exists inside, the working directory of the caller.
//
// # What a sandbox looks like from inside
//
//   - User ids: with a user namespace, root inside is the user outside. Ids 1 and
//     up exist when the user has subordinate ids and newuidmap(1) is installed;
//     [Identity] says whether, and if not why.
//   - /run is private and writable, and all that the machine has there is seen
//     through it, except netns, xtables.lock and nsscript. So `ip netns` and
//     iptables work as they do for root, and XDG_RUNTIME_DIR is the user's own.
//   - /run/netns is a shared mount, so that mount namespaces made from this one
//     see the network namespaces named later.
//   - /sys shows the sandbox's network devices, where the kernel allows it.
//   - `lo` is up, duplicate-address detection is off for new devices, and ICMP
//     sockets are open to all users.
//
// # What runs in it
//
// [Sandbox.Processes] finds the members and [Sandbox.Kill] ends them, the keeper
// last. With a user namespace a member is a process whose user namespace is the
// sandbox's or descends from it: the kernel lets no process out of that. Without
// one it is a process in the sandbox's network namespace or in one named in its
// /run/netns, and a process whose mount namespace holds the tmpfs of the
// sandbox's /run, which bears a name nothing else has. Mount namespaces made
// inside are copies and so hold it too. Only a program that is root and
// deliberately unmounts everything (a container with a pivoted root, in a
// network namespace of its own) is not found.
//
// That name also serves [Kill], which ends what is left of a sandbox whose keeper
// was killed.
//
// # Zombies
//
// The keeper has no children. A command is a child of the process that started
// it, which waits for it; a daemon that outlives its parents becomes a child of
// the nearest subreaper above them or of init, as it would outside, and is waited
// for there. A subreaper elsewhere (the keeper) would never be given it.
//
// # What a machine may lack
//
// [Missing] is the error for what this machine does not allow; it carries the
// remedy. [Diagnose] tries everything out and lists what it found.
package sandbox
