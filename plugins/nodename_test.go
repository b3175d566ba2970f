package plugins_test

import (
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/plugins"
)

func TestNodeName(t *testing.T) {
	const no = "3 node(s) didn't match the requested node name"
	for name, want := range map[string]string{
		"":  "a:ok\nb:ok",
		"b": "a:" + no + "\nb:ok",
		"c": "a:" + no + "\nb:" + no,
	} {
		w := newWorld()
		w.join(cluster.NodeSpec{Name: "a"})
		w.join(cluster.NodeSpec{Name: "b"})
		if got := w.filter(t, plugins.NodeName, "", cluster.Class{NodeName: name}); got != want {
			t.Errorf("a pod that names %q: %s; want %s", name, got, want)
		}
	}
}
