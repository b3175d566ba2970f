package eviction_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/faults"
	"github.com/berthsim/berth/cluster/sim"
	"github.com/berthsim/berth/eviction"
	"github.com/cockroachdb/datadriven"
)

// TestStories plays the stories in testdata, one a file. With -rewrite it writes down what
// comes out; read that before you believe it.
func TestStories(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		st := &story{settings: eviction.Defaults(), policy: eviction.Kube}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			command, ok := commands[d.Cmd]
			if !ok {
				d.Fatalf(t, "there is no command %s", d.Cmd)
			}
			out, err := command(st, d)
			if err != nil {
				d.Fatalf(t, "%v", err)
			}
			return out
		})
	})
}

// A story is what has been told so far. It is played from the start each time that time
// goes on: a simulated cluster takes no new nodes, pods or faults once it runs, and what
// has come out must be the same anyway.
type story struct {
	settings eviction.Settings
	policy   *eviction.Policy
	now      cluster.Time
	arrive   []cluster.Event // nodes and pods
	zones    map[string][]string
	faults   []*faults.Fault
	acts     []act
	drains   []eviction.Maintenance
	counted  bool // the disruption controller runs
	memory   memory
	told     []happening // up to now
}

// An act is what a user does, or whatever else isn't played, at a time.
type act struct {
	at cluster.Time
	do func(s *cluster.State)
}

// A happening is a line of what comes out, of one thing.
type happening struct {
	at         cluster.Time
	kind, name string // "node", "n1"
	what       string
}

// play has the story happen up to a time, and returns the State it leads to.
func (st *story) play(until cluster.Time) (*cluster.State, []happening, error) {
	s := cluster.NewState()
	s.Seed = 1
	kubelets := sim.DefaultKubelets()
	var list faults.List
	for _, f := range st.faults {
		if f.Until > f.At {
			list = append(list, *f)
		}
	}
	slices.SortStableFunc(list, func(a, b faults.Fault) int { return cmp.Compare(a.At, b.At) })
	kubelets.Faults = &list
	looking, err := st.memory.policy()
	if err != nil {
		return nil, nil, err
	}
	if looking != nil {
		kubelets.Policy = looking
	}
	arrive := sim.List(slices.Clone(st.arrive))
	world, err := sim.New(s, &arrive, sim.Options{Kubelets: kubelets, Evictions: eviction.API{}, Until: max(until, 1)})
	if err != nil {
		return nil, nil, err
	}
	controllers := eviction.Controllers(st.settings, st.policy)
	w := &witness{asked: map[string]bool{}}
	for _, c := range controllers {
		if h, ok := c.(*eviction.Health); ok {
			w.health = h
		}
	}
	if st.counted {
		controllers = append(controllers, eviction.NewBudgets())
	}
	controllers = append(controllers, &eviction.GC{}, &eviction.Drain{Plan: st.drains}, &users{acts: st.acts}, &owners{}, binder{})
	err = cluster.Run(context.Background(), world, s, w, controllers...)
	return s, w.seen, err
}

// advance plays on, and returns what is new.
func (st *story) advance(by cluster.Time) (string, error) {
	to := st.now + by
	_, seen, err := st.play(to)
	if err != nil {
		return "", err
	}
	if len(seen) < len(st.told) || !slices.Equal(seen[:len(st.told)], st.told) {
		return "", fmt.Errorf("what had happened by %v s would be otherwise now: begin this a moment later", st.now.Seconds())
	}
	fresh := seen[len(st.told):]
	st.now, st.told = to, seen
	return tell(fresh), nil
}

// tell writes happenings, those of one moment that differ only in names as one line.
func tell(list []happening) string {
	var b strings.Builder
	for len(list) > 0 {
		first, names := list[0], []string{}
		for len(list) > 0 && (list[0] == happening{first.at, first.kind, list[0].name, first.what}) {
			names, list = append(names, list[0].name), list[1:]
		}
		kind := first.kind
		if len(names) > 1 {
			kind += "s"
		}
		fmt.Fprintf(&b, "%10.3f %s %s %s\n", first.at.Seconds(), kind, few(names), first.what)
	}
	return b.String()
}

