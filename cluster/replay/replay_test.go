package replay

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/clustertest"
	"github.com/berthsim/berth/cluster/faults"
	"github.com/berthsim/berth/cluster/sim"
	"github.com/berthsim/berth/cluster/workload"
	"github.com/berthsim/berth/eviction"
	"github.com/berthsim/berth/plugins"
	"github.com/berthsim/berth/scheduler"
	"github.com/berthsim/berth/scheduler/schedulertest"
	"github.com/berthsim/berth/traces/wire"
)

const app = "app"

// A world is a random workload and what befalls it, which can be played again and again.
type world struct {
	seed   uint64
	events []cluster.Event
	faults faults.List
}

func newWorld(seed uint64) *world {
	rng := rand.New(rand.NewPCG(seed, 1))
	w := &world{seed: seed}
	nodes := 3 + rng.IntN(8)
	for i := range nodes {
		spec := schedulertest.RandomNode(rng, fmt.Sprintf("n%02d", i))
		w.events = append(w.events, cluster.Event{Kind: cluster.NodeAdded, Time: cluster.Time(rng.Int64N(2)) * cluster.Hour / 4, NodeSpec: spec})
	}
	for i := range 3 {
		selector := &cluster.Selector{Requirements: []cluster.Requirement{{Key: app, Op: cluster.In, Values: []string{fmt.Sprint(i)}}}}
		w.events = append(w.events,
			cluster.Event{Kind: cluster.ObjectSet, Pod: cluster.None, Node: cluster.None, Object: &cluster.DisruptionBudget{
				Namespace: "test", Name: fmt.Sprint("b", i), Selector: selector, MaxUnavailable: &cluster.IntOrPercent{Value: int32(i)}}},
			cluster.Event{Kind: cluster.ObjectSet, Pod: cluster.None, Node: cluster.None, Object: &cluster.ResourceQuota{
				Namespace: "test", Name: fmt.Sprint("q", i), Hard: []cluster.NamedAmount{{Name: "pods", Amount: 100}}}})
	}
	for i := range 7 {
		w.events = append(w.events, cluster.Event{Kind: cluster.ObjectSet, Pod: cluster.None, Node: cluster.None, Object: &cluster.Workload{
			Kind: "ReplicaSet", Namespace: "test", Name: fmt.Sprint("j", i), Replicas: int32(i)}})
	}
	for i := range 20 + rng.IntN(150) {
		class := schedulertest.RandomClass(rng)
		class.Owner = cluster.OwnerRef{Kind: "ReplicaSet", Name: fmt.Sprint("j", i%7)}
		class.Tolerations = cluster.DefaultTolerations(class.Tolerations, 20+rng.Int64N(100))
		spec := &cluster.PodSpec{
			Name: fmt.Sprintf("p%03d", i), Class: class, Labels: cluster.MakeLabels(map[string]string{app: fmt.Sprint(rng.IntN(4))}),
			Run: cluster.Time(rng.Int64N(int64(2 * cluster.Hour))), Stop: cluster.Time(rng.Int64N(int64(cluster.Minute))), Grace: 30 * cluster.Second,
		}
		w.events = append(w.events, cluster.Event{Time: cluster.Time(rng.Int64N(int64(3 * cluster.Hour))), Kind: cluster.PodAdded, PodSpec: spec})
	}
	slices.SortStableFunc(w.events, func(a, b cluster.Event) int { return cmp.Compare(a.Time, b.Time) })
	for range rng.IntN(12) {
		f := faults.Fault{At: cluster.Time(rng.Int64N(int64(3 * cluster.Hour))), Nodes: []string{fmt.Sprintf("n%02d", rng.IntN(nodes))}}
		f.Until = f.At + cluster.Time(1+rng.Int64N(int64(cluster.Hour)))
		f.Kind = []faults.Kind{faults.Crash, faults.Hang, faults.Partition}[rng.IntN(3)]
		w.faults = append(w.faults, f)
	}
	slices.SortStableFunc(w.faults, func(a, b faults.Fault) int { return cmp.Compare(a.At, b.At) })
	return w
}

// sim returns the world as a simulated cluster.
func (w *world) sim(t *testing.T, s *cluster.State) cluster.Cluster {
	t.Helper()
	arrive := sim.List(slices.Clone(w.events))
	return w.from(t, s, &arrive)
}

