package kube_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/kube"
	"github.com/berthsim/berth/cluster/kube/kubetest"
	"github.com/berthsim/berth/cluster/replay"
	"github.com/berthsim/berth/eviction"
	"github.com/berthsim/berth/traces/wire"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// A schedule is a random workload on a server, with everything going wrong for a while.
type schedule struct {
	*world
	seed   uint64
	rng    *rand.Rand
	admin  kubernetes.Interface
	nodes  []*kubetest.Kubelet
	names  []string                  // of nodes
	like   []kubetest.KubeletOptions // of nodes
	down   []time.Time               // of kubelets that were stopped: until when
	pods   int
	driven []*logged
}

// logged is a run with its log.
type logged struct {
	*run
	policy  string
	manages bool // nodes are watched and drained, too
	file    bytes.Buffer
	to      *wire.Writer
	digest  *cluster.Digest
}

// troubles is how long things go wrong, and calm how long they don't afterwards: longer than
// any pod or request rests, and than nodes are waited for.
const (
	troubles = 90 * time.Second
	calm     = 8 * time.Minute
)

func newSchedule(w *world, seed uint64) *schedule {
	sc := &schedule{world: w, seed: seed, rng: rand.New(rand.NewPCG(seed, 9))}
	admin, err := kubernetes.NewForConfig(rest.AddUserAgent(w.server.Config(), "admin"))
	if err != nil {
		w.t.Fatal(err)
	}
	sc.admin = admin
	for i := range 2 + sc.rng.IntN(4) {
		sc.names = append(sc.names, fmt.Sprint("n", i))
		o := kubetest.KubeletOptions{
			Labels:     map[string]string{v1.LabelTopologyZone: fmt.Sprint("z", i%2)},
			StartDelay: time.Duration(1+sc.rng.IntN(3000)) * time.Millisecond,
			StopDelay:  time.Duration(1+sc.rng.IntN(20)) * time.Second,
			Allocatable: v1.ResourceList{
				v1.ResourceCPU:  *resource.NewQuantity(int64(1+sc.rng.IntN(4)), resource.DecimalSI),
				v1.ResourcePods: *resource.NewQuantity(int64(3+sc.rng.IntN(20)), resource.DecimalSI),
			},
		}
		sc.nodes, sc.like = append(sc.nodes, w.server.Kubelet(sc.names[i], o)), append(sc.like, o)
	}
	sc.down = make([]time.Time, len(sc.nodes))
	return sc
}

// deciders are who decides in a run.
func deciders(t testing.TB, policy string, manages bool) []cluster.Controller {
	var list []cluster.Controller
	if manages {
		list = append(eviction.Controllers(eviction.Defaults(), nil), &eviction.GC{})
	}
	return append(list, kubeScheduler(t, policy))
}

// start has one more Berth drive the server.
func (sc *schedule) start(name, policy string, manages bool) {
	sc.t.Helper()
	l := &logged{policy: policy, manages: manages, digest: cluster.NewDigest()}
	o := kube.Options{Config: rest.AddUserAgent(sc.server.Config(), name), Needs: kube.Pods | kube.Nodes | kube.Leases | kube.Namespaces, Patience: 20 * time.Second, Workers: 4}
	to, err := wire.Create(&l.file, wire.Meta{Kind: wire.Run}, wire.Options{})
	if err != nil {
		sc.t.Fatal(err)
	}
	l.to = to
	l.run = sc.drive(o, cluster.Recorders{&consistency{t: sc.t}, l.digest, replay.NewLog(to)}, deciders(sc.t, policy, manages)...)
	sc.driven = append(sc.driven, l)
}

// randomPod returns a pod; some end by themselves, some go before others.
func (sc *schedule) randomPod() *v1.Pod {
	p := aPod(fmt.Sprintf("p%03d", sc.pods), int64(100*(1+sc.rng.IntN(12))))
	sc.pods++
	if sc.rng.IntN(3) == 0 {
		p.Annotations = map[string]string{kubetest.RunFor: fmt.Sprint(1+sc.rng.IntN(100), "s")}
	}
	if sc.rng.IntN(4) == 0 {
		p.Spec.NodeSelector = map[string]string{v1.LabelTopologyZone: fmt.Sprint("z", sc.rng.IntN(2))}
	}
	grace := int64(sc.rng.IntN(30))
	priority := int32(sc.rng.IntN(3) * 10)
	p.Spec.TerminationGracePeriodSeconds, p.Spec.Priority = &grace, &priority
	if sc.rng.IntN(2) == 0 { // otherwise it gets the usual five minutes
		seconds := int64(sc.rng.IntN(20))
		for _, key := range []string{v1.TaintNodeNotReady, v1.TaintNodeUnreachable} {
			p.Spec.Tolerations = append(p.Spec.Tolerations, v1.Toleration{Key: key, Operator: v1.TolerationOpExists, Effect: v1.TaintEffectNoExecute, TolerationSeconds: &seconds})
		}
	}
	return p
}

