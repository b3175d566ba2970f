package plugins_test

import (
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/plugins"
)

// taintedWorld has nodes whose names say what taints they have: soft ones are
// PreferNoSchedule.
func taintedWorld() *world {
	hard := cluster.Taint{Key: "dedicated", Value: "gpu", Effect: cluster.NoSchedule}
	out := cluster.Taint{Key: "broken", Effect: cluster.NoExecute}
	soft := cluster.Taint{Key: "slow", Value: "disk", Effect: cluster.PreferNoSchedule}
	soft2 := cluster.Taint{Key: "old", Effect: cluster.PreferNoSchedule}
	soft3 := cluster.Taint{Key: "far", Effect: cluster.PreferNoSchedule}
	w := newWorld()
	w.join(cluster.NodeSpec{Name: "none"})
	w.join(cluster.NodeSpec{Name: "hard", Taints: []cluster.Taint{hard}})
	w.join(cluster.NodeSpec{Name: "out", Taints: []cluster.Taint{out}})
	w.join(cluster.NodeSpec{Name: "soft", Taints: []cluster.Taint{soft}})
	w.join(cluster.NodeSpec{Name: "soft2", Taints: []cluster.Taint{soft, soft2}})
	w.join(cluster.NodeSpec{Name: "soft3hard", Taints: []cluster.Taint{soft, soft2, soft3, hard}})
	return w
}

func TestTaintTolerationFilter(t *testing.T) {
	const no = "3 node(s) had untolerated taint(s)"
	all := func(hard, out, soft3hard string) string {
		return "none:ok\nhard:" + hard + "\nout:" + out + "\nsoft:ok\nsoft2:ok\nsoft3hard:" + soft3hard
	}
	tests := []struct {
		name        string
		tolerations []cluster.Toleration
		want        string
	}{
		{"without tolerations", nil, all(no, no, no)},
		{"of one taint by its value", []cluster.Toleration{{Key: "dedicated", Value: "gpu"}}, all("ok", no, "ok")},
		{"of another value", []cluster.Toleration{{Key: "dedicated", Value: "cpu"}}, all(no, no, no)},
		{"of another effect", []cluster.Toleration{{Key: "dedicated", Exists: true, Effect: cluster.PreferNoSchedule}}, all(no, no, no)},
		{"of NoExecute", []cluster.Toleration{{Exists: true, Effect: cluster.NoExecute}}, all(no, "ok", no)},
		{"of both, one each", []cluster.Toleration{{Key: "broken", Exists: true}, {Key: "dedicated", Exists: true}}, all("ok", "ok", "ok")},
		{"of everything", []cluster.Toleration{{Exists: true}}, all("ok", "ok", "ok")},
		{"of an empty value under any key", []cluster.Toleration{{}}, all(no, "ok", no)},
	}
	for _, tt := range tests {
		if got := taintedWorld().filter(t, plugins.TaintToleration, "", cluster.Class{Tolerations: tt.tolerations}); got != tt.want {
			t.Errorf("tolerations %s: %s; want %s", tt.name, got, tt.want)
		}
	}
}

func TestTaintTolerationScore(t *testing.T) {
	tests := []struct {
		name        string
		tolerations []cluster.Toleration
		want        string
	}{
		// 3 are the most: 100*1/3 = 33.3 → 33, 100*2/3 = 66.6 → 66, cut off before they are taken from 100.
		{"without tolerations", nil, "none:0/100 hard:0/100 out:0/100 soft:1/67 soft2:2/34 soft3hard:3/0"},
		{"of one", []cluster.Toleration{{Key: "far", Exists: true}}, "none:0/100 hard:0/100 out:0/100 soft:1/50 soft2:2/0 soft3hard:2/0"},
		{"of one, with its effect", []cluster.Toleration{{Key: "slow", Value: "disk", Effect: cluster.PreferNoSchedule}},
			"none:0/100 hard:0/100 out:0/100 soft:0/100 soft2:1/50 soft3hard:2/0"},
		{"of other effects", []cluster.Toleration{{Exists: true, Effect: cluster.NoSchedule}, {Exists: true, Effect: cluster.NoExecute}},
			"none:0/100 hard:0/100 out:0/100 soft:1/67 soft2:2/34 soft3hard:3/0"},
		{"of everything", []cluster.Toleration{{Exists: true}}, "none:0/100 hard:0/100 out:0/100 soft:0/100 soft2:0/100 soft3hard:0/100"},
	}
	for _, tt := range tests {
		if got := taintedWorld().score(t, plugins.TaintToleration, "", cluster.Class{Tolerations: tt.tolerations}); got != tt.want {
			t.Errorf("tolerations %s: %s; want %s", tt.name, got, tt.want)
		}
	}
}
