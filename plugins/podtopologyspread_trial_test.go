package plugins_test

import (
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/plugins"
	"github.com/berthsim/berth/scheduler"
)

// trial does what steps say, "+node" to put q there, "-pod" to take a pod off its
// node, and takes everything back. It returns the verdicts after each step and,
// last, after all were taken back.
func (w *world) trial(t *testing.T, pl *scheduler.Plugin, p, q cluster.PodID, words map[string]string, steps string) (verdicts []string) {
	t.Helper()
	may, changed := instance[scheduler.TrialFilter](t, pl, "").FilterTrial(w.State, p)
	if may == nil {
		t.Fatal("it skips")
	}
	var undo []change
	for step := range strings.FieldsSeq(steps) {
		ch := change{mark: w.Mark(), pod: q, delta: 1}
		if name, ok := strings.CutPrefix(step, "-"); ok {
			ch.pod, ch.delta = w.podNamed(t, name), -1
			ch.node = w.Pods.Node[ch.pod]
			w.Remove(ch.pod)
		} else {
			ch.node = w.named(step[1:])[0]
			w.Try(q, ch.node, cluster.Allocation{})
		}
		changed(ch.pod, ch.node, ch.delta)
		verdicts = append(verdicts, w.verdicts(may, words))
		undo = append(undo, ch)
	}
	for i := len(undo) - 1; i >= 0; i-- {
		w.Undo(undo[i].mark)
		changed(undo[i].pod, undo[i].node, -undo[i].delta)
	}
	return append(verdicts, w.verdicts(may, words))
}

func (w *world) podNamed(t *testing.T, name string) cluster.PodID {
	t.Helper()
	for p := range cluster.PodID(w.Pods.Rows()) {
		if w.Pods.Name[p] == name {
			return p
		}
	}
	t.Fatal("no pod " + name)
	return cluster.None
}

func TestPodTopologySpreadTrial(t *testing.T) {
	type constraints = []cluster.SpreadConstraint
	everything := evenly(1)
	everything.Selector = &cluster.Selector{}
	tests := []struct {
		name        string
		q           string // its labels
		constraints constraints
		steps       string
		want        []string
	}{{
		// a has 1 pod beside one that is about to end, b 1, c 1, d none.
		"a pod comes to d", "app=web", constraints{evenly(1)}, "+d1",
		[]string{"a1:ok b1:ok c1:ok d1:ok t1:ok", "a1:no/uneven b1:no/uneven c1:no/uneven d1:ok t1:ok"},
	}, {
		"a pod goes from b", "app=web", constraints{evenly(1)}, "-pod-3",
		[]string{"a1:no/uneven b1:ok c1:no/uneven d1:ok t1:ok", "a1:no/uneven b1:no/uneven c1:no/uneven d1:ok t1:ok"},
	}, {
		"a pod that is about to end goes, though it wasn't counted: the minimum is -1 after the other went too", "app=web", constraints{evenly(1)}, "-pod-2 -pod-1",
		[]string{
			"a1:ok b1:no/uneven c1:no/uneven d1:ok t1:ok",
			"a1:ok b1:no/uneven c1:no/uneven d1:no/uneven t1:no/uneven",
			"a1:no/uneven b1:no/uneven c1:no/uneven d1:ok t1:ok",
		},
	}, {
		"one that isn't selected", "app=db", constraints{evenly(1)}, "+d1",
		[]string{"a1:no/uneven b1:no/uneven c1:no/uneven d1:ok t1:ok", "a1:no/uneven b1:no/uneven c1:no/uneven d1:ok t1:ok"},
	}, {
		"to a selector without requirements, only the trial counts", "app=db", constraints{everything}, "+d1 -pod-3",
		[]string{"a1:ok b1:ok c1:ok d1:no/uneven t1:no/uneven", "a1:no/uneven b1:ok c1:no/uneven d1:no/uneven t1:no/uneven", "a1:ok b1:ok c1:ok d1:ok t1:ok"},
	}, {
		"a node that lacks another constraint's label doesn't count", "app=web",
		constraints{evenly(1), {MaxSkew: 9, TopologyKey: "rack", Selector: selecting("app=web")}}, "+d1",
		[]string{"a1:ok b1:ok c1:ok d1:never/label t1:never/label", "a1:ok b1:ok c1:ok d1:never/label t1:never/label"},
	}, {
		"nor one that is tainted, if that matters", "app=web", constraints{honouring(evenly(1))}, "+t1",
		[]string{"a1:no/uneven b1:no/uneven c1:no/uneven d1:ok t1:ok", "a1:no/uneven b1:no/uneven c1:no/uneven d1:ok t1:ok"},
	}, {
		"one that is tainted, if that does not matter", "app=web", constraints{evenly(1)}, "+t1",
		[]string{"a1:ok b1:ok c1:ok d1:ok t1:ok", "a1:no/uneven b1:no/uneven c1:no/uneven d1:ok t1:ok"},
	}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld()
			for _, name := range []string{"a1", "b1", "c1"} {
				w.node(name, byZone+"="+name[:1]+",rack=1")
			}
			w.node("d1", byZone+"=d")
			w.node("t1", byZone+"=d", cluster.Taint{Key: "k", Effect: cluster.NoSchedule})
			w.running("app=web", "a1")
			w.add(cluster.PodSpec{Class: &cluster.Class{Namespace: "ns"}, Labels: labelsOf("app=web"), On: "a1", Terminating: true})
			w.running("app=web", "b1 c1")
			q := w.pending(cluster.Class{}, tt.q)
			p := w.pending(cluster.Class{Spread: tt.constraints}, "app=web")
			got := w.trial(t, plugins.PodTopologySpread, p, q, spreadWords, tt.steps)
			if g, want := strings.Join(got, "\n"), strings.Join(tt.want, "\n"); g != want {
				t.Errorf("got\n%s\nwant\n%s", g, want)
			}
		})
	}
}
