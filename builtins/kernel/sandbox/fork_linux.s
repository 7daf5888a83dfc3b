// This file is empty: with it the compiler accepts the functions without a body
// in fork.go, which are the runtime's.
