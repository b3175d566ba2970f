// Package quota holds Berth's quotas and admission against upstream's: the admission plugins LimitRanger,
// Priority, DefaultTolerationSeconds, RuntimeClass and ResourceQuota, the API's defaults, and the resource
// quota controller, which run whole over objects in memory. Both sides live through the same stories in
// virtual time. The answer to every request is compared, what has become of a pod, and after each step the
// status of every quota.
//
// Amounts are whole: CPU in thousandths, all else in ones.
package quota

import (
	"fmt"
	"strings"

	v1 "k8s.io/api/core/v1"
	nodev1 "k8s.io/api/node/v1"
	resourcev1 "k8s.io/api/resource/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// A Story is what happens, in order.
type Story []Step

// A Verb says what a step does.
type Verb string

const (
	create   Verb = "create"   // a client makes an object
	update   Verb = "update"   // a client changes the spec of an object
	status   Verb = "status"   // somebody writes the status of an object
	resize   Verb = "resize"   // a client gives a pod's containers what those of Pod ask for
	deadline Verb = "deadline" // a client sets a pod's activeDeadlineSeconds to Seconds
	end      Verb = "delete"   // a client tells a pod to end
	remove   Verb = "remove"   // an object is gone
	set      Verb = "set"      // what admission goes by is there from now on: nobody is asked about that
	burst    Verb = "burst"    // several requests arrive in order, before the first is answered
)

// A Step is one thing that happens. What speaks of something that isn't there, or makes what is there,
// does nothing, so that a story from which something was taken out is a story.
type Step struct {
	Wait metav1.Duration `json:"wait,omitzero"` // passes first
	Verb Verb            `json:"verb"`

	// Resource, Namespace and Name are of an object for which none of the fields below is set.
	Resource  string `json:"resource,omitempty"` // with its group
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name,omitempty"`
	Seconds   *int64 `json:"seconds,omitempty"`

	Pod           *v1.Pod                     `json:"pod,omitempty"`
	Claim         *v1.PersistentVolumeClaim   `json:"claim,omitempty"`
	Service       *v1.Service                 `json:"service,omitempty"`
	Devices       *resourcev1.ResourceClaim   `json:"devices,omitempty"`
	Quota         *v1.ResourceQuota           `json:"quota,omitempty"`
	LimitRange    *v1.LimitRange              `json:"limitRange,omitempty"`
	PriorityClass *schedulingv1.PriorityClass `json:"priorityClass,omitempty"`
	RuntimeClass  *nodev1.RuntimeClass        `json:"runtimeClass,omitempty"`
	DeviceClass   *resourcev1.DeviceClass     `json:"deviceClass,omitempty"`

	Burst []Step `json:"burst,omitempty"`
	// Conflicts is how many times a quota can't be written, since somebody else has written it. There must
	// be one request only: of several, upstream asks the quotas that were written no more when it decides
	// anew, and so grants what they have refused.
	Conflicts int `json:"conflicts,omitempty"`
	// Unheard says that the next step comes before the quota controller has heard of this one.
	Unheard bool `json:"unheard,omitempty"`
}

// resource returns the plural of what a step is about, with its group.
func (s *Step) resource() string {
	switch {
	case s.Pod != nil || s.Verb == deadline || s.Verb == end:
		return "pods"
	case s.Claim != nil:
		return "persistentvolumeclaims"
	case s.Service != nil:
		return "services"
	case s.Devices != nil:
		return "resourceclaims.resource.k8s.io"
	case s.Quota != nil:
		return "resourcequotas"
	case s.LimitRange != nil:
		return "limitranges"
	case s.PriorityClass != nil:
		return "priorityclasses.scheduling.k8s.io"
	case s.RuntimeClass != nil:
		return "runtimeclasses.node.k8s.io"
	case s.DeviceClass != nil:
		return "deviceclasses.resource.k8s.io"
	}
	return s.Resource
}

// object returns a copy of what a step is about.
func (s *Step) object() metav1.Object {
	switch {
	case s.Pod != nil:
		return s.Pod.DeepCopy()
	case s.Claim != nil:
		return s.Claim.DeepCopy()
	case s.Service != nil:
		return s.Service.DeepCopy()
	case s.Devices != nil:
		return s.Devices.DeepCopy()
	case s.Quota != nil:
		return s.Quota.DeepCopy()
	case s.LimitRange != nil:
		return s.LimitRange.DeepCopy()
	case s.PriorityClass != nil:
		return s.PriorityClass.DeepCopy()
	case s.RuntimeClass != nil:
		return s.RuntimeClass.DeepCopy()
	case s.DeviceClass != nil:
		return s.DeviceClass.DeepCopy()
	}
	return &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Namespace: s.Namespace, Name: s.Name}}
}

// key returns the namespace and the name of what a step is about.
func (s *Step) key() (namespace, name string) {
	o := s.object()
	return o.GetNamespace(), o.GetName()
}

// String returns a step in a line.
func (s *Step) String() string {
	namespace, name := s.key()
	text := fmt.Sprintf("%s %s %s/%s", s.Verb, s.resource(), namespace, name)
	if s.Wait.Duration > 0 {
		text = fmt.Sprintf("%v later %s", s.Wait.Duration, text)
	}
	return text
}

// String returns a story as Read takes it.
func (s Story) String() string {
	var b strings.Builder
	for _, step := range s {
		text, err := yaml.Marshal(step)
		if err != nil {
			panic(err) // all that is in a story can be written
		}
		fmt.Fprintf(&b, "---\n%s", text)
	}
	return b.String()
}

// Read reads a story: a YAML document for each step. Lines that begin with # are left out.
func Read(text string) (Story, error) {
	var s Story
	for i, doc := range strings.Split("\n"+text, "\n---\n") {
		if strings.TrimSpace(withoutComments(doc)) == "" {
			continue
		}
		var step Step
		if err := yaml.UnmarshalStrict([]byte(doc), &step); err != nil {
			return nil, fmt.Errorf("step %d: %w", i, err)
		}
		s = append(s, step)
	}
	return s, nil
}

func withoutComments(doc string) string {
	var b strings.Builder
	for line := range strings.Lines(doc) {
		if !strings.HasPrefix(line, "#") {
			b.WriteString(line)
		}
	}
	return b.String()
}
