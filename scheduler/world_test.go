package scheduler_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// Plugins of functions, from which each test makes those that it needs.
type (
	filter     func(s *cluster.State, p cluster.PodID, n cluster.NodeID) scheduler.Verdict
	scorer     func(s *cluster.State, p cluster.PodID, n cluster.NodeID) int64
	normalizer struct {
		scorer
		normalize func(nodes []cluster.NodeID, scores []int64)
	}
	allocator func(s *cluster.State, p cluster.PodID, n cluster.NodeID) (cluster.Allocation, scheduler.Verdict)
)

func (f filter) Filter(s *cluster.State, p cluster.PodID) func(cluster.NodeID) scheduler.Verdict {
	return func(n cluster.NodeID) scheduler.Verdict { return f(s, p, n) }
}

func (f scorer) Score(s *cluster.State, p cluster.PodID) func(cluster.NodeID) int64 {
	return func(n cluster.NodeID) int64 { return f(s, p, n) }
}

func (f normalizer) Normalize(_ *cluster.State, _ cluster.PodID, nodes []cluster.NodeID, scores []int64) {
	f.normalize(nodes, scores)
}

func (f allocator) Allocate(s *cluster.State, p cluster.PodID, n cluster.NodeID) (cluster.Allocation, scheduler.Verdict) {
	return f(s, p, n)
}

// plugin makes one of which every instance is the same.
func plugin(name string, inst any) *scheduler.Plugin {
	return &scheduler.Plugin{Name: name, New: func(scheduler.Args) (any, error) { return inst, nil }}
}

// required makes a plugin that every profile has.
func required(name string, inst any) *scheduler.Plugin {
	pl := plugin(name, inst)
	pl.Required = true
	return pl
}

// room is a filter by what is free, in kube's words, and gpus one by GPU: as much
// as a scheduler needs so as not to bind where there is no room.
var (
	room = required("Room", struct {
		filter
		roomWaker
	}{filter: func(s *cluster.State, p cluster.PodID, n cluster.NodeID) (v scheduler.Verdict) {
		for r, want := range s.Class(p).Requests {
			if r := cluster.Resource(r); want > 0 && want > s.Free(n, r) {
				v.Code = scheduler.Unschedulable
				v.Reasons = append(v.Reasons, "Insufficient "+s.ResourceName(r))
			}
		}
		return v
	}})
	gpus = required("GPUs", struct {
		filter
		allocator
		roomWaker
	}{
		filter: func(s *cluster.State, p cluster.PodID, n cluster.NodeID) scheduler.Verdict {
			if !s.AllowsModel(s.Pods.Class[p], n) {
				return scheduler.Verdict{Code: scheduler.Unresolvable, Reasons: []string{"wrong model"}}
			}
			_, v := firstGPUs(s, p, n)
			return v
		},
		allocator: firstGPUs,
	})
)

// roomWaker wants to hear of everything that may make room.
type roomWaker struct{}

const makesRoom = scheduler.PodDelete | scheduler.UpdatePodScaleDown | scheduler.NodeAdd | scheduler.UpdateNodeAllocatable

func (roomWaker) Wakes() scheduler.Action                                     { return makesRoom }
func (roomWaker) Wake(*cluster.State, *cluster.Class, *scheduler.Change) bool { return true }

// firstGPUs allocates the first GPUs that will do.
func firstGPUs(s *cluster.State, p cluster.PodID, n cluster.NodeID) (a cluster.Allocation, v scheduler.Verdict) {
	want, left := s.Class(p).GPUs, s.Class(p).GPUs.Count
	for i, free := range s.Nodes.GPUFree[n] {
		if left > 0 && free >= want.Shares {
			a.GPUs = a.GPUs.With(i)
			left--
		}
	}
	if left > 0 {
		return cluster.Allocation{}, scheduler.Verdict{Code: scheduler.Unschedulable, Reasons: []string{"too few GPUs"}}
	}
	return a, v
}

// fullest scores a node by its share of CPU in use.
var fullest = plugin("Fullest", scorer(func(s *cluster.State, _ cluster.PodID, n cluster.NodeID) int64 {
	return min(100, 100*s.Nodes.Used[cluster.CPU][n]/max(1, s.Nodes.Cap[cluster.CPU][n]))
}))

