package evictiontest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/sim"
	"github.com/berthsim/berth/scheduler/schedulertest"
)

// Staging says how a Course is played.
type Staging struct {
	// OtherRows has nodes and pods be in other rows than usual.
	OtherRows bool

	// Record, if set, sees every round, and ends the play by an error.
	Record func(*cluster.State, []cluster.Event, []cluster.Decision) error
}

// Play has controllers live through the course, with others that bind pods to the first
// node that has room, and count budgets. It returns what was decided, a line each.
func (c *Course) Play(st Staging, controllers ...cluster.Controller) (decided []string, err error) {
	s := cluster.NewState()
	s.Seed = c.seed
	if st.OtherRows {
		schedulertest.ScatterRows(rand.New(rand.NewPCG(uint64(c.seed), 4)), s, len(c.nodes), len(c.arrive))
	}
	for _, b := range c.budgets {
		s.Observe(0, []cluster.Event{{Kind: cluster.ObjectSet, Object: b}})
	}
	kubelets := sim.DefaultKubelets()
	falls := slices.Clone(c.faults)
	kubelets.Faults = &falls
	arrive := sim.List(slices.Clone(c.arrive))
	world, err := sim.New(s, &arrive, sim.Options{Kubelets: kubelets, Until: c.Until})
	if err != nil {
		return nil, err
	}
	others := []cluster.Controller{firstFit{}, &counts{budgets: c.budgets, list: c.counts}}
	err = cluster.Run(context.Background(), world, s, recorder(func(s *cluster.State, events []cluster.Event, ds []cluster.Decision) error {
		for i := range ds {
			decided = append(decided, lineOf(s, &ds[i]))
		}
		if st.Record == nil {
			return nil
		}
		return st.Record(s, events, ds)
	}), append(slices.Clone(controllers), others...)...)
	return decided, err
}

type recorder func(*cluster.State, []cluster.Event, []cluster.Decision) error

// Record implements cluster.Recorder.
func (r recorder) Record(s *cluster.State, events []cluster.Event, ds []cluster.Decision) error {
	return r(s, events, ds)
}

// lineOf writes a decision without a row in it.
func lineOf(s *cluster.State, d *cluster.Decision) string {
	line := fmt.Sprintf("%d ns %v", s.Now, d.Kind)
	if d.Pod != cluster.None {
		line += " pod " + s.PodName(d.Pod)
	}
	if d.Node != cluster.None {
		line += " node " + s.Nodes.Name[d.Node]
	}
	switch of := d.Detail.(type) {
	case cluster.Taint:
		line += " " + of.Key
		if of.Effect == cluster.NoExecute {
			line += ":NoExecute"
		}
	case cluster.StatusChange:
		line += fmt.Sprint(" ", of.To)
	}
	return line
}

// firstFit binds each pod that wants a node to the first that has room and no taint.
type firstFit struct{}

// Step implements cluster.Controller.
func (firstFit) Step(s *cluster.State, events []cluster.Event) cluster.Time {
	if s.Pending() == 0 {
		return cluster.Never
	}
	for i := range events {
		e := &events[i]
		if e.Kind != cluster.PodAdded {
			continue
		}
		for _, n := range s.Nodes.Live() {
			if len(s.Nodes.Taints[n]) == 0 && s.Free(n, cluster.PodSlots) > 0 {
				s.Bind(e.Pod, n, cluster.Allocation{})
				break
			}
		}
	}
	return cluster.Never
}

// counts has budgets allow something else at some times.
type counts struct {
	budgets []*cluster.DisruptionBudget
	list    []count
}

// Step implements cluster.Controller.
func (c *counts) Step(s *cluster.State, _ []cluster.Event) cluster.Time {
	for ; len(c.list) > 0 && c.list[0].at <= s.Now; c.list = c.list[1:] {
		for _, b := range c.budgets {
			counted := *b
			counted.Allowed = c.list[0].allowed
			s.Store(&counted)
		}
	}
	if len(c.list) == 0 || len(c.budgets) == 0 {
		return cluster.Never
	}
	return c.list[0].at
}
