package suite

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/plugins"
	"github.com/berthsim/berth/scheduler"
)

// A Cost is what a plugin takes at one point, by itself, about a recorded set of pods and
// nodes.
type Cost struct {
	Plugin string `json:"plugin"`
	Point  string `json:"point"` // filter, score, normalize, …
	Pods   int    `json:"pods"`  // of the set, for which the plugin is asked

	// Nanoseconds is the time for a pod, on the machine as it was: the median.
	Nanoseconds float64 `json:"ns"`
	// Calibrated are samples of the time for all pods, as multiples of a fixed piece of
	// work.
	Calibrated []float64 `json:"calibrated"`

	// Statements are those run for a pod, counted several times; none if they could not be
	// counted.
	Statements []float64 `json:"statements,omitempty"`
}

// How a plugin's cost is measured.
const (
	costNodes   = 500                    // of the set, when times are measured
	costSamples = 10                     // of a round, which has a set of its own, elsewhere in memory
	costRun     = 100 * time.Microsecond // what a run takes, at least
	costRuns    = 4                      // of a sample, of which the fastest counts
)

// statementRounds is how often statements are counted, each time with a new set: how many a
// map takes differs a little from one to the next.
const statementRounds = 3

// A probe asks a plugin, at one point, about the set of pods.
type probe struct {
	plugin, point string
	pods          int
	run           func()
	times         int // that run is called in a row
}

// A rack is a set of pods and nodes, about which plugins are asked. It stays as it is.
type rack struct {
	state  *cluster.State
	pods   []cluster.PodID
	nodes  []cluster.NodeID
	known  []*scheduler.Plugin
	probes []*probe
	buffer []cluster.NodeID
	out    []int64
}

