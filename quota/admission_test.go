package quota

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/berthsim/berth/cluster"
)

// world is a State with quotas, and admission to it.
type world struct {
	state     *cluster.State
	admission *Admission
}

func newWorld(quotas ...*cluster.ResourceQuota) *world {
	w := &world{cluster.NewState(), &Admission{}}
	for _, q := range quotas {
		w.observe(cluster.Event{Kind: cluster.ObjectSet, Object: q})
	}
	return w
}

func (w *world) observe(events ...cluster.Event) { w.state.Observe(w.state.Now, events) }

// charge has State hear of what was admitted.
func (w *world) charge() {
	for _, o := range w.admission.Charged(w.state, nil) {
		w.observe(cluster.Event{Kind: cluster.ObjectSet, Object: o})
	}
}

// admit asks for a pod, and says "CODE reason" if it is refused.
func (w *world) admit(spec *cluster.PodSpec) string {
	if code, reason := w.admission.Admit(w.state, spec); reason != "" {
		return fmt.Sprint(code, " ", reason)
	}
	return ""
}

// used says what a quota's status does.
func (w *world) used(name string) string { return show(w.state.Quotas.Get("x", name).Used) }

// comes is a pod of namespace x with an Account.
func comes(t testing.TB, requests string) *cluster.PodSpec {
	return &cluster.PodSpec{Name: "p", Class: &cluster.Class{Namespace: "x"}, Account: podOf(t, requests).Pod.Account}
}

func TestAdmission(t *testing.T) {
	w := newWorld(known(t, "cpu", "cpu=250", "cpu=0"), known(t, "pods", "pods=3", "pods=0"))
	for i, want := range []string{
		"", "", "403 exceeded quota: cpu, requested: cpu=100m, used: cpu=200m, limited: cpu=250m",
	} {
		if got := w.admit(comes(t, "cpu=100")); got != want {
			t.Errorf("pod %d: %q, want %q", i, got, want)
		}
	}
	if got := w.used("cpu"); got != "cpu=0" {
		t.Errorf("State has %s before anything was charged", got)
	}
	w.charge()
	if got := w.used("cpu") + " " + w.used("pods"); got != "cpu=200 pods=2" {
		t.Errorf("State has %s after two pods", got)
	}
	if more := w.admission.Charged(w.state, nil); len(more) > 0 {
		t.Errorf("charged again: %v", more)
	}

	// Somebody says that less is used, and that there may be more.
	w.observe(cluster.Event{Kind: cluster.ObjectSet, Object: known(t, "cpu", "cpu=400", "cpu=300")})
	if got := w.admit(comes(t, "cpu=100")); got != "" {
		t.Errorf("after a change of the quota: %s", got)
	}
	w.charge()
	if got, want := w.admit(comes(t, "cpu=100")), "403 exceeded quota: cpu, requested: cpu=100m, used: cpu=400m, limited: cpu=400m"; got != want {
		t.Errorf("%q, want %q", got, want)
	}

	// Another limit, and another quota.
	spec := comes(t, "")
	if got, want := w.admit(spec), "403 failed quota: cpu: must specify cpu for: c"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	w.observe(cluster.Event{Kind: cluster.ObjectSet, Object: known(t, "cpu", "requests.x.io/y=1", "requests.x.io/y=0")},
		cluster.Event{Kind: cluster.ObjectSet, Object: known(t, "pods", "pods=9", "pods=8")})
	if got := w.admit(spec); got != "" {
		t.Errorf("after the limit of cpu is gone: %s", got)
	}
	w.charge()
	w.observe(cluster.Event{Kind: cluster.ObjectRemoved, Object: known(t, "pods", "", "")})
	if got := w.admit(spec); got != "" {
		t.Errorf("after the quota of pods is gone: %s", got)
	}
	if got := w.admit(&cluster.PodSpec{Class: &cluster.Class{Namespace: "y"}}); got != "" {
		t.Errorf("a namespace without quotas: %s", got)
	}
}

