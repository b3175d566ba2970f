package timeline

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/tools/events"
	"k8s.io/klog/v2"
	fwk "k8s.io/kube-scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler"
	"k8s.io/kubernetes/pkg/scheduler/apis/config"
	"k8s.io/kubernetes/pkg/scheduler/apis/config/latest"
	"k8s.io/kubernetes/pkg/scheduler/backend/cache"
	"k8s.io/kubernetes/pkg/scheduler/framework"
)

// pin sets what upstream keeps for the whole process. It must be called outside of bubbles, since the
// process has one goroutine that waits for signals, as upstream's debugger wants to.
var pin = sync.OnceValue(func() error {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGUSR2)
	klog.SetLogger(logr.Discard())
	utilruntime.ErrorHandlers = nil // one of them sleeps
	return utilfeature.DefaultMutableFeatureGate.SetFromMap(map[string]bool{
		"OpportunisticBatching": false, "SchedulerAsyncPreemption": false,
	})
})

// An upstream is upstream's scheduler, and the API server that it talks to.
type upstream struct {
	story  *Story
	world  *world
	client *fake.Clientset
	sched  *scheduler.Scheduler
	trace  Trace
	seen   *features

	poke  chan struct{} // something may be to be done
	token chan struct{} // the next pod may be popped
	// What follows is written by the scheduler's goroutines, and read by the others when those rest.
	mu       sync.Mutex
	atGate   bool
	effects  []effect
	trying   try
	placed   *v1.Pod // the last pod that got a node, until the next is popped
	placedOn string
	rejected string             // the last pod that was rejected, until the next is popped
	failing  map[types.UID]bool // whose try is to take its time before it fails
	waiting  map[types.UID]try  // that have a node and go through the turnstile
}

// A try is one of upstream's.
type try struct {
	began    time.Duration
	deciding bool // its time is not over
	pod      string
	uid      types.UID
	number   int // of the try
}

// An effect is what comes of a call of the API later.
type effect struct {
	due  time.Duration
	name string // effects of an instant come in the order of names
	do   func() *change
}

// now is virtual time since the epoch.
func now() time.Duration { return time.Since(epoch) }

// runUpstream has upstream live through a story. It must be called in a bubble of synctest.
func runUpstream(story *Story, seen *features) (Trace, error) {
	ctx, cancel := context.WithCancel(klog.NewContext(context.Background(), logr.Discard()))
	u := &upstream{
		story: story, world: newWorld(), client: fake.NewSimpleClientset(), seen: seen,
		poke: make(chan struct{}, 1), token: make(chan struct{}), failing: map[types.UID]bool{},
		waiting: map[types.UID]try{},
	}
	seen.begun(story)
	if err := u.start(ctx); err != nil {
		cancel()
		return nil, err
	}
	err := u.live()
	trace := u.trace
	cancel()
	u.sched.SchedulingQueue.Close()
	close(u.token)
	time.Sleep(time.Minute) // upstream's goroutines end when they look next
	return trace, err
}

// start builds the scheduler and sets it going. Its timers start at the epoch.
func (u *upstream) start(ctx context.Context) error {
	u.react()
	cfg, err := latest.Default()
	if err != nil {
		return err
	}
	for _, pc := range cfg.Profiles[0].PluginConfig {
		if args, ok := pc.Args.(*config.DefaultPreemptionArgs); ok {
			args.MinCandidateNodesPercentage = 100
		}
	}
	permit := &cfg.Profiles[0].Plugins.Permit
	permit.Enabled = append(permit.Enabled, config.Plugin{Name: turnstileName})
	informers := scheduler.NewInformerFactory(u.client, 0)
	recorders := func(string) events.EventRecorderLogger { return &events.FakeRecorder{} }
	options := []scheduler.Option{scheduler.WithProfiles(cfg.Profiles...), scheduler.WithParallelism(1), scheduler.WithFrameworkOutOfTreeRegistry(turnstiles)}
	if u.story.Initial > 0 {
		options = append(options, scheduler.WithPodInitialBackoffSeconds(int64(u.story.Initial/time.Second)))
	}
	if u.story.Max > 0 {
		options = append(options, scheduler.WithPodMaxBackoffSeconds(int64(u.story.Max/time.Second)))
	}
	if u.story.Most > 0 {
		options = append(options, scheduler.WithPodMaxInUnschedulablePodsDuration(u.story.Most))
	}
	if u.sched, err = scheduler.New(ctx, client{u.client, u}, informers, nil, recorders, options...); err != nil {
		return fmt.Errorf("building upstream's scheduler: %w", err)
	}
	u.hook()
	u.sched.SchedulingQueue.Run(logr.Discard())
	informers.Start(ctx.Done())
	informers.WaitForCacheSync(ctx.Done())
	if err := u.sched.WaitForHandlersSync(ctx); err != nil {
		return err
	}
	go func() {
		for ctx.Err() == nil {
			u.sched.ScheduleOne(ctx)
		}
	}()
	return nil
}