func mustProfile(t testing.TB, plugins []*scheduler.Plugin, policy ...scheduler.Weighted) *scheduler.Profile {
	t.Helper()
	pr, err := scheduler.NewProfile(plugins, policy)
	if err != nil {
		t.Fatal(err)
	}
	return pr
}

// weigh names plugins with weight 1.
func weigh(names ...string) (policy []scheduler.Weighted) {
	for _, name := range names {
		policy = append(policy, scheduler.Weighted{Name: name, Weight: 1})
	}
	return policy
}

// A world is a State and the Scheduler that decides on it. Its pods and nodes go
// by name.
type world struct {
	*cluster.State
	scheduler *scheduler.Scheduler
	pods      map[string]cluster.PodID
	asked     []string // the pods whose cycle reached the filters, in order
}

// newWorld returns a world with nodes of 1000 milli-CPUs, without any pods.
func newWorld(t testing.TB, nodes ...string) *world {
	t.Helper()
	w := &world{State: cluster.NewState(), pods: map[string]cluster.PodID{}}
	asked := required("Asked", askedFilter{w})
	w.scheduler = scheduler.New(mustProfile(t, []*scheduler.Plugin{asked, room, gpus}))
	for _, name := range nodes {
		w.step(0, node(name, 1000))
	}
	return w
}

// askedFilter notes which pods it is asked about.
type askedFilter struct{ w *world }

func (f askedFilter) Filter(s *cluster.State, p cluster.PodID) func(cluster.NodeID) scheduler.Verdict {
	f.w.asked = append(f.w.asked, s.Pods.Name[p])
	return nil
}

// step takes events in and lets the scheduler decide. It returns what that did,
// as in "a@n1 b@n2".
func (w *world) step(now cluster.Time, events ...cluster.Event) (decided string, wake cluster.Time) {
	w.asked = nil
	slices.SortStableFunc(events, func(a, b cluster.Event) int { return int(a.Kind) - int(b.Kind) })
	w.Observe(now, events)
	for _, e := range events {
		if e.Kind == cluster.PodAdded {
			w.pods[e.PodSpec.Name] = e.Pod
		}
	}
	wake = w.scheduler.Step(w.State, events)
	var parts []string
	for _, d := range w.TakeDecisions() {
		parts = append(parts, w.Pods.Name[d.Pod]+"@"+w.Nodes.Name[d.Node])
	}
	return strings.Join(parts, " "), wake
}

func (w *world) node(name string) cluster.NodeID {
	n, ok := w.Nodes.Named(name)
	if !ok {
		panic("no node " + name)
	}
	return n
}

// Events.

func node(name string, cpu int64) cluster.Event {
	return cluster.Event{Kind: cluster.NodeAdded, NodeSpec: &cluster.NodeSpec{Name: name, Capacity: cluster.Amounts{
		cluster.CPU: cpu, cluster.Memory: 1 << 40, cluster.PodSlots: 100,
	}}}
}

func pod(name string, cpu int64) cluster.Event { return podOf(name, cpu, 0) }

func podOf(name string, cpu int64, priority int32) cluster.Event {
	return cluster.Event{Kind: cluster.PodAdded, PodSpec: &cluster.PodSpec{Name: name, Run: cluster.Never, Class: &cluster.Class{
		Namespace: "test", Priority: priority, Requests: cluster.Amounts{cluster.CPU: cpu},
	}}}
}

func (w *world) removed(name string) cluster.Event {
	return cluster.Event{Kind: cluster.NodeRemoved, Node: w.node(name)}
}

func (w *world) ended(name string) cluster.Event {
	p := w.pods[name]
	return cluster.Event{Kind: cluster.PodEnded, Pod: p, Node: w.Pods.Node[p]}
}

func (w *world) bound(name string) cluster.Event {
	p := w.pods[name]
	return cluster.Event{Kind: cluster.PodBound, Pod: p, Node: w.Pods.Node[p]}
}

// refused says that the pod's binding could not be carried out.
func (w *world) refused(name string) cluster.Event {
	p := w.pods[name]
	d := cluster.Decision{Kind: cluster.Bind, Pod: p, Node: w.Pods.Node[p], Allocation: w.Pods.Allocation[p]}
	return cluster.Event{Kind: cluster.Rejected, Pod: p, Node: d.Node, Decision: d, Reason: "test"}
}
