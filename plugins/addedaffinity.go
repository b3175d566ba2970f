package plugins

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/berthsim/berth/cluster"
)

// addedAffinity is NodeAffinity's option of that name, as Kubernetes writes a
// NodeAffinity.
type addedAffinity struct {
	Required *struct {
		NodeSelectorTerms []addedTerm `json:"nodeSelectorTerms"`
	} `json:"requiredDuringSchedulingIgnoredDuringExecution"`
	Preferred []struct {
		Weight     int32     `json:"weight"`
		Preference addedTerm `json:"preference"`
	} `json:"preferredDuringSchedulingIgnoredDuringExecution"`
}

type addedTerm struct {
	MatchExpressions []addedRequirement `json:"matchExpressions"`
	MatchFields      []addedRequirement `json:"matchFields"`
}

type addedRequirement struct {
	Key      string   `json:"key"`
	Operator string   `json:"operator"`
	Values   []string `json:"values"`
}

// convert returns the plugin with a's terms, or the first thing wrong with them.
// As upstream, preferred terms that can't count are not looked at.
func (a *addedAffinity) convert() (*nodeAffinity, error) {
	na := &nodeAffinity{}
	if a.Required != nil {
		na.required = &cluster.NodeSelector{}
		for i := range a.Required.NodeSelectorTerms {
			t, err := a.Required.NodeSelectorTerms[i].convert()
			if err != nil {
				return nil, fmt.Errorf("requiredDuringSchedulingIgnoredDuringExecution: %w", err)
			}
			na.required.Terms = append(na.required.Terms, t)
		}
	}
	for i := range a.Preferred {
		if a.Preferred[i].Weight == 0 {
			continue
		}
		t, err := a.Preferred[i].Preference.convert()
		if err != nil {
			return nil, fmt.Errorf("preferredDuringSchedulingIgnoredDuringExecution: %w", err)
		}
		na.preferred = append(na.preferred, cluster.PreferredTerm{Weight: a.Preferred[i].Weight, NodeSelectorTerm: t})
	}
	return na, nil
}

func (t *addedTerm) convert() (out cluster.NodeSelectorTerm, err error) {
	if out.Labels, err = convertAll(t.MatchExpressions, (*addedRequirement).checkLabel); err != nil {
		return out, fmt.Errorf("matchExpressions: %w", err)
	}
	if out.Fields, err = convertAll(t.MatchFields, (*addedRequirement).checkField); err != nil {
		return out, fmt.Errorf("matchFields: %w", err)
	}
	for i := range out.Fields {
		ofAbsentField(&out.Fields[i])
	}
	return out, nil
}

// ofAbsentField makes r hold for what it says of a field other than the name. A
// node has no such field, which upstream takes for an empty one.
func ofAbsentField(r *cluster.Requirement) {
	if r.Key == cluster.FieldName || r.Values[0] != "" {
		return
	}
	if r.Op == cluster.In {
		r.Op = cluster.DoesNotExist
	} else {
		r.Op = cluster.Exists
	}
}

func convertAll(rs []addedRequirement, check func(*addedRequirement, cluster.Operator) error) (out []cluster.Requirement, err error) {
	for i := range rs {
		op, err := parseOperator(rs[i].Operator)
		if err != nil {
			return nil, err
		}
		if err := check(&rs[i], op); err != nil {
			return nil, err
		}
		out = append(out, cluster.Requirement{Key: rs[i].Key, Op: op, Values: rs[i].Values})
	}
	return out, nil
}

var operators = [...]string{
	cluster.In: "In", cluster.NotIn: "NotIn", cluster.Exists: "Exists",
	cluster.DoesNotExist: "DoesNotExist", cluster.Gt: "Gt", cluster.Lt: "Lt",
}

func parseOperator(text string) (op cluster.Operator, err error) {
	i := slices.Index(operators[:], text)
	if i < 0 {
		return op, fmt.Errorf("unknown operator %q; known: In, NotIn, Exists, DoesNotExist, Gt, Lt", text)
	}
	return cluster.Operator(i), nil
}

// checkLabel reports a number of values that op can't have, a bound that is no
// number, and what no label can have as its key or value. As upstream, bounds
// must be label values, so that none is below 0.
func (r *addedRequirement) checkLabel(op cluster.Operator) error {
	if err := checkLabelName(r.Key); err != nil {
		return fmt.Errorf("key %w", err)
	}
	switch {
	case (op == cluster.In || op == cluster.NotIn) && len(r.Values) == 0:
		return fmt.Errorf("%s %s has no values", r.Key, r.Operator)
	case (op == cluster.Exists || op == cluster.DoesNotExist) && len(r.Values) > 0:
		return fmt.Errorf("%s %s has values; it takes none", r.Key, r.Operator)
	case op == cluster.Gt || op == cluster.Lt:
		if len(r.Values) != 1 {
			return fmt.Errorf("%s %s has %d values; it takes one", r.Key, r.Operator, len(r.Values))
		}
		if _, err := strconv.ParseInt(r.Values[0], 10, 64); err != nil {
			return fmt.Errorf("%s %s %q: the value is no whole number", r.Key, r.Operator, r.Values[0])
		}
	}
	for _, value := range r.Values {
		if err := checkLabelValue(value); err != nil {
			return fmt.Errorf("%s %s: %w", r.Key, r.Operator, err)
		}
	}
	return nil
}

// checkField reports what can't be asked of a field. As upstream, any field may be
// asked about.
func (r *addedRequirement) checkField(op cluster.Operator) error {
	switch {
	case op != cluster.In && op != cluster.NotIn:
		return fmt.Errorf("%s %s: the operator must be In or NotIn", r.Key, r.Operator)
	case len(r.Values) != 1:
		return fmt.Errorf("%s %s has %d values; it takes one", r.Key, r.Operator, len(r.Values))
	}
	return nil
}
