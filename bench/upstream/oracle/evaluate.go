package oracle

import (
	"errors"
	"fmt"
	"slices"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	fwk "k8s.io/kube-scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/framework"
)

// Evaluate runs one scheduling cycle for a pod as far as the choice of a node, or of victims, without
// applying it. A pod that was added before is taken in its present state; another one takes part as
// if it were pending, even if it names a node, which is the only way to see what the NodeName plugin
// says. Each call advances upstream's start index as a cycle does.
//
// The error is one of this package, including upstream contradicting itself; upstream's own errors
// are in the result.
func (o *Oracle) Evaluate(p *v1.Pod) (*Result, error) {
	if known := o.pods[key(p)]; known != nil {
		p = known
	} else {
		p = p.DeepCopy()
		indexer, err := o.indexer(p)
		if err != nil {
			return nil, err
		}
		if err := indexer.Add(p); err != nil { // DefaultPreemption looks it up
			return nil, fmt.Errorf("evaluating pod %s: %w", key(p), err)
		}
		defer indexer.Delete(p)
	}
	f := o.scheduler.Profiles[p.Spec.SchedulerName]
	if f == nil {
		return nil, fmt.Errorf("evaluating pod %s: no profile %q", key(p), p.Spec.SchedulerName)
	}
	r := &Result{Gate: o.gate(f, p)}
	if !r.Gate.Success() {
		return r, nil
	}
	if err := o.refresh(); err != nil {
		return nil, fmt.Errorf("evaluating pod %s: refreshing nodes: %w", key(p), err)
	}
	if err := o.scheduler.Cache.UpdateSnapshot(o.logger, o.snapshot); err != nil {
		return nil, fmt.Errorf("evaluating pod %s: taking a snapshot: %w", key(p), err)
	}
	if err := o.cycle(f, p, r); err != nil {
		return nil, fmt.Errorf("evaluating pod %s: %w", key(p), err)
	}
	return r, nil
}

// gate runs the PreEnqueue plugins, in the order of the profile.
func (o *Oracle) gate(f framework.Framework, p *v1.Pod) Status {
	for _, plugin := range f.PreEnqueuePlugins() {
		if s := plugin.PreEnqueue(o.ctx, p); !s.IsSuccess() {
			return statusOf(s.WithPlugin(plugin.Name()))
		}
	}
	return statusOf(nil)
}

func (o *Oracle) cycle(f framework.Framework, p *v1.Pod, r *Result) error {
	info, err := framework.NewPodInfo(p)
	if err != nil {
		return err
	}
	rec := &recorder{Framework: f, result: r}
	if _, err := o.snapshot.Get(p.Status.NominatedNodeName); err == nil {
		rec.nominee = p.Status.NominatedNodeName
	}
	state := framework.NewCycleState()
	chosen, err := o.scheduler.SchedulePod(o.ctx, rec, state, &framework.QueuedPodInfo{PodInfo: info})
	var unfit *framework.FitError
	switch {
	case err == nil:
		r.Chosen, r.Evaluated, r.FeasibleCount = chosen.SuggestedHost, chosen.EvaluatedNodes, chosen.FeasibleNodes
		o.extend(rec.scores, r)
		o.finish(r)
	case !errors.As(err, &unfit):
		r.Err = err.Error()
		return nil
	}
	if err := o.rest(f, state, p, r); err != nil {
		return err
	}
	if unfit == nil {
		return nil
	}
	r.Rejectors = sets.List(unfit.Diagnosis.UnschedulablePlugins)
	err = o.preempt(f, state, p, unfit, r)
	r.Message = unfit.Error()
	return err
}

// finish fills in what follows from the scores.
func (o *Oracle) finish(r *Result) {
	if r.Feasible == nil { // a single feasible node isn't scored
		r.Feasible, r.Best = []string{r.Chosen}, []string{r.Chosen}
		return
	}
	var top NodeScore
	for i, s := range r.Scores {
		if i == 0 || s.Total > top.Total || s.Total == top.Total && s.Drawn && !top.Drawn {
			top, r.Best = s, nil
		}
		if s.Total == top.Total && s.Drawn == top.Drawn {
			r.Best = append(r.Best, s.Node)
		}
	}
	r.Drawn = top.Drawn
}

// extend adds what extenders scored. Upstream adds it to the scores that the plugins gave, and makes a
// heap of them, which has another order.
func (o *Oracle) extend(scores []fwk.NodePluginScores, r *Result) {
	if len(o.scheduler.Extenders) == 0 {
		return
	}
	prioritizes := map[string]bool{}
	for _, x := range o.scheduler.Extenders {
		prioritizes[x.Name()] = x.IsPrioritizer()
	}
	for i := range r.Scores {
		to := &r.Scores[i]
		j := slices.IndexFunc(scores, func(s fwk.NodePluginScores) bool { return s.Name == to.Node })
		to.Total, to.Drawn = scores[j].TotalScore, scores[j].Randomizer != 0
		for _, s := range scores[j].Scores[len(to.Plugins):] {
			if prioritizes[s.Name] {
				to.Plugins = append(to.Plugins, PluginScore{Plugin: s.Name, Score: s.Score})
			}
		}
	}
}

// rest filters the nodes that the search didn't reach. Filters don't write to the state.
func (o *Oracle) rest(f framework.Framework, state fwk.CycleState, p *v1.Pod, r *Result) error {
	if o.visitedOnly || !r.PreFilter.Success() {
		return nil
	}
	visited := make(map[string]bool, len(r.Visits))
	for _, v := range r.Visits {
		visited[v.Node] = true
	}
	inSet := make(map[string]bool, len(r.NodeSet))
	for _, n := range r.NodeSet {
		inSet[n] = true
	}
	infos, err := o.snapshot.List()
	if err != nil {
		return err
	}
	for _, info := range infos {
		name := info.Node().Name
		if visited[name] || r.NodeSet != nil && !inSet[name] {
			continue
		}
		s := f.RunFilterPluginsWithNominatedPods(o.ctx, state, p, info)
		r.Rest = append(r.Rest, Verdict{Node: name, Status: statusOf(s)})
	}
	return nil
}
