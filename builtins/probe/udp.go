package probe

import (
	"time"
)

// firstPause is how long an answer to a repeated datagram is waited for, before
// it is sent a third time; each further pause is twice as long.
const firstPause = 10 * time.Millisecond
