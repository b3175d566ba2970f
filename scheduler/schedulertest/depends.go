package schedulertest

import (
	"fmt"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// alike scores all nodes alike, so that any plugin may be a policy's.
var alike = scheduler.Plugin{
	Name: "schedulertest-alike", Doc: "schedulertest-alike scores all nodes alike.",
	New: func(scheduler.Args) (any, error) { return alikeScores{}, nil },
}

type alikeScores struct{}

func (alikeScores) Score(*cluster.State, cluster.PodID) func(cluster.NodeID) int64 { return nil }

func (alikeScores) Depends(*cluster.State, cluster.ClassID) scheduler.Dependence {
	return scheduler.Dependence{Filter: scheduler.Class, Score: scheduler.Class}
}

// keeping returns a profile of the plugin alone that keeps what the plugin says, as far as
// it declares what that depends on.
func keeping(pl *scheduler.Plugin) (*scheduler.Profile, error) {
	required := *pl
	required.Required = true
	pr, err := scheduler.NewProfile([]*scheduler.Plugin{&required, &alike}, []scheduler.Weighted{{Name: pl.Name, Weight: 1}, {Name: alike.Name, Weight: 1}})
	if err != nil {
		return nil, err
	}
	pr.SetTies(scheduler.TiesLowest)
	pr.RankAlways()
	return pr, nil
}

// kept compares what the framework keeps, which relies on what the plugin declares, with
// what the plugin says when it is asked anew.
func (c *check) kept(pr *scheduler.Profile) error {
	s := c.state
	for _, p := range c.pods {
		totals := map[cluster.NodeID]int64{}
		if !pr.Kept(s, p, func(n cluster.NodeID, total int64) { totals[n] = total }) {
			continue
		}
		e := pr.Evaluate(s, p)
		if len(e.Feasible) != len(totals) {
			return fmt.Errorf("pod %s: by what Depends declares, %d nodes are kept as feasible, and asked anew the plugin lets it run on %d",
				s.PodName(p), len(totals), len(e.Feasible))
		}
		for _, f := range e.Feasible {
			total, ok := totals[f.Node]
			if !ok || e.Scored && total != f.Total {
				return fmt.Errorf("pod %s, node %s: by what Depends declares, the score %d is kept (%t), and asked anew it is %d",
					s.PodName(p), s.Nodes.Name[f.Node], total, ok, f.Total)
			}
		}
	}
	return nil
}