// from returns a simulated cluster to which things come from somewhere else.
func (w *world) from(t *testing.T, s *cluster.State, source sim.Source) cluster.Cluster {
	t.Helper()
	s.Seed = int64(w.seed) + 7
	kubelets := sim.DefaultKubelets()
	falls := slices.Clone(w.faults)
	kubelets.Faults = &falls
	asked := 0
	refused := func(cluster.Decision) string {
		if asked++; cluster.NewDraw(int64(w.seed), "refuse", fmt.Sprint(asked)).Below(25) == 0 {
			return "the API server says no"
		}
		return ""
	}
	c, err := sim.New(s, source, sim.Options{Kubelets: kubelets, Evictions: eviction.API{}, Admission: &admission{}, Refuse: refused, Until: 8 * cluster.Hour})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// admission refuses one pod in ten, and counts the others in one of three quotas.
type admission struct {
	charged []string
}

func (a *admission) Admit(_ *cluster.State, spec *cluster.PodSpec) (int16, string) {
	if cluster.NewDraw(0, "admit", spec.Name).Below(10) == 0 {
		return 403, "exceeded quota"
	}
	a.charged = append(a.charged, "q"+spec.Labels[0].Value)
	return 0, ""
}

func (a *admission) Charged(s *cluster.State, to []cluster.Object) []cluster.Object {
	slices.Sort(a.charged)
	for _, name := range slices.Compact(a.charged) {
		if q := s.Quotas.Get("test", name); q != nil {
			counted := *q
			counted.Used = []cluster.NamedAmount{{Name: "pods", Amount: int64(len(a.charged))}}
			to = append(to, &counted)
		}
	}
	a.charged = nil
	return to
}

// deciders are all that decide in a run.
func deciders(t *testing.T, policy string) []cluster.Controller {
	t.Helper()
	profile, err := scheduler.NewProfile(plugins.All, []scheduler.Weighted{{Name: "Kube", Weight: 1}, {Name: policy, Weight: 1}})
	if err != nil {
		t.Fatal(err)
	}
	st := eviction.Defaults()
	st.Rate = 2
	list := eviction.Controllers(st, nil)
	return append(list, workload.NewReplicas(), eviction.NewBudgets(), &asker{}, scheduler.New(profile))
}

// asker asks for the eviction of a pod now and then.
type asker struct{ next cluster.Time }

func (a *asker) Step(s *cluster.State, _ []cluster.Event) cluster.Time {
	if s.Now < a.next {
		return a.next
	}
	a.next += 11 * cluster.Minute
	for _, n := range s.Nodes.Live() {
		for p := range s.PodsOn(n) {
			if s.Pods.Phase[p] == cluster.Bound {
				s.RequestEviction(p)
				break
			}
		}
	}
	if a.next > 6*cluster.Hour {
		return cluster.Never
	}
	return a.next
}

// run plays a world, and returns the log and the digest of what was decided.
func (w *world) run(t *testing.T, policy string) (log []byte, digest string) {
	t.Helper()
	s := cluster.NewState()
	c := w.sim(t, s)
	var b bytes.Buffer
	to, err := wire.Create(&b, Meta(s), wire.Options{})
	if err != nil {
		t.Fatal(err)
	}
	d := cluster.NewDigest()
	if err := cluster.Run(context.Background(), c, s, cluster.Recorders{d, NewLog(to)}, deciders(t, policy)...); err != nil {
		t.Fatal(err)
	}
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), d.Sum()
}

