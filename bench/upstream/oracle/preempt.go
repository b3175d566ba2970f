package oracle

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	clienttesting "k8s.io/client-go/testing"
	corev1helpers "k8s.io/component-helpers/scheduling/corev1"
	extenderv1 "k8s.io/kube-scheduler/extender/v1"
	fwk "k8s.io/kube-scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/defaultpreemption"
	"k8s.io/kubernetes/pkg/scheduler/framework/preemption"
)

// preempt runs upstream's PostFilter and, beside it, lists every candidate it could have taken.
func (o *Oracle) preempt(f framework.Framework, state fwk.CycleState, p *v1.Pod, unfit *framework.FitError, r *Result) error {
	if !f.HasPostFilterPlugins() {
		return nil
	}
	var err error
	out := &Preemption{}
	r.Preemption = out
	if d := o.preemptors[f.ProfileName()]; d != nil {
		if out.Candidates, err = o.candidates(d, state, p, unfit.Diagnosis.NodeToStatus); err != nil {
			return fmt.Errorf("listing preemption candidates: %w", err)
		}
	}
	o.client.ClearActions()
	result, status := f.RunPostFilterPlugins(o.ctx, state, p, unfit.Diagnosis.NodeToStatus)
	unfit.Diagnosis.PostFilterMsg = status.Message()
	out.Status = statusOf(status)
	if result != nil && result.NominatingInfo != nil && result.Mode() == fwk.ModeOverride {
		out.Nominates, out.Node = true, result.NominatedNodeName
	}
	o.observe(out)
	return o.check(out)
}

// observe reads evictions and cleared nominations off the calls to the API.
func (o *Oracle) observe(out *Preemption) {
	for _, a := range o.client.Actions() {
		switch a := a.(type) {
		case clienttesting.DeleteActionImpl:
			out.Evicted = append(out.Evicted, a.Namespace+"/"+a.Name)
		case clienttesting.PatchActionImpl:
			if bytes.Contains(a.Patch, []byte(`"nominatedNodeName":null`)) {
				out.Cleared = append(out.Cleared, a.Namespace+"/"+a.Name)
			}
		}
	}
	slices.Sort(out.Evicted)
	slices.Sort(out.Cleared)
	o.client.ClearActions()
}

// check holds what upstream did against the candidates it had.
func (o *Oracle) check(out *Preemption) error {
	if out.Node == "" {
		return nil
	}
	i := slices.IndexFunc(out.Candidates, func(c Candidate) bool { return c.Node == out.Node })
	if i < 0 || !out.Candidates[i].Best {
		return fmt.Errorf("upstream nominated node %s, which isn't among the best of %v", out.Node, out.Candidates)
	}
	out.Victims = out.Candidates[i].Victims
	want := slices.DeleteFunc(slices.Clone(out.Victims), func(v string) bool {
		return o.pods[v] != nil && o.pods[v].DeletionTimestamp != nil
	})
	slices.Sort(want)
	if !slices.Equal(want, out.Evicted) {
		return fmt.Errorf("upstream evicted %v on node %s, the dry run says %v", out.Evicted, out.Node, want)
	}
	return nil
}