// newRack records a set with so many nodes, and prepares what is asked. Its pods are one
// of each kind in the workload mixed.
func newRack(known []*scheduler.Plugin, nodes int) (*rack, error) {
	w, err := NewWorld(Case{Workload: "mixed", Nodes: nodes}, known)
	if err != nil {
		return nil, err
	}
	var events []cluster.Event
	kind := ""
	for i := range w.templates {
		if t := &w.templates[i]; t.kind != kind {
			kind = t.kind
			spec := t.pod(w.made + i)
			events = append(events, cluster.Event{Kind: cluster.PodAdded, PodSpec: &spec})
		}
	}
	w.State.Observe(w.State.Now, events)
	r := &rack{state: w.State, nodes: w.State.Nodes.Live(), known: known}
	r.buffer, r.out = slices.Clone(r.nodes), make([]int64, len(r.nodes))
	for i := range events {
		r.pods = append(r.pods, events[i].Pod)
	}
	for _, member := range plugins.Kube {
		pl, err := scheduler.Find(known, member.Name)
		if err != nil {
			return nil, err
		}
		inst, err := pl.New(nil)
		if err != nil {
			return nil, fmt.Errorf("plugin %s: %w", pl.Name, err)
		}
		if err := r.prepare(pl, inst); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// add adds a probe that asks about each of pods.
func (r *rack) add(pl *scheduler.Plugin, point string, pods []cluster.PodID, ask func(p cluster.PodID)) {
	if len(pods) == 0 {
		return
	}
	r.probes = append(r.probes, &probe{plugin: pl.Name, point: point, pods: len(pods), run: func() {
		for _, p := range pods {
			ask(p)
		}
	}})
}

// prepare adds the probes of a plugin: one for each point at which it is asked.
func (r *rack) prepare(pl *scheduler.Plugin, inst any) error {
	s := r.state
	if x, ok := inst.(scheduler.PreEnqueuer); ok {
		r.add(pl, "preenqueue", r.pods, func(p cluster.PodID) { x.PreEnqueue(s, p) })
	}
	if x, ok := inst.(scheduler.Preselector); ok {
		r.add(pl, "prefilter", r.pods, func(p cluster.PodID) { x.Preselect(s, p) })
	}
	if x, ok := inst.(scheduler.Filter); ok {
		r.add(pl, "filter", r.pods, func(p cluster.PodID) { r.narrow(x, p) })
	}
	if x, ok := inst.(scheduler.PreScorer); ok {
		r.add(pl, "prescore", r.pods, func(p cluster.PodID) { x.PreScore(s, p) })
	}
	if x, ok := inst.(scheduler.Scorer); ok {
		r.add(pl, "score", r.pods, func(p cluster.PodID) { scheduler.Scores(x, s, p, r.nodes, r.out) })
	}
	if x, ok := inst.(scheduler.Normalizer); ok {
		r.addNormalizer(pl, x)
	}
	if x, ok := inst.(scheduler.Waker); ok {
		if changes := r.changes(x.Wakes()); len(changes) > 0 {
			r.add(pl, "wake", r.pods, func(p cluster.PodID) {
				for i := range changes {
					x.Wake(s, s.Class(p), &changes[i])
				}
			})
		}
	}
	if x, ok := inst.(scheduler.Dependent); ok {
		r.addRules(pl, x)
	}
	if _, ok := inst.(scheduler.Preemptor); ok {
		return r.addPreemptor(pl)
	}
	return nil
}

// narrow has a filter narrow all nodes, which are put back if it has left any out.
func (r *rack) narrow(x scheduler.Filter, p cluster.PodID) {
	if kept := scheduler.Narrow(x, r.state, p, r.buffer); len(kept) < len(r.buffer) {
		copy(r.buffer, r.nodes)
	}
}

// changes returns those of the commonest changes that are among actions: pods come to the
// first node and leave it, and the node joins.
func (r *rack) changes(actions scheduler.Action) (cs []scheduler.Change) {
	if actions&scheduler.NodeAdd != 0 {
		cs = append(cs, scheduler.Change{What: scheduler.NodeAdd, Node: r.state.Nodes.Spec[r.nodes[0]]})
	}
	for q := range r.state.PodsOn(r.nodes[0]) {
		was := r.state.PodState(q)
		if actions&scheduler.PodAdd != 0 {
			cs = append(cs, scheduler.Change{What: scheduler.PodAdd, Pod: was})
		}
		if actions&scheduler.PodDelete != 0 {
			cs = append(cs, scheduler.Change{What: scheduler.PodDelete, OldPod: was})
		}
	}
	return cs
}

// addNormalizer has raw scores normalised, of the pods about which the plugin has a say.
func (r *rack) addNormalizer(pl *scheduler.Plugin, x scheduler.Normalizer) {
	raw := map[cluster.PodID][]int64{}
	var pods []cluster.PodID
	for _, p := range r.pods {
		scores := make([]int64, len(r.nodes))
		if scheduler.Scores(x, r.state, p, r.nodes, scores) {
			pods, raw[p] = append(pods, p), scores
		}
	}
	r.add(pl, "normalize", pods, func(p cluster.PodID) {
		copy(r.out, raw[p])
		x.Normalize(r.state, p, r.nodes, r.out)
	})
}

// addRules has the rules made anew by which rankings decide, asked what pods of each class
// bring, and then asked about the nodes.
func (r *rack) addRules(pl *scheduler.Plugin, x scheduler.Dependent) {
	s := r.state
	r.add(pl, "depends", r.pods, func(p cluster.PodID) { x.Depends(s, s.Pods.Class[p]) })
	if f, ok := x.(scheduler.DomainFilter); ok {
		on := func(c cluster.ClassID) scheduler.Scope { return x.Depends(s, c).Filter }
		r.addRule(pl, "filter rule", on, f.FilterDomains, func(rule *scheduler.DomainRule, cells []scheduler.Cell) {
			for _, at := range cells {
				rule.May(at)
			}
		})
	}
	if sc, ok := x.(scheduler.DomainScorer); ok {
		on := func(c cluster.ClassID) scheduler.Scope { return x.Depends(s, c).Score }
		r.addRule(pl, "score rule", on, sc.ScoreDomains, func(rule *scheduler.DomainRule, cells []scheduler.Cell) {
			rule.Scores(cells, r.out[:len(cells)])
		})
	}
}

// addRule adds a probe of the rules that a plugin makes of pods whose classes depend on
// domains, and asks each about its cells.
func (r *rack) addRule(pl *scheduler.Plugin, point string, on func(cluster.ClassID) scheduler.Scope,
	ruleFor func(*cluster.State, cluster.ClassID) *scheduler.DomainRule, ask func(*scheduler.DomainRule, []scheduler.Cell),
) {
	s := r.state
	rules, cells := map[cluster.PodID]*scheduler.DomainRule{}, map[cluster.PodID][]scheduler.Cell{}
	var pods []cluster.PodID
	for _, p := range r.pods {
		if c := s.Pods.Class[p]; on(c) == scheduler.Domains {
			var ok bool
			rules[p] = ruleFor(s, c)
			if cells[p], ok = scheduler.Cells(s, rules[p]); ok {
				pods = append(pods, p)
			}
		}
	}
	r.add(pl, point, pods, func(p cluster.PodID) {
		r.bring(ruleFor(s, s.Pods.Class[p]))
		ask(rules[p], cells[p])
	})
}

// bring asks what some pods of the set bring to a rule.
func (r *rack) bring(rule *scheduler.DomainRule) {
	for _, q := range r.pods[len(r.pods)-4:] {
		rule.Brings(r.state.Pods.Class[q])
	}
}

// addPreemptor has room made on full nodes. Beside the plugin there is a filter of the
// suite's own, so that others' cost doesn't show.
func (r *rack) addPreemptor(pl *scheduler.Plugin) error {
	w, err := NewWorld(Case{Workload: "preemption", Nodes: len(r.nodes)}, r.known)
	if err != nil {
		return err
	}
	w.Prepare(1)
	events := []cluster.Event{{Kind: cluster.PodAdded, PodSpec: &w.specs[0]}}
	w.State.Observe(w.State.Now, events)
	s, p := w.State, events[0].Pod
	known := []*scheduler.Plugin{roomPlugin, pl}
	policy := []scheduler.Weighted{{Name: roomPlugin.Name, Weight: 1}, {Name: pl.Name, Weight: 1}}
	if _, err := scheduler.NewProfile(known, policy); err != nil {
		return err
	}
	r.add(pl, "preempt", []cluster.PodID{p}, func(p cluster.PodID) {
		profile, _ := scheduler.NewProfile(known, policy) // a new one remembers nothing
		if pre, ok := profile.Preemption(s, p); !ok || len(pre.Victims) == 0 {
			panic("suite: nobody is preempted on full nodes")
		}
	})
	return nil
}

// roomPlugin rules out nodes without enough CPU.
var roomPlugin = &scheduler.Plugin{
	Name: "Room", Doc: "Room rules out nodes without enough CPU.",
	New: func(scheduler.Args) (any, error) { return room{}, nil },
}

type room struct{}

// Filter implements scheduler.Filter.
func (room) Filter(s *cluster.State, p cluster.PodID) func(cluster.NodeID) scheduler.Verdict {
	want := s.Class(p).Requests[cluster.CPU]
	return func(n cluster.NodeID) scheduler.Verdict {
		if s.Free(n, cluster.CPU) < want {
			return scheduler.Verdict{Code: scheduler.Unschedulable, Reasons: tooLittle}
		}
		return scheduler.Verdict{}
	}
}

var tooLittle = []string{"Insufficient cpu"}

// measureCosts measures what each of kube's default plugins costs by itself, as known has
// them: the time, in so many rounds. Plugins take turns, so that what happens to the
// machine meanwhile happens to all.
func measureCosts(ctx context.Context, known []*scheduler.Plugin, rounds int, progress func()) (costs []Cost, err error) {
	var times [][]float64 // by place in costs, nanoseconds for a pod
	for round := range rounds {
		r, err := newRack(known, costNodes)
		if err != nil {
			return nil, err
		}
		if round == 0 {
			for _, pb := range r.probes {
				costs = append(costs, Cost{Plugin: pb.plugin, Point: pb.point, Pods: pb.pods})
			}
			times = make([][]float64, len(costs))
		}
		for _, pb := range r.probes {
			pb.settle()
		}
		runtime.GC()
		for range costSamples {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			for j, pb := range r.probes {
				each, calibrated := pb.sample()
				times[j] = append(times[j], each/float64(pb.pods))
				costs[j].Calibrated = append(costs[j].Calibrated, calibrated)
			}
		}
		progress()
	}
	for j := range costs {
		costs[j].Nanoseconds = median(times[j])
	}
	return costs, nil
}

// countStatements counts the statements of each cost. If that can't be done, uncounted says why.
func countStatements(ctx context.Context, known []*scheduler.Plugin, costs []Cost) (uncounted, err error) {
	weights, uncounted := readWeights()
	if uncounted != nil {
		return uncounted, nil
	}
	counts := make([][]float64, len(costs))
	for range statementRounds {
		r, err := newRack(known, costNodes)
		if err != nil {
			return nil, err
		}
		for j, pb := range r.probes {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			pb.run() // fills what is kept
			n, uncounted := statementsOf(weights, pb.run)
			if uncounted != nil {
				return uncounted, nil
			}
			counts[j] = append(counts[j], float64(n)/float64(pb.pods))
		}
	}
	for j := range costs {
		costs[j].Statements = counts[j]
	}
	return nil, nil
}

// settle finds out how often to run so that a clock can tell.
func (pb *probe) settle() {
	pb.run() // fills what is kept
	for pb.times = 1; ; pb.times *= 2 {
		if pb.timed() >= costRun {
			return
		}
	}
}

// timed returns the time of a run.
func (pb *probe) timed() time.Duration {
	began := time.Now()
	for range pb.times {
		pb.run()
	}
	return time.Since(began)
}

// sample returns the nanoseconds for the set, of the fastest of a few runs, and the same
// as a multiple of the fixed piece of work, done before and after.
func (pb *probe) sample() (each, calibrated float64) {
	unit := calibrate()
	fastest := pb.timed()
	for range costRuns - 1 {
		fastest = min(fastest, pb.timed())
	}
	unit = min(unit, calibrate())
	each = float64(fastest) / float64(pb.times)
	return each, each / float64(unit)
}