// trouble has something go wrong, or happen.
func (sc *schedule) trouble() {
	rng, s := sc.rng, sc.server
	some := func(most int) time.Duration { return time.Duration(1+rng.IntN(most)) * time.Second }
	switch rng.IntN(14) {
	case 0:
		s.CutWatches()
	case 1:
		s.MuteWatches(some(20))
	case 2:
		s.Compact()
	case 3:
		s.Restart(some(10))
	case 4:
		s.Silence(some(30))
	case 5:
		s.LagLists(some(20))
	case 6, 7:
		s.SetFaults(sc.randomFaults()...)
	case 8:
		s.SetFaults()
	case 9: // somebody deletes a pod
		name := fmt.Sprintf("p%03d", rng.IntN(sc.pods+1))
		sc.asAdmin(func(ctx context.Context) error {
			return sc.admin.CoreV1().Pods("default").Delete(ctx, name, metav1.DeleteOptions{})
		})
	case 10: // somebody binds a pod
		b := &v1.Binding{Target: v1.ObjectReference{Kind: "Node", Name: sc.names[rng.IntN(len(sc.names))]}}
		b.Name = fmt.Sprintf("p%03d", rng.IntN(sc.pods+1))
		sc.asAdmin(func(ctx context.Context) error {
			return sc.admin.CoreV1().Pods("default").Bind(ctx, b, metav1.CreateOptions{})
		})
	case 11: // somebody labels a pod
		name := fmt.Sprintf("p%03d", rng.IntN(sc.pods+1))
		patch := fmt.Appendf(nil, `{"metadata":{"labels":{"n":"%d"}}}`, rng.IntN(9))
		sc.asAdmin(func(ctx context.Context) error {
			_, err := sc.admin.CoreV1().Pods("default").Patch(ctx, name, "application/merge-patch+json", patch, metav1.PatchOptions{})
			return err
		})
	case 12:
		sc.stop(rng.IntN(len(sc.nodes)), false, 3*some(50))
	case 13:
		sc.stop(rng.IntN(len(sc.nodes)), true, 3*some(50))
	}
}

// stop has a kubelet stop, and perhaps its Node be removed, now or when the server gets to it.
func (sc *schedule) stop(i int, remove bool, d time.Duration) {
	if !sc.down[i].IsZero() {
		return
	}
	sc.nodes[i].Stop()
	sc.down[i] = time.Now().Add(d)
	if remove {
		sc.asAdmin(func(ctx context.Context) error {
			return sc.admin.CoreV1().Nodes().Delete(ctx, sc.names[i], metav1.DeleteOptions{})
		})
	}
}

// resume has kubelets run again whose time has come, or all of them. One whose Node is gone
// registers again.
func (sc *schedule) resume(all bool) {
	for i, until := range sc.down {
		if !all && (until.IsZero() || time.Now().Before(until)) {
			continue
		}
		if _, err := kubetest.Get[*v1.Node](sc.server, "", sc.names[i]); err != nil {
			sc.nodes[i].Stop()
			sc.nodes[i] = sc.server.Kubelet(sc.names[i], sc.like[i])
		} else {
			sc.nodes[i].Start()
		}
		sc.down[i] = time.Time{}
	}
}

// asAdmin does something that may fail as what Berth does may: it is not what is tested.
func (sc *schedule) asAdmin(do func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = do(ctx)
}

func (sc *schedule) randomFaults() (list []kubetest.Fault) {
	for range 1 + sc.rng.IntN(4) {
		f := kubetest.Fault{Probability: 0.1 + 0.6*sc.rng.Float64()}
		switch sc.rng.IntN(7) {
		case 0:
			f.Code = 409
		case 1:
			f.Code, f.RetryAfter = 429, time.Duration(sc.rng.IntN(3))*time.Second
		case 2:
			f.Code = 500
		case 3:
			f.Code = 503
		case 4:
			f.Reset = kubetest.ResetBefore
		case 5:
			f.Reset = kubetest.ResetAfter
		case 6:
			f.Latency = time.Duration(sc.rng.IntN(15_000)) * time.Millisecond
		}
		if sc.rng.IntN(2) == 0 {
			f.Verb, f.Subresource = "create", "binding"
		}
		list = append(list, f)
	}
	return list
}