// hook makes tries take time, and notes what comes of them.
func (u *upstream) hook() {
	pop, decide, fail := u.sched.NextPod, u.sched.SchedulePod, u.sched.FailureHandler
	u.sched.NextPod = func(logger klog.Logger) (*framework.QueuedPodInfo, error) {
		u.set(func() { u.atGate = true })
		if _, open := <-u.token; !open {
			return nil, nil
		}
		info, err := pop(logger)
		if info != nil {
			u.set(func() { u.trying = try{now(), true, info.Pod.Name, info.Pod.UID, info.Attempts} })
		}
		return info, err
	}
	u.sched.SchedulePod = func(ctx context.Context, f framework.Framework, state fwk.CycleState, info *framework.QueuedPodInfo) (scheduler.ScheduleResult, error) {
		result, err := decide(ctx, f, state, info)
		if err != nil {
			u.set(func() { u.failing[info.Pod.UID] = true })
			return result, err
		}
		time.Sleep(u.story.Service)
		u.set(func() {
			if info.Pod.Labels["permit"] == "" {
				u.landed(info, result.SuggestedHost, nil)
				return
			}
			u.trying.deciding = false
			u.waiting[info.Pod.UID] = u.trying
		})
		return result, err
	}
	u.sched.FailureHandler = func(ctx context.Context, f framework.Framework, info *framework.QueuedPodInfo, status *fwk.Status, nominating *fwk.NominatingInfo, start time.Time) {
		if u.failing[info.Pod.UID] {
			time.Sleep(u.story.Service)
			u.set(func() { delete(u.failing, info.Pod.UID); u.landed(info, "", rejectors(status)) })
		}
		u.set(func() { u.passed(info.Pod.UID, "", rejectors(status)) })
		fail(ctx, f, info, status, nominating, start)
	}
}

// passed notes what came of a try of a pod that had a node and went through the turnstile.
func (u *upstream) passed(uid types.UID, node string, rejected []string) {
	w, ok := u.waiting[uid]
	delete(u.waiting, uid)
	if p := u.world.pods[w.pod]; !ok || p == nil || p.UID != uid || p.Spec.NodeName != "" {
		return
	}
	what := "no node any more"
	switch {
	case node != "":
		what = "passes"
	case len(rejected) > 0:
		what = "rejected"
	}
	u.seen.count("permit: " + what)
	u.seen.tries++
	u.trace.try(now(), w.began, w.pod, w.number, node, rejected)
}

// set changes what the scheduler's goroutines share, and has the driver look at it.
func (u *upstream) set(change func()) {
	u.mu.Lock()
	defer u.mu.Unlock()
	change()
	select {
	case u.poke <- struct{}{}:
	default:
	}
}

// rejectors lists the plugins that rejected a pod.
func rejectors(status *fwk.Status) (names []string) {
	if fit, ok := status.AsError().(*framework.FitError); ok {
		for name := range fit.Diagnosis.UnschedulablePlugins.Union(fit.Diagnosis.PendingPlugins) {
			names = append(names, name)
		}
	}
	return names
}

// landed notes a try whose time is over, unless the pod is gone or on a node meanwhile.
func (u *upstream) landed(info *framework.QueuedPodInfo, node string, rejected []string) {
	u.trying.deciding = false
	p := u.world.pods[info.Pod.Name]
	if p == nil || p.UID != info.Pod.UID || p.Spec.NodeName != "" {
		u.seen.count("in flight: gone or bound")
		return
	}
	if node != "" && u.world.nodes[node] == nil {
		u.seen.count("in flight: node gone")
		node = ""
	}
	if node != "" {
		u.placed, u.placedOn = p, node
	}
	if len(rejected) > 0 {
		u.rejected = p.Name
	}
	if len(u.world.nodes) == 0 {
		u.seen.count("try: error, no nodes")
	}
	u.seen.tried(info, node, rejected)
	u.trace.try(now(), u.trying.began, p.Name, info.Attempts, node, rejected)
}

