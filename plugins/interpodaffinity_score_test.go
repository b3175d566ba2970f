package plugins_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/plugins"
	"github.com/berthsim/berth/scheduler"
)

func preferring(weight int32, t cluster.PodTerm) cluster.PodAffinity {
	return cluster.PodAffinity{Preferred: []cluster.WeightedPodTerm{{Weight: weight, PodTerm: t}}}
}

var affinityScoreTests = []struct {
	name  string
	args  string
	class cluster.Class // of the pod, which has app=web
	pods  func(w *world)
	want  string
}{
	{"nothing", "", cluster.Class{}, nil, "skip"},
	{
		"it prefers db: 5 for each", "", cluster.Class{Affinity: preferring(5, db)},
		func(w *world) { w.running("app=db", "a1 a2 b1"); w.running("app=web", "c1") },
		"a1:10/100 a2:10/100 b1:5/50 c1:0/0 x:0/0",
	}, {
		"it prefers to be away from db", "", cluster.Class{AntiAffinity: preferring(5, db)},
		func(w *world) { w.running("app=db", "a1 a2 b1") },
		"a1:-10/0 a2:-10/0 b1:-5/50 c1:0/100 x:0/100",
	}, {
		"it prefers db and to be away from it, by another key", "",
		cluster.Class{Affinity: preferring(7, db), AntiAffinity: preferring(3, near("app=db", byHost))},
		func(w *world) { w.running("app=db", "a1 x") },
		"a1:4/70 a2:7/100 b1:0/30 c1:0/30 x:-3/0",
	}, {
		"what it prefers isn't there", "", cluster.Class{Affinity: preferring(7, db)},
		func(w *world) { w.running("app=web", "a1") }, "skip",
	}, {
		"what it prefers is on a node without the label", "", cluster.Class{Affinity: preferring(7, db)},
		func(w *world) { w.running("app=db", "x") }, "skip",
	}, {
		"preferences that make up for each other", "", cluster.Class{Affinity: preferring(7, db), AntiAffinity: preferring(7, db)},
		func(w *world) { w.running("app=db", "a1") }, "a1:0/0 a2:0/0 b1:0/0 c1:0/0 x:0/0",
	}, {
		"others prefer it, and prefer it away", "", cluster.Class{},
		func(w *world) {
			w.onNode("a1", "", cluster.Class{Affinity: preferring(7, web)})
			w.onNode("b1", "", cluster.Class{AntiAffinity: preferring(3, web)})
			w.onNode("c1", "", cluster.Class{Affinity: preferring(9, db)})
		}, "a1:7/100 a2:7/100 b1:-3/0 c1:0/30 x:0/30",
	}, {
		"others require it: 1 by default", "", cluster.Class{},
		func(w *world) {
			w.onNode("a1", "", cluster.Class{Affinity: requiring(web, near("app=web", byHost))})
			w.onNode("b1", "", cluster.Class{Affinity: requiring(db)})
			w.onNode("c1", "", cluster.Class{AntiAffinity: requiring(web)})
		}, "a1:2/100 a2:1/50 b1:0/0 c1:0/0 x:0/0",
	}, {
		"others require it, with a weight", `{"hardPodAffinityWeight": 40}`, cluster.Class{},
		func(w *world) { w.onNode("a1", "", cluster.Class{Affinity: requiring(web)}) },
		"a1:40/100 a2:40/100 b1:0/0 c1:0/0 x:0/0",
	}, {
		"others require it, which has no weight", `{"hardPodAffinityWeight": 0}`, cluster.Class{},
		func(w *world) { w.onNode("a1", "", cluster.Class{Affinity: requiring(web)}) }, "skip",
	}, {
		"what it requires itself scores nothing", "", cluster.Class{Affinity: requiring(db), AntiAffinity: requiring(db)},
		func(w *world) { w.running("app=db", "a1") }, "skip",
	}, {
		"pods that are about to end score too", "", cluster.Class{Affinity: preferring(5, db)},
		func(w *world) {
			w.add(cluster.PodSpec{Class: &cluster.Class{Namespace: "ns"}, Labels: labelsOf("app=db"), On: "b1", Terminating: true})
		}, "a1:0/0 a2:0/0 b1:5/100 c1:0/0 x:0/0",
	}, {
		"others are ignored if it prefers nothing", `{"ignorePreferredTermsOfExistingPods": true}`, cluster.Class{Affinity: requiring(db)},
		func(w *world) {
			w.running("app=db", "b1")
			w.onNode("a1", "", cluster.Class{Affinity: cluster.PodAffinity{
				Required: []cluster.PodTerm{web}, Preferred: []cluster.WeightedPodTerm{{Weight: 1, PodTerm: web}},
			}})
		}, "skip",
	}, {
		"they are not if it prefers something", `{"ignorePreferredTermsOfExistingPods": true}`, cluster.Class{Affinity: preferring(5, db)},
		func(w *world) { w.onNode("a1", "", cluster.Class{Affinity: preferring(1, web)}) },
		"a1:1/100 a2:1/100 b1:0/0 c1:0/0 x:0/0",
	}, {
		"nor if it prefers something away", `{"ignorePreferredTermsOfExistingPods": true}`, cluster.Class{AntiAffinity: preferring(5, db)},
		func(w *world) { w.onNode("a1", "", cluster.Class{Affinity: preferring(1, web)}) },
		"a1:1/100 a2:1/100 b1:0/0 c1:0/0 x:0/0",
	},
}