// candidates dry-runs preemption on all nodes that it may help, as upstream's Evaluator does with the
// number of candidates unlimited. There are none if the pod may not preempt.
func (o *Oracle) candidates(d *defaultpreemption.DefaultPreemption, state fwk.CycleState, p *v1.Pod, statuses *framework.NodeToStatus) ([]Candidate, error) {
	if ok, _ := d.PodEligibleToPreemptOthers(o.ctx, p, statuses.Get(p.Status.NominatedNodeName)); !ok {
		return nil, nil
	}
	nodes, err := statuses.NodesForStatusCode(o.snapshot, fwk.Unschedulable)
	if err != nil || len(nodes) == 0 {
		return nil, err
	}
	budgets, err := d.Evaluator.PdbLister.List(labels.Everything())
	if err != nil {
		return nil, err
	}
	found, _, err := d.Evaluator.DryRunPreemption(o.ctx, state, p, nodes, budgets, 0, int32(len(nodes)))
	// Where an extender has ruled a node out nobody need go, which is an error upstream; it goes on
	// with the other nodes.
	if err != nil && len(o.scheduler.Extenders) == 0 {
		return nil, err
	}
	if found = o.process(p, found); len(found) == 0 {
		return nil, nil
	}
	best := o.best(d.Evaluator, found)
	list := make([]Candidate, len(found))
	for i, c := range found {
		list[i] = Candidate{Node: c.Name(), PDBViolations: c.Victims().NumPDBViolations, Best: best[c.Name()]}
		for _, v := range c.Victims().Pods {
			list[i].Victims = append(list[i].Victims, key(v))
		}
		if list[i].Tied, err = o.tied(c.Name(), p); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(list, func(a, b Candidate) int { return strings.Compare(a.Node, b.Node) })
	return list, nil
}

// process lets the extenders choose among candidates, as upstream does; there is nothing left if one
// fails that must not. What upstream then does is held against what is left.
func (o *Oracle) process(p *v1.Pod, found []preemption.Candidate) []preemption.Candidate {
	victims := map[string]*extenderv1.Victims{}
	for _, c := range found {
		victims[c.Name()] = c.Victims()
	}
	for _, x := range o.scheduler.Extenders {
		if len(victims) == 0 || !x.SupportsPreemption() || !x.IsInterested(p) {
			continue
		}
		left, err := x.ProcessPreemption(p, victims, o.snapshot)
		for name, v := range left {
			if len(v.Pods) > 0 {
				continue
			}
			if !x.IsIgnorable() {
				return nil
			}
			delete(left, name)
		}
		switch {
		case err == nil:
			victims = left
		case !x.IsIgnorable():
			return nil
		}
	}
	found = nil
	for _, name := range slices.Sorted(maps.Keys(victims)) {
		found = append(found, proposal{name, victims[name]})
	}
	return found
}

// proposal is a preemption.Candidate; upstream's own type isn't exported.
type proposal struct {
	name    string
	victims *extenderv1.Victims
}

// Victims implements preemption.Candidate.
func (c proposal) Victims() *extenderv1.Victims { return c.victims }

// Name implements preemption.Candidate.
func (c proposal) Name() string { return c.name }

// best finds the candidates that upstream's ordering puts first. SelectCandidate gives only one of
// them, but it can be asked whether a candidate is as good as that one: make it better by the least
// bit, a nanosecond of start time, which is the last criterion, and see whether it wins.
func (o *Oracle) best(ev *preemption.Evaluator, found []preemption.Candidate) map[string]bool {
	plain := make([]preemption.Candidate, len(found))
	for i, c := range found {
		plain[i] = later(c, 0)
	}
	first := ev.SelectCandidate(o.ctx, plain)
	best := map[string]bool{first.Name(): true}
	for _, c := range plain {
		if c.Name() == first.Name() {
			continue
		}
		winner := ev.SelectCandidate(o.ctx, []preemption.Candidate{first, later(c, time.Nanosecond)})
		if winner.Name() == c.Name() {
			best[c.Name()] = true
		}
	}
	return best
}

// notStarted stands for "now", which upstream takes as the start of a pod that hasn't started, so that
// two such pods compare equal instead of by the nanosecond at which upstream looked.
var notStarted = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)

// later copies a candidate whose victims all started later.
func later(c preemption.Candidate, by time.Duration) preemption.Candidate {
	victims := &extenderv1.Victims{NumPDBViolations: c.Victims().NumPDBViolations}
	for _, p := range c.Victims().Pods {
		p = p.DeepCopy()
		start := metav1.NewTime(startOf(p).Add(by))
		p.Status.StartTime = &start
		victims.Pods = append(victims.Pods, p)
	}
	return proposal{name: c.Name(), victims: victims}
}

func startOf(p *v1.Pod) time.Time {
	if p.Status.StartTime != nil {
		return p.Status.StartTime.Time
	}
	return notStarted
}

// tied tells whether two pods of the node that the preemptor outranks are equally important.
func (o *Oracle) tied(node string, preemptor *v1.Pod) (bool, error) {
	info, err := o.snapshot.Get(node)
	if err != nil {
		return false, err
	}
	var pods []*v1.Pod
	for _, p := range info.GetPods() {
		if corev1helpers.PodPriority(p.GetPod()) < corev1helpers.PodPriority(preemptor) {
			pods = append(pods, p.GetPod())
		}
	}
	order := func(a, b *v1.Pod) int {
		if c := cmp.Compare(corev1helpers.PodPriority(b), corev1helpers.PodPriority(a)); c != 0 {
			return c
		}
		return startOf(a).Compare(startOf(b))
	}
	slices.SortFunc(pods, order)
	for i := 1; i < len(pods); i++ {
		if order(pods[i-1], pods[i]) == 0 {
			return true, nil
		}
	}
	return false, nil
}
