// Command nsbench measures how fast nsscript is: beside a floor, which does the same work
// with as little as the kernel asks for, and beside other programs that do it.
//
// Every contender works in a pen of its own (internal/pen), which stands for a machine.
// A benchmark has several contenders; in each round each of them works once, every other
// round in the opposite order. What is told is the median of the ratios within the rounds.
//
// It measures as root, or else in a user namespace, in which what wants another user's
// rights is left out.
package main