func reader(t *testing.T, log []byte, o wire.ReadOptions) *wire.Reader {
	t.Helper()
	r, err := wire.NewReader(bytes.NewReader(log), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// replay plays a log back under a policy.
func replay(t *testing.T, log []byte, policy string) (again []byte, digest string, differs *Difference) {
	t.Helper()
	s := cluster.NewState()
	r := New(s, reader(t, log, wire.ReadOptions{}))
	var b bytes.Buffer
	to, err := wire.Create(&b, Meta(s), wire.Options{})
	if err != nil {
		t.Fatal(err)
	}
	d := cluster.NewDigest()
	if err := cluster.Run(context.Background(), r, s, cluster.Recorders{d, NewLog(to)}, deciders(t, policy)...); err != nil {
		t.Fatal(err)
	}
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), d.Sum(), r.Difference()
}

// TestReplay logs runs with faults, evictions, refusals and what else there is, plays each back
// to the same digest and the same log, and tells another policy at the first decision that
// differs.
func TestReplay(t *testing.T) {
	kinds, otherwise := map[cluster.Kind]int{}, 0
	for seed := range uint64(25) {
		w := newWorld(seed)
		log, digest := w.run(t, "BestFit")
		again, replayed, differs := replay(t, log, "BestFit")
		if differs != nil || replayed != digest {
			t.Fatalf("seed %d: replayed to %s; was %s: %v", seed, replayed, digest, differs)
		}
		if !bytes.Equal(again, log) {
			t.Errorf("seed %d: the replay's log is another one: %s", seed, firstDifference(t, again, log))
		}
		count(t, log, kinds)
		if _, other := w.run(t, "Random"); other != digest {
			otherwise++
			tellsApart(t, w, log)
		}
	}
	if otherwise == 0 {
		t.Error("no other policy ever decided otherwise")
	}
	for kind := cluster.PodEnded; kind <= cluster.Store; kind++ {
		missing := kinds[kind] == 0 && (kind <= cluster.PodRefused || kind >= cluster.Bind)
		switch kind {
		case cluster.NodeRemoved, cluster.ObjectRemoved, cluster.PodChanged, cluster.Finalise: // no simulated cluster has them here
		default:
			if missing {
				t.Errorf("no log has %v: the test tries less than it should", kind)
			}
		}
	}
}

// tellsApart checks that another policy is told from the logged one where it first decided
// otherwise, which is found by comparing logs.
func tellsApart(t *testing.T, w *world, log []byte) {
	t.Helper()
	other, _ := w.run(t, "Random")
	_, _, differs := replay(t, log, "Random")
	if differs == nil {
		t.Fatalf("seed %d: another policy was not told apart", w.seed)
	}
	a, b := reader(t, log, wire.ReadOptions{}), reader(t, other, wire.ReadOptions{})
	for {
		x, errX := a.Next()
		y, errY := b.Next()
		if errX != nil || errY != nil {
			t.Fatalf("seed %d: %v, and the logs are the same", w.seed, differs)
		}
		if !reflect.DeepEqual(x.Decision, y.Decision) || x.What != y.What || x.Batch != y.Batch {
			if differs.Time != x.Time || differs.Then == differs.Now {
				t.Fatalf("seed %d: the logs differ at %d ns, and the replay says: %v", w.seed, x.Time, differs)
			}
			return
		}
	}
}

// firstDifference says where two logs differ.
func firstDifference(t *testing.T, got, want []byte) string {
	t.Helper()
	var a, b bytes.Buffer
	if err := errors.Join(wire.WriteJSONLines(&a, reader(t, got, wire.ReadOptions{})), wire.WriteJSONLines(&b, reader(t, want, wire.ReadOptions{}))); err != nil {
		t.Fatal(err)
	}
	x, y := strings.Split(a.String(), "\n"), strings.Split(b.String(), "\n")
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return fmt.Sprintf("line %d\n%s\n%s", i+1, x[i], y[i])
		}
	}
	return fmt.Sprint(len(x), " and ", len(y), " lines")
}

// count counts the kinds of events and decisions of a log.
func count(t *testing.T, log []byte, kinds map[cluster.Kind]int) {
	t.Helper()
	r := reader(t, log, wire.ReadOptions{})
	for {
		x, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		kinds[x.Event.Kind]++
		kinds[x.Decision.Kind]++
	}
}

