package kube

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/berthsim/berth/cluster"
	"go.uber.org/zap"
	coordinationv1 "k8s.io/api/coordination/v1"
	v1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
)

// A told is a translator and the State that it tells, without a server.
type told struct {
	t     *testing.T
	tr    *translator
	state *cluster.State
	box   *inbox
	now   cluster.Time
}

func newTold(t *testing.T) *told {
	t.Helper()
	m, err := newMetrics(nil)
	if err != nil {
		t.Fatal(err)
	}
	epoch := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	return &told{t: t, tr: newTranslator(epoch, zap.NewNop(), m), state: cluster.NewState(), box: newInbox(newClock(epoch))}
}

// see translates what is in the inbox, all of it at once, and checks what State is told: each
// event as describe has it, with ; between batches.
func (x *told) see(want string, changes ...change) {
	x.t.Helper()
	for _, c := range changes {
		x.box.mu.Lock()
		c.at = x.now + cluster.Second
		x.box.changes = append(x.box.changes, c)
		x.box.mu.Unlock()
	}
	var got []string
	for {
		x.now += cluster.Second
		events := x.tr.translate(x.box, x.now)
		x.state.Observe(x.tr.now, events)
		x.tr.learn(events)
		var batch []string
		for i := range events {
			if i > 0 && (events[i].Time < events[i-1].Time || events[i].Time == events[i-1].Time && events[i].Kind < events[i-1].Kind) {
				x.t.Errorf("%v comes after %v", events[i].Kind, events[i-1].Kind)
			}
			batch = append(batch, x.describe(&events[i]))
		}
		if len(batch) > 0 {
			got = append(got, strings.Join(batch, ", "))
		}
		if x.box.length() == 0 {
			break
		}
	}
	if all := strings.Join(got, "; "); all != want {
		x.t.Errorf("State is told\n%s\nwant\n%s", all, want)
	}
}

// describe says what an event says.
func (x *told) describe(e *cluster.Event) string {
	text := e.Kind.String()
	if e.Pod != cluster.None {
		text += " " + x.state.Pods.Name[e.Pod]
	}
	switch {
	case e.Kind == cluster.NodeRemoved:
		text += " " + e.OldNode.Name // another may be in its row by now
	case e.Node != cluster.None && e.Kind != cluster.PodChanged && e.Kind != cluster.PodAdded:
		text += " " + x.state.Nodes.Name[e.Node]
	}
	switch e.Kind {
	case cluster.PodAdded, cluster.PodChanged:
		p := e.PodSpec
		for _, said := range []struct {
			is   bool
			text string
		}{{p.On != "", " on " + p.On}, {p.Nominated != "", " for " + p.Nominated}, {p.Terminating, " terminating"}, {p.Preempted, " preempted"}, {p.Starting, " starting"}, {p.Unready, " unready"}} {
			if said.is {
				text += said.text
			}
		}
	case cluster.NodeAdded, cluster.NodeChanged:
		for _, t := range e.NodeSpec.Taints {
			text += " " + t.Key
		}
	case cluster.NodeHeard:
		text += fmt.Sprintf(" %v lease=%v posts=%v", e.Health.Conditions[cluster.NodeReady], e.Health.Lease.First.Seconds(), e.Health.Posts.First.Seconds())
	case cluster.PodReady:
		text += fmt.Sprint(" ", e.Ready)
	case cluster.Rejected:
		text += fmt.Sprintf(" %v %d", e.Decision.Kind, e.Code)
	}
	return text
}

// decide has something be decided, and returns the requests that it takes.
func (x *told) decide(do func(s *cluster.State)) (jobs []*job) {
	do(x.state)
	ds := x.state.TakeDecisions()
	for i := range ds {
		if j := x.tr.decide(&ds[i]); j != nil {
			jobs = append(jobs, j)
		}
	}
	return jobs
}

// pod returns the row of a pod.
func (x *told) pod(name string) cluster.PodID {
	x.t.Helper()
	p := x.tr.named["default/"+name]
	if p == nil {
		x.t.Fatalf("there is no pod %s", name)
	}
	return p.row
}

func (x *told) node(name string) cluster.NodeID { return x.tr.rowOf(name) }

