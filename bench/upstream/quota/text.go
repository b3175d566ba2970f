package quota

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/berthsim/berth/cluster"
	berth "github.com/berthsim/berth/quota"
)

// whole returns a quantity as Berth holds it: CPU in thousandths, all else in ones.
func whole(name string, q resource.Quantity) int64 {
	if kindOf(name) == "cpu" {
		return q.MilliValue()
	}
	return q.Value()
}

// amounts returns a list of resources as text, sorted by name.
func amounts(list v1.ResourceList) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(list)) {
		fmt.Fprintf(&b, " %s=%d", name, whole(string(name), list[name]))
	}
	return "{" + strings.TrimPrefix(b.String(), " ") + "}"
}

// named does what amounts does for Berth's lists.
func named(list []cluster.NamedAmount) string {
	var b strings.Builder
	for _, a := range list {
		fmt.Fprintf(&b, " %s=%d", a.Name, a.Amount)
	}
	return "{" + strings.TrimPrefix(b.String(), " ") + "}"
}

// podText says what admission and the API's defaults have made of a new pod.
func podText(p *v1.Pod) string {
	var b strings.Builder
	for _, c := range p.Spec.Containers {
		fmt.Fprintf(&b, "container %s requests %s limits %s\n", c.Name, amounts(c.Resources.Requests), amounts(c.Resources.Limits))
	}
	for _, c := range p.Spec.InitContainers {
		sidecar := c.RestartPolicy != nil && *c.RestartPolicy == v1.ContainerRestartPolicyAlways
		fmt.Fprintf(&b, "init container %s sidecar=%v requests %s limits %s\n", c.Name, sidecar, amounts(c.Resources.Requests), amounts(c.Resources.Limits))
	}
	if r := p.Spec.Resources; r != nil {
		fmt.Fprintf(&b, "pod requests %s limits %s\n", amounts(r.Requests), amounts(r.Limits))
	}
	never := p.Spec.PreemptionPolicy != nil && *p.Spec.PreemptionPolicy == v1.PreemptNever
	fmt.Fprintf(&b, "overhead %s\npriority %d %q never=%v\n", amounts(p.Spec.Overhead), *p.Spec.Priority, p.Spec.PriorityClassName, never)
	for _, t := range p.Spec.Tolerations {
		seconds := int64(-1)
		if t.TolerationSeconds != nil {
			seconds = *t.TolerationSeconds
		}
		operator := t.Operator
		if operator == "" {
			operator = v1.TolerationOpEqual
		}
		fmt.Fprintf(&b, "toleration %q %s %q %s %d\n", t.Key, operator, t.Value, t.Effect, seconds)
	}
	for _, key := range slices.Sorted(maps.Keys(p.Spec.NodeSelector)) {
		fmt.Fprintf(&b, "node %s=%s\n", key, p.Spec.NodeSelector[key])
	}
	fmt.Fprintf(&b, "QoS %s\n", p.Status.QOSClass)
	return b.String()
}

// ourText does what podText does for what Berth's plugins have made of a pod.
func ourText(p *berth.NewPod) string {
	var b strings.Builder
	a := &p.Account
	for _, c := range a.Containers {
		fmt.Fprintf(&b, "container %s requests %s limits %s\n", c.Name, named(c.Requests), named(c.Limits))
	}
	for _, c := range a.InitContainers {
		fmt.Fprintf(&b, "init container %s sidecar=%v requests %s limits %s\n", c.Name, c.Restarts, named(c.Requests), named(c.Limits))
	}
	if a.Whole != nil {
		fmt.Fprintf(&b, "pod requests %s limits %s\n", named(a.Whole.Requests), named(a.Whole.Limits))
	}
	never := p.NeverPreempts != nil && *p.NeverPreempts
	fmt.Fprintf(&b, "overhead %s\npriority %d %q never=%v\n", named(a.Overhead), *p.Priority, a.PriorityClass, never)
	for _, t := range p.Tolerations {
		operator, seconds := v1.TolerationOpEqual, int64(-1)
		if t.Exists {
			operator = v1.TolerationOpExists
		}
		if t.Seconds != nil {
			seconds = *t.Seconds
		}
		fmt.Fprintf(&b, "toleration %q %s %q %s %d\n", t.Key, operator, t.Value, effectName(t.Effect), seconds)
	}
	for _, l := range p.NodeLabels {
		fmt.Fprintf(&b, "node %s=%s\n", l.Key, l.Value)
	}
	fmt.Fprintf(&b, "QoS %s\n", berth.QOS(a))
	return b.String()
}

