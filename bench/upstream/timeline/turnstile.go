package timeline

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	fwk "k8s.io/kube-scheduler/framework"
	frameworkruntime "k8s.io/kubernetes/pkg/scheduler/framework/runtime"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// turnstileName is that of a plugin at Permit, on both sides. A pod's label says what it does with the
// pod: reject it; allow it after so many milliseconds; or let it wait so long in vain.
const turnstileName = "Turnstile"

// permitOf reads the label: "reject", "allow-1500", "timeout-700"; "" lets the pod pass.
func permitOf(label string) (what string, after time.Duration) {
	what, text, _ := strings.Cut(label, "-")
	ms, _ := strconv.Atoi(text)
	return what, time.Duration(ms)*time.Millisecond + 5003*time.Nanosecond // never when something else happens
}

// longest is how long a pod waits that is to be allowed.
const longest = 10 * time.Minute

// turnstile is upstream's.
type turnstile struct {
	handle fwk.Handle
	since  *sync.Map // when a pod began to wait for the last time, by UID
}

func newTurnstile(_ context.Context, _ runtime.Object, h fwk.Handle) (fwk.Plugin, error) {
	return turnstile{h, &sync.Map{}}, nil
}

var turnstiles = frameworkruntime.Registry{turnstileName: newTurnstile}

// Name implements fwk.Plugin.
func (turnstile) Name() string { return turnstileName }

// Permit implements fwk.PermitPlugin.
func (t turnstile) Permit(_ context.Context, _ fwk.CycleState, p *v1.Pod, _ string) (*fwk.Status, time.Duration) {
	switch what, after := permitOf(p.Labels["permit"]); what {
	case "reject":
		return fwk.NewStatus(fwk.Unschedulable, "rejected"), 0
	case "timeout":
		return fwk.NewStatus(fwk.Wait), after
	case "allow":
		began := now()
		t.since.Store(p.UID, began)
		go func() {
			time.Sleep(after)
			is, _ := t.since.Load(p.UID) // it may have given way, and wait again
			if waiting := t.handle.GetWaitingPod(p.UID); waiting != nil && is == began {
				waiting.Allow(turnstileName)
			}
		}()
		return fwk.NewStatus(fwk.Wait), longest
	}
	return nil, 0
}

// EventsToRegister implements fwk.EnqueueExtensions.
func (turnstile) EventsToRegister(context.Context) ([]fwk.ClusterEventWithHint, error) {
	return []fwk.ClusterEventWithHint{
		{Event: fwk.ClusterEvent{Resource: fwk.Pod, ActionType: fwk.Delete}},
		{Event: fwk.ClusterEvent{Resource: fwk.Node, ActionType: fwk.Add}},
	}, nil
}

// turnstileGate is Berth's.
type turnstileGate struct{ b *berth }

// plugin makes it one.
func (g turnstileGate) plugin() *scheduler.Plugin {
	return &scheduler.Plugin{Name: turnstileName, New: func(scheduler.Args) (any, error) { return g, nil }}
}

// Wakes implements scheduler.Waker. With Node/Add upstream registers changes of taints, too.
func (turnstileGate) Wakes() scheduler.Action {
	return scheduler.PodDelete | scheduler.NodeAdd | scheduler.UpdateNodeTaint
}

// Wake implements scheduler.Waker.
func (turnstileGate) Wake(*cluster.State, *cluster.Class, *scheduler.Change) bool { return true }

// Permit implements scheduler.Gate.
func (g turnstileGate) Permit(s *cluster.State, p cluster.PodID, _ cluster.NodeID) (v scheduler.Verdict, atMost cluster.Time) {
	label, _ := s.Pods.Labels[p].Get("permit")
	switch what, after := permitOf(label); what {
	case "reject":
		v.Code = scheduler.Unschedulable
	case "timeout":
		v.Code, atMost = scheduler.Wait, on(after)
	case "allow":
		at := time.Duration(s.Now) + after
		g.b.allowed[s.Pods.Order[p]] = at
		g.b.nudges = append(g.b.nudges, at)
		slices.Sort(g.b.nudges)
		v.Code, atMost = scheduler.Wait, on(longest)
	}
	return v, atMost
}

// Settle implements scheduler.Gate.
func (g turnstileGate) Settle(s *cluster.State, p cluster.PodID) (v scheduler.Verdict) {
	if at, ok := g.b.allowed[s.Pods.Order[p]]; !ok || s.Now < on(at) {
		v.Code = scheduler.Wait
	}
	return v
}
