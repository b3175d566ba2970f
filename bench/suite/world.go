package suite

import (
	"fmt"
	"slices"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/plugins"
	"github.com/berthsim/berth/scheduler"
)

// podsPerNode is how many pods there are for each node, those without one included.
const podsPerNode = 2

// interval is the time from one pod to the next, as bench/upstream/perf has it.
const interval = 2 * cluster.Millisecond

// A World is a case in its steady state, in which Place can go on for ever.
type World struct {
	State   *cluster.State
	profile *scheduler.Profile
	sched   *scheduler.Scheduler
	digest  *cluster.Digest

	workload  *workload
	templates []template
	specs     []cluster.PodSpec // of pods that are to come
	minors    []cluster.PodSpec // of those that will come back
	made      int               // pods described so far

	pods   []cluster.PodID // that will end in turn
	oldest int             // of them
	events []cluster.Event // of this round
	coming []cluster.Event // of the next: what became of decisions
	wake   cluster.Time
	placed bool // a pod was bound in this round

	marks *marks // nil unless a profiler is to know what is done
}

// NewWorld makes a case of kube's default plugins, which known must contain, and lets it
// run until it is in its steady state.
func NewWorld(c Case, known []*scheduler.Plugin) (*World, error) {
	profile, err := KubeProfile(known)
	if err != nil {
		return nil, err
	}
	w := &World{
		State: cluster.NewState(), profile: profile, sched: scheduler.New(profile), digest: cluster.NewDigest(),
		workload: find(c.Workload), wake: cluster.Never,
	}
	w.templates = w.workload.templates(c.Classes)
	w.addNodes(c.Nodes)
	if w.workload.preempts {
		w.crowd(c.Nodes)
	} else {
		w.fill(c.Nodes)
	}
	warm := max(3*len(w.templates), 300)
	if w.workload.preempts {
		warm = c.Nodes/crowdShare + 5
	}
	w.Prepare(warm)
	for range warm {
		w.Place()
	}
	return w, nil
}

// KubeProfile returns a profile of kube's default plugins, as known has them, and of no
// others.
func KubeProfile(known []*scheduler.Plugin) (*scheduler.Profile, error) {
	optional := make([]*scheduler.Plugin, len(known))
	for i, pl := range known {
		copied := *pl
		copied.Required = false
		optional[i] = &copied
	}
	return scheduler.NewProfile(optional, plugins.Kube)
}

func (w *World) addNodes(nodes int) {
	events := make([]cluster.Event, nodes)
	for i := range events {
		events[i] = cluster.Event{Kind: cluster.NodeAdded, NodeSpec: w.workload.node(i)}
	}
	w.begin(events)
}

// begin has the scheduler see what is there at the beginning.
func (w *World) begin(events []cluster.Event) {
	w.State.Observe(0, events)
	w.sched.Step(w.State, events)
	w.State.TakeDecisions()
}

// fill puts pods on the nodes: so that all nodes have as many, and a template's pods are
// on as many nodes as there are.
func (w *World) fill(nodes int) {
	var events []cluster.Event
	w.Prepare(nodes * podsPerNode)
	each := max(1, nodes*podsPerNode/len(w.templates))
	for i := range w.specs {
		spec := &w.specs[i]
		if spec.Class.Requests[cluster.CPU] > nodeCPU {
			continue
		}
		at := i%len(w.templates)*each + i/len(w.templates)
		spec.On = w.State.Nodes.Name[at%nodes]
		events = append(events, cluster.Event{Kind: cluster.PodAdded, PodSpec: spec})
	}
	w.specs = nil
	w.begin(events)
	for i := range events {
		w.pods = append(w.pods, events[i].Pod)
	}
}

// Prepare describes pods that are to come, so that it isn't measured.
func (w *World) Prepare(pods int) {
	w.specs = make([]cluster.PodSpec, pods)
	for i := range w.specs {
		w.specs[i] = w.templates[w.made%len(w.templates)].pod(w.made)
		w.made++
	}
	if w.workload.preempts {
		w.minors = make([]cluster.PodSpec, pods*victims)
		for i := range w.minors {
			w.minors[i] = w.minor("")
		}
	}
}

// Left returns how many pods that Prepare has described are still to come.
func (w *World) Left() int { return len(w.specs) }

