// Package scenario describes what happens to a cluster, step by step, as Kubernetes objects: which
// nodes and pods there are at first, which pods arrive, what changes. What the scheduler decides is
// not part of a scenario; who plays it applies the decisions.
//
// A scenario is written to one YAML file of several documents, which can be edited by hand: the
// objects as kubectl prints them, and between them step markers. A marker with one of the verbs add,
// update, schedule and try says what happens with the objects after it; a marker with one of the
// others is a step of its own:
//
//	step: schedule          # the next pods arrive, one by one
//	---
//	step: delete
//	objects: [{kind: Pod, namespace: default, name: web-1}]
//	---
//	step: retry
//	limit: 5
//
// Objects before the first marker are added. A KubeSchedulerConfiguration among the documents is the
// scheduler's configuration, wherever it stands. Lists, as "kubectl get -o yaml" prints, are allowed.
package scenario

import (
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
)

// Verb says what a step does.
type Verb string

// The verbs. Those up to Try have an Object, Delete and Terminate a Ref, the others neither.
const (
	// Add makes an object exist. A pod without a node is pending but not tried.
	Add Verb = "add"
	// Update replaces an object's state, except for what was decided about a pod: its node, its
	// nomination, its start and its end. Updating a pod that isn't there is no step.
	Update Verb = "update"
	// Schedule makes a pending pod exist and tries to place it. The decision is applied.
	Schedule Verb = "schedule"
	// Try asks what would be decided for a pod that isn't part of the cluster.
	Try Verb = "try"
	// Delete makes an object vanish. Deleting what isn't there is no step.
	Delete Verb = "delete"
	// Terminate begins the graceful end of a pod.
	Terminate Verb = "terminate"
	// Finish ends all terminating pods.
	Finish Verb = "finish"
	// Retry tries pending pods again, in the order of the queue: all, or as many as Limit says.
	Retry Verb = "retry"
)

// hasObject lists the verbs that need an Object, in the order of their documentation.
var hasObject = map[Verb]bool{Add: true, Update: true, Schedule: true, Try: true}

// hasRef lists the verbs that need a Ref.
var hasRef = map[Verb]bool{Delete: true, Terminate: true}

// alone lists the verbs that need neither.
var alone = map[Verb]bool{Finish: true, Retry: true}

// Ref names an object.
type Ref struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
}

// String is kind/namespace/name, or kind/name without a namespace.
func (r Ref) String() string {
	if r.Namespace == "" {
		return strings.ToLower(r.Kind) + "/" + r.Name
	}
	return strings.ToLower(r.Kind) + "/" + r.Namespace + "/" + r.Name
}

// RefTo names an object by its type and metadata.
func RefTo(obj runtime.Object) (Ref, error) {
	kinds, _, err := codec.scheme.ObjectKinds(obj)
	if err != nil {
		return Ref{}, fmt.Errorf("naming a %T: %w", obj, err)
	}
	m, err := meta.Accessor(obj)
	if err != nil {
		return Ref{}, fmt.Errorf("naming a %T: %w", obj, err)
	}
	return Ref{Kind: kinds[0].Kind, Namespace: m.GetNamespace(), Name: m.GetName()}, nil
}

// Step is one thing that happens.
type Step struct {
	Verb   Verb
	Object runtime.Object
	Ref    Ref
	// Limit is the largest number of pods that Retry tries; 0 is no limit.
	Limit int
}

// String names the step, for messages.
func (s Step) String() string {
	switch {
	case hasRef[s.Verb]:
		return string(s.Verb) + " " + s.Ref.String()
	case s.Object != nil:
		if ref, err := RefTo(s.Object); err == nil {
			return string(s.Verb) + " " + ref.String()
		}
	}
	return string(s.Verb)
}

// Epoch is the time at which scenarios begin. Each step takes a second, so that pods bound in different
// steps start at different times, which orders them as preemption victims.
var Epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// Scenario is a story of a cluster.
type Scenario struct {
	// Comment says what the scenario is about, or where it comes from; one element a line.
	Comment []string
	// Config is a KubeSchedulerConfiguration in YAML; empty for the scheduler's defaults.
	Config []byte
	Steps  []Step
}

// Clone copies the scenario so that no object is shared.
func (s *Scenario) Clone() *Scenario {
	c := &Scenario{
		Comment: append([]string(nil), s.Comment...),
		Config:  append([]byte(nil), s.Config...),
		Steps:   make([]Step, len(s.Steps)),
	}
	for i, step := range s.Steps {
		c.Steps[i] = step
		if step.Object != nil {
			c.Steps[i].Object = step.Object.DeepCopyObject()
		}
	}
	return c
}
