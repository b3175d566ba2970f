package scheduler_test

import (
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// reclaimer says of a pod called owner that a pod called debtor must go, wherever that is, and that
// n1 is kept for it. Until then it rules out all nodes.
type reclaimer struct {
	w           *world
	worth, code scheduler.Code
	asked       int
}

func (r *reclaimer) Reclaims(s *cluster.State, p cluster.PodID) (alone, worth bool) {
	return s.Pods.Name[p] == "owner", r.worth == scheduler.Success
}

func (r *reclaimer) Filter(*cluster.State, cluster.PodID) func(cluster.NodeID) scheduler.Verdict {
	return nil
}

func (r *reclaimer) Preselect(s *cluster.State, p cluster.PodID) (names []string, restricted bool, v scheduler.Verdict) {
	if s.Pods.Name[p] == "owner" && s.Pods.Phase[r.w.pods["debtor"]] != cluster.Ended {
		v = scheduler.Verdict{Code: r.code, Reasons: []string{"owed"}}
	}
	return nil, false, v
}

func (r *reclaimer) Preempt(*cluster.State, cluster.PodID, scheduler.Diagnosis, *scheduler.Trial) (scheduler.Preemption, bool) {
	r.asked++
	return scheduler.Preemption{Node: r.w.node("n1"), Victims: []cluster.PodID{r.w.pods["debtor"]}}, true
}

// never is a Preemptor that must not be asked about the owner.
type never struct{ t *testing.T }

func (n never) Preempt(s *cluster.State, p cluster.PodID, _ scheduler.Diagnosis, _ *scheduler.Trial) (pre scheduler.Preemption, ok bool) {
	if s.Pods.Name[p] == "owner" {
		n.t.Error("another Preemptor is asked about the owner")
	}
	return pre, false
}

// TestReclaimer has a more important pod on another node go for a less important one.
func TestReclaimer(t *testing.T) {
	for _, tt := range []struct {
		why   string
		r     reclaimer
		asked int
	}{
		{"it is worth it", reclaimer{code: scheduler.Unschedulable}, 1},
		{"it isn't worth it", reclaimer{code: scheduler.Unschedulable, worth: scheduler.Unschedulable}, 0},
		{"nothing would help", reclaimer{code: scheduler.Unresolvable}, 0},
	} {
		w, r := newWorld(t, "n1", "n2"), &tt.r
		r.w = w
		asked := required("Asked", askedFilter{w})
		w.scheduler = scheduler.New(mustProfile(t, []*scheduler.Plugin{asked, room, gpus, required("Never", never{t}), required("Reclaimer", r)}))
		w.step(1, podOf("full", 900, 0))
		got, _ := w.step(2, podOf("debtor", 900, 9))
		w.want(t, tt.why, got, "debtor@n2", "debtor")
		w.Observe(3, []cluster.Event{podOf("owner", 100, -9)})
		w.pods["owner"] = 2
		w.scheduler.Step(w.State, []cluster.Event{{Kind: cluster.PodAdded, Pod: 2}})
		ds := w.TakeDecisions()
		if r.asked != tt.asked || len(ds) != 2*tt.asked {
			t.Errorf("%s: the Reclaimer is asked %d times, and there are the decisions %+v", tt.why, r.asked, ds)
		}
		if tt.asked > 0 && (ds[0].Kind != cluster.Preempt || ds[0].Pod != w.pods["debtor"] || ds[1].Kind != cluster.Nominate || w.Pods.Nominated[2] != w.node("n1")) {
			t.Errorf("%s: the decisions are %+v", tt.why, ds)
		}
	}
}
