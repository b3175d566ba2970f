package schedulertest

import (
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// deaf is a Filter that hears of some actions, and takes some of them for a help.
type deaf struct {
	filter
	hears scheduler.Action
	helps func(*scheduler.Change) bool
}

func (d deaf) Wakes() scheduler.Action { return d.hears }

func (d deaf) Wake(_ *cluster.State, _ *cluster.Class, c *scheduler.Change) bool { return d.helps(c) }

const makesRoom = scheduler.PodDelete | scheduler.NodeAdd | scheduler.UpdateNodeAllocatable

func everything(*scheduler.Change) bool { return true }

func TestFaultyWakers(t *testing.T) {
	if err := Check(always(deaf{enoughCPU, makesRoom, everything})); err != nil {
		t.Errorf("a good Waker: %v", err)
	}
	checkFaults(t, []fault{
		{"deaf to nodes that come", always(deaf{enoughCPU, makesRoom &^ scheduler.NodeAdd, everything}), "no Wake says so"},
		{"deaf to pods that end", always(deaf{enoughCPU, makesRoom &^ scheduler.PodDelete, everything}), "no Wake says so"},
		{"thinks too little of nodes that grow", always(deaf{enoughCPU, makesRoom, func(c *scheduler.Change) bool {
			return c.What != scheduler.UpdateNodeAllocatable
		}}), "no Wake says so"},
	})
}