// few writes names: of many, how many.
func few(names []string) string {
	if n := len(names); n > 6 {
		return fmt.Sprintf("%s %s … %s (%d)", names[0], names[1], names[n-1], n)
	}
	return strings.Join(names, " ")
}

// A witness records what happens.
type witness struct {
	health *eviction.Health
	seen   []happening
	states map[string]string
	asked  map[string]bool // pods that a controller has told to end
	said   map[cluster.NodeID]cluster.Conditions
}

// Record implements cluster.Recorder.
func (w *witness) Record(s *cluster.State, events []cluster.Event, ds []cluster.Decision) error {
	var here []happening
	pod := func(p cluster.PodID, what string) {
		here = append(here, happening{s.Now, "pod", s.Pods.Name[p], what})
	}
	node := func(n cluster.NodeID, what string) {
		here = append(here, happening{s.Now, "node", s.Nodes.Name[n], what})
	}
	for i := range events {
		switch e := &events[i]; e.Kind {
		case cluster.NodeHeard:
			w.recordHeard(e.Node, e.Health, node)
		case cluster.PodTold:
			if !w.asked[s.PodName(e.Pod)] {
				pod(e.Pod, "told to end by its kubelet")
			}
		case cluster.PodEnded:
			pod(e.Pod, "gone")
		case cluster.PodBound:
			pod(e.Pod, "runs on "+s.Nodes.Name[e.Node])
		case cluster.PodReady:
			if e.Ready {
				pod(e.Pod, "ready")
			} else {
				pod(e.Pod, "not ready")
			}
		case cluster.Rejected:
			if e.Decision.Kind == cluster.RequestEviction {
				pod(e.Pod, fmt.Sprintf("may not go: %d", e.Code))
			}
		}
	}
	for i := range ds {
		if d := &ds[i]; d.Kind == cluster.Evict || d.Kind == cluster.RequestEviction {
			w.asked[s.PodName(d.Pod)] = true
		}
		switch d := &ds[i]; d.Kind {
		case cluster.SetConditions:
			node(d.Node, "Ready "+d.Detail.(cluster.StatusChange).To[cluster.NodeReady].String())
		case cluster.AddTaint:
			node(d.Node, "+"+taintName(d.Detail.(cluster.Taint)))
		case cluster.RemoveTaint:
			node(d.Node, "-"+taintName(d.Detail.(cluster.Taint)))
		case cluster.MarkUnready:
			pod(d.Pod, "marked not ready")
		case cluster.Evict:
			pod(d.Pod, "deleted")
		case cluster.RequestEviction:
			pod(d.Pod, "asked to go")
		case cluster.Finalise:
			pod(d.Pod, "taken away for good")
		}
	}
	// Of what one round decides, what is alike stands together.
	slices.SortStableFunc(here, func(a, b happening) int { return cmp.Compare(indexOf(here, a), indexOf(here, b)) })
	w.seen = append(w.seen, here...)
	w.recordZones(s.Now)
	return nil
}

// indexOf returns where something like x happens first.
func indexOf(list []happening, x happening) int {
	return slices.IndexFunc(list, func(o happening) bool { return o.kind == x.kind && o.what == x.what })
}

func taintName(t cluster.Taint) string {
	effect := map[cluster.Effect]string{cluster.NoSchedule: "NoSchedule", cluster.PreferNoSchedule: "PreferNoSchedule", cluster.NoExecute: "NoExecute"}
	return strings.TrimPrefix(t.Key, "node.kubernetes.io/") + ":" + effect[t.Effect]
}

// recordZones records which zones are in another state.
func (w *witness) recordZones(now cluster.Time) {
	states := map[string]string{}
	for _, z := range w.health.Picture().Zones {
		state := z.State.String()
		if z.Stopped {
			state += ", as all are"
		}
		states[z.Name] = state
		if was, ok := w.states[z.Name]; was != state && (ok || z.State != eviction.Normal) {
			w.seen = append(w.seen, happening{now, "zone", z.Name, fmt.Sprintf("%s, %d of %d not ready", state, z.Unready, z.Size)})
		}
	}
	w.states = states
}
