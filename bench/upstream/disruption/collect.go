package disruption

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing/synctest"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/kubernetes/pkg/controller/podgc"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/manifest"
	"github.com/berthsim/berth/eviction"
)

var nodeResource = v1.SchemeGroupVersion.WithResource("nodes")

// A collecting run has upstream's pod GC and Berth's see the same nodes and pods, and tells which pods
// either has taken away, and when.
type collecting struct {
	*rand.Rand
	client *fake.Clientset
	nodes  map[string]*v1.Node
	pods   map[string]*v1.Pod

	theirs, ours []string
	state        *cluster.State
	gc           eviction.GC
	rows         map[string]cluster.PodID
	wake         cluster.Time
	conv         manifest.Converter
}

// collect plays a random story, within a bubble.
func collect(seed, i uint64) (theirs, ours []string, err error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer func() { cancel(); synctest.Wait() }()
	c := &collecting{
		Rand: rand.New(rand.NewPCG(seed, i)), client: fake.NewSimpleClientset(), nodes: map[string]*v1.Node{}, pods: map[string]*v1.Pod{},
		state: cluster.NewState(), rows: map[string]cluster.PodID{}, conv: manifest.Converter{Epoch: epoch},
	}
	c.client.PrependReactor("delete", "pods", func(a clienttesting.Action) (bool, runtime.Object, error) {
		c.theirs = append(c.theirs, fmt.Sprintf("%v %s", time.Since(epoch), a.(clienttesting.DeleteAction).GetName()))
		return false, nil, nil
	})
	inf := informers.NewSharedInformerFactory(c.client, 0)
	// A pass of upstream's takes no virtual time. In life it takes some, so that a node whose quarantine
	// began in one pass is out of it two passes later.
	gc := podgc.NewPodGCInternal(ctx, c.client, inf.Core().V1().Pods(), inf.Core().V1().Nodes(), 0, 20*time.Second, 40*time.Second-time.Millisecond)
	inf.Start(ctx.Done())
	inf.WaitForCacheSync(ctx.Done())
	go gc.Run(ctx)
	synctest.Wait()
	c.step(nil)
	for range 30 {
		time.Sleep(time.Duration(c.IntN(25))*time.Second + 3*time.Millisecond) // never to when pods are collected
		synctest.Wait()
		c.passes(cluster.Time(time.Since(epoch)))
		if err := c.happen(); err != nil {
			return nil, nil, err
		}
		synctest.Wait()
	}
	slices.Sort(c.theirs)
	slices.Sort(c.ours)
	return c.theirs, c.ours, nil
}

// passes lets time pass for Berth's side.
func (c *collecting) passes(to cluster.Time) {
	for c.wake <= to {
		c.state.Now = c.wake
		c.state.Observe(c.wake, nil)
		c.step(nil)
	}
	c.state.Now = to
}

// step lets Berth's controller decide, and ends the pods that it finalises.
func (c *collecting) step(events []cluster.Event) {
	c.wake = c.gc.Step(c.state, events)
	var ended []cluster.Event
	for _, d := range c.state.TakeDecisions() {
		name := c.state.Pods.Name[d.Pod]
		c.ours = append(c.ours, fmt.Sprintf("%v %s", time.Duration(c.state.Now), name))
		delete(c.rows, name)
		delete(c.pods, name)
		ended = append(ended, cluster.Event{Kind: cluster.PodEnded, Pod: d.Pod, Node: d.Node})
	}
	if len(ended) > 0 {
		c.see(ended...)
	}
}

func (c *collecting) see(events ...cluster.Event) {
	c.state.Observe(c.state.Now, events)
	for _, e := range events {
		if e.Kind == cluster.PodAdded {
			c.rows[e.PodSpec.Name] = e.Pod
		}
	}
	c.step(events)
}

// happen changes one node or pod for both sides.
func (c *collecting) happen() error {
	name := fmt.Sprintf("n%d", c.IntN(3))
	tracker := c.client.Tracker()
	switch was := c.nodes[name]; c.IntN(7) {
	case 0:
		if was == nil {
			return nil
		}
		delete(c.nodes, name)
		n, _ := c.state.Nodes.Named(name)
		c.see(cluster.Event{Kind: cluster.NodeRemoved, Node: n})
		return tracker.Delete(nodeResource, "", name)
	case 1, 2:
		return c.setNode(name)
	case 3:
		p := c.pods[fmt.Sprintf("p%d", c.IntN(8))]
		if p == nil {
			return nil
		}
		delete(c.pods, p.Name)
		row := c.rows[p.Name]
		delete(c.rows, p.Name)
		c.see(cluster.Event{Kind: cluster.PodEnded, Pod: row})
		return tracker.Delete(podResource, namespace, p.Name)
	}
	return c.setPod(fmt.Sprintf("p%d", c.IntN(8)), []string{"", name, name, name, "lost"}[c.IntN(5)])
}

// setNode adds a node or changes it: ready or not, out of service or not.
func (c *collecting) setNode(name string) error {
	n := &v1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}}
	ready := []v1.ConditionStatus{v1.ConditionTrue, v1.ConditionFalse, v1.ConditionUnknown}[c.IntN(3)]
	n.Status.Conditions = []v1.NodeCondition{{Type: v1.NodeReady, Status: ready}}
	if c.IntN(2) == 0 {
		n.Spec.Taints = []v1.Taint{{Key: v1.TaintNodeOutOfService, Effect: []v1.TaintEffect{v1.TaintEffectNoExecute, v1.TaintEffectNoSchedule}[c.IntN(2)]}}
	}
	spec, err := manifest.Node(n)
	if err != nil {
		return err
	}
	status := map[v1.ConditionStatus]cluster.ConditionStatus{v1.ConditionTrue: cluster.ConditionTrue, v1.ConditionFalse: cluster.ConditionFalse, v1.ConditionUnknown: cluster.ConditionUnknown}
	spec.Health.Conditions[cluster.NodeReady] = status[ready]
	was := c.nodes[name]
	c.nodes[name] = n
	if was == nil {
		c.see(cluster.Event{Kind: cluster.NodeAdded, NodeSpec: spec})
		return c.client.Tracker().Create(nodeResource, n, "")
	}
	row, _ := c.state.Nodes.Named(name)
	c.see(cluster.Event{Kind: cluster.NodeChanged, Node: row, NodeSpec: spec}, cluster.Event{Kind: cluster.NodeHeard, Node: row, Health: &spec.Health})
	return c.client.Tracker().Update(nodeResource, n, "")
}

// setPod adds a pod on a node, or has one that is there told to end.
func (c *collecting) setPod(name, node string) error {
	was := c.pods[name]
	p := &v1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Spec: v1.PodSpec{NodeName: node}, Status: v1.PodStatus{Phase: v1.PodRunning}}
	if was != nil {
		p = was.DeepCopy()
	}
	if now := metav1.Now(); c.IntN(2) == 0 {
		p.DeletionTimestamp = &now
	}
	c.pods[name] = p
	spec, err := c.conv.Pod(p)
	if err != nil {
		return err
	}
	if was == nil {
		c.see(cluster.Event{Time: c.state.Now, Kind: cluster.PodAdded, PodSpec: spec})
		return c.client.Tracker().Create(podResource, p, namespace)
	}
	c.see(cluster.Event{Kind: cluster.PodChanged, Pod: c.rows[name], PodSpec: spec})
	return c.client.Tracker().Update(podResource, p, namespace)
}
