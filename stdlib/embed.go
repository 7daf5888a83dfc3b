// Package stdlib holds the modules that scripts load as "@std//NAME.star".
package stdlib

import "embed"

// FS holds the modules.
//
//go:embed *.star
var FS embed.FS
