package plugins_test

import (
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/plugins"
)

func TestNodeUnschedulable(t *testing.T) {
	const key = "node.kubernetes.io/unschedulable"
	const refused, open = "up:ok\ncordoned:3 node(s) were unschedulable", "up:ok\ncordoned:ok"
	tests := []struct {
		name        string
		tolerations []cluster.Toleration
		want        string
	}{
		{"without tolerations", nil, refused},
		{"tolerates the taint", []cluster.Toleration{{Key: key, Exists: true, Effect: cluster.NoSchedule}}, open},
		{"tolerates it with any effect", []cluster.Toleration{{Key: key, Exists: true}}, open},
		{"tolerates its empty value", []cluster.Toleration{{Key: key, Effect: cluster.NoSchedule}}, open},
		{"tolerates another value", []cluster.Toleration{{Key: key, Value: "yes"}}, refused},
		{"tolerates another effect", []cluster.Toleration{{Key: key, Exists: true, Effect: cluster.NoExecute}}, refused},
		{"tolerates another key", []cluster.Toleration{{Key: "dedicated", Exists: true}}, refused},
		{"tolerates everything", []cluster.Toleration{{Exists: true}}, open},
		{"the second toleration does", []cluster.Toleration{{Key: "dedicated", Exists: true}, {Key: key, Exists: true}}, open},
	}
	for _, tt := range tests {
		w := newWorld()
		w.join(cluster.NodeSpec{Name: "up"})
		w.join(cluster.NodeSpec{Name: "cordoned", Unschedulable: true})
		if got := w.filter(t, plugins.NodeUnschedulable, "", cluster.Class{Tolerations: tt.tolerations}); got != tt.want {
			t.Errorf("%s: %s; want %s", tt.name, got, tt.want)
		}
	}
}
