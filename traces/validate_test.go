package traces

import (
	"fmt"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/google/go-cmp/cmp"
)

func TestValidate(t *testing.T) {
	node := func(change func(*cluster.NodeSpec)) cluster.Event {
		e := nodeAdded(0, 0, "n")
		change(e.NodeSpec)
		return e
	}
	pod := func(change func(*cluster.PodSpec)) cluster.Event {
		e := podAdded(1*sec, 0, "p", 5*sec)
		change(e.PodSpec)
		return e
	}
	class := func(change func(*cluster.Class)) cluster.Event {
		return pod(func(p *cluster.PodSpec) { change(p.Class) })
	}
	n := nodeAdded(0, 0, "n")
	gpus := node(func(n *cluster.NodeSpec) { n.GPUs, n.GPUModel = 2, "T4" })
	for _, tt := range []struct {
		events []cluster.Event
		want   string // problems, each "what (count)"
	}{
		{[]cluster.Event{n, podAdded(1*sec, 0, "p", 5*sec), podAdded(6*sec, 1, "p", cluster.Never)}, ""},
		{[]cluster.Event{n, podAdded(1*sec, 0, "p", cluster.Never), about1(2*sec, cluster.PodEnded, 0), podAdded(3*sec, 1, "p", sec)}, ""},
		{[]cluster.Event{n, ofNode(2*sec, cluster.NodeRemoved, 0), nodeAdded(3*sec, 1, "n")}, ""},
		{[]cluster.Event{nodeAdded(2*sec, 0, "n"), podAdded(1*sec, 0, "p", sec), podAdded(1*sec, 1, "q", sec)}, "goes back in time (2)"},
		{[]cluster.Event{nodeAdded(-1, 0, "n")}, "goes back in time (1), comes before the beginning, or a century after it (1)"},
		{[]cluster.Event{n, podAdded(absurdTime, 0, "p", sec)}, "comes before the beginning, or a century after it (1)"},
		{[]cluster.Event{n, nodeAdded(0, 1, "n")}, "a node of that name has come before (1)"},
		{[]cluster.Event{nodeAdded(0, 0, "a b")}, "a node without a name, or with one that has spaces or slashes (1)"},
		{[]cluster.Event{node(func(n *cluster.NodeSpec) { n.GPUs = 65 })}, "a node has less than 0 or more than 64 GPUs (1)"},
		{[]cluster.Event{node(func(n *cluster.NodeSpec) { n.Capacity[cluster.PodSlots] = 0 })}, "a node has no room for pods (1)"},
		{[]cluster.Event{node(func(n *cluster.NodeSpec) { n.Capacity[cluster.CPU] = -1 })}, "a node has less than nothing of a resource (1)"},
		{[]cluster.Event{node(func(n *cluster.NodeSpec) { n.Extended = []cluster.NamedAmount{{Name: "x", Amount: -1}} })}, "a node has less than nothing of a resource (1)"},
		{[]cluster.Event{node(func(n *cluster.NodeSpec) { n.Capacity[cluster.CPU] = absurdCPU + 1 })}, "a node has more than 100,000 CPUs (1)"},
		{[]cluster.Event{node(func(n *cluster.NodeSpec) { n.Capacity[cluster.Memory] = absurdMemory + 1 })}, "a node has more than 1 PiB of memory (1)"},
		{[]cluster.Event{n, pod(func(p *cluster.PodSpec) { p.Class = nil })}, "a pod says nothing of what it needs (1)"},
		{[]cluster.Event{n, pod(func(p *cluster.PodSpec) { p.Name = "" })}, "a pod without a name, or with one that has spaces or slashes (1)"},
		{[]cluster.Event{n, pod(func(p *cluster.PodSpec) { p.Run = -1 })}, "a pod runs for less than no time (1)"},
		{[]cluster.Event{n, pod(func(p *cluster.PodSpec) { p.Run = absurdTime })}, "a pod runs for more than a century (1)"},
		{[]cluster.Event{n, pod(func(p *cluster.PodSpec) { p.On = "m" })}, "a pod is on a node that isn't there (1)"},
		{[]cluster.Event{n, pod(func(p *cluster.PodSpec) { p.Nominated = "m" })}, "a node is kept for a pod that isn't there (1)"},
		{[]cluster.Event{n, podAdded(1*sec, 0, "p", 5*sec), podAdded(5*sec, 1, "p", sec)}, "a pod comes while one of its name would still run (1)"},
		{[]cluster.Event{n, about1(0, cluster.PodEnded, 0), ofNode(0, cluster.NodeRemoved, 1)}, "is about a pod that hasn't come (1), is about a node that hasn't come (1)"},
		{[]cluster.Event{n, class(func(c *cluster.Class) { c.Requests[cluster.Memory] = 9 << 30 })}, "a pod is larger than any node (1)"},
		{[]cluster.Event{n, class(func(c *cluster.Class) { c.Extended = []cluster.NamedAmount{{Name: "x", Amount: 1}} })}, "a pod is larger than any node (1)"},
		{[]cluster.Event{gpus, class(func(c *cluster.Class) { c.GPUs = cluster.GPURequest{Count: 2, Shares: 1000, Models: []string{"T4"}} })}, ""},
		{[]cluster.Event{gpus, class(func(c *cluster.Class) { c.GPUs = cluster.GPURequest{Count: 3, Shares: 1000} })}, "a pod is larger than any node (1)"},
		{[]cluster.Event{gpus, class(func(c *cluster.Class) { c.GPUs = cluster.GPURequest{Count: 1, Shares: 500, Models: []string{"A10"}} })}, "a pod is larger than any node (1)"},
		{[]cluster.Event{gpus, class(func(c *cluster.Class) { c.GPUs = cluster.GPURequest{Count: 2, Shares: 500} })}, "a pod asks for shares of GPUs that no pod can have (1)"},
		{[]cluster.Event{n, class(func(c *cluster.Class) { c.Requests[cluster.CPU] = -5 })}, "a pod asks for less than nothing (1)"},
		{[]cluster.Event{n, class(func(c *cluster.Class) { c.Requests[cluster.CPU] = absurdCPU + 1 })}, "a pod asks for more than 100,000 CPUs or 1 PiB of memory (1), a pod is larger than any node (1)"},
		{[]cluster.Event{n, class(func(c *cluster.Class) { c.NodeName = "m" })}, "a pod wants a node that never comes (1)"},
	} {
		problems, err := Validate(again(tt.events...)())
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range problems {
			got = append(got, fmt.Sprintf("%s (%d)", p.What, p.Count))
		}
		if diff := cmp.Diff(tt.want, strings.Join(got, ", ")); diff != "" {
			t.Errorf("%s-want +got:\n%s", told(tt.events), diff)
		}
	}
}

// A problem says where it is, and is there once.
func TestValidateFirst(t *testing.T) {
	large := podAdded(1*sec, 0, "p", 5*sec)
	large.PodSpec.Class.Requests[cluster.CPU] = 5000
	again2 := large
	spec := *large.PodSpec
	spec.Name = "q"
	again2.PodSpec = &spec
	problems, err := Validate(again(nodeAdded(0, 0, "n"), podAdded(0, 0, "r", sec), large, again2)())
	want := []Problem{{What: "a pod is larger than any node", Count: 2, First: "at 1 s PodAdded ns/p for 5 s", Index: 2}}
	if diff := cmp.Diff(want, problems); diff != "" || err != nil {
		t.Errorf("%v, -want +got:\n%s", err, diff)
	}
}
