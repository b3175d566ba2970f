package schedulertest

import (
	"fmt"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// mostLanes is the highest number of a lane that a Sorter may use.
const mostLanes = 1<<16 - 1

// sorter checks that lanes are in range and that First chooses one of them, and that a fresh
// instance says the same. Of each lane the first pod asked about stands at its head.
func (c *check) sorter(old, fresh scheduler.Sorter) error {
	var heads []cluster.PodID
	taken := map[int]bool{}
	for _, p := range c.pods {
		lane := old.Lane(c.state, p)
		if lane < 0 || lane > mostLanes {
			return fmt.Errorf("pod %s: Lane says %d; lanes are 0 to %d", c.state.PodName(p), lane, mostLanes)
		}
		if again := fresh.Lane(c.state, p); again != lane {
			return fmt.Errorf("pod %s: Lane says %d, and a fresh instance's %d", c.state.PodName(p), lane, again)
		}
		if !taken[lane] {
			taken[lane] = true
			heads = append(heads, p)
		}
	}
	if len(heads) < 2 {
		return nil
	}
	first := old.First(c.state, heads)
	if first < 0 || first >= len(heads) {
		return fmt.Errorf("of %d heads, First chooses %d", len(heads), first)
	}
	for _, so := range []scheduler.Sorter{old, fresh} {
		if again := so.First(c.state, heads); again != first {
			return fmt.Errorf("of %d heads, First chooses %d, and asked again %d", len(heads), first, again)
		}
	}
	return nil
}
