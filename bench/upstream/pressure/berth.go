package pressure

import (
	"fmt"
	"slices"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/eviction"
)

// replicas is how many Pressures follow upstream: when n thresholds are as urgent as each other, the i-th
// acts on the i-th of them, or the last. Which one it is makes no difference to what a Pressure
// remembers.
const replicas = 12

// arrivals are pods that ask to be let in: their number's bits make them critical, best-effort, tolerant.
var arrivals = func() (pods [8]*v1.Pod) {
	for i := range pods {
		p := &v1.Pod{}
		if i&1 != 0 {
			p.Spec.Priority = new(int32(2_000_000_000))
		}
		c := v1.Container{Name: "c"}
		if i&2 == 0 {
			c.Resources.Requests = v1.ResourceList{v1.ResourceCPU: resource.MustParse("1")}
		}
		p.Spec.Containers = []v1.Container{c}
		if i&4 != 0 {
			p.Spec.Tolerations = []v1.Toleration{{Key: cluster.TaintMemoryPressure, Operator: v1.TolerationOpExists, Effect: v1.TaintEffectNoSchedule}}
		}
		pods[i] = p
	}
	return pods
}()

// A comparison follows upstream's passes and notes where Berth parts from them.
type comparison struct {
	made  int
	wrong []string
	tied  int // passes at which upstream had a choice
	alone int // passes at which it had none, and something to do
}

func (c *comparison) check(ok bool, format string, args ...any) {
	c.made++
	if !ok {
		c.wrong = append(c.wrong, fmt.Sprintf(format, args...))
	}
}

// A follower is one of the replicas.
type follower struct {
	*eviction.Pressure
	choices int // at this pass
}

func newFollower(config eviction.PressureConfig, i int) *follower {
	f := &follower{}
	config.Tie = func(n int) int {
		if n < 2 {
			panic("there is nothing to choose from")
		}
		f.choices = n
		return min(i, n-1)
	}
	f.Pressure = eviction.NewPressure(config)
	return f
}

// follow compares Berth with what upstream did in a case.
func (c *comparison) follow(k *Case, passes []pass) {
	var all [replicas]*follower
	for i := range all {
		all[i] = newFollower(k.config(), i)
	}
	next := cluster.Time(0)
	for i := range passes {
		p := &passes[i]
		c.check(p.at == next, "pass %d: upstream at %d, berth at %d", i, p.at, next)
		var ours []string
		for _, f := range all {
			f.choices = 1
			did, then := f.pass(p)
			if did.String() == p.did.String() {
				next = then
			}
			ours = append(ours, did.String())
		}
		if next == 0 {
			next = eviction.After(p.killed, p.gone)
		}
		c.check(slices.Contains(ours, p.did.String()), "pass %d: upstream %v\nberth    %v", i, p.did, slices.Compact(ours))
		if p.did.resource != "" && all[0].choices == 1 {
			c.alone++
		} else if p.did.resource != "" {
			c.tied++
		}
		c.check(p.conditions == all[0].Conditions(), "pass %d: upstream reports %v, berth %v", i, p.conditions, all[0].Conditions())
		for j, told := range p.admitted {
			c.check(told == all[0].told(j), "pass %d: arrival %d: upstream %q, berth %q", i, j, told, all[0].told(j))
		}
	}
}

// pass has a replica look at the world that upstream found.
func (f *follower) pass(p *pass) (did deed, next cluster.Time) {
	w := p.world.clone()
	before := w.node
	r := &reclaimer{w: w, did: &did}
	index := w.active()
	var pods []eviction.Candidate
	for _, i := range index {
		pods = append(pods, w.pods[i])
	}
	out := f.Synchronize(p.at, &before, pods, r)
	if out.Starved {
		did.resource = out.Signal.Resource()
	}
	for _, e := range out.Evicted {
		did.evicted = append(did.evicted, fmt.Sprintf("%s in %v s", w.c.Pods[index[e.Pod]].Name, e.Grace.Seconds()))
		did.causes = append(did.causes, string(e.Cause))
	}
	slices.Sort(did.causes)
	return did, out.Next
}

// told returns what a Pressure tells an arrival; "" if it lets it in.
func (f *follower) told(i int) string {
	ok, message := f.Admit(eviction.Arrival{Critical: i&1 != 0, BestEffort: i&2 != 0, Tolerates: i&4 != 0})
	if ok {
		return ""
	}
	return eviction.EvictedReason + ": " + message
}

// A reclaimer notes what a Pressure has deleted.
type reclaimer struct {
	w   *world
	did *deed
}

func (r *reclaimer) Reclaim(containers, images bool) *eviction.NodeStats {
	r.did.containers, r.did.images = containers, images
	return r.w.Reclaim(containers, images)
}
