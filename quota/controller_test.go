package quota

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/sim"
)

// stored is what a controller has decided to store, as "name: ENFORCED / USED".
func stored(ds []cluster.Decision) string {
	var parts []string
	for _, d := range ds {
		if o, ok := d.Detail.(cluster.Stored); ok {
			q := o.To.(*cluster.ResourceQuota)
			parts = append(parts, fmt.Sprintf("%s: %s / %s", q.Name, show(q.Enforced), show(q.Used)))
		}
	}
	return strings.Join(parts, "; ")
}

// desk is a State and a controller that are told what happens.
type desk struct {
	t     *testing.T
	state *cluster.State
	ctl   *Controller
	wake  cluster.Time
}

func newDesk(t *testing.T, o ControllerOptions) *desk {
	return &desk{t: t, state: cluster.NewState(), ctl: NewController(o)}
}

// at has something happen at a time, in seconds, and compares what is stored then.
func (d *desk) at(seconds float64, want string, events ...cluster.Event) []cluster.Decision {
	d.t.Helper()
	now := cluster.Time(seconds * float64(cluster.Second))
	for i := range events {
		events[i].Time = now
	}
	d.state.Observe(now, events)
	d.wake = d.ctl.Step(d.state, events)
	ds := d.state.TakeDecisions()
	if got := stored(ds); got != want {
		d.t.Errorf("at %v s: stored %q, want %q", seconds, got, want)
	}
	for _, t := range d.ctl.tallies {
		if got, want := show(used(t.quota, func(i int) int64 { return t.used[i] })), show(d.ctl.Recount(d.state, t.quota)); got != want {
			d.t.Errorf("at %v s: %s has %s, and counting anew gives %s", seconds, t.quota.Name, got, want)
		}
	}
	return ds
}

// wakes compares when the controller wants to be called, in seconds; -1 for never.
func (d *desk) wakes(want float64) {
	d.t.Helper()
	got := d.wake.Seconds()
	if d.wake == cluster.Never {
		got = -1
	}
	if got != want {
		d.t.Errorf("wants to be called at %v s, want %v", got, want)
	}
}

func set(q *cluster.ResourceQuota) cluster.Event {
	return cluster.Event{Kind: cluster.ObjectSet, Object: q}
}

// limits is a quota without a status.
func limits(t testing.TB, name, hard string, scopes ...cluster.ScopeRequirement) *cluster.ResourceQuota {
	return &cluster.ResourceQuota{Namespace: "x", Name: name, Hard: list(t, hard), Scopes: scopes}
}

func added(t testing.TB, name, requests string) cluster.Event {
	spec := comes(t, requests)
	spec.Name = name
	return cluster.Event{Kind: cluster.PodAdded, PodSpec: spec}
}