// TestAdmissionScopes has a quota become one for other pods, and nothing else.
func TestAdmissionScopes(t *testing.T) {
	w := newWorld(known(t, "q", "pods=0", "pods=0", scope("PriorityClass In a")))
	a, b := comes(t, ""), comes(t, "")
	a.Account.PriorityClass, b.Account.PriorityClass = "a", "b"
	verdicts := func(wantA, wantB bool) {
		t.Helper()
		if gotA, gotB := w.admit(a) == "", w.admit(b) == ""; gotA != wantA || gotB != wantB {
			t.Errorf("admitted are %v and %v, want %v and %v", gotA, gotB, wantA, wantB)
		}
	}
	verdicts(false, true)
	w.observe(set(known(t, "q", "pods=0", "pods=0", scope("PriorityClass In b"))))
	verdicts(true, false)
	w.observe(set(known(t, "q", "pods=0", "pods=0", scope("PriorityClass NotIn b"))))
	verdicts(false, true)
	w.observe(set(known(t, "q", "pods=0", "pods=0", scope("NotTerminating"))))
	verdicts(false, false)
	w.observe(set(known(t, "q", "pods=0", "pods=0", scope("Terminating"))))
	verdicts(true, true)
}

func TestAdmissionAsksFirst(t *testing.T) {
	w := newWorld(known(t, "q", "pods=0", "pods=0"))
	w.admission.Validate = func(namespace string, spec *cluster.PodSpec) string { return namespace + " won't have " + spec.Name }
	if got, want := w.admit(comes(t, "")), "403 x won't have p"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestAdmissionLimited(t *testing.T) {
	w := newWorld()
	w.admission.Limited = []LimitedResource{{Resource: Pods, MatchContains: []string{"gpu"}}}
	class := &cluster.Class{Namespace: "x", GPUs: cluster.GPURequest{Count: 1, Shares: 500}}
	if got, want := w.admit(&cluster.PodSpec{Class: class}), "403 insufficient quota to consume: requests.nvidia.com/gpu"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	w.observe(cluster.Event{Kind: cluster.ObjectSet, Object: known(t, "q", "requests.nvidia.com/gpu=1", "requests.nvidia.com/gpu=0")})
	if got := w.admit(&cluster.PodSpec{Class: class}); got != "" {
		t.Error(got)
	}
}

// randomQuota draws a quota with a status, of namespace x.
func randomQuota(t testing.TB, rng *rand.Rand, name string) *cluster.ResourceQuota {
	var limits, used string
	for _, n := range []string{"count/pods", "cpu", "limits.cpu", "nvidia.com/gpu", "pods", "requests.cpu", "requests.memory", "requests.nvidia.com/gpu", "secrets"} {
		if rng.IntN(4) > 0 {
			continue
		}
		limits += fmt.Sprintf(" %s=%d", n, rng.IntN(40))
		if rng.IntN(20) > 0 {
			used += fmt.Sprintf(" %s=%d", n, rng.IntN(10))
		}
	}
	q := known(t, name, limits, used)
	for _, s := range []string{"Terminating", "NotBestEffort", "PriorityClass In a", "PriorityClass NotIn a"} {
		if rng.IntN(6) == 0 {
			q.Scopes = append(q.Scopes, scope(s))
		}
	}
	if rng.IntN(10) == 0 {
		q.Enforced, q.Used = nil, nil
	}
	return q
}

// randomAccount draws what quotas count of a pod.
func randomAccount(t testing.TB, rng *rand.Rand) *cluster.Account {
	a := &cluster.Account{Deadline: rng.IntN(3) == 0}
	if rng.IntN(2) == 0 {
		a.PriorityClass = "a"
	}
	for range 1 + rng.IntN(2) {
		var c cluster.Container
		c.Name = "c"
		for _, n := range []string{"cpu", "memory", "nvidia.com/gpu"} {
			if rng.IntN(4) > 0 {
				c.Requests = append(c.Requests, cluster.NamedAmount{Name: n, Amount: rng.Int64N(4)})
			}
			if rng.IntN(3) == 0 {
				c.Limits = append(c.Limits, cluster.NamedAmount{Name: n, Amount: rng.Int64N(5)})
			}
		}
		a.Containers = append(a.Containers, c)
	}
	return a
}

// TestAdmissionIsCheck compares with Check, which keeps nothing.
func TestAdmissionIsCheck(t *testing.T) {
	verdicts := map[bool]int{}
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 3))
		w := newWorld()
		var twin []*cluster.ResourceQuota
		var accounts []*cluster.Account
		for range 5 {
			accounts = append(accounts, randomAccount(t, rng))
		}
		for range 100 {
			if i := rng.IntN(4); rng.IntN(12) == 0 { // a quota is new, or changed
				w.charge()
				q := randomQuota(t, rng, fmt.Sprint("q", i))
				w.observe(cluster.Event{Kind: cluster.ObjectSet, Object: q})
			}
			if i := rng.IntN(4); rng.IntN(40) == 0 {
				w.charge()
				w.observe(cluster.Event{Kind: cluster.ObjectRemoved, Object: known(t, fmt.Sprint("q", i), "", "")})
			}
			if rng.IntN(3) == 0 {
				w.charge()
			}
			if len(w.admission.dirty) == 0 {
				twin = twin[:0]
				for q := range w.state.Quotas.All() {
					twin = append(twin, q)
				}
			}
			spec := &cluster.PodSpec{Class: &cluster.Class{Namespace: "x"}, Account: accounts[rng.IntN(len(accounts))]}
			after, code, reason := Check(twin, &Request{Object: Object{Resource: Pods, Pod: &Pod{Account: spec.Account}}}, nil)
			want := ""
			if reason != "" {
				want = fmt.Sprint(code, " ", reason)
			}
			if got := w.admit(spec); got != want {
				t.Fatalf("seed %d: %q, want %q", seed, got, want)
			}
			verdicts[reason == ""]++
			twin = after
		}
		w.charge()
		for i, q := range twin {
			if got := w.used(q.Name); got != show(q.Used) {
				t.Fatalf("seed %d: quota %d has %s used, want %s", seed, i, got, show(q.Used))
			}
		}
	}
	if verdicts[true] < 2000 || verdicts[false] < 2000 {
		t.Errorf("the verdicts are lopsided: %v", verdicts)
	}
}

