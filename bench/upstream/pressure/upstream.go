package pressure

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	v1 "k8s.io/api/core/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/component-base/metrics/legacyregistry"
	"k8s.io/component-base/metrics/testutil"
	"k8s.io/klog/v2"
	statsapi "k8s.io/kubelet/pkg/apis/stats/v1alpha1"
	kubelet "k8s.io/kubernetes/pkg/kubelet/eviction"
	"k8s.io/kubernetes/pkg/kubelet/lifecycle"
	"k8s.io/kubernetes/pkg/kubelet/metrics"
	"k8s.io/kubernetes/pkg/kubelet/server/stats"
	"k8s.io/utils/clock"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/eviction"
)

// pin sets what upstream keeps for the whole process.
var pin = sync.OnceFunc(func() {
	klog.SetLogger(logr.Discard())
	legacyregistry.MustRegister(metrics.Evictions)
})

// A pass is one look of upstream's kubelet at its node, and what came of it.
type pass struct {
	at     cluster.Time
	world  *world // as the kubelet found it
	did    deed
	killed cluster.Time // when the last of those evicted was killed
	gone   cluster.Time // when all of them were
	// After the pass, as of the beginning of the next:
	conditions eviction.Conditions
	admitted   [8]string // what each of the arrivals was told; "" if it was let in
}

// A deed is what a kubelet did at one pass. Its text is what is compared.
type deed struct {
	evicted            []string // pod and grace
	causes             []string // sorted
	resource           string   // that it said it reclaims
	containers, images bool     // what it deleted
}

func (d deed) String() string {
	return fmt.Sprintf("evicts %v because of %v, reclaims %q, deletes containers %v images %v",
		d.evicted, d.causes, d.resource, d.containers, d.images)
}

// A node is where upstream's kubelet is run: its fakes.
type node struct {
	c       *Case
	world   *world
	manager kubelet.Manager
	admit   lifecycle.PodAdmitHandler
	passes  []pass
	counted map[eviction.Cause]float64
	goneAt  map[string]cluster.Time
	seen    *features
	over    chan struct{} // closed when there have been enough passes
}

func now() cluster.Time { return cluster.Time(time.Since(epoch)) }

// runUpstream has upstream's eviction manager go through a case. It must be called in a bubble of
// synctest, and returns when the manager's goroutine has ended.
func runUpstream(c *Case, seen *features) ([]pass, error) {
	pod := []string{"pods"}
	if c.Settings.NoAllocatable {
		pod = nil
	}
	hard := c.Settings.Hard
	if hard == nil {
		hard = eviction.DefaultHard
	}
	s := c.Settings
	thresholds, err := kubelet.ParseThresholdConfig(pod, asMap(hard), asMap(s.Soft), asMap(s.SoftGrace), asMap(s.MinReclaim))
	if err != nil {
		return nil, err
	}
	n := &node{c: c, world: newWorld(c), goneAt: map[string]cluster.Time{}, seen: seen, over: make(chan struct{})}
	config := kubelet.Config{
		PressureTransitionPeriod: time.Duration(c.Transition), MaxPodGracePeriodSeconds: int64(c.MaxGrace / cluster.Second),
		Thresholds: thresholds,
	}
	n.manager, n.admit = kubelet.NewManager(n, config, n.kill, n, n, n, &v1.ObjectReference{}, clock.RealClock{}, !c.NoLimits)
	n.counted = counts()
	n.manager.Start(context.Background(), n, n.activePods, n.cleanedUp, time.Duration(eviction.MonitoringPeriod))
	<-n.over
	return n.passes, nil
}

func asMap(all []eviction.Statement) map[string]string {
	m := map[string]string{}
	for _, s := range all {
		m[s.Signal] = s.Value
	}
	return m
}

// activePods begins a pass. It ends the manager's goroutine when there have been enough.
func (n *node) activePods() []*v1.Pod {
	if len(n.passes) > 0 {
		n.finish(&n.passes[len(n.passes)-1])
	}
	if len(n.passes) == n.c.Passes {
		close(n.over)
		runtime.Goexit()
	}
	for i, p := range n.c.Pods {
		if at, ok := n.goneAt[p.Name]; ok && at <= now() {
			n.world.alive[i] = false
			delete(n.goneAt, p.Name)
		} else if !n.world.alive[i] && n.world.chance(0.4) { // another takes its place
			n.world.alive[i] = true
		}
	}
	n.world.step(now())
	n.passes = append(n.passes, pass{at: now(), world: n.world.clone()})
	var active []*v1.Pod
	for _, i := range n.world.active() {
		active = append(active, n.c.Pods[i])
	}
	return active
}

func (n *node) current() *pass { return &n.passes[len(n.passes)-1] }

