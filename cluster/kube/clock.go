package kube

import (
	"time"

	"github.com/berthsim/berth/cluster"
)

// A clock tells cluster.Time. It goes by the monotonic clock from when it was made, so that
// time never goes back when the machine's clock is set.
type clock struct {
	epoch  time.Time    // the instant that 0 stands for
	made   time.Time    // when the clock was made
	offset cluster.Time // what it was then
}

// newClock returns a clock whose 0 is epoch, or now if that is zero.
func newClock(epoch time.Time) clock {
	now := time.Now()
	if epoch.IsZero() {
		epoch = now
	}
	epoch = epoch.Round(0) // compared with times of day from now on
	return clock{epoch: epoch, made: now, offset: cluster.Time(now.Round(0).Sub(epoch))}
}

// now returns the time.
func (c clock) now() cluster.Time { return c.offset + cluster.Time(time.Since(c.made)) }
