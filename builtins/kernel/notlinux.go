package kernel

import "errors"

// ErrNotLinux is the error of asking for what only Linux has, on another system.
var ErrNotLinux = errors.New("this needs Linux: here a lab can be planned and drawn, with `nsscript plan` and `nsscript graph`")