func TestController(t *testing.T) {
	d := newDesk(t, ControllerOptions{Objects: []Object{
		{Resource: Claims, Namespace: "x", Claim: &Claim{Requested: 70, Allocated: -1}},
		{Resource: Claims, Namespace: "y", Claim: &Claim{Requested: 9, Allocated: -1}},
	}})
	// A quota that is new, with a pod that was there before, and what nobody counts.
	d.at(0, "q: cpu=300 nvidia.com/gpu=1 pods=9 requests.storage=80 / cpu=100 pods=1 requests.storage=70",
		set(limits(t, "q", "cpu=300 nvidia.com/gpu=1 pods=9 requests.storage=80")), added(t, "a", "cpu=100"))
	d.wakes(-1)

	// A pod that admission hasn't charged waits for the next look at all.
	d.at(10, "", added(t, "b", "cpu=50"))
	d.wakes(300)
	d.at(20, "")
	d.at(300, "q: cpu=300 nvidia.com/gpu=1 pods=9 requests.storage=80 / cpu=150 pods=2 requests.storage=70")
	d.wakes(-1)

	// One that it has doesn't.
	now := *d.state.Quotas.Get("x", "q")
	now.Used = list(t, "cpu=157 nvidia.com/gpu=5 pods=3 requests.storage=70")
	d.at(310, "", set(&now), added(t, "c", "cpu=7"))
	d.wakes(-1)

	// A pod that is gone brings the quota up to date at once.
	d.at(320, "q: cpu=300 nvidia.com/gpu=1 pods=9 requests.storage=80 / cpu=107 nvidia.com/gpu=5 pods=2 requests.storage=70", cluster.Event{Kind: cluster.PodEnded, Pod: 1})

	// So does another limit: of how much, or of what.
	hard := *d.state.Quotas.Get("x", "q")
	hard.Hard = list(t, "cpu=10 pods=9")
	d.at(330, "q: cpu=10 pods=9 / cpu=107 pods=2", set(&hard))
	other := *d.state.Quotas.Get("x", "q")
	other.Hard = list(t, "count/pods=1 requests.cpu=10")
	d.at(340, "q: count/pods=1 requests.cpu=10 / count/pods=2 requests.cpu=107", set(&other))
	d.wakes(-1)

	// Another scope doesn't, as upstream doesn't look at it.
	scoped := *d.state.Quotas.Get("x", "q")
	scoped.Scopes = []cluster.ScopeRequirement{scope("BestEffort")}
	d.at(350, "", set(&scoped))
	d.wakes(600)
	d.at(600, "q: count/pods=1 requests.cpu=10 / count/pods=0 requests.cpu=0")

	d.at(610, "", cluster.Event{Kind: cluster.ObjectRemoved, Object: &scoped}, cluster.Event{Kind: cluster.PodEnded, Pod: 0})
	d.wakes(-1)
}

func TestControllerOverdue(t *testing.T) {
	d := newDesk(t, ControllerOptions{Resync: 100 * cluster.Second})
	slow := added(t, "slow", "cpu=100")
	slow.PodSpec.Account.Grace, slow.PodSpec.On = 10*cluster.Second, "n"
	d.at(0, "q: count/pods=9 cpu=900 / count/pods=2 cpu=107", set(limits(t, "q", "count/pods=9 cpu=900")),
		cluster.Event{Kind: cluster.NodeAdded, NodeSpec: &cluster.NodeSpec{Name: "n"}}, slow, added(t, "other", "cpu=7"))
	d.at(5, "", cluster.Event{Kind: cluster.PodTold, Pod: 0})
	d.wakes(100)

	// It counts for twice its grace. Then nobody looks, until there is another reason to.
	d.at(25, "")
	d.at(26, "")
	d.at(26, "q: count/pods=9 cpu=900 / count/pods=1 cpu=0", cluster.Event{Kind: cluster.PodEnded, Pod: 1})
	d.wakes(-1)
	d.at(50, "q: count/pods=9 cpu=900 / count/pods=0 cpu=0", cluster.Event{Kind: cluster.PodEnded, Pod: 0})

	// A pod that comes as one that has been told counts from now, with kube's grace.
	late := added(t, "late", "cpu=1")
	late.PodSpec.Terminating = true
	d.at(150, "", late)
	d.wakes(200)
	d.at(200, "q: count/pods=9 cpu=900 / count/pods=1 cpu=1")
	d.at(210, "")
	d.wakes(300)
	d.at(300, "q: count/pods=9 cpu=900 / count/pods=1 cpu=0")
	d.wakes(-1)
}

func TestControllerPodChanges(t *testing.T) {
	d := newDesk(t, ControllerOptions{})
	d.at(0, "q: cpu=900 / cpu=100; t: pods=5 / pods=0", set(limits(t, "q", "cpu=900")), set(limits(t, "t", "pods=5", scope("Terminating"))), added(t, "a", "cpu=100"))
	change := func(to func(*cluster.Account)) cluster.Event {
		spec := comes(t, "cpu=100")
		to(spec.Account)
		return cluster.Event{Kind: cluster.PodChanged, Pod: 0, PodSpec: spec}
	}
	// Asking for more is charged by admission, and no reason to look; getting it is.
	d.at(1, "", change(func(a *cluster.Account) { a.Containers[0].Requests = list(t, "cpu=200") }))
	d.wakes(300)
	d.at(2, "q: cpu=900 / cpu=300", change(func(a *cluster.Account) {
		a.Containers[0].Requests, a.Containers[0].GivenRequests = list(t, "cpu=200"), list(t, "cpu=300")
	}))
	d.at(3, "q: cpu=900 / cpu=100; t: pods=5 / pods=1", change(func(a *cluster.Account) { a.Deadline = true }))
	d.at(4, "", change(func(a *cluster.Account) { a.Deadline = true }))
	d.wakes(-1)
}

