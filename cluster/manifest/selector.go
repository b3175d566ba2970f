package manifest

import (
	"maps"
	"slices"
	"strings"

	"github.com/berthsim/berth/cluster"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
)

// labelSelector converts a selector of labels. As in Kubernetes, none (nil)
// matches nothing, and an empty one everything.
func labelSelector(from *metav1.LabelSelector) (*cluster.Selector, error) {
	if from == nil {
		return nil, nil
	}
	to := &cluster.Selector{}
	for _, key := range slices.Sorted(maps.Keys(from.MatchLabels)) {
		r, err := labelRequirement(key, metav1.LabelSelectorOpIn, []string{from.MatchLabels[key]})
		if err != nil {
			return nil, in(err, "matchLabels", key)
		}
		to.Requirements = append(to.Requirements, r)
	}
	for i, e := range from.MatchExpressions {
		r, err := labelRequirement(e.Key, e.Operator, e.Values)
		if err != nil {
			return nil, in(err, "matchExpressions", i)
		}
		to.Requirements = append(to.Requirements, r)
	}
	return to, nil
}

var labelOperators = map[metav1.LabelSelectorOperator]cluster.Operator{
	metav1.LabelSelectorOpIn:           cluster.In,
	metav1.LabelSelectorOpNotIn:        cluster.NotIn,
	metav1.LabelSelectorOpExists:       cluster.Exists,
	metav1.LabelSelectorOpDoesNotExist: cluster.DoesNotExist,
}

// labelRequirement converts a requirement of a label selector. Kubernetes, whose
// API server lets some through that its scheduler can't parse, doesn't schedule
// a pod that has such a one; here it is an error.
func labelRequirement(key string, op metav1.LabelSelectorOperator, values []string) (cluster.Requirement, error) {
	to, ok := labelOperators[op]
	if !ok {
		return cluster.Requirement{}, in(wrongValue(string(op), "In", "NotIn", "Exists", "DoesNotExist"), "operator")
	}
	if err := parseRequirement(to, key, values); err != nil {
		return cluster.Requirement{}, wrong(oneLine(err), "correct the selector")
	}
	return cluster.Requirement{Key: key, Op: to, Values: values}, nil
}

var selections = map[cluster.Operator]selection.Operator{
	cluster.In: selection.In, cluster.NotIn: selection.NotIn,
	cluster.Exists: selection.Exists, cluster.DoesNotExist: selection.DoesNotExist,
	cluster.Gt: selection.GreaterThan, cluster.Lt: selection.LessThan,
}

// parseRequirement fails where Kubernetes fails to parse a requirement.
func parseRequirement(op cluster.Operator, key string, values []string) error {
	_, err := labels.NewRequirement(key, selections[op], values)
	return err
}

// mapSelector converts a selector that is a map of labels, as those of
// ReplicationControllers are.
func mapSelector(from map[string]string) *cluster.Selector {
	to := &cluster.Selector{}
	for _, key := range slices.Sorted(maps.Keys(from)) {
		to.Requirements = append(to.Requirements, cluster.Requirement{Key: key, Op: cluster.In, Values: []string{from[key]}})
	}
	return to
}

var nodeOperators = map[v1.NodeSelectorOperator]cluster.Operator{
	v1.NodeSelectorOpIn:           cluster.In,
	v1.NodeSelectorOpNotIn:        cluster.NotIn,
	v1.NodeSelectorOpExists:       cluster.Exists,
	v1.NodeSelectorOpDoesNotExist: cluster.DoesNotExist,
	v1.NodeSelectorOpGt:           cluster.Gt,
	v1.NodeSelectorOpLt:           cluster.Lt,
}

func nodeTerms(from []v1.NodeSelectorTerm) (to []cluster.NodeSelectorTerm, err error) {
	for i := range from {
		term, err := nodeTerm(&from[i])
		if err != nil {
			return nil, in(err, i)
		}
		to = append(to, term)
	}
	return to, nil
}

// nodeTerm converts a term of a node selector. The API server lets some terms
// through that kube-scheduler can't parse: a bound for Gt or Lt that is no number,
// values that no label can have. They match no node, and so does what becomes of
// them: a requirement that is Unparsable.
func nodeTerm(from *v1.NodeSelectorTerm) (to cluster.NodeSelectorTerm, err error) {
	for i, e := range from.MatchExpressions {
		op, ok := nodeOperators[e.Operator]
		if !ok {
			err := wrongValue(string(e.Operator), "In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt")
			return to, in(err, "matchExpressions", i, "operator")
		}
		if parseRequirement(op, e.Key, e.Values) != nil {
			op = cluster.Unparsable
		}
		to.Labels = append(to.Labels, cluster.Requirement{Key: e.Key, Op: op, Values: e.Values})
	}
	for i, e := range from.MatchFields {
		if e.Key != cluster.FieldName {
			return to, in(wrongValue(e.Key, cluster.FieldName), "matchFields", i, "key")
		}
		op, ok := nodeOperators[e.Operator]
		if !ok || op != cluster.In && op != cluster.NotIn {
			return to, in(wrongValue(string(e.Operator), "In", "NotIn"), "matchFields", i, "operator")
		}
		if len(e.Values) != 1 {
			return to, in(wrong("has not exactly one name", "write one term for each node"), "matchFields", i, "values")
		}
		to.Fields = append(to.Fields, cluster.Requirement{Key: e.Key, Op: op, Values: e.Values})
	}
	return to, nil
}

var effects = map[v1.TaintEffect]cluster.Effect{
	"":                             cluster.NoEffect,
	v1.TaintEffectNoSchedule:       cluster.NoSchedule,
	v1.TaintEffectPreferNoSchedule: cluster.PreferNoSchedule,
	v1.TaintEffectNoExecute:        cluster.NoExecute,
}

func taintEffect(from v1.TaintEffect) (cluster.Effect, error) {
	to, ok := effects[from]
	if !ok {
		return to, in(wrongValue(string(from), "NoSchedule", "PreferNoSchedule", "NoExecute"), "effect")
	}
	return to, nil
}

// tolerations converts tolerations. Those with the operators Gt and Lt tolerate
// nothing unless the feature gate TaintTolerationComparisonOperators is on, which
// is off by default, and are left out.
func tolerations(from []v1.Toleration) (to []cluster.Toleration, err error) {
	for i, t := range from {
		effect, err := taintEffect(t.Effect)
		if err != nil {
			return nil, in(err, i)
		}
		switch t.Operator {
		case "", v1.TolerationOpEqual, v1.TolerationOpExists:
		case v1.TolerationOpGt, v1.TolerationOpLt:
			continue
		default:
			return nil, in(wrongValue(string(t.Operator), "Equal", "Exists"), i, "operator")
		}
		to = append(to, cluster.Toleration{
			Key: t.Key, Exists: t.Operator == v1.TolerationOpExists, Value: t.Value,
			Effect: effect, Seconds: t.TolerationSeconds,
		})
	}
	return to, nil
}

// imageName returns the name of an image with the tag that it stands for if it
// has none (pkg/scheduler/framework/plugins/imagelocality, normalizedImageName).
// Names on nodes are left as they are, as there.
func imageName(name string) string {
	if strings.LastIndexByte(name, ':') <= strings.LastIndexByte(name, '/') {
		return name + ":latest"
	}
	return name
}
