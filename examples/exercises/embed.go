// Package exercises holds the course that comes with nsscript.
package exercises

import "embed"

// FS holds the exercises, NN_NAME.star each, in the order in which they are done.
//
//go:embed *.star
var FS embed.FS