// TestControllerTries has the API server refuse to store a status.
func TestControllerTries(t *testing.T) {
	d := newDesk(t, ControllerOptions{})
	const want = "q: pods=1 / pods=0"
	ds := d.at(0, want, set(limits(t, "q", "pods=1")))
	reject := func(d cluster.Decision) cluster.Event { return cluster.Event{Kind: cluster.Rejected, Decision: d} }
	d.at(0, "", reject(ds[0]))
	d.wakes(0.005)
	ds = d.at(0.005, want)
	d.at(0.006, "", reject(ds[0]))
	d.wakes(0.016)
	ds = d.at(0.016, want)
	d.at(0.017, "", set(d.state.Quotas.Get("x", "q")))
	d.wakes(-1)

	// When the quota is gone, there is nothing to try.
	d.at(1, "", cluster.Event{Kind: cluster.ObjectRemoved, Object: limits(t, "q", "")}, reject(ds[0]))
	d.wakes(-1)
}

// TestControllerLargeSums takes a sum apart that was too large for a number.
func TestControllerLargeSums(t *testing.T) {
	d := newDesk(t, ControllerOptions{})
	huge := fmt.Sprint("memory=", math.MaxInt64-5)
	d.at(0, fmt.Sprint("q: memory=1 / memory=", math.MaxInt64), set(limits(t, "q", "memory=1")), added(t, "a", huge), added(t, "b", "memory=9"))
	d.at(1, "q: memory=1 / memory=9", cluster.Event{Kind: cluster.PodEnded, Pod: 0})
}

// churn binds, ends and makes pods at random, and changes quotas.
type churn struct {
	rng      *rand.Rand
	until    cluster.Time
	next     cluster.Time // when it does something
	accounts []*cluster.Account
	classes  []*cluster.Class
	made     int
}

func (c *churn) spec() *cluster.PodSpec {
	c.made++
	spec := &cluster.PodSpec{
		Name: fmt.Sprint("p-", c.made), Class: c.classes[c.rng.IntN(len(c.classes))],
		Run: cluster.Time(c.rng.IntN(60)) * cluster.Second, Stop: cluster.Time(c.rng.IntN(40)) * cluster.Second, Grace: cluster.Minute,
	}
	if i := c.rng.IntN(len(c.accounts) + 1); i < len(c.accounts) {
		spec.Account = c.accounts[i]
	}
	return spec
}

// Step implements cluster.Controller.
func (c *churn) Step(s *cluster.State, _ []cluster.Event) cluster.Time {
	if s.Now < c.next {
		return c.next
	}
	for p := range cluster.PodID(s.Pods.Rows()) {
		switch ph := s.Pods.Phase[p]; {
		case ph == cluster.Pending && c.rng.IntN(3) == 0:
			if n := cluster.NodeID(c.rng.IntN(s.Nodes.Rows())); s.Free(n, cluster.PodSlots) > 0 && s.Free(n, cluster.CPU) >= s.Class(p).Requests.Get(cluster.CPU) && s.Free(n, cluster.Memory) >= s.Class(p).Requests.Get(cluster.Memory) {
				s.Bind(p, n, cluster.Allocation{})
			}
		case ph == cluster.Bound && c.rng.IntN(20) == 0:
			s.Evict(p)
		}
	}
	if s.Now >= c.until {
		c.next = cluster.Never
		return cluster.Never
	}
	for range c.rng.IntN(3) {
		s.Create(c.spec())
	}
	c.next = s.Now + cluster.Time(1+c.rng.IntN(2000))*cluster.Millisecond
	return c.next
}

