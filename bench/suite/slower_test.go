package suite

import (
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/plugins"
	"github.com/berthsim/berth/scheduler"
)

// slower is a Scorer that scores some nodes twice: so many in a thousand.
type slower struct {
	scheduler.BatchScorer
	perMille int
	owed     *int
}

func (x slower) ScoreBatch(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID, out []int64) bool {
	said := x.BatchScorer.ScoreBatch(s, p, nodes, out)
	for *x.owed += x.perMille * len(nodes); *x.owed >= 1000*len(nodes); *x.owed -= 1000 * len(nodes) {
		x.BatchScorer.ScoreBatch(s, p, nodes, out)
	}
	return said
}

// TestALittleMoreIsCounted checks that instructions tell if a plugin does three percent
// more, whatever else the machine does.
func TestALittleMoreIsCounted(t *testing.T) {
	st := mustStepper(t)
	r, err := newRack(plugins.All, stepNodes[1], false)
	if err != nil {
		t.Fatal(err)
	}
	inst, err := plugins.NodeResourcesFit.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	count := func(sc scheduler.BatchScorer) float64 {
		steps, err := st.counted(&probe{run: func() {
			for range 34 {
				scheduler.Scores(sc, r.state, r.pods[0], r.nodes, r.out)
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		return float64(steps)
	}
	plain := inst.(scheduler.BatchScorer)
	was := count(slower{plain, 0, new(int)})
	var c Comparison
	c.count("plugin", "instructions", was, count(slower{plain, 0, new(int)}), leastSteps)
	c.count("plugin", "instructions", was, count(slower{plain, 30, new(int)}), leastSteps)
	t.Log(c.Rows[0].String(), c.Rows[1].String())
	if c.Rows[0].Worse || !c.Rows[1].Worse || c.Rows[1].Change() > 0.05 {
		t.Errorf("as it is, and slower by 3 %%: %+v", c.Rows)
	}
}
