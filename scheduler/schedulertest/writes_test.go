package schedulertest

import (
	"math/rand/v2"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// writes are ways to write to a State. Each is done once a call, to a node that
// has GPUs and to a pending pod.
var writes = map[string]func(s *cluster.State, p cluster.PodID, n cluster.NodeID){
	"time":          func(s *cluster.State, _ cluster.PodID, _ cluster.NodeID) { s.Now++ },
	"seed":          func(s *cluster.State, _ cluster.PodID, _ cluster.NodeID) { s.Seed++ },
	"mix":           func(s *cluster.State, _ cluster.PodID, _ cluster.NodeID) { s.Mix[0].Pods++ },
	"mix's class":   func(s *cluster.State, _ cluster.PodID, _ cluster.NodeID) { s.Mix[0].Class.Requests[cluster.CPU]++ },
	"node's name":   func(s *cluster.State, _ cluster.PodID, n cluster.NodeID) { s.Nodes.Name[n] += "x" },
	"capacity":      func(s *cluster.State, _ cluster.PodID, n cluster.NodeID) { s.Nodes.Cap[cluster.CPU][n]++ },
	"use":           func(s *cluster.State, _ cluster.PodID, n cluster.NodeID) { s.Nodes.Used[cluster.Memory][n]++ },
	"estimate":      func(s *cluster.State, _ cluster.PodID, n cluster.NodeID) { s.Nodes.EstimatedCPU[n]++ },
	"GPU":           func(s *cluster.State, _ cluster.PodID, n cluster.NodeID) { s.Nodes.GPUFree[n][0]-- },
	"stamp":         func(s *cluster.State, _ cluster.PodID, n cluster.NodeID) { s.Nodes.Stamp[n]++ },
	"order of rows": func(s *cluster.State, _ cluster.PodID, _ cluster.NodeID) { s.Nodes.Live()[0] = s.Nodes.Live()[1] },
	"pod's name":    func(s *cluster.State, p cluster.PodID, _ cluster.NodeID) { s.Pods.Name[p] += "x" },
	"pod's node":    func(s *cluster.State, p cluster.PodID, n cluster.NodeID) { s.Pods.Node[p]++ },
	"devices":       func(s *cluster.State, p cluster.PodID, _ cluster.NodeID) { s.Pods.Allocation[p].GPUs++ },
	"arrival":       func(s *cluster.State, p cluster.PodID, _ cluster.NodeID) { s.Pods.Arrived[p]++ },
	"order":         func(s *cluster.State, p cluster.PodID, _ cluster.NodeID) { s.Pods.Order[p]++ },
	"class":         func(s *cluster.State, p cluster.PodID, _ cluster.NodeID) { s.Class(p).Requests[cluster.CPU]++ },
	"a new column":  func(s *cluster.State, _ cluster.PodID, _ cluster.NodeID) { s.Resource("example.com/new") },
	"a decision": func(s *cluster.State, p cluster.PodID, n cluster.NodeID) {
		if s.Pods.Phase[p] == cluster.Pending && s.Class(p).GPUs.Count == 0 {
			s.Bind(p, n, cluster.Allocation{})
		}
	},
	"a trial not undone": func(s *cluster.State, _ cluster.PodID, n cluster.NodeID) {
		for p := range s.PodsOn(n) {
			s.Remove(p)
			return
		}
	},
}

// withGPUs returns a node that has some, None if there is none.
func withGPUs(s *cluster.State) cluster.NodeID {
	for _, n := range s.Nodes.Live() {
		if len(s.Nodes.GPUFree[n]) > 0 && len(s.Nodes.Live()) > 1 {
			return n
		}
	}
	return cluster.None
}

// TestWriters has plugins write wherever they are called.
func TestWriters(t *testing.T) {
	const want = "the State was written to"
	for name, write := range writes {
		write := func(s *cluster.State, p cluster.PodID) {
			if n := withGPUs(s); n != cluster.None {
				write(s, p, n)
			}
		}
		checkFaults(t, []fault{
			{name + ", by a filter", always(filter(func(s *cluster.State, p cluster.PodID) func(cluster.NodeID) scheduler.Verdict {
				write(s, p)
				return nil
			})), want},
			{name + ", by a scorer", always(scorer(func(s *cluster.State, p cluster.PodID) func(cluster.NodeID) int64 {
				write(s, p)
				return nil
			})), want},
		})
	}
	for name, pl := range map[string]*scheduler.Plugin{
		"a filter's function": always(filter(func(s *cluster.State, p cluster.PodID) func(cluster.NodeID) scheduler.Verdict {
			return func(cluster.NodeID) (v scheduler.Verdict) { s.Now++; return v }
		})),
		"a batch filter": always(batchFilter{enoughCPU, func(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID) []cluster.NodeID {
			s.Now++
			return keepEnoughCPU(s, p, nodes)
		}}),
		"a scorer's function": scheduler.ScoreFunc("Tested", "", func(s *cluster.State, _ cluster.PodID, _ cluster.NodeID) int64 { s.Now++; return 0 }),
		"a batch scorer": always(batchScorer{leastCPU, scoreEach(func(s *cluster.State, p cluster.PodID, n cluster.NodeID) int64 {
			s.Now++
			return leastCPU(s, p)(n)
		})}),
		"an allocator": always(allocator(func(s *cluster.State, p cluster.PodID, n cluster.NodeID) (cluster.Allocation, scheduler.Verdict) {
			s.Now++
			return firstGPUs(s, p, n)
		})),
	} {
		checkFaults(t, []fault{{name, pl, want}})
	}
}

// TestFingerprint does each write to a State of its own.
func TestFingerprint(t *testing.T) {
	for name, write := range writes {
		rng := rand.New(rand.NewPCG(3, 0))
		s := RandomState(rng, 20)
		Churn(rng, s)
		p := AddPod(s, rng, "asks")
		for s.Class(p).GPUs.Count > 0 { // to be of use to every write
			p = AddPod(s, rng, "asks")
		}
		n := withGPUs(s)
		before := Fingerprint(s)
		if Fingerprint(s) != before {
			t.Fatal("two fingerprints of the same State differ")
		}
		write(s, p, n)
		if Fingerprint(s) == before {
			t.Errorf("%s: the fingerprint is the same after a write", name)
		}
	}
}