// auditor compares with counting anew.
type auditor struct {
	t      *testing.T
	ctl    *Controller
	seed   uint64
	agreed int
}

// Step implements cluster.Controller. It comes before the controller, and checks that what
// admission has charged is what has come.
func (a *auditor) Step(s *cluster.State, events []cluster.Event) cluster.Time {
	if !a.ctl.begun || a.ctl.off > 0 || len(a.ctl.due) > 0 {
		return cluster.Never
	}
	for _, e := range events {
		if e.Kind == cluster.PodAdded {
			a.agreed++
		}
		if e.Kind != cluster.PodAdded && e.Kind != cluster.ObjectSet && e.Kind != cluster.PodBound && e.Kind != cluster.PodRefused {
			return cluster.Never
		}
		if q, ok := e.Object.(*cluster.ResourceQuota); ok && !equal(q.Hard, q.Enforced) {
			return cluster.Never
		}
	}
	for q := range s.Quotas.All() {
		if got, want := show(q.Used), show(a.ctl.Recount(s, q)); got != want {
			a.t.Fatalf("seed %d, at %v s: %s has %s charged, and there are %s", a.seed, s.Now.Seconds(), q.Name, got, want)
		}
	}
	return cluster.Never
}

// Record implements cluster.Recorder.
func (a *auditor) Record(s *cluster.State, _ []cluster.Event, _ []cluster.Decision) error {
	for _, t := range a.ctl.tallies {
		want := show(a.ctl.Recount(s, t.quota))
		if got := show(used(t.quota, func(i int) int64 { return t.used[i] })); got != want {
			return fmt.Errorf("at %v s: %s has %s, and counting anew gives %s", s.Now.Seconds(), t.quota.Name, got, want)
		}
		if got := show(t.quota.Used); s.Now%a.ctl.resync == 0 && got != want {
			return fmt.Errorf("at %v s, after a look at all: %s says %s, and there are %s", s.Now.Seconds(), t.quota.Name, got, want)
		}
	}
	return nil
}

// TestControllerChurn runs random clusters, and counts anew after each step.
func TestControllerChurn(t *testing.T) {
	admitted, agreed := 0, 0
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 7))
		c := &churn{rng: rng, until: 2 * cluster.Minute}
		for range 4 {
			a := randomAccount(t, rng)
			a.Grace = cluster.Time(1+rng.IntN(20)) * cluster.Second
			c.accounts = append(c.accounts, a)
			c.classes = append(c.classes, &cluster.Class{Namespace: []string{"x", "y"}[rng.IntN(2)], Requests: cluster.Amounts{rng.Int64N(3), rng.Int64N(2)}})
		}
		var events []cluster.Event
		for i := range 3 {
			events = append(events, cluster.Event{Kind: cluster.NodeAdded, NodeSpec: &cluster.NodeSpec{Name: fmt.Sprint("n", i), Capacity: cluster.Amounts{cluster.CPU: 100, cluster.Memory: 100, cluster.PodSlots: 10}}})
		}
		for at := cluster.Time(0); at < c.until; at += cluster.Time(rng.IntN(5)) * cluster.Second {
			q := randomQuota(t, rng, fmt.Sprint("q", rng.IntN(3)))
			q.Namespace, q.Enforced, q.Used = []string{"x", "y"}[rng.IntN(2)], nil, nil
			kind := cluster.ObjectSet
			if rng.IntN(6) == 0 {
				kind = cluster.ObjectRemoved
			}
			events = append(events, cluster.Event{Time: at, Kind: kind, Object: q})
			if rng.IntN(2) == 0 {
				events = append(events, cluster.Event{Time: at, Kind: cluster.PodAdded, PodSpec: c.spec()})
			}
		}
		ctl := NewController(ControllerOptions{Resync: 20 * cluster.Second, Objects: []Object{{Resource: "secrets", Namespace: "x"}}})
		watch := &auditor{t: t, ctl: ctl, seed: seed}
		s := cluster.NewState()
		simulated, err := sim.New(s, (*sim.List)(&events), sim.Options{Admission: &Admission{}, Kubelets: sim.DefaultKubelets(), Until: cluster.Hour})
		if err != nil {
			t.Fatal(err)
		}
		if err := cluster.Run(context.Background(), simulated, s, watch, watch, ctl, c); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for _, tally := range ctl.tallies {
			if !tally.told() {
				t.Errorf("seed %d: in the end, %s says %s, and there are %s", seed, tally.quota.Name, show(tally.quota.Used), show(ctl.Recount(s, tally.quota)))
			}
		}
		if s.Now == cluster.Hour {
			t.Errorf("seed %d: the controller has kept an idle cluster going", seed)
		}
		admitted, agreed = admitted+c.made, agreed+watch.agreed
	}
	if admitted < 2000 || agreed < 300 {
		t.Errorf("only %d pods came, %d of them while all was settled", admitted, agreed)
	}
}

