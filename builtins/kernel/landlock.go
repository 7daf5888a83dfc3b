package kernel

// restrictPrograms says that programs are started under Landlock.
var restrictPrograms bool

// RestrictPrograms has all programs that this process starts from now on run
// under Landlock, where the kernel has it (landlock(7)): they can neither change
// mounts nor trace or look into processes that were not started by themselves.
// What files they find is the affair of the sandbox.
func RestrictPrograms() { restrictPrograms = true }
