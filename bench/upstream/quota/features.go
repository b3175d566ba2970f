package quota

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	v1 "k8s.io/api/core/v1"
)

// features count what happened in stories, by upstream's account.
type features struct{ counts map[string]int }

func newFeatures() *features { return &features{counts: map[string]int{}} }

func (f *features) count(name string) { f.counts[name]++ }

// removed counts an object that is gone.
func (f *features) removed(resource string) {
	switch resource {
	case "pods", "persistentvolumeclaims", "services", "resourceclaims.resource.k8s.io", "resourcequotas", "limitranges":
		f.count("remove: " + resource)
	default:
		f.count("remove: what only its number counts of")
	}
}

// answered counts a request and its answer.
func (f *features) answered(r *request, a answer) {
	op := "update"
	if r.old == nil {
		op = "create"
	}
	f.count("request: " + strings.TrimSuffix(op+" "+r.resource+"/"+r.subresource, "/"))
	f.count(fmt.Sprintf("answer: %d", a.Code))
	if a.Code == http.StatusOK || a.Code == http.StatusUnprocessableEntity {
		return
	}
	classes := classesOf(a.Message)
	if len(classes) == 0 {
		classes = []string{"unknown " + a.Message}
	}
	for _, class := range classes {
		f.count("message: " + class)
	}
	if _, after, ok := strings.Cut(a.Message, "requested: "); ok {
		for _, part := range strings.Split(after[:strings.Index(after, ", used: ")], ",") {
			name, _, _ := strings.Cut(part, "=")
			f.count("exceeded: " + name)
		}
	}
}

// charged counts the quotas that a request was charged to, by their scopes.
func (f *features) charged(before map[string]string, quotas map[string]*v1.ResourceQuota) {
	charged := 0
	for key, q := range quotas {
		was, ok := before[key]
		if !ok || was == amounts(q.Status.Used) {
			continue
		}
		charged++
		requirements := []v1.ScopedResourceSelectorRequirement{}
		for _, scope := range q.Spec.Scopes {
			requirements = append(requirements, v1.ScopedResourceSelectorRequirement{ScopeName: scope, Operator: "by name"})
		}
		if q.Spec.ScopeSelector != nil {
			requirements = append(requirements, q.Spec.ScopeSelector.MatchExpressions...)
		}
		for _, r := range requirements {
			f.count(fmt.Sprintf("charged: %s %s", r.ScopeName, r.Operator))
		}
		if len(requirements) == 0 {
			f.count("charged: no scope")
		}
		if len(requirements) > 1 {
			f.count("charged: several scopes")
		}
	}
	f.count(fmt.Sprintf("charged: %d quotas", min(charged, 3)))
}

// status counts what a quota's status says.
func (f *features) status(q *v1.ResourceQuota) {
	for name, hard := range q.Status.Hard {
		used, ok := q.Status.Used[name]
		switch {
		case !ok && (name == "nvidia.com/gpu" || name == "limits.nvidia.com/gpu"):
			f.count("status: nobody counts " + string(name))
		case !ok:
			f.count("status: not said of a limit")
		case used.Sign() > 0:
			f.count("used: " + string(name))
		}
		if used.Cmp(hard) > 0 {
			f.count("status: above what is enforced")
		}
	}
	if q.Status.Hard == nil {
		f.count("status: not there yet")
	}
}

// pod counts what admission has made of a new pod.
func (f *features) pod(asked, is *v1.Pod) {
	say := func(what string, so bool) {
		if so {
			f.count("pod: " + what)
		}
	}
	f.count("QoS: " + string(is.Status.QOSClass))
	say("priority class by default", asked.Spec.PriorityClassName != is.Spec.PriorityClassName)
	say("never preempts", *is.Spec.PreemptionPolicy == v1.PreemptNever)
	say("priority given", asked.Spec.Priority != nil)
	say("preemption policy given", asked.Spec.PreemptionPolicy != nil)
	say("overhead", len(is.Spec.Overhead) > 0)
	say("overhead given", len(asked.Spec.Overhead) > 0)
	say("node selector of its runtime class", len(is.Spec.NodeSelector) > len(asked.Spec.NodeSelector))
	added := len(is.Spec.Tolerations) - len(asked.Spec.Tolerations)
	f.count(fmt.Sprintf("pod: %d tolerations added", added))
	say("resources as a whole", is.Spec.Resources != nil)
	filled := map[string]bool{}
	for i, c := range is.Spec.Containers {
		was := asked.Spec.Containers[i].Resources
		filled["requests"] = filled["requests"] || len(c.Resources.Requests) > len(was.Requests)
		filled["limits"] = filled["limits"] || len(c.Resources.Limits) > len(was.Limits)
	}
	say("requests by a LimitRange", filled["requests"])
	say("limits by a LimitRange", filled["limits"])
	for _, c := range is.Spec.InitContainers {
		say("init container", c.RestartPolicy == nil)
		say("sidecar", c.RestartPolicy != nil)
	}
}

// String lists the counts.
func (f *features) String() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(f.counts)) {
		fmt.Fprintf(&b, "%8d %s\n", f.counts[name], name)
	}
	return b.String()
}