// crowd is 100 namespaces with 3 quotas each, which never run out, and 4 pods to ask for in
// each, two of them without an Account.
func crowd(t testing.TB) (w *world, pods []*cluster.PodSpec) {
	w = newWorld()
	var events []cluster.Event
	for n := range 100 {
		namespace := fmt.Sprint("team-", n)
		for _, q := range []*cluster.ResourceQuota{
			known(t, "compute", "cpu=9000000000000000 memory=9000000000000000 pods=9000000000000000", "cpu=0 memory=0 pods=0"),
			known(t, "gpus", "requests.nvidia.com/gpu=9000000000000000", "requests.nvidia.com/gpu=0"),
			known(t, "rest", "count/pods=9000000000000000 requests.ephemeral-storage=9000000000000000", "count/pods=0 requests.ephemeral-storage=0", scope("NotTerminating")),
		} {
			q.Namespace = namespace
			events = append(events, cluster.Event{Kind: cluster.ObjectSet, Object: q})
		}
		for k := range int64(2) {
			class := &cluster.Class{Namespace: namespace, Requests: cluster.Amounts{1000 + k, 1 << 30, 5}, GPUs: cluster.GPURequest{Count: int32(k), Shares: 1000}}
			pods = append(pods, &cluster.PodSpec{Class: class}, &cluster.PodSpec{Class: class, Account: podOf(t, fmt.Sprintf("cpu=%d memory=9 nvidia.com/gpu=1", k)).Pod.Account})
		}
	}
	w.observe(events...)
	rng := rand.New(rand.NewPCG(1, 1))
	rng.Shuffle(len(pods), func(i, j int) { pods[i], pods[j] = pods[j], pods[i] })
	return w, pods
}

// TestAdmissionAllocatesNothing is about the steady state: every kind of pod was seen before.
func TestAdmissionAllocatesNothing(t *testing.T) {
	w, pods := crowd(t)
	all := func() {
		for _, spec := range pods {
			if _, reason := w.admission.Admit(w.state, spec); reason != "" {
				t.Fatal(reason)
			}
		}
	}
	all()
	if n := testing.AllocsPerRun(10, all); n > 0 {
		t.Errorf("%v allocations for %d pods", n, len(pods))
	}
}

// BenchmarkAdmission asks for one pod after the other. With charged=N, State hears of what was
// charged after each N pods, and so it must be read again.
func BenchmarkAdmission(b *testing.B) {
	for _, charged := range []int{0, 1, 100} {
		b.Run(fmt.Sprint("charged=", charged), func(b *testing.B) {
			w, pods := crowd(b)
			var objects []cluster.Object
			var events []cluster.Event
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if _, reason := w.admission.Admit(w.state, pods[i%len(pods)]); reason != "" {
					b.Fatal(reason)
				}
				if i++; charged > 0 && i%charged == 0 {
					objects = w.admission.Charged(w.state, objects[:0])
					events = events[:0]
					for _, o := range objects {
						events = append(events, cluster.Event{Kind: cluster.ObjectSet, Object: o})
					}
					w.observe(events...)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "pods/s")
		})
	}
}