// finish notes what a pass left behind.
func (n *node) finish(p *pass) {
	counted := counts()
	for _, cause := range causes() {
		for range int(counted[cause] - n.counted[cause]) {
			p.did.causes = append(p.did.causes, string(cause))
		}
	}
	slices.Sort(p.did.causes)
	n.counted = counted
	for condition, is := range map[eviction.Conditions]func() bool{
		eviction.MemoryPressure: n.manager.IsUnderMemoryPressure,
		eviction.DiskPressure:   n.manager.IsUnderDiskPressure,
		eviction.PIDPressure:    n.manager.IsUnderPIDPressure,
	} {
		if is() {
			p.conditions |= condition
		}
	}
	for i, pod := range arrivals {
		if r := n.admit.Admit(&lifecycle.PodAdmitAttributes{Pod: pod}); !r.Admit {
			p.admitted[i] = r.Reason + ": " + inOrder(r.Message)
		}
	}
	n.seen.passed(n.c, p)
}

// inOrder sorts the conditions in a message, which upstream leaves to the order of a map.
func inOrder(message string) string {
	before, rest, _ := strings.Cut(message, "[")
	inside, after, _ := strings.Cut(rest, "]")
	names := strings.Fields(inside)
	order := []string{"MemoryPressure", "DiskPressure", "PIDPressure"}
	slices.SortFunc(names, func(a, b string) int { return slices.Index(order, a) - slices.Index(order, b) })
	return before + "[" + strings.Join(names, " ") + "]" + after
}

// causes are all that upstream counts evictions by.
func causes() (all []eviction.Cause) {
	for s := eviction.MemoryAvailable; s <= eviction.PIDAvailable; s++ {
		all = append(all, eviction.Cause(s.String()))
	}
	return append(all, eviction.EmptyDirLimit, eviction.PodStorageLimit, eviction.ContainerStorageLimit)
}

// counts reads upstream's metric.
func counts() map[eviction.Cause]float64 {
	m := map[eviction.Cause]float64{}
	for _, cause := range causes() {
		v, err := testutil.GetCounterMetricValue(metrics.Evictions.WithLabelValues(string(cause)))
		if err != nil {
			panic(err)
		}
		m[cause] = v
	}
	return m
}

// kill implements upstream's KillPodFunc: it takes the pod some time to end, and the kubelet more to clean up.
func (n *node) kill(pod *v1.Pod, evicted bool, grace *int64, _ func(*v1.PodStatus)) error {
	p := n.current()
	p.did.evicted = append(p.did.evicted, fmt.Sprintf("%s in %d s", pod.Name, *grace))
	time.Sleep(pick(n.world.drawer, 0, 300*time.Millisecond, 2*time.Second, 11*time.Second))
	p.killed = now()
	takes := pick(n.world.drawer, 0, cluster.Millisecond, cluster.Second, 3500*cluster.Millisecond, 29*cluster.Second,
		30*cluster.Second, 30*cluster.Second+1, cluster.Minute)
	n.goneAt[pod.Name] = now() + takes
	p.gone = max(p.gone, n.goneAt[pod.Name])
	if n.world.chance(0.2) {
		return fmt.Errorf("the runtime didn't answer")
	}
	return nil
}

func (n *node) cleanedUp(pod *v1.Pod) bool { return now() >= n.goneAt[pod.Name] }

// Get implements upstream's SummaryProvider.
func (n *node) Get(context.Context, bool) (*statsapi.Summary, error) { return n.world.summary(), nil }

func (n *node) GetCPUAndMemoryStats(context.Context) (*statsapi.Summary, error) {
	return n.world.summary(), nil
}

var _ stats.SummaryProvider = (*node)(nil)

// DeleteUnusedImages implements upstream's ImageGC.
func (n *node) DeleteUnusedImages(context.Context) error {
	n.current().did.images = true
	n.world.Reclaim(false, true)
	return nil
}

// DeleteAllUnusedContainers implements upstream's ContainerGC.
func (n *node) DeleteAllUnusedContainers(context.Context) error {
	n.current().did.containers = true
	n.world.Reclaim(true, false)
	return nil
}

func (n *node) HasDedicatedImageFs(context.Context) (bool, error) {
	return n.c.Disks.DedicatedImageFs, nil
}

func (n *node) HasDedicatedContainerFs(context.Context) (bool, error) {
	return n.c.Disks.DedicatedContainerFs, nil
}

// Event implements upstream's EventRecorder, of which one event is of interest.
func (n *node) Event(_ kruntime.Object, _, reason, message string) {
	n.Eventf(nil, "", reason, "%s", message)
}

func (n *node) Eventf(_ kruntime.Object, _, reason, format string, args ...any) {
	if reason == "EvictionThresholdMet" {
		n.current().did.resource = strings.TrimPrefix(fmt.Sprintf(format, args...), "Attempting to reclaim ")
	}
}

func (n *node) AnnotatedEventf(kruntime.Object, map[string]string, string, string, string, ...any) {}
