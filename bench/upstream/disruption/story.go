// Package disruption holds Berth's disruption budgets and Eviction API against upstream's, which run
// whole: the disruption controller over informers, and the REST storage of pods' evictions over a storage
// in memory. Both sides live through the same stories in virtual time. After each thing that happens,
// the status of every budget is compared, and what comes of each request to evict a pod.
package disruption

import (
	"fmt"
	"strings"
	"time"

	v1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// namespace is where all happens, nodeName where pods run.
const namespace, nodeName = "x", "node-1"

// A Story is what happens, in order.
type Story []Happening

// A Happening is one thing that happens. What names something that isn't there does nothing, so that a
// story from which something was taken out is a story.
type Happening struct {
	Wait time.Duration // passes first
	// Expiry, if set, says what passes: the time until the first pod that was evicted and is still there is
	// to count again, and so much more.
	Expiry *time.Duration

	// At most one of these is set, but for Evict, which may stand beside Budget: then the pod is to be
	// evicted before the disruption controller has seen the budget.
	Pod            *v1.Pod // is there from now on, like this
	Delete         string  // a pod is told to end
	RemovePod      string  // a pod is gone
	Budget         *policyv1.PodDisruptionBudget
	RemoveBudget   string
	Workload       *Workload
	RemoveWorkload string // kind and name, with a slash between
	Evict          string // a pod
}

// A Workload is a controller of pods, as far as disruption goes.
type Workload struct {
	Kind, APIVersion, Name string
	Replicas               int32
	Owner                  *Workload // its controller
}

func (w *Workload) key() string { return w.Kind + "/" + w.Name }

// uid is the same whenever a workload of that name is made.
func (w *Workload) uid() types.UID { return types.UID(w.key()) }

// ref is how objects name w as their controller.
func (w *Workload) ref() []metav1.OwnerReference {
	if w == nil {
		return nil
	}
	yes := true
	return []metav1.OwnerReference{{APIVersion: w.APIVersion, Kind: w.Kind, Name: w.Name, UID: w.uid(), Controller: &yes}}
}

// String returns a story with a line for each happening.
func (s Story) String() string {
	var b strings.Builder
	for _, h := range s {
		fmt.Fprintf(&b, "%s\n", h)
	}
	return b.String()
}

// acts reports whether anything happens but that time passes.
func (h Happening) acts() bool {
	return h.Pod != nil || h.Budget != nil || h.Workload != nil || h.Delete+h.RemovePod+h.RemoveBudget+h.RemoveWorkload+h.Evict != ""
}

func (h Happening) String() string {
	text := ""
	if h.Wait > 0 {
		text = fmt.Sprintf("%v later ", h.Wait)
	}
	if h.Expiry != nil {
		text = fmt.Sprintf("%v after an expiry ", *h.Expiry)
	}
	switch {
	case h.Pod != nil:
		text += "pod " + podText(h.Pod)
	case h.Delete != "":
		text += "delete " + h.Delete
	case h.RemovePod != "":
		text += "pod " + h.RemovePod + " is gone"
	case h.Budget != nil:
		spec, status := &h.Budget.Spec, &h.Budget.Status
		text += fmt.Sprintf("budget %s selector=%s", h.Budget.Name, metav1.FormatLabelSelector(spec.Selector))
		if spec.MinAvailable != nil {
			text += " minAvailable=" + spec.MinAvailable.String()
		}
		if spec.MaxUnavailable != nil {
			text += " maxUnavailable=" + spec.MaxUnavailable.String()
		}
		if spec.UnhealthyPodEvictionPolicy != nil {
			text += " " + string(*spec.UnhealthyPodEvictionPolicy)
		}
		text += fmt.Sprintf(" if new: allowed=%d healthy=%d/%d observed=%d disrupted=%d", status.DisruptionsAllowed, status.CurrentHealthy, status.DesiredHealthy, status.ObservedGeneration, len(status.DisruptedPods))
	case h.RemoveBudget != "":
		text += "budget " + h.RemoveBudget + " is gone"
	case h.Workload != nil:
		text += fmt.Sprintf("%s replicas=%d", h.Workload.key(), h.Workload.Replicas)
		if h.Workload.Owner != nil {
			text += " of " + h.Workload.Owner.key()
		}
	case h.RemoveWorkload != "":
		text += h.RemoveWorkload + " is gone"
	}
	if h.Evict != "" {
		text += " evict " + h.Evict
	}
	return text
}

func podText(p *v1.Pod) string {
	owner := "nobody"
	if ref := metav1.GetControllerOf(p); ref != nil {
		owner = ref.Kind + "/" + ref.Name
	}
	return fmt.Sprintf("%s %v on %q of %s %s ready=%v", p.Name, p.Labels, p.Spec.NodeName, owner, p.Status.Phase, isReady(p))
}

func isReady(p *v1.Pod) bool {
	for _, c := range p.Status.Conditions {
		if c.Type == v1.PodReady {
			return c.Status == v1.ConditionTrue
		}
	}
	return false
}
