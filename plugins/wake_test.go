package plugins_test

import (
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/plugins"
	"github.com/berthsim/berth/scheduler"
)

// What kube's plugins say of a change is held against upstream in bench/upstream/hints.

// known returns what the State knows of a pod of class c on a node, "" for none.
func (w *world) known(c cluster.Class, on string) cluster.PodState {
	return w.PodState(w.add(cluster.PodSpec{Class: &c, On: on}))
}

func TestGPUDevicesWakes(t *testing.T) {
	gpus := func(count, shares int32, models ...string) cluster.Class {
		return cluster.Class{GPUs: cluster.GPURequest{Count: count, Shares: shares, Models: models}}
	}
	node := func(gpus int, model string) *cluster.NodeSpec {
		return &cluster.NodeSpec{Name: "n", GPUs: gpus, GPUModel: model}
	}
	w := newWorld()
	w.join(*node(8, "T4"))
	none := w.known(cluster.Class{}, "n")
	two := gpus(2, 1000, "T4")
	tests := []struct {
		name   string
		class  cluster.Class
		change scheduler.Change
		want   bool
	}{
		{"a new node", two, scheduler.Change{What: scheduler.NodeAdd, Node: node(2, "T4")}, true},
		{"a new node with too few", two, scheduler.Change{What: scheduler.NodeAdd, Node: node(1, "T4")}, false},
		{"a new node of the wrong model", two, scheduler.Change{What: scheduler.NodeAdd, Node: node(2, "A100")}, false},
		{"any model will do", gpus(1, 500), scheduler.Change{What: scheduler.NodeAdd, Node: node(2, "A100")}, true},
		{"more GPUs", two, scheduler.Change{What: scheduler.UpdateNodeAllocatable, OldNode: node(1, "T4"), Node: node(2, "T4")}, true},
		{"not enough more", two, scheduler.Change{What: scheduler.UpdateNodeAllocatable, OldNode: node(0, "T4"), Node: node(1, "T4")}, false},
		{"fewer GPUs", two, scheduler.Change{What: scheduler.UpdateNodeAllocatable, OldNode: node(3, "T4"), Node: node(2, "T4")}, false},
		{"another model", two, scheduler.Change{What: scheduler.UpdateNodeAllocatable, OldNode: node(2, "A100"), Node: node(2, "T4")}, true},
		{"a pod with a GPU went", two, scheduler.Change{What: scheduler.PodDelete, OldPod: w.known(gpus(1, 500), "n")}, true},
		{"a pod without GPUs went", two, scheduler.Change{What: scheduler.PodDelete, OldPod: none}, false},
		{"a pod without a node went", two, scheduler.Change{What: scheduler.PodDelete, OldPod: w.known(gpus(1, 500), "")}, false},
		{"a pod asks for less", two, scheduler.Change{What: scheduler.UpdatePodScaleDown, OldPod: w.known(gpus(1, 500), "n"), Pod: w.known(gpus(1, 400), "n")}, true},
		{"a pod asks for less of others", two, scheduler.Change{What: scheduler.UpdatePodScaleDown, OldPod: none, Pod: none}, false},
		{"a pod without a node asks for less", two, scheduler.Change{What: scheduler.UpdatePodScaleDown, OldPod: w.known(gpus(1, 500), ""), Pod: w.known(gpus(1, 400), "")}, false},
		{"the pod itself asks for less", two, scheduler.Change{What: scheduler.UpdatePodScaleDown, OldPod: none, Pod: none, Own: true}, true},
	}
	waker := instance[scheduler.Waker](t, plugins.GPUDevices, "")
	for _, tt := range tests {
		class := w.Class(w.pending(tt.class, ""))
		if waker.Wakes()&tt.change.What == 0 {
			t.Errorf("%s: not among Wakes", tt.name)
		}
		if got := waker.Wake(w.State, class, &tt.change); got != tt.want {
			t.Errorf("%s: %t", tt.name, got)
		}
	}
}

// TestWakersAreFilters checks that every plugin of All that rejects pods can tell
// what may change its mind.
func TestWakersAreFilters(t *testing.T) {
	for _, pl := range plugins.All {
		if pl.New == nil {
			continue
		}
		inst := instance[any](t, pl, needed[pl])
		_, filters := inst.(scheduler.Filter)
		_, gates := inst.(scheduler.PreEnqueuer)
		if _, wakes := inst.(scheduler.Waker); wakes != (filters || gates) {
			t.Errorf("%s rejects pods: %t, and is a Waker: %t", pl.Name, filters || gates, wakes)
		}
	}
}

// TestWakeDoesNotAllocate asks about a class with constraints of every sort.
func TestWakeDoesNotAllocate(t *testing.T) {
	w := newWorld()
	node := &cluster.NodeSpec{Name: "n", Labels: labelsOf("zone=a"), GPUs: 1, Capacity: cluster.Amounts{1000, 1000, 0, 110}}
	w.join(*node)
	old := *node
	old.Labels, old.Capacity = labelsOf("zone=b"), cluster.Amounts{1, 1, 0, 1}
	term := []cluster.PodTerm{{Selector: selecting("app=a"), Namespaces: []string{"ns"}, TopologyKey: "zone"}}
	class := cluster.Class{
		Requests: cluster.Amounts{cluster.CPU: 100}, NodeLabels: labelsOf("zone=a"),
		RequiredNode: &cluster.NodeSelector{Terms: []cluster.NodeSelectorTerm{{Fields: []cluster.Requirement{{Key: cluster.FieldName, Values: []string{"n"}}}}}},
		Affinity:     cluster.PodAffinity{Required: term}, AntiAffinity: cluster.PodAffinity{Required: term},
		Spread: []cluster.SpreadConstraint{{TopologyKey: "zone", MaxSkew: 1, Selector: selecting("app=a"), MatchLabelKeys: []string{"rev"}, HonorTaints: true}},
		Ports:  []cluster.HostPort{{IP: "10.0.0.1", Protocol: "TCP", Port: 80}}, GPUs: cluster.GPURequest{Count: 1, Shares: 1000},
		Extended: []cluster.NamedAmount{{Name: "example.com/a", Amount: 1}}, Tolerations: []cluster.Toleration{{Key: "a"}},
	}
	c := scheduler.Change{Node: node, OldNode: &old}
	c.OldPod, c.Pod = w.known(class, "n"), w.known(class, "n")
	c.Pod.Labels = labelsOf("app=a")
	rejected := w.Class(w.pending(class, "app=a,rev=1"))
	for _, pl := range plugins.All {
		if pl.New == nil {
			continue
		}
		waker, ok := instance[any](t, pl, needed[pl]).(scheduler.Waker)
		if !ok {
			continue
		}
		for c.What = scheduler.NodeAdd; c.What != 0; c.What <<= 1 {
			if waker.Wakes()&c.What == 0 {
				continue
			}
			if got := testing.AllocsPerRun(10, func() { waker.Wake(w.State, rejected, &c) }); got > 0 {
				t.Errorf("%s: %v allocations at %b", pl.Name, got, c.What)
			}
		}
	}
}
