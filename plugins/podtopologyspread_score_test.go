package plugins_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/plugins"
	"github.com/berthsim/berth/scheduler"
)

// scoreWords returns raw and normalised scores of nodes: "n1:5/0 n2:3/40".
func scoreWords(t *testing.T, w *world, pl *scheduler.Plugin, args string, p cluster.PodID, nodes []cluster.NodeID) string {
	t.Helper()
	sc := instance[scheduler.Normalizer](t, pl, args)
	raw := make([]int64, len(nodes))
	if !scheduler.Scores(sc, w.State, p, nodes, raw) {
		return "skip"
	}
	scores := slices.Clone(raw)
	sc.Normalize(w.State, p, nodes, scores)
	var out []string
	for i, n := range nodes {
		out = append(out, fmt.Sprintf("%s:%d/%d", w.Nodes.Name[n], raw[i], scores[i]))
	}
	return strings.Join(out, " ")
}

func softly(maxSkew int32, key string) cluster.SpreadConstraint {
	return cluster.SpreadConstraint{MaxSkew: maxSkew, TopologyKey: key, Soft: true, Selector: selecting("app=web")}
}

// The weights: ln 3 = 1.099, ln 4 = 1.386, ln 5 = 1.609, ln 6 = 1.792, ln 7 = 1.946.
func TestPodTopologySpreadScore(t *testing.T) {
	type constraints = []cluster.SpreadConstraint
	both := constraints{softly(1, byZone), softly(1, byHost)}
	tests := []struct {
		name        string
		feasible    string
		constraints constraints
		want        string
	}{
		// a has 3 pods, b 1, c none, x 2; maxSkew adds nothing.
		{"by zone: ln 5 times 3, 1, 0", "a1 a2 b1 c1", constraints{softly(1, byZone)}, "a1:5/0 a2:5/0 b1:2/60 c1:0/100"},
		{"maxSkew 3 adds 2 to each", "a1 a2 b1 c1", constraints{softly(3, byZone)}, "a1:7/28 a2:7/28 b1:4/71 c1:2/100"},
		{"two zones: ln 4", "b1 c1", constraints{softly(1, byZone)}, "b1:1/0 c1:0/100"},
		{"one zone: ln 3; pods on other nodes of it count", "a2", constraints{softly(1, byZone)}, "a2:3/100"},
		{"one zone without pods", "c1", constraints{softly(1, byZone)}, "c1:0/100"},
		{"a node without the label is none of them", "x b1 c1", constraints{softly(1, byZone)}, "x:-1/0 b1:1/0 c1:0/100"},
		{"with the label on no node", "x", constraints{softly(1, byZone)}, "x:-1/0"},
		{"the same, and nodes without pods", "x c1", constraints{softly(1, byZone)}, "x:-1/0 c1:0/100"},
		{"four hosts: ln 6 times 2, 1, 1, 0", "a1 a2 b1 c1", constraints{softly(1, byHost)}, "a1:4/0 a2:2/50 b1:2/50 c1:0/100"},
		{"one of five hosts is none of them: ln 6", "a1 a2 b1 c1 x", both, "a1:8/0 a2:7/12 b1:3/62 c1:0/100 x:-1/0"},
		{"two hosts: ln 4", "a1 a2", constraints{softly(2, byHost)}, "a1:4/50 a2:2/100"},
		{"it is the sum that is rounded: ln 4 and ln 4", "b1 c1", both, "b1:3/0 c1:0/100"},
		{"a hard constraint", "a1 a2 b1 c1", constraints{evenly(1)}, "skip"},
		{"no constraint", "a1 a2 b1 c1", nil, "skip"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := zones()
			w.node("x", byHost+"=x")
			w.running("app=web", "a1 a1 a2 b1 x x")
			p := w.pending(cluster.Class{Spread: tt.constraints}, "app=web")
			if got := scoreWords(t, w, plugins.PodTopologySpread, "", p, w.named(tt.feasible)); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// Kube's own defaults spread by hostname what has no zone, a list of defaults and
// a pod's own constraints don't.
func TestPodTopologySpreadScoreDefaults(t *testing.T) {
	const list = `{"defaultingType": "List", "defaultConstraints": [` +
		`{"maxSkew": 3, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway"}, ` +
		`{"maxSkew": 5, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "ScheduleAnyway"}]}`
	// Hosts a1 2, a2 1, b1 1, c1 0, x 2, empty 1. Zones a 3, b 1, c 0; "empty" is
	// in a zone without a name, to which counts what is in none.
	tests := []struct{ name, args, feasible, want string }{
		// Hosts: ln 8 = 2.079, zones: ln 6 = 1.792. a1: 2*2.079+2 + 3*1.792+4 = 15.5;
		// a2: 13.5; b1: 2.079+2 + 1.792+4 = 9.9; c1: 6; x: 2*2.079+2 = 6.2;
		// empty: 2.079+2 + 3*1.792+4 = 13.5.
		{"system", "", "a1 a2 b1 c1 x empty", "a1:16/37 a2:13/56 b1:10/75 c1:6/100 x:6/100 empty:13/56"},
		// As far as the number of zones goes, x is in one of its own: hosts ln 6,
		// zones ln 6. a1: 2*1.792+2 + 3*1.792+4 = 15.0; c1: 6; x: 2*1.792+2 = 5.6;
		// b1: 1.792+2 + 1.792+4 = 9.6.
		{"system, no zone", "", "a1 c1 x b1", "a1:15/40 c1:6/100 x:6/100 b1:10/73"},
		// Hosts: ln 7 = 1.946, zones: ln 6. a1: 2*1.946+2 + 3*1.792+4 = 15.3;
		// a2: 13.3; b1: 1.946+2 + 1.792+4 = 9.7; c1: 6; empty: 1.946+2 + 1.792+4 = 9.7.
		{"list", list, "a1 a2 b1 c1 x empty", "a1:15/40 a2:13/53 b1:10/73 c1:6/100 x:-1/0 empty:10/73"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := zones()
			w.node("x", byHost+"=x")
			w.node("empty", byHost+"=empty,"+byZone+"=")
			w.set(&cluster.Service{Namespace: "ns", Name: "web", Selector: labelsOf("app=web")})
			w.running("app=web", "a1 a1 a2 b1 x x empty")
			p := w.pending(cluster.Class{}, "app=web")
			if got := scoreWords(t, w, plugins.PodTopologySpread, tt.args, p, w.named(tt.feasible)); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
	w := zones()
	p := w.pending(cluster.Class{}, "app=web")
	if got := scoreWords(t, w, plugins.PodTopologySpread, "", p, w.Nodes.Live()); got != "skip" {
		t.Errorf("a pod that no Service selects: got %s", got)
	}
}

// Nodes that the pod may not run on don't count for a zone, if it is so wanted.
func TestPodTopologySpreadScorePolicies(t *testing.T) {
	tests := []struct {
		name       string
		constraint cluster.SpreadConstraint
		want       string
	}{
		// a1 has 1 pod, a2, which isn't allowed, 2, a3, which is tainted, 3.
		{"affinity is honoured", softly(1, byZone), "a1:6/0 b1:0/100"},
		{"affinity is ignored", ignoring(softly(1, byZone)), "a1:8/0 b1:0/100"},
		{"taints are honoured", honouring(softly(1, byZone)), "a1:1/0 b1:0/100"},
		{"both", honouring(ignoring(softly(1, byZone))), "a1:4/0 b1:0/100"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld()
			w.node("a1", byZone+"=a,pool=x")
			w.node("a2", byZone+"=a")
			w.node("a3", byZone+"=a,pool=x", cluster.Taint{Key: "k", Effect: cluster.NoExecute})
			w.node("b1", byZone+"=b,pool=x")
			w.running("app=web", "a1 a2 a2 a3 a3 a3")
			w.running("app=db", "a1")
			w.add(cluster.PodSpec{Class: &cluster.Class{Namespace: "ns"}, Labels: labelsOf("app=web"), On: "b1", Terminating: true})
			w.add(cluster.PodSpec{Class: &cluster.Class{Namespace: "other"}, Labels: labelsOf("app=web"), On: "b1"})
			p := w.pending(cluster.Class{NodeLabels: labelsOf("pool=x"), Spread: []cluster.SpreadConstraint{tt.constraint}}, "app=web")
			if got := scoreWords(t, w, plugins.PodTopologySpread, "", p, w.named("a1 b1")); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// Score is ScoreAmong all nodes.
func TestPodTopologySpreadScoreAll(t *testing.T) {
	w := zones()
	w.running("app=web", "a1 a1 a1")
	p := w.pending(cluster.Class{Spread: []cluster.SpreadConstraint{softly(1, byZone)}}, "app=web")
	sc := instance[scheduler.SetScorer](t, plugins.PodTopologySpread, "")
	a1 := w.named("a1")
	if all, one := sc.Score(w.State, p)(a1[0]), sc.ScoreAmong(w.State, p, a1)(a1[0]); all != 5 || one != 3 {
		t.Errorf("among all %d, want 3 ln 5 = 5; alone %d, want 3 ln 3 = 3", all, one)
	}
}