// play plays a schedule to its end and checks what came of it.
func (sc *schedule) play() {
	manages := sc.rng.IntN(2) == 0
	sc.start("berth-1", "Kube", manages)
	two := sc.rng.IntN(2) == 0
	began := time.Now()
	for time.Since(began) < troubles {
		after(time.Duration(sc.rng.IntN(3000)) * time.Millisecond)
		sc.resume(false)
		if sc.rng.IntN(3) > 0 && sc.pods < 40 {
			sc.add(sc.randomPod())
		} else {
			sc.trouble()
		}
		if two && time.Since(began) > troubles/3 {
			two = false
			sc.start("berth-2", "BestFit", false)
		}
	}
	sc.server.SetFaults()
	sc.server.Silence(0)
	sc.server.LagLists(0)
	after(time.Duration(1+sc.rng.IntN(8)) * 20 * time.Second) // while some nodes may still be down, or be removed
	sc.resume(true)
	after(calm)
	for _, l := range sc.driven {
		l.end()
	}
	sc.check()
}

// schedules returns which schedules are played: BERTH_SCHEDULES says how many, BERTH_SCHEDULE
// that it is one.
func schedules(t *testing.T, most int) (from, to uint64) {
	t.Helper()
	number := func(name string, otherwise int) uint64 {
		if os.Getenv(name) == "" {
			return uint64(otherwise)
		}
		n, err := strconv.ParseUint(os.Getenv(name), 10, 32)
		if err != nil {
			t.Fatalf("%s: %v; give a number", name, err)
		}
		return n
	}
	if os.Getenv("BERTH_SCHEDULE") != "" {
		from = number("BERTH_SCHEDULE", 0)
		return from, from + 1
	}
	return 0, number("BERTH_SCHEDULES", most)
}

// TestFaultSchedules plays random schedules of faults in virtual time. Whatever goes wrong, no
// pod is bound twice, none is lost and none forgotten, and the log of each run replays to the
// same decisions.
func TestFaultSchedules(t *testing.T) { playSchedules(t, 150) }

// playSchedules plays so many schedules, or those that were asked for.
func playSchedules(t *testing.T, most int) {
	t.Helper()
	kinds := map[cluster.Kind]int{}
	from, to := schedules(t, most)
	for seed := from; seed < to; seed++ {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rng := rand.New(rand.NewPCG(seed, 8))
				o := kubetest.Options{Seed: seed, History: 20 + rng.IntN(500), NoWatchList: rng.IntN(2) == 0, BookmarkPeriod: time.Duration(5+rng.IntN(60)) * time.Second}
				w := &world{t: t, server: kubetest.New(o)}
				defer w.server.Close()
				sc := newSchedule(w, seed)
				defer func() {
					for _, r := range w.runs {
						r.end()
					}
				}()
				sc.play()
				for _, r := range w.runs {
					for kind, n := range r.seen.kinds {
						kinds[kind] += n
					}
				}
			})
		})
	}
	t.Logf("what happened in %d schedules: %v", to-from, kinds)
}

// check compares what Berth knows with what the server has, and what the server has with what
// should be.
func (sc *schedule) check() {
	t := sc.t
	t.Helper()
	if twice := sc.server.BoundTwice(); twice != "" {
		t.Errorf("bound twice:\n%s", twice)
	}
	there := map[string]*v1.Pod{}
	for i := range sc.pods {
		name := fmt.Sprintf("p%03d", i)
		if p, err := kubetest.Get[*v1.Pod](sc.server, "default", name); err == nil && p.Status.Phase != v1.PodSucceeded && p.Status.Phase != v1.PodFailed {
			there["default/"+name] = p
		}
	}
	for _, l := range sc.driven {
		sc.compare(l, there)
		sc.replay(l)
	}
	sc.fits(there)
}

