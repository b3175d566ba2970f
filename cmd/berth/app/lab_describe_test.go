//go:build linux

package app

import (
	"reflect"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster/lab"
)

func TestDescribeNodes(t *testing.T) {
	f := labUpFlags{
		labels: []string{"tier=a", "node1:disk=ssd", "node2:example.com/x=y"},
		taints: []string{"old:NoExecute", "node2:dedicated=edge:PreferNoSchedule", "node2:drained:NoSchedule", "gpu=yes:NoSchedule"},
	}
	f.config.Nodes = lab.Nodes(2, lab.NodeSpec{Labels: map[string]string{}})
	if err := f.describeNodes(); err != nil {
		t.Fatal(err)
	}
	want := []lab.NodeSpec{
		{Name: "node1", Labels: map[string]string{"tier": "a", "disk": "ssd"}, Taints: []string{"old:NoExecute", "gpu=yes:NoSchedule"}},
		{Name: "node2", Labels: map[string]string{"tier": "a", "example.com/x": "y"},
			Taints: []string{"old:NoExecute", "dedicated=edge:PreferNoSchedule", "drained:NoSchedule", "gpu=yes:NoSchedule"}},
	}
	if !reflect.DeepEqual(f.config.Nodes, want) {
		t.Errorf("got  %+v\nwant %+v", f.config.Nodes, want)
	}
	for _, bad := range []labUpFlags{{labels: []string{"x"}}, {labels: []string{"node9:a=b"}}, {taints: []string{"node9:a=b:NoSchedule"}}} {
		bad.config.Nodes = f.config.Nodes
		if err := bad.describeNodes(); err == nil || !strings.HasPrefix(err.Error(), "--") {
			t.Errorf("%v %v: %v", bad.labels, bad.taints, err)
		}
	}
}