// Place has the next pod come and be decided about, and the oldest end. That the pod was
// bound is confirmed with the next.
func (w *World) Place() {
	if w.workload.preempts {
		w.preempt()
		return
	}
	w.events = w.events[:0]
	w.end(w.pods[w.oldest])
	w.confirm()
	w.add(&w.specs[0])
	w.specs = w.specs[1:]
	w.round(w.State.Now + interval)
	w.pods[w.oldest] = w.events[len(w.events)-1].Pod
	w.oldest = (w.oldest + 1) % len(w.pods)
}

func (w *World) end(p cluster.PodID) {
	w.events = append(w.events, cluster.Event{Kind: cluster.PodEnded, Pod: p, Node: w.State.Pods.Node[p]})
}

// confirm has happen what the last round has decided.
func (w *World) confirm() {
	w.events = append(w.events, w.coming...)
	w.coming = w.coming[:0]
}

func (w *World) add(spec *cluster.PodSpec) {
	w.events = append(w.events, cluster.Event{Kind: cluster.PodAdded, PodSpec: spec})
}

// round is one of cluster.Run's. It leaves the events for a look at their rows, up to the
// next.
func (w *World) round(now cluster.Time) {
	for i := range w.events {
		w.events[i].Time = now
	}
	w.marks.begin("observe")
	w.State.Observe(now, w.events)
	w.marks.end()
	w.wake = w.sched.Step(w.State, w.events)
	w.marks.begin("decisions")
	decisions := w.State.TakeDecisions()
	w.marks.end()
	w.marks.begin("digest")
	w.digest.Record(w.State, w.events, decisions)
	w.marks.end()
	w.placed = false
	for i := range decisions {
		switch d := &decisions[i]; d.Kind {
		case cluster.Bind:
			w.placed = true
			w.coming = append(w.coming, cluster.Event{Kind: cluster.PodBound, Pod: d.Pod, Node: d.Node})
		case cluster.Preempt:
			w.coming = append(w.coming, cluster.Event{Kind: cluster.PodEnded, Pod: d.Pod, Node: d.Node})
		}
	}
	slices.SortStableFunc(w.coming, func(a, b cluster.Event) int { return int(a.Kind) - int(b.Kind) })
}

// Of the workload preemption: the pods that nodes are full of, and one in how many nodes
// has a more important pod instead.
const (
	crowdCPU   = 900
	crowdPods  = 4
	victims    = 3
	crowdShare = 20
)

// crowd makes nodes full.
func (w *World) crowd(nodes int) {
	var events []cluster.Event
	for i := range nodes * crowdPods {
		spec := w.minor(w.State.Nodes.Name[i%nodes])
		events = append(events, cluster.Event{Kind: cluster.PodAdded, PodSpec: &spec})
	}
	w.begin(events)
	w.oldest = nodes / crowdShare // pods that are to come before the first ends
}

// minor describes a pod on a node that has to make room.
func (w *World) minor(node string) cluster.PodSpec {
	w.made++
	return cluster.PodSpec{Name: fmt.Sprintf("minor-%08d", w.made), Class: minorClass, On: node, Run: cluster.Never}
}

var minorClass = prior(crowdCPU, 0)

// preempt has a pod come, be tried, preempt others, and be tried again when they have
// ended. The oldest of its kind ends, and pods like its victims come back.
func (w *World) preempt() {
	w.events = w.events[:0]
	back := w.minors[:0]
	if len(w.pods) > w.oldest {
		back, w.minors = w.minors[:victims], w.minors[victims:]
		old := w.pods[0]
		for i := range back {
			back[i].On = w.State.Nodes.Name[w.State.Pods.Node[old]]
		}
		w.pods = append(w.pods[:0], w.pods[1:]...)
		w.end(old)
	}
	w.confirm()
	for i := range back {
		w.add(&back[i])
	}
	w.add(&w.specs[0])
	w.specs = w.specs[1:]
	w.round(w.State.Now + interval)
	w.pods = append(w.pods, w.events[len(w.events)-1].Pod)
	for !w.placed {
		w.events = w.events[:0]
		now := w.wake
		if len(w.coming) > 0 {
			now = w.State.Now + interval
		}
		if now == cluster.Never {
			panic("suite: a pod has preempted others in vain")
		}
		w.confirm()
		w.round(now)
	}
}