// compare checks that a run's State is what the server has.
func (sc *schedule) compare(l *logged, there map[string]*v1.Pod) {
	t, s, found := sc.t, l.state, 0
	for p := range cluster.PodID(s.Pods.Rows()) {
		if s.Pods.Phase[p] == cluster.Ended {
			continue
		}
		name := s.PodName(p)
		is := there[name]
		found++
		if is == nil {
			t.Errorf("%s is %v, and the server has no such pod", name, s.Pods.Phase[p])
			continue
		}
		on := ""
		if n := s.Pods.Node[p]; n != cluster.None {
			on = s.Nodes.Name[n]
		}
		want := cluster.Pending
		switch {
		case is.DeletionTimestamp != nil:
			want = cluster.Terminating
		case is.Spec.NodeName != "":
			want = cluster.Bound
		}
		if on != is.Spec.NodeName || s.Pods.Phase[p] != want {
			t.Errorf("%s is %v on %q, and on the server %v on %q", name, s.Pods.Phase[p], on, want, is.Spec.NodeName)
		}
		if ready := isReady(is); on != "" && s.IsReady(p) != ready {
			t.Errorf("%s is ready: %v, and on the server: %v", name, s.IsReady(p), ready)
		}
	}
	if found != len(there) {
		t.Errorf("%d pods are known, and there are %d", found, len(there))
	}
	if len(s.Nodes.Live()) != len(sc.names) {
		t.Errorf("%d nodes are known, and there are %d", len(s.Nodes.Live()), len(sc.names))
	}
	checkUse(t, s)
}

func isReady(p *v1.Pod) bool {
	for _, c := range p.Status.Conditions {
		if c.Type == v1.PodReady {
			return c.Status == v1.ConditionTrue
		}
	}
	return false
}

// fits checks that every pod that wants a node and would fit one has one.
func (sc *schedule) fits(there map[string]*v1.Pod) {
	s := sc.driven[0].state
	for p := range cluster.PodID(s.Pods.Rows()) {
		if s.Pods.Phase[p] != cluster.Pending || there[s.PodName(p)] == nil {
			continue
		}
		for _, n := range s.Nodes.Live() {
			room := s.Class(p).Requests.Get(cluster.CPU) <= s.Free(n, cluster.CPU) && s.Free(n, cluster.PodSlots) > 0
			zone, _ := s.Nodes.Labels[n].Get(v1.LabelTopologyZone)
			want, picky := s.Class(p).NodeLabels.Get(v1.LabelTopologyZone)
			if room && len(s.Nodes.Taints[n]) == 0 && (!picky || want == zone) {
				sc.t.Errorf("%s fits %s and is not there", s.PodName(p), s.Nodes.Name[n])
			}
		}
	}
}

// replay plays the log of a run again.
func (sc *schedule) replay(l *logged) {
	t := sc.t
	t.Helper()
	if err := l.to.Close(); err != nil {
		t.Fatal(err)
	}
	from, err := wire.NewReader(bytes.NewReader(l.file.Bytes()), wire.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	s, d := cluster.NewState(), cluster.NewDigest()
	r := replay.New(s, from)
	if err := cluster.Run(context.Background(), r, s, d, deciders(t, l.policy, l.manages)...); err != nil && err != io.EOF {
		t.Errorf("replaying: %v", err)
	}
	if diff := r.Difference(); diff != nil {
		t.Errorf("the replay differs: %v", diff)
	}
	if got, want := d.Sum(), l.digest.Sum(); got != want {
		t.Errorf("the replay's digest is %s, want %s", got, want)
	}
}

// consistency is a Recorder that checks State after each round.
type consistency struct{ t *testing.T }

// Record implements cluster.Recorder.
func (c *consistency) Record(s *cluster.State, events []cluster.Event, _ []cluster.Decision) error {
	for i := 1; i < len(events); i++ {
		if a, b := &events[i-1], &events[i]; b.Time < a.Time || b.Time == a.Time && b.Kind < a.Kind || b.Time > s.Now {
			c.t.Errorf("at %d, %v of %d comes after %v of %d", s.Now, b.Kind, b.Time, a.Kind, a.Time)
		}
	}
	checkUse(c.t, s)
	return nil
}

// checkUse checks that what nodes have in use is what pods on them ask for.
func checkUse(t *testing.T, s *cluster.State) {
	t.Helper()
	use := make([]int64, s.Nodes.Rows())
	for p := range cluster.PodID(s.Pods.Rows()) {
		if n := s.Pods.Node[p]; n != cluster.None && s.Pods.Phase[p] != cluster.Ended {
			use[n] += s.Class(p).Requests.Get(cluster.CPU)
		}
	}
	for n, want := range use {
		if got := s.Nodes.Used[cluster.CPU][n]; got != want {
			t.Errorf("%s has %d in use, and its pods ask for %d", s.Nodes.Name[n], got, want)
		}
	}
}
