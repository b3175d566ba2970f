package disruption

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	v1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// features count what happened in stories, by upstream's account.
type features struct{ counts map[string]int }

func newFeatures() *features { return &features{counts: map[string]int{}} }

func (f *features) count(name string) { f.counts[name]++ }

// budget counts what a budget asks for.
func (f *features) budget(b *policyv1.PodDisruptionBudget) {
	amount := func(name string, x *intstr.IntOrString) {
		if x != nil {
			f.count("budget: " + name + []string{" number", " percent"}[x.Type])
		}
	}
	amount("minAvailable", b.Spec.MinAvailable)
	amount("maxUnavailable", b.Spec.MaxUnavailable)
	if b.Spec.MinAvailable == nil && b.Spec.MaxUnavailable == nil {
		f.count("budget: neither")
	}
	switch sel := b.Spec.Selector; {
	case sel == nil:
		f.count("budget: no selector")
	case len(sel.MatchLabels)+len(sel.MatchExpressions) == 0:
		f.count("budget: empty selector")
	case len(sel.MatchExpressions) > 0:
		f.count("budget: selector with an expression")
	}
}

// answered counts why an eviction was answered as it was. Before is what budgets said.
func (f *features) answered(r *run, p *v1.Pod, over []string, a answer, before map[string]status) {
	text := fmt.Sprintf("eviction: %d", a.Code)
	if a.Retry > 0 {
		text += fmt.Sprintf(" after %v", a.Retry)
	}
	switch {
	case p.DeletionTimestamp != nil:
		text += ", ending"
	case p.Status.Phase == v1.PodPending && p.Spec.NodeName == "":
		text += ", on no node"
	case p.Status.Phase == v1.PodPending:
		text += ", starting"
	case len(over) > 1:
		text += ", several budgets"
	case len(over) == 0:
		text += ", no budget"
	default:
		b := r.budgets[over[0]]
		if after, _ := r.up.status(over[0], epoch); after.String() != before[over[0]].String() {
			text += ", charged"
			if len(after.Disrupted) == len(before[over[0]].Disrupted) {
				text += " again"
			}
			if len(before[over[0]].Disrupted) == 2000 {
				text += ", 2,000 disrupted before"
			}
		}
		if !isReady(p) {
			text += ", not ready"
			if policy := b.Spec.UnhealthyPodEvictionPolicy; policy != nil && *policy == policyv1.AlwaysAllow {
				text += ", AlwaysAllow"
			}
		}
		if a.Code == 403 {
			text += map[bool]string{true: ", allowed below 0", false: ", too many disrupted"}[before[over[0]].Allowed < 0]
		}
	}
	f.count(text)
}

// status counts what a budget's status says.
func (f *features) status(r *run, name string, st status) {
	b := r.budgets[name]
	say := func(what string, is bool) {
		if is {
			f.count("status: " + what)
		}
	}
	say("allows some", st.Allowed > 0)
	say("allows none", st.Allowed == 0)
	say("expects none", st.Expected == 0)
	say("too few healthy", st.Healthy < st.Desired)
	say("disrupted", len(st.Disrupted) > 0)
	for _, was := range r.last[name].Disrupted {
		pod, since, _ := strings.Cut(was, "@")
		at, err := time.ParseDuration(since)
		if p := r.pods[pod]; err == nil && p != nil && p.DeletionTimestamp == nil && !slices.Contains(st.Disrupted, was) && time.Since(epoch) > at {
			f.count("status: a disrupted pod counts again")
		}
	}
	say("generation behind", st.Observed < b.Generation)
	if b.Spec.MaxUnavailable == nil && (b.Spec.MinAvailable == nil || b.Spec.MinAvailable.Type == intstr.Int) {
		return
	}
	owners := map[string]bool{}
	for _, p := range r.pods {
		if !slices.Contains(r.over(p), name) {
			continue
		}
		say("a pod is ending", p.DeletionTimestamp != nil)
		ref := metav1.GetControllerOf(p)
		if ref == nil {
			f.count("owner: none")
			continue
		}
		w := r.workloads[ref.Kind+"/"+ref.Name]
		owners[ref.Name] = true
		text := "owner: " + ref.Kind
		switch {
		case w == nil:
			text += " missing"
		case w.Owner != nil && r.workloads[w.Owner.key()] == nil:
			text += " of a missing " + w.Owner.Kind
		case w.Owner != nil:
			text += " of a " + w.Owner.Kind
		}
		f.count(text)
	}
	say("several owners", len(owners) > 1)
	say("two ReplicaSets of a Deployment", owners["rs-1"] && owners["rs-2"] && r.workloads["Deployment/d"] != nil)
}

// String lists the counts.
func (f *features) String() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(f.counts)) {
		fmt.Fprintf(&b, "%8d %s\n", f.counts[name], name)
	}
	return b.String()
}
