package oracle

import (
	"context"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	fwk "k8s.io/kube-scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/framework"
)

// recorder is a framework that writes down what passes through it. SchedulePod takes the framework as
// an argument, so that upstream's own run is observed and nothing has to be computed a second time.
type recorder struct {
	framework.Framework
	result *Result
	// nominee is the node that is tried first; cleared after the first visit.
	nominee string
	// scores are those that the plugins gave, to which upstream adds extenders'.
	scores []fwk.NodePluginScores
}

// RunPreFilterPlugins implements framework.Framework.
func (r *recorder) RunPreFilterPlugins(ctx context.Context, state fwk.CycleState, pod *v1.Pod) (*fwk.PreFilterResult, *fwk.Status, sets.Set[string]) {
	set, status, plugins := r.Framework.RunPreFilterPlugins(ctx, state, pod)
	r.result.PreFilter = statusOf(status)
	r.result.FilterSkipped = sets.List(state.GetSkipFilterPlugins())
	if !set.AllNodes() {
		r.result.NodeSet = sets.List(set.NodeNames)
		r.result.Unordered = len(set.NodeNames) > 1
	}
	return set, status, plugins
}

// RunFilterPluginsWithNominatedPods implements framework.Framework.
func (r *recorder) RunFilterPluginsWithNominatedPods(ctx context.Context, state fwk.CycleState, pod *v1.Pod, info fwk.NodeInfo) *fwk.Status {
	status := r.Framework.RunFilterPluginsWithNominatedPods(ctx, state, pod, info)
	v := Verdict{Node: info.Node().Name, Status: statusOf(status)}
	if r.nominee == v.Node {
		r.nominee = ""
		r.result.Nominated = &v
		return status
	}
	r.result.Visits = append(r.result.Visits, v)
	return status
}

// RunPreScorePlugins implements framework.Framework.
func (r *recorder) RunPreScorePlugins(ctx context.Context, state fwk.CycleState, pod *v1.Pod, nodes []fwk.NodeInfo) *fwk.Status {
	status := r.Framework.RunPreScorePlugins(ctx, state, pod, nodes)
	r.result.ScoreSkipped = sets.List(state.GetSkipScorePlugins())
	for _, n := range nodes {
		r.result.Feasible = append(r.result.Feasible, n.Node().Name)
	}
	return status
}

// RunScorePlugins implements framework.Framework.
func (r *recorder) RunScorePlugins(ctx context.Context, state fwk.CycleState, pod *v1.Pod, nodes []fwk.NodeInfo) ([]fwk.NodePluginScores, *fwk.Status) {
	scores, status := r.Framework.RunScorePlugins(ctx, state, pod, nodes)
	r.scores = scores
	for _, s := range scores {
		n := NodeScore{Node: s.Name, Total: s.TotalScore, Plugins: make([]PluginScore, len(s.Scores))}
		for i, p := range s.Scores {
			n.Plugins[i] = PluginScore{Plugin: p.Name, Score: p.Score}
		}
		r.result.Scores = append(r.result.Scores, n)
	}
	return scores, status
}