// is checks what State has of a pod.
func (x *told) is(name string, phase cluster.Phase, node string) {
	x.t.Helper()
	p := x.pod(name)
	on := ""
	if n := x.state.Pods.Node[p]; n != cluster.None {
		on = x.state.Nodes.Name[n]
	}
	if x.state.Pods.Phase[p] != phase || on != node {
		x.t.Errorf("%s is %v on %q, want %v on %q", name, x.state.Pods.Phase[p], on, phase, node)
	}
}

// bind decides that a pod goes to a node.
func (x *told) bind(pod, node string) *job {
	x.t.Helper()
	jobs := x.decide(func(s *cluster.State) { s.Bind(x.pod(pod), x.node(node), cluster.Allocation{}) })
	if len(jobs) != 1 {
		return nil
	}
	return jobs[0]
}

func seen(o runtime.Object) change    { return change{what: put, obj: o} }
func goneNow(o runtime.Object) change { return change{what: remove, obj: o} }
func done(j *job) change              { return change{what: answered, answer: answer{seq: j.seq, ok: true}} }
func doneAs(j *job, v string) change {
	return change{what: answered, answer: answer{seq: j.seq, ok: true, version: v}}
}
func failed(j *job, code int16) change {
	return change{what: answered, answer: answer{seq: j.seq, code: code, reason: "no"}}
}

// all is a list of all there is of a type.
func all(of runtime.Object, list ...runtime.Object) change {
	return change{what: relist, of: &feed{kind: strings.TrimPrefix(fmt.Sprintf("%T", of), "*v1."), of: of}, list: list}
}

// A podSays is what the server says of a pod.
type podSays struct {
	uid, on, nominated      string
	phase                   v1.PodPhase
	label                   string
	version                 int
	deleted, ready, unready bool
}

func (p podSays) of(name string) *v1.Pod {
	if p.uid == "" {
		p.uid = name + "-1"
	}
	o := &v1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, UID: types.UID(p.uid), ResourceVersion: fmt.Sprint(10 + p.version)},
		Spec: v1.PodSpec{NodeName: p.on, Containers: []v1.Container{{Name: "c", Image: "i", Resources: v1.ResourceRequirements{
			Requests: v1.ResourceList{v1.ResourceCPU: resource.MustParse("1")},
		}}}},
		Status: v1.PodStatus{Phase: p.phase, NominatedNodeName: p.nominated},
	}
	if p.phase == "" {
		o.Status.Phase = v1.PodPending
	}
	if p.label != "" {
		o.Labels = map[string]string{"l": p.label}
	}
	if p.deleted {
		now := metav1.Now()
		o.DeletionTimestamp = &now
	}
	if p.ready || p.unready {
		status := v1.ConditionTrue
		if p.unready {
			status = v1.ConditionFalse
		}
		o.Status.Phase = v1.PodRunning
		o.Status.Conditions = []v1.PodCondition{{Type: v1.PodReady, Status: status}}
	}
	return o
}

// A nodeSays is what the server says of a node.
type nodeSays struct {
	uid     string
	taints  []string
	ready   v1.ConditionStatus // True if it is empty
	posted  int                // seconds after the epoch
	version int
}

func (n nodeSays) of(name string) *v1.Node {
	if n.uid == "" {
		n.uid = name + "-1"
	}
	if n.ready == "" {
		n.ready = v1.ConditionTrue
	}
	o := &v1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(n.uid), ResourceVersion: fmt.Sprint(10 + n.version)},
		Status: v1.NodeStatus{
			Allocatable: v1.ResourceList{v1.ResourceCPU: resource.MustParse("8"), v1.ResourcePods: resource.MustParse("20")},
			Conditions:  []v1.NodeCondition{{Type: v1.NodeReady, Status: n.ready, LastHeartbeatTime: metav1.Unix(int64(1767225600+n.posted), 0)}},
		},
	}
	for _, key := range n.taints {
		o.Spec.Taints = append(o.Spec.Taints, v1.Taint{Key: key, Effect: v1.TaintEffectNoSchedule})
	}
	return o
}

func leaseOf(name string, renewed int) *coordinationv1.Lease {
	at := metav1.NewMicroTime(time.Unix(int64(renewed), 0))
	return &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: coordinationv1.LeaseSpec{RenewTime: &at}}
}

func budgetOf(name string, allowed int32) *policyv1.PodDisruptionBudget {
	return &policyv1.PodDisruptionBudget{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name},
		Status:     policyv1.PodDisruptionBudgetStatus{DisruptionsAllowed: allowed},
	}
}
