// Package examples holds the example labs, so that `nsscript run @name` finds
// them without a checkout.
package examples

import "embed"

// FS holds the labs, NAME.star each.
//
//go:embed *.star
var FS embed.FS