// TestWorkloadOfLog checks that the workload of a log is what had come from outside: nothing of
// what followed from decisions, and all that hadn't.
func TestWorkloadOfLog(t *testing.T) {
	for seed := range uint64(10) {
		w := newWorld(seed)
		log, _ := w.run(t, "BestFit")
		stream := wire.NewStream(reader(t, log, wire.ReadOptions{Workload: true}), wire.Arrivals()...)
		var got, want []string
		for {
			e, err := stream.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, arrival(&e))
		}
		for i := range w.events {
			want = append(want, arrival(&w.events[i]))
		}
		slices.Sort(got) // within an instant, the order in which they came is that of their kinds
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d: the workload is\n%s\nand should be\n%s", seed, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

func arrival(e *cluster.Event) string {
	text := fmt.Sprintf("%020d %v", e.Time, e.Kind)
	switch {
	case e.NodeSpec != nil:
		return text + e.NodeSpec.Name
	case e.PodSpec != nil:
		return text + fmt.Sprint(e.PodSpec.Name, e.PodSpec.Run, e.PodSpec.Stop)
	}
	return text + fmt.Sprintf("%+v", keyOf(e.Object))
}

// TestWorkloadAgain has the workload of a log decided anew, by the same policy in the same
// simulated cluster, which comes to the same.
func TestWorkloadAgain(t *testing.T) {
	for seed := range uint64(10) {
		w := newWorld(seed)
		log, digest := w.run(t, "BestFit")
		s, d := cluster.NewState(), cluster.NewDigest()
		c := w.from(t, s, wire.NewStream(reader(t, log, wire.ReadOptions{Workload: true}), wire.Arrivals()...))
		if err := cluster.Run(context.Background(), c, s, d, deciders(t, "BestFit")...); err != nil {
			t.Fatal(err)
		}
		if d.Sum() != digest {
			t.Errorf("seed %d: the log's workload comes to %s; what was logged had come to %s", seed, d.Sum(), digest)
		}
	}
}

// A logged is a cluster whose rounds are logged as they are carried out.
type logged struct {
	cluster.Cluster
	state  *cluster.State
	log    *Log
	events []cluster.Event
}

func (l *logged) Next(ctx context.Context, deadline cluster.Time) (now cluster.Time, events []cluster.Event, err error) {
	now, l.events, err = l.Cluster.Next(ctx, deadline)
	return now, l.events, err
}

func (l *logged) Apply(ctx context.Context, ds []cluster.Decision) error {
	if err := l.log.Record(l.state, l.events, ds); err != nil {
		return err
	}
	return l.Cluster.Apply(ctx, ds)
}

// TestContract checks that a replay keeps the contract of clusters, for whoever decides as was
// decided in its log.
func TestContract(t *testing.T) {
	for seed := range uint64(5) {
		s := cluster.NewState()
		w := newWorld(seed)
		list := sim.List(slices.Clone(w.events))
		c, err := sim.New(s, &list, sim.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		to, err := wire.Create(&b, Meta(s), wire.Options{Records: 100})
		if err != nil {
			t.Fatal(err)
		}
		bound := clustertest.Test(t, &logged{Cluster: c, state: s, log: NewLog(to)}, s)
		if err := to.Close(); err != nil {
			t.Fatal(err)
		}
		s = cluster.NewState()
		r := New(s, reader(t, b.Bytes(), wire.ReadOptions{}))
		if again := clustertest.Test(t, r, s); again != bound || bound == 0 || r.Difference() != nil {
			t.Fatalf("%d pods were bound, and in the replay %d: %v", bound, again, r.Difference())
		}
	}
}

// TestNoLog checks that a file that isn't the log of a run is refused, and a log that ends
// within it is.
func TestNoLog(t *testing.T) {
	file := func(records ...wire.Record) []byte {
		var b bytes.Buffer
		to, err := wire.Create(&b, wire.Meta{}, wire.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for i := range records {
			if err := to.Write(&records[i]); err != nil {
				t.Fatal(err)
			}
		}
		if err := to.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	node := wire.Record{What: wire.Workload, Event: cluster.Event{Kind: cluster.NodeAdded, NodeSpec: &cluster.NodeSpec{Name: "n"}}}
	pod := wire.Record{What: wire.Workload, Event: cluster.Event{Kind: cluster.PodAdded, PodSpec: &cluster.PodSpec{Name: "p", Class: &cluster.Class{}}}}
	ended := wire.Record{What: wire.Outcome, Event: cluster.Event{Kind: cluster.PodEnded, Node: cluster.None}}
	round := func(n int) wire.Record { return wire.Record{What: wire.Round, Batch: wire.Batch{Events: n}} }
	for name, log := range map[string][]byte{
		"in no round":   file(node),
		"twice":         file(round(1), node, round(1), node),
		"not yet there": file(round(2), pod, ended),
		"gone":          file(round(1), pod, round(1), ended, round(1), ended),
		"within":        file(round(1), pod, round(2), ended, ended),
	} {
		s := cluster.NewState()
		err := cluster.Run(context.Background(), New(s, reader(t, log, wire.ReadOptions{})), s, cluster.Recorders{})
		if err == nil {
			t.Errorf("%s: replayed without an error", name)
		}
	}
}
