package lifecycle

import (
	"cmp"
	"context"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/controller/nodelifecycle"
	"k8s.io/kubernetes/pkg/controller/tainteviction"
)

// pin sets what upstream keeps for the whole process.
var pin = sync.OnceFunc(func() {
	klog.SetLogger(logr.Discard())
	utilruntime.ErrorHandlers = nil // one of them sleeps
	watch.DefaultChanSize = 1 << 14 // the fake panics when a watch is behind by more
})

// Upstream returns a Player of upstream's controllers. It panics if they can't be built.
func Upstream(t *testing.T) Player {
	return func(tl *Timeline) (seen []Observation) {
		pin()
		synctest.Test(t, func(*testing.T) { seen = play(tl, nil) })
		Sort(seen)
		return seen
	}
}

// An upstream is upstream's controllers and the cluster they look after.
type upstream struct {
	timeline *Timeline
	cluster  *objects
	turns    *turns
	leases   Leases
	views    map[string]map[corev1.NodeConditionType]bool // of kubelets
	zones    map[string]string                            // states
	health   *nodelifecycle.Controller
}

// play lives through a timeline. It must be called in a bubble of synctest. If there are renewals,
// leases are written then, and what is computed of them isn't used.
func play(tl *Timeline, renewals []Step) []Observation {
	ctx, cancel := context.WithCancel(klog.NewContext(context.Background(), logr.Discard()))
	client, turns := fake.NewSimpleClientset(), newTurns()
	u := &upstream{
		timeline: tl, turns: turns, leases: Leases{},
		cluster: &objects{tracker: client.Tracker(), turns: turns, stops: map[string]time.Duration{}},
		views:   map[string]map[corev1.NodeConditionType]bool{}, zones: map[string]string{},
	}
	queueClock = moving()
	steps := slices.Concat(tl.Steps(), renewals)
	slices.SortStableFunc(steps, byTime)
	for len(steps) > 0 && steps[0].At == 0 {
		u.happens(steps[0])
		steps = steps[1:]
	}
	u.start(ctx, api{client, u.cluster}, len(renewals) > 0)
	u.live(steps)
	cancel()
	turns.end()
	synctest.Wait()
	return u.cluster.noted
}

// start builds the controllers and sets them going. Their timers start at the epoch.
func (u *upstream) start(ctx context.Context, client api, written bool) {
	factory := informers.NewSharedInformerFactory(client.Clientset, 0)
	core, s := factory.Core().V1(), u.timeline.Settings
	leases := leasesInTurn{factory.Coordination().V1().Leases(), u.turns, u.leases, written}
	var err error
	u.health, err = nodelifecycle.NewNodeLifecycleController(ctx, leases, core.Pods(), nodesInTurn{core.Nodes(), u.turns}, factory.Apps().V1().DaemonSets(), client,
		s.Period, s.Startup, s.Grace, s.Rate, s.Secondary, s.Large, s.Threshold)
	must(err)
	evictor, err := tainteviction.New(ctx, client, core.Pods(), core.Nodes(), "taint-eviction-controller")
	must(err)
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	synctest.Wait()
	go u.health.Run(ctx)
	go evictor.Run(ctx)
}

// live has steps happen, pods stop, and everybody take turns.
func (u *upstream) live(steps []Step) {
	for {
		u.turns.settle()
		if u.turns.begun {
			u.turns.begun = false
			u.noteZones()
		}
		next := u.timeline.End
		if len(steps) > 0 {
			next = min(next, steps[0].At)
		}
		if gone := u.cluster.stopped; len(gone) > 0 {
			next = min(next, gone[0].at)
		}
		if wait := next - now(); wait > 0 {
			timer := time.NewTimer(wait)
			select {
			case <-timer.C:
				u.turns.settle()
			case <-u.turns.poke:
				timer.Stop()
			}
			continue
		}
		if next >= u.timeline.End {
			return
		}
		for len(steps) > 0 && steps[0].At <= now() {
			u.happens(steps[0])
			steps = steps[1:]
		}
		for len(u.cluster.stopped) > 0 && u.cluster.stopped[0].at <= now() {
			u.cluster.removePod(u.cluster.stopped[0].pod)
			u.cluster.stopped = u.cluster.stopped[1:]
		}
	}
}

// noteZones notes which zones changed their state in the pass of the monitor that is over.
func (u *upstream) noteZones() {
	states := map[string]string{}
	fields := reflect.ValueOf(u.health).Elem().FieldByName("zoneStates")
	for zones := fields.MapRange(); zones.Next(); {
		region, zone, _ := strings.Cut(zones.Key().String(), ":\x00:")
		states[region+"/"+zone] = zones.Value().String()
	}
	for _, zone := range slices.Sorted(maps.Keys(states)) {
		if before := cmp.Or(u.zones[zone], "Initial"); before != states[zone] {
			u.cluster.note(OfZone, zone, Became(before, states[zone], u.counted(zone)))
		}
	}
	u.zones = states
}

// counted returns how many nodes of a zone count for its state.
func (u *upstream) counted(zone string) (n int) {
	list, err := u.cluster.tracker.List(nodeResource, corev1.SchemeGroupVersion.WithKind("Node"), "")
	must(err)
	for _, node := range list.(*corev1.NodeList).Items {
		_, excluded := node.Labels["node.kubernetes.io/exclude-disruption"]
		if node.Labels[corev1.LabelTopologyRegion]+"/"+node.Labels[corev1.LabelTopologyZone] == zone && !excluded {
			n++
		}
	}
	return n
}
