package plugins_test

import (
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/plugins"
)

func TestNodeDeclaredFeatures(t *testing.T) {
	const no = "3 node(s) didn't match Pod's required features"
	tests := []struct {
		needed []string
		want   string
	}{
		{nil, "none:ok\na:ok\nac:ok\nabc:ok"},
		{[]string{"a"}, "none:" + no + "\na:ok\nac:ok\nabc:ok"},
		{[]string{"b"}, "none:" + no + "\na:" + no + "\nac:" + no + "\nabc:ok"},
		{[]string{"a", "c"}, "none:" + no + "\na:" + no + "\nac:ok\nabc:ok"},
		{[]string{"a", "d"}, "none:" + no + "\na:" + no + "\nac:" + no + "\nabc:" + no},
	}
	for _, tt := range tests {
		w := newWorld()
		w.join(cluster.NodeSpec{Name: "none"})
		w.join(cluster.NodeSpec{Name: "a", Features: []string{"a"}})
		w.join(cluster.NodeSpec{Name: "ac", Features: []string{"a", "c"}})
		w.join(cluster.NodeSpec{Name: "abc", Features: []string{"a", "b", "c"}})
		if got := w.filter(t, plugins.NodeDeclaredFeatures, "", cluster.Class{Features: tt.needed}); got != tt.want {
			t.Errorf("a pod that needs %v: %s; want %s", tt.needed, got, tt.want)
		}
	}
}
