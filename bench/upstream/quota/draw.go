package quota

import (
	"fmt"
	"math/rand/v2"
	"time"

	v1 "k8s.io/api/core/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	scheduling "k8s.io/kubernetes/pkg/apis/scheduling/v1"
)

// epoch is when a story begins: that is when bubbles do.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// builtIn are the priority classes that every cluster has.
func builtIn() []*schedulingv1.PriorityClass { return scheduling.SystemPriorityClasses() }

// drawer makes stories.
type drawer struct {
	*rand.Rand
	story Story
	tight bool // limits are low: much is refused
	plain bool // pods ask for CPU and memory alone
	hasty bool // some steps come before the quota controller has heard of the last
	about theme
}

// A theme is what much of a story is about.
type theme int

const (
	anything theme = iota
	storage
	others // objects but pods and claims
)

// Draw makes the i-th story of a seed.
func Draw(seed, i uint64) Story {
	d := &drawer{Rand: rand.New(rand.NewPCG(seed, i))}
	d.tight, d.plain, d.hasty = d.one(3), d.one(3), d.one(3)
	d.about = pick(d, anything, anything, anything, storage, others)
	d.classes()
	for range max(0, d.IntN(5)-2) {
		d.add(Step{Verb: set, LimitRange: d.limitRange()})
	}
	for range 2 + d.IntN(5) {
		d.add(Step{Verb: create, Quota: d.quota(), Unheard: d.hasty && d.one(5)})
	}
	for range 20 + d.IntN(30) {
		d.happen()
	}
	return d.story
}

func (d *drawer) add(s Step) { d.story = append(d.story, s) }

// one says yes in one of n times.
func (d *drawer) one(n int) bool { return d.IntN(n) == 0 }

func pick[T any](d *drawer, list ...T) T { return list[d.IntN(len(list))] }

// namespace returns where something happens: there are two.
func (d *drawer) namespace() string { return pick(d, "a", "a", "a", "a", "a", "b") }

func (d *drawer) name(prefix string, n int) string { return fmt.Sprintf("%s%d", prefix, d.IntN(n)) }

// meta names an object of a namespace.
func (d *drawer) meta(prefix string, n int) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: d.namespace(), Name: d.name(prefix, n)}
}

// happen adds something at random.
func (d *drawer) happen() {
	s := Step{Unheard: d.hasty && d.one(5)}
	if d.one(5) {
		s.Wait.Duration = pick(d, time.Second, 10*time.Second, 29*time.Second, 30*time.Second, 31*time.Second, time.Minute, 61*time.Second, 150*time.Second, resync)
	}
	what := d.IntN(100)
	if d.about == storage && d.one(2) {
		what = 63 + d.IntN(9)
	} else if d.about == others && d.one(2) {
		what = pick(d, 72+d.IntN(11), 83+d.IntN(9), 83+d.IntN(6))
	}
	switch {
	case what < 40:
		s.Verb, s.Pod = create, d.pod()
	case what < 46:
		s.Verb, s.Pod = resize, d.pod()
	case what < 50:
		s.Verb, s.Namespace, s.Name, s.Seconds = deadline, d.namespace(), d.name("p", pods), pick(d, nil, new(int64(0)), new(int64(3600)))
	case what < 57:
		s.Verb, s.Pod = status, d.podStatus()
	case what < 60:
		s.Verb, s.Namespace, s.Name = end, d.namespace(), d.name("p", pods)
	case what < 63:
		s.Verb, s.Resource, s.Namespace, s.Name = remove, "pods", d.namespace(), d.name("p", pods)
	case what < 72:
		s.Verb, s.Claim = pick(d, create, create, update, status, status), d.claim()
	case what < 78:
		s.Verb, s.Service = pick(d, create, update), d.service()
	case what < 83:
		s.Verb, s.Devices = pick(d, create, create, update), d.devices()
	case what < 89:
		s.Verb, s.Resource, s.Namespace, s.Name = create, d.other(), d.namespace(), d.name("o", 9)
	case what < 92:
		s.Verb, s.Namespace, s.Resource, s.Name = remove, d.namespace(), d.other(), d.name("o", 9)
		if d.one(2) {
			s.Resource = pick(d, "persistentvolumeclaims", "services", "resourceclaims.resource.k8s.io", "resourcequotas")
			s.Name = d.name(map[string]string{"persistentvolumeclaims": "c", "services": "s", "resourceclaims.resource.k8s.io": "d", "resourcequotas": "q"}[s.Resource], 4)
		}
	case what < 95:
		s.Verb, s.Quota = pick(d, create, update, update, status), d.quota()
		if s.Verb == status {
			d.misstate(s.Quota)
		}
	case what < 96:
		s.Verb, s.LimitRange = set, d.limitRange()
		if d.one(2) {
			s = Step{Verb: remove, Resource: "limitranges", Namespace: s.LimitRange.Namespace, Name: s.LimitRange.Name}
		}
	default:
		s.Verb = burst
		namespace, n := d.namespace(), 2+d.IntN(5)
		if d.one(3) {
			n, s.Conflicts = 1, 1+d.IntN(3)
		}
		for range n {
			p := d.pod()
			p.Namespace = namespace
			s.Burst = append(s.Burst, Step{Verb: create, Pod: p})
		}
	}
	d.add(s)
}

// other returns a resource of which only the number counts.
func (d *drawer) other() string {
	return pick(d, "configmaps", "secrets", "replicationcontrollers", "deployments.apps", "jobs.batch", "gadgets.example.com")
}

// amount returns a quantity of a resource: up to most times what is small of it.
func (d *drawer) amount(name string, most int) resource.Quantity {
	n := int64(d.IntN(most + 1))
	switch kindOf(name) {
	case "cpu":
		return *resource.NewMilliQuantity(n*250, resource.DecimalSI)
	case "memory":
		return *resource.NewQuantity(n<<26, resource.BinarySI)
	case "storage":
		return *resource.NewQuantity(n<<30, resource.BinarySI)
	case "hugepages":
		return *resource.NewQuantity(n<<21, resource.BinarySI)
	}
	return *resource.NewQuantity(n, resource.DecimalSI)
}

func sometimes[T any](d *drawer, n int, x T) *T {
	if d.one(n) {
		return &x
	}
	return nil
}

// requirements are what a container, or a pod as a whole, asks for and may have at most.
func (d *drawer) requirements(names []v1.ResourceName) v1.ResourceRequirements {
	r := v1.ResourceRequirements{}
	add := func(list *v1.ResourceList, name v1.ResourceName, q resource.Quantity) {
		if *list == nil {
			*list = v1.ResourceList{}
		}
		(*list)[name] = q
	}
	for _, name := range names {
		q := d.amount(string(name), 4)
		switch kind := kindOf(string(name)); {
		case kind == "hugepages" || kind == "": // these can't be had without a limit, nor be less than it
			if d.one(4) {
				add(&r.Requests, name, q)
				add(&r.Limits, name, q)
			}
			continue
		case d.one(4):
			continue
		}
		switch d.IntN(5) {
		case 0:
			add(&r.Limits, name, q)
		case 1:
			add(&r.Requests, name, q)
			add(&r.Limits, name, q)
		case 2:
			add(&r.Requests, name, q)
			q.Add(d.amount(string(name), 3))
			add(&r.Limits, name, q)
		default:
			add(&r.Requests, name, q)
		}
	}
	return r
}
