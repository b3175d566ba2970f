package lockstep

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	corev1helpers "k8s.io/component-helpers/scheduling/corev1"

	"github.com/berthsim/berth/bench/upstream/scenario"
)

// grace is how long a terminating pod is given. Nothing waits for it: Finish ends pods.
const grace = 30 * time.Second

// cluster is the state of the API server that the followers see.
type cluster struct {
	followers []Follower
	now       time.Time
	objects   map[scenario.Ref]runtime.Object
	// arrival numbers the pods in the order of their arrival, the queue's order among equals.
	arrival  map[scenario.Ref]int
	arrivals int
}

func newCluster(followers []Follower) *cluster {
	return &cluster{
		followers: followers,
		now:       scenario.Epoch,
		objects:   map[scenario.Ref]runtime.Object{},
		arrival:   map[scenario.Ref]int{},
	}
}

func (c *cluster) tick() { c.now = c.now.Add(time.Second) }

// set adds an object or replaces its state.
func (c *cluster) set(obj runtime.Object) error {
	ref, err := scenario.RefTo(obj)
	if err != nil {
		return err
	}
	known := c.objects[ref] != nil
	c.objects[ref] = obj
	if _, ok := c.arrival[ref]; !ok {
		c.arrival[ref] = c.arrivals
		c.arrivals++
	}
	for _, f := range c.followers {
		if known {
			err = f.Update(obj)
		} else {
			err = f.Add(obj)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// update replaces an object's state. What was decided about a pod stays, since a scenario can't know
// it; a pod that isn't there any more stays away.
func (c *cluster) update(obj runtime.Object) error {
	p, ok := obj.(*v1.Pod)
	if !ok {
		return c.set(obj)
	}
	old := c.pod(scenario.Ref{Kind: "Pod", Namespace: p.Namespace, Name: p.Name})
	if old == nil {
		return nil
	}
	p = p.DeepCopy()
	p.DeletionTimestamp = old.DeletionTimestamp
	p.Spec.NodeName = old.Spec.NodeName
	p.Status.Phase = old.Status.Phase
	p.Status.StartTime = old.Status.StartTime
	p.Status.NominatedNodeName = old.Status.NominatedNodeName
	p.Status.Conditions = slices.DeleteFunc(p.Status.Conditions, disrupted)
	for _, condition := range old.Status.Conditions {
		if disrupted(condition) {
			p.Status.Conditions = append(p.Status.Conditions, condition)
		}
	}
	return c.set(p)
}

// delete removes an object if it is there. The pods of a node go with it, as the pod garbage collector
// would see to.
func (c *cluster) delete(ref scenario.Ref) error {
	obj := c.objects[ref]
	if obj == nil {
		return nil
	}
	delete(c.objects, ref)
	delete(c.arrival, ref)
	for _, f := range c.followers {
		if err := f.Delete(obj); err != nil {
			return err
		}
	}
	if ref.Kind != "Node" {
		return nil
	}
	for _, pod := range c.pods(func(p *v1.Pod) bool { return p.Spec.NodeName == ref.Name }) {
		if err := c.delete(pod); err != nil {
			return err
		}
	}
	return nil
}

func podKey(p *v1.Pod) string { return p.Namespace + "/" + p.Name }

func podRef(name string) scenario.Ref {
	namespace, name, _ := strings.Cut(name, "/")
	return scenario.Ref{Kind: "Pod", Namespace: namespace, Name: name}
}

// pod gives a copy of a pod to be changed, nil if there is none.
func (c *cluster) pod(ref scenario.Ref) *v1.Pod {
	if p, ok := c.objects[ref].(*v1.Pod); ok {
		return p.DeepCopy()
	}
	return nil
}

func (c *cluster) bind(p *v1.Pod, node string) error {
	p = p.DeepCopy()
	start := metav1.NewTime(c.now)
	p.Spec.NodeName = node
	p.Status.NominatedNodeName = "" // as the API server does when it binds
	p.Status.StartTime = &start
	p.Status.Phase = v1.PodRunning
	return c.set(p)
}

// terminate begins a pod's graceful end; a pod that has no node ends at once, as it has no kubelet.
func (c *cluster) terminate(ref scenario.Ref) error {
	p := c.pod(ref)
	switch {
	case p == nil || p.DeletionTimestamp != nil:
		return nil
	case p.Spec.NodeName == "":
		return c.delete(ref)
	}
	end := metav1.NewTime(c.now.Add(grace))
	p.DeletionTimestamp = &end
	return c.set(p)
}

// makeWay evicts the victims of a preemption that aren't terminating yet, and takes the node from the
// pods of lower priority to which it was promised.
func (c *cluster) makeWay(preemptor *v1.Pod, node string, victims []string) error {
	for _, name := range victims {
		if err := c.evict(name); err != nil {
			return err
		}
	}
	lower := func(p *v1.Pod) bool {
		return p.Spec.NodeName == "" && p.Status.NominatedNodeName == node &&
			corev1helpers.PodPriority(p) < corev1helpers.PodPriority(preemptor)
	}
	for _, ref := range c.pods(lower) {
		if err := c.nominate(ref.Namespace+"/"+ref.Name, ""); err != nil {
			return err
		}
	}
	return nil
}

func (c *cluster) evict(name string) error {
	p := c.pod(podRef(name))
	switch {
	case p == nil:
		return fmt.Errorf("victim %s isn't there", name)
	case p.DeletionTimestamp != nil:
		return nil
	}
	p.Status.Conditions = slices.DeleteFunc(p.Status.Conditions, disrupted)
	p.Status.Conditions = append(p.Status.Conditions, v1.PodCondition{
		Type: v1.DisruptionTarget, Status: v1.ConditionTrue, Reason: v1.PodReasonPreemptionByScheduler,
	})
	end := metav1.NewTime(c.now.Add(grace))
	p.DeletionTimestamp = &end
	return c.set(p)
}

// nominate sets a pod's nominated node, if that changes anything.
func (c *cluster) nominate(name, node string) error {
	p := c.pod(podRef(name))
	switch {
	case p == nil:
		return fmt.Errorf("pod %s isn't there", name)
	case p.Status.NominatedNodeName == node:
		return nil
	}
	p.Status.NominatedNodeName = node
	return c.set(p)
}

func disrupted(c v1.PodCondition) bool { return c.Type == v1.DisruptionTarget }

// finish ends all terminating pods, in the order of arrival.
func (c *cluster) finish() error {
	for _, ref := range c.pods(func(p *v1.Pod) bool { return p.DeletionTimestamp != nil }) {
		if err := c.delete(ref); err != nil {
			return err
		}
	}
	return nil
}

// queue lists the pending pods: higher priority first, then by arrival.
func (c *cluster) queue() []scenario.Ref {
	refs := c.pods(func(p *v1.Pod) bool { return p.Spec.NodeName == "" && p.DeletionTimestamp == nil })
	priority := func(ref scenario.Ref) int32 { return corev1helpers.PodPriority(c.objects[ref].(*v1.Pod)) }
	slices.SortStableFunc(refs, func(a, b scenario.Ref) int { return cmp.Compare(priority(b), priority(a)) })
	return refs
}

// pods lists the pods that match, in the order of arrival.
func (c *cluster) pods(match func(*v1.Pod) bool) []scenario.Ref {
	refs := slices.DeleteFunc(slices.Collect(maps.Keys(c.objects)), func(ref scenario.Ref) bool {
		p, ok := c.objects[ref].(*v1.Pod)
		return !ok || !match(p)
	})
	slices.SortFunc(refs, func(a, b scenario.Ref) int { return cmp.Compare(c.arrival[a], c.arrival[b]) })
	return refs
}