var effects = map[v1.TaintEffect]cluster.Effect{
	"": cluster.NoEffect, v1.TaintEffectNoSchedule: cluster.NoSchedule,
	v1.TaintEffectPreferNoSchedule: cluster.PreferNoSchedule, v1.TaintEffectNoExecute: cluster.NoExecute,
}

func effectName(e cluster.Effect) v1.TaintEffect {
	for name, is := range effects {
		if is == e {
			return name
		}
	}
	return ""
}

// number is an amount as Kubernetes writes it.
var number = regexp.MustCompile(`\b[0-9]+(\.[0-9]+)?(e[0-9]+|[mkKMGTPE]i?)?\b`)

// normal returns a message with all amounts written in thousandths, and with what is listed in no order
// sorted. Who says how amounts are written is whoever made the object, which Berth doesn't keep.
func normal(message string) string {
	message = number.ReplaceAllStringFunc(message, func(text string) string {
		q, err := resource.ParseQuantity(text)
		if err != nil {
			return text
		}
		return fmt.Sprint(q.ScaledValue(resource.Milli))
	})
	return inOrder(message)
}

// inOrder sorts what a message lists: upstream goes through maps.
func inOrder(message string) string {
	inner, ok := strings.CutPrefix(message, "[")
	if !ok {
		return message
	}
	var parts []string
	for _, part := range strings.Split(strings.TrimSuffix(inner, "]"), ", ") {
		if strings.HasPrefix(part, "but ") {
			parts[len(parts)-1] += ", " + part
		} else {
			parts = append(parts, part)
		}
	}
	slices.Sort(parts)
	return "[" + strings.Join(parts, ", ") + "]"
}

// classes of messages, by what they have in common: the first that is part of a message counts.
var messageClasses = []string{
	"exceeded quota", "must specify", "status unknown",
	"the integer value of priority", "the string value of PreemptionPolicy", "no PriorityClass with name",
	"RuntimeClass", "Pod's Overhead doesn't match", "conflict: runtimeClass",
}

// classesOf returns the classes of a message.
func classesOf(message string) (classes []string) {
	switch {
	case strings.Contains(message, " not found"):
		return []string{"RuntimeClass not found"}
	case strings.Contains(message, "Pod Overhead set without"):
		return []string{"Pod Overhead set without"}
	case strings.Contains(message, "doesn't match RuntimeClass"):
		return []string{"Pod's Overhead doesn't match"}
	}
	for _, class := range messageClasses {
		if strings.Contains(message, class) {
			return []string{class}
		}
	}
	for _, kind := range []string{"Container", "Pod", "PersistentVolumeClaim"} {
		for _, bound := range []string{"minimum", "maximum", "ratio"} {
			for _, what := range []string{"No request is specified", "No limit is specified", "but request is", "but limit is", "no request is specified", "no limit is specified", "provided ratio"} {
				if strings.Contains(message, bound) && strings.Contains(message, "per "+kind+" is") && strings.Contains(message, what) && !strings.Contains(message, "[") {
					classes = append(classes, fmt.Sprintf("%s per %s: %s", bound, kind, what))
				}
			}
		}
	}
	if strings.Contains(message, "[") {
		return []string{"several of a LimitRange"}
	}
	return classes
}
