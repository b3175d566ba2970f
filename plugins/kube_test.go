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

func TestKubeIsUpstreamsDefault(t *testing.T) {
	const want = "SchedulingGates 1, NodeUnschedulable 1, NodeName 1, TaintToleration 3, NodeAffinity 2, NodePorts 1, " +
		"NodeResourcesFit 1, PodTopologySpread 2, InterPodAffinity 2, DefaultPreemption 1, " +
		"NodeResourcesBalancedAllocation 1, ImageLocality 1, NodeDeclaredFeatures 1"
	var got []string
	for _, w := range plugins.Kube {
		got = append(got, fmt.Sprint(w.Name, " ", w.Weight))
		if pl, err := scheduler.Find(plugins.All, w.Name); err != nil {
			t.Error(err)
		} else if pl.Name != w.Name {
			t.Errorf("the plugin is called %s, and Kube says %s", pl.Name, w.Name)
		}
	}
	if strings.Join(got, ", ") != want {
		t.Errorf("Kube = %s; want %s", strings.Join(got, ", "), want)
	}
}

// TestRequiredPluginsGoInKubesOrder checks that every profile has those of Kube
// that filter, in Kube's order, so that the first filter to rule out a
// node is upstream's.
func TestRequiredPluginsGoInKubesOrder(t *testing.T) {
	var kube, required []string
	for _, w := range plugins.Kube {
		pl, err := scheduler.Find(plugins.All, w.Name)
		if err != nil {
			t.Fatal(err)
		}
		switch instance[any](t, pl, "").(type) {
		case scheduler.PreEnqueuer, scheduler.Filter:
			kube = append(kube, pl.Name)
		}
	}
	for _, pl := range plugins.All {
		if pl.Required && slices.Contains(kube, pl.Name) {
			required = append(required, pl.Name)
		}
	}
	if !slices.Equal(required, kube) {
		t.Errorf("All has %v, and Kube %v", required, kube)
	}
}

// join adds a node.
func (w *world) join(spec cluster.NodeSpec) cluster.NodeID {
	events := []cluster.Event{{Kind: cluster.NodeAdded, NodeSpec: &spec}}
	w.Observe(w.Now, events)
	return events[0].Node
}

// on adds a pod that is on a node, whether there is room or not.
func (w *world) on(node string, c cluster.Class) {
	w.add(cluster.PodSpec{Class: &c, On: node})
}

// filter returns what a plugin says of each node for a pod of class c, "name:ok"
// or "name:code reasons", one a line.
func (w *world) filter(t *testing.T, pl *scheduler.Plugin, args string, c cluster.Class) string {
	t.Helper()
	f, p, live := instance[scheduler.Filter](t, pl, args), w.pending(c, ""), w.Nodes.Live()
	may, lines := f.Filter(w.State, p), []string{}
	var kept []cluster.NodeID
	for _, n := range live {
		v := scheduler.Verdict{}
		if may != nil {
			v = may(n)
		}
		if v.Code == scheduler.Success && len(v.Reasons) == 0 {
			kept = append(kept, n)
			lines = append(lines, w.Nodes.Name[n]+":ok")
		} else {
			lines = append(lines, fmt.Sprintf("%s:%d %s", w.Nodes.Name[n], v.Code, strings.Join(v.Reasons, ", ")))
		}
	}
	if got := scheduler.Narrow(f, w.State, p, slices.Clone(live)); !slices.Equal(got, kept) {
		t.Errorf("FilterBatch keeps rows %v, and Filter %v", got, kept)
	}
	return strings.Join(lines, "\n")
}

// score returns what a plugin scores each node for a pod of class c, before and
// after normalisation if there is one: "a:1/50 b:2/100"; "" if it has no say.
func (w *world) score(t *testing.T, pl *scheduler.Plugin, args string, c cluster.Class) string {
	t.Helper()
	sc, p, live := instance[scheduler.Scorer](t, pl, args), w.pending(c, ""), w.Nodes.Live()
	raw := make([]int64, len(live))
	says := scheduler.Scores(sc, w.State, p, live, raw)
	score := sc.Score(w.State, p)
	if says != (score != nil) {
		t.Fatalf("ScoreBatch has a say: %t; Score: %t", says, score != nil)
	}
	if !says {
		return ""
	}
	normal := slices.Clone(raw)
	norm, normalizes := sc.(scheduler.Normalizer)
	if normalizes {
		norm.Normalize(w.State, p, live, normal)
	}
	var out []string
	for i, n := range live {
		if got := score(n); got != raw[i] {
			t.Errorf("ScoreBatch scores %s %d, and Score %d", w.Nodes.Name[n], raw[i], got)
		}
		text := fmt.Sprintf("%s:%d", w.Nodes.Name[n], raw[i])
		if normalizes {
			text += fmt.Sprintf("/%d", normal[i])
		}
		out = append(out, text)
	}
	return strings.Join(out, " ")
}

// refuses checks that a plugin's New fails on options with an error that has
// these words.
func refuses(t *testing.T, pl *scheduler.Plugin, args, words string) {
	t.Helper()
	_, err := pl.New(options(args))
	if err == nil || !strings.Contains(err.Error(), words) {
		t.Errorf("%s with %s: error %v; want one with %q", pl.Name, args, err, words)
	}
}