func TestInterPodAffinityScore(t *testing.T) {
	for _, tt := range affinityScoreTests {
		t.Run(tt.name, func(t *testing.T) {
			w := zones()
			w.node("x", byHost+"=x")
			if tt.pods != nil {
				tt.pods(w)
			}
			p := w.pending(tt.class, "app=web")
			if got := scoreWords(t, w, plugins.InterPodAffinity, tt.args, p, w.Nodes.Live()); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestInterPodAffinityNormalize(t *testing.T) {
	tests := []struct{ raw, want []int64 }{
		{[]int64{0, 0}, []int64{0, 0}},
		{[]int64{7}, []int64{0}},
		{[]int64{-3, -3}, []int64{0, 0}},
		{[]int64{3, 1, 2}, []int64{100, 0, 50}},
		{[]int64{-10, 0, 20}, []int64{0, 33, 100}},
		{[]int64{0, 2, 3}, []int64{0, 66, 100}},
		// 29/100 is a little less than 0.29 in a float, and a hundred times that
		// less than 29; 57 and 58 are like it, and others aren't.
		{[]int64{0, 28, 29, 30, 56, 57, 58, 59, 100}, []int64{0, 28, 28, 30, 56, 56, 57, 59, 100}},
		{[]int64{100, 129, 200}, []int64{0, 28, 100}},
	}
	for _, tt := range tests {
		w := newWorld()
		got := slices.Clone(tt.raw)
		instance[scheduler.Normalizer](t, plugins.InterPodAffinity, "").Normalize(w.State, 0, nil, got)
		if !slices.Equal(got, tt.want) {
			t.Errorf("%v becomes %v, want %v", tt.raw, got, tt.want)
		}
	}
}

func TestInterPodAffinityOptions(t *testing.T) {
	for _, weight := range []int64{0, 1, 100} {
		instance[any](t, plugins.InterPodAffinity, fmt.Sprintf(`{"hardPodAffinityWeight": %d}`, weight))
	}
	for _, tt := range []struct{ args, want string }{
		{`{"hardPodAffinityWeight": -1}`, "hardPodAffinityWeight -1; it goes from 0 to 100"},
		{`{"hardPodAffinityWeight": 101}`, "hardPodAffinityWeight 101; it goes from 0 to 100"},
		{`{"weight": 1}`, `json: unknown field "weight"`},
	} {
		if _, err := plugins.InterPodAffinity.New(options(tt.args)); err == nil || err.Error() != tt.want {
			t.Errorf("%s: got %v, want %s", tt.args, err, tt.want)
		}
	}
}
