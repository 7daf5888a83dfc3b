package kernel

// dumpTries is how often a dump is asked for that the kernel says was
// interrupted by a change of what it lists.
const dumpTries = 20
