package extenders

import (
	"reflect"
	"testing"
	"time"

	v1 "k8s.io/api/core/v1"

	"github.com/berthsim/berth/bench/upstream/generate"
	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/manifest"
)

// TestWriter reads the nodes and pods of generated scenarios, has manifest.Writer make objects of them
// again, and reads these: they must say the same.
func TestWriter(t *testing.T) {
	pods, nodes, inexact := 0, 0, 0
	for index := range uint64(60) {
		for _, step := range generate.Scenario(1, index, generate.Options{Nodes: 20, Pods: 60}).Steps {
			switch obj := step.Object.(type) {
			case *v1.Node:
				nodes++
				want, err := manifest.Node(obj)
				if err != nil {
					t.Fatal(err)
				}
				if got, err := manifest.Node(manifest.NodeObject(want)); err != nil || !reflect.DeepEqual(got, want) {
					t.Errorf("scenario %d: %+v becomes %+v, %v", index, want, got, err)
				}
			case *v1.Pod:
				pods++
				if !samePod(t, index, obj) {
					inexact++
				}
			}
		}
	}
	t.Logf("%d nodes, %d pods, of which %d are being resized and differ in what scores counted of them before", nodes, pods, inexact)
	if pods < 1000 || nodes < 500 || inexact > pods/20 {
		t.Error("too few to tell anything, or too many that differ")
	}
}

// samePod compares a pod with what becomes of it. It returns false if all that differs is what scores
// would count of a pod that has a node, if it had none.
func samePod(t *testing.T, index uint64, obj *v1.Pod) bool {
	conv := manifest.Converter{Epoch: time.Unix(0, 0)}
	want, err := conv.Pod(obj)
	if err != nil {
		t.Fatal(err)
	}
	s := cluster.NewState()
	var events []cluster.Event
	if name := want.On + want.Nominated; name != "" {
		events = append(events, cluster.Event{Kind: cluster.NodeAdded, NodeSpec: &cluster.NodeSpec{Name: name}})
	}
	events = append(events, cluster.Event{Kind: cluster.PodAdded, PodSpec: want})
	s.Observe(0, events)
	var w manifest.Writer
	got, err := conv.Pod(w.Pod(s, events[len(events)-1].Pod))
	if err != nil {
		t.Fatalf("scenario %d: pod %s: %v", index, obj.Name, err)
	}
	exact := got.Class == want.Class // the Converter lets equal classes be one
	if !exact && want.On != "" {
		a, b := *got.Class, *want.Class
		a.Estimates, b.Estimates, a.BestEffortCPU, b.BestEffortCPU, a.BestEffortMemory, b.BestEffortMemory = nil, nil, 0, 0, 0, 0
		gotCPU, gotMemory := s.Estimate(s.Intern(got.Class, nil))
		wantCPU, wantMemory := s.Estimate(s.Intern(want.Class, nil))
		if gotCPU == wantCPU && gotMemory == wantMemory && reflect.DeepEqual(a, b) {
			got.Class = want.Class
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("scenario %d: pod %s\n%+v %+v becomes\n%+v %+v", index, obj.Name, want, want.Class, got, got.Class)
	}
	return exact
}