// live goes through the story.
func (u *upstream) live() error {
	steps, sample, second := u.story.Steps, samples/2, time.Second
	for second <= now() {
		second += time.Second
	}
	for sample <= now() {
		sample += samples
	}
	for {
		next := min(u.story.End, sample, second, u.due())
		if len(steps) > 0 {
			next = min(next, steps[0].At)
		}
		u.until(next)
		u.settle()
		at := now()
		if len(steps) > 0 && steps[0].At == at {
			before := u.places()
			if steps[0].Kind == "node" && u.world.nodes[steps[0].Name] == nil {
				if err := u.refresh(); err != nil {
					return err
				}
			}
			c := u.world.do(steps[0], at, before)
			if c != nil {
				u.apply(c)
				u.strand(c)
			}
			u.settle()
			u.seen.moved(c, before, u.places())
			u.release()
			u.trace.where(at, u.places())
			steps = steps[1:]
			continue
		}
		before := u.places()
		u.release()
		if at == sample {
			u.trace.where(at, before)
			sample += samples
		}
		if at == second {
			second += time.Second
		}
		if at >= u.story.End {
			return nil
		}
	}
}

// refresh takes a snapshot, as is done when a pod is tried. Upstream keeps a node's place in the order of
// nodes if it goes and comes back between two snapshots, which Berth doesn't.
func (u *upstream) refresh() error {
	f := u.sched.Profiles[v1.DefaultSchedulerName]
	return u.sched.Cache.UpdateSnapshot(logr.Discard(), f.SnapshotSharedLister().(*cache.Snapshot))
}

// until waits for a time, or for something to happen before.
func (u *upstream) until(next time.Duration) {
	if next <= now() {
		return
	}
	timer := time.NewTimer(next - now())
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-u.poke:
	}
}

// due returns when the next effect is.
func (u *upstream) due() time.Duration {
	next := u.story.End
	for _, e := range u.effects {
		next = min(next, e.due)
	}
	return next
}

// settle waits until all that happens at this instant has happened.
func (u *upstream) settle() {
	for synctest.Wait(); ; synctest.Wait() {
		at := now()
		slices.SortStableFunc(u.effects, func(a, b effect) int { return strings.Compare(a.name, b.name) })
		i := slices.IndexFunc(u.effects, func(e effect) bool { return e.due <= at })
		if i < 0 {
			return
		}
		do := u.effects[i].do
		u.effects = slices.Delete(u.effects, i, i+1)
		if c := do(); c != nil {
			u.apply(c)
		}
	}
}

// release lets the scheduler pop pods, as long as it takes no time.
func (u *upstream) release() {
	for u.renew(); u.atGate && u.ready(); u.renew() {
		u.atGate = false
		u.token <- struct{}{}
		u.settle()
	}
}

// renew has the pod that got a node last count there as it is now. Upstream counts it as it was when it was
// popped, until it sees it bound.
func (u *upstream) renew() {
	if place := u.places()[u.rejected]; place == "active" || place == "backoff" {
		u.seen.count("rejected, and helped by what it missed")
	}
	p, c := u.placed, u.sched.Cache
	u.placed, u.rejected = nil, ""
	if p == nil {
		return
	}
	was, err := c.GetPod(p)
	if assumed, _ := c.IsAssumedPod(p); err != nil || !assumed || was.ResourceVersion == p.ResourceVersion {
		return
	}
	u.seen.count("in flight: changed, and placed")
	is := p.DeepCopy()
	is.Spec.NodeName = u.placedOn
	if err := errors.Join(c.ForgetPod(logr.Discard(), was), c.AssumePod(logr.Discard(), is)); err != nil {
		panic(err)
	}
}

// ready reports whether upstream's Pop would return at once.
func (u *upstream) ready() bool {
	q := u.sched.SchedulingQueue
	if len(q.PodsInActiveQ()) > 0 {
		return true
	}
	for _, p := range q.PodsInBackoffQ() {
		if info, ok := q.GetPod(p.Name, p.Namespace); ok && len(info.UnschedulablePlugins)+len(info.PendingPlugins) > 0 {
			u.seen.count("popped from backoff when idle")
			return true
		}
	}
	if len(q.PodsInBackoffQ()) > 0 {
		u.seen.count("idle, but an error's backoff goes on")
	}
	return false
}

// places says where every pending pod is.
func (u *upstream) places() map[string]string {
	q, places := u.sched.SchedulingQueue, map[string]string{}
	list := func(pods []*v1.Pod, place string) {
		for _, p := range pods {
			if is := u.world.pods[p.Name]; is != nil && is.UID == p.UID && is.Spec.NodeName == "" {
				places[p.Name] = place
			}
		}
	}
	list(q.PodsInActiveQ(), "active")
	list(q.PodsInBackoffQ(), "backoff")
	list(q.UnschedulablePods(), "unschedulable")
	list(q.InFlightPods(), "in flight")
	for name, place := range places {
		if info, ok := q.GetPod(name, "default"); ok && place == "unschedulable" && info.Gated() {
			places[name] = "gated"
		}
	}
	return places
}