// burst counts what comes of pods, and when the quota is exceeded.
type burst struct{ added, refused, stores, over int }

// Step implements cluster.Controller.
func (b *burst) Step(s *cluster.State, events []cluster.Event) cluster.Time {
	for _, e := range events {
		switch e.Kind {
		case cluster.PodAdded:
			b.added++
		case cluster.PodRefused:
			b.refused++
		}
	}
	for q := range s.Quotas.All() {
		for _, l := range q.Enforced {
			if used, _ := find(q.Used, l.Name); used > l.Amount {
				b.over++
			}
		}
	}
	return cluster.Never
}

// Record implements cluster.Recorder.
func (b *burst) Record(_ *cluster.State, _ []cluster.Event, ds []cluster.Decision) error {
	b.stores += len(ds)
	return nil
}

// TestBurst has 10,000 pods come at once where 1,000 have room, as decisions and from outside.
func TestBurst(t *testing.T) {
	for _, from := range []string{"outside", "a controller"} {
		spec := func(i int) *cluster.PodSpec {
			return &cluster.PodSpec{Name: fmt.Sprint("p-", i), Class: &cluster.Class{Namespace: "x", Requests: cluster.Amounts{100}}, Run: cluster.Never}
		}
		events := []cluster.Event{set(limits(t, "q", "cpu=100050 pods=5000")), set(limits(t, "other", "pods=2000"))}
		var makes cluster.Controller = &burst{}
		if from == "outside" {
			for i := range 10_000 {
				events = append(events, cluster.Event{Kind: cluster.PodAdded, PodSpec: spec(i)})
			}
		} else {
			makes = &maker{pods: 10_000, spec: spec}
		}
		s := cluster.NewState()
		simulated, err := sim.New(s, (*sim.List)(&events), sim.Options{Admission: &Admission{}})
		if err != nil {
			t.Fatal(err)
		}
		b := &burst{}
		ctl := NewController(ControllerOptions{})
		if err := cluster.Run(context.Background(), simulated, s, b, ctl, b, makes); err != nil {
			t.Fatal(err)
		}
		if b.added != 1000 || b.refused != 9000 || b.over > 0 {
			t.Errorf("from %s: %d pods are there, %d refused, and %d times a quota was exceeded", from, b.added, b.refused, b.over)
		}
		if got, want := show(s.Quotas.Get("x", "q").Used)+" "+show(s.Quotas.Get("x", "other").Used), "cpu=100000 pods=1000 pods=1000"; got != want {
			t.Errorf("from %s: used is %s, want %s", from, got, want)
		}
		if want := 2; from == "outside" && b.stores != want {
			t.Errorf("from %s: %d statuses were stored, want %d", from, b.stores, want)
		}
	}
}

// maker creates pods once there is a quota with a status.
type maker struct {
	pods int
	spec func(int) *cluster.PodSpec
}

// Step implements cluster.Controller.
func (m *maker) Step(s *cluster.State, _ []cluster.Event) cluster.Time {
	for ; m.pods > 0; m.pods-- {
		s.Create(m.spec(m.pods))
	}
	return cluster.Never
}
