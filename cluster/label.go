package cluster

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
)

// A Label is a key with a value.
type Label struct{ Key, Value string }

// Labels is a set of labels, sorted by key.
type Labels []Label

// MakeLabels sorts a map's entries into Labels.
func MakeLabels(m map[string]string) Labels {
	if len(m) == 0 {
		return nil
	}
	ls := make(Labels, 0, len(m))
	for _, key := range slices.Sorted(maps.Keys(m)) {
		ls = append(ls, Label{key, m[key]})
	}
	return ls
}

// Get returns the value of key, and whether there is one.
func (ls Labels) Get(key string) (value string, ok bool) {
	i, ok := slices.BinarySearchFunc(ls, key, func(l Label, key string) int { return cmp.Compare(l.Key, key) })
	if !ok {
		return "", false
	}
	return ls[i].Value, true
}

// An Operator relates a label's key to values.
type Operator uint8

// The operators of label selectors, and Gt and Lt, which only node selectors
// have.
const (
	In Operator = iota
	NotIn
	Exists
	DoesNotExist
	Gt
	Lt
	// Unparsable is an operator that nothing satisfies: what is left of a
	// requirement that Kubernetes accepts but can't parse.
	Unparsable
)

// A Requirement is what a selector asks of one key.
type Requirement struct {
	Key    string
	Op     Operator
	Values []string
}

// Matches reports whether labels have what r asks for. As in Kubernetes, NotIn
// and DoesNotExist match if the key is absent, and Gt and Lt if both values are
// decimal numbers.
func (r *Requirement) Matches(ls Labels) bool {
	value, ok := ls.Get(r.Key)
	switch r.Op {
	case In:
		return ok && slices.Contains(r.Values, value)
	case NotIn:
		return !ok || !slices.Contains(r.Values, value)
	case Exists:
		return ok
	case DoesNotExist:
		return !ok
	case Gt, Lt:
		return ok && len(r.Values) == 1 && compareNumbers(r.Op, value, r.Values[0])
	}
	return false
}

func compareNumbers(op Operator, label, bound string) bool {
	a, err := strconv.ParseInt(label, 10, 64)
	if err != nil {
		return false
	}
	b, err := strconv.ParseInt(bound, 10, 64)
	if err != nil {
		return false
	}
	return op == Gt && a > b || op == Lt && a < b
}

// A Selector matches labels that meet all its requirements. A nil *Selector
// matches nothing, an empty one everything.
type Selector struct{ Requirements []Requirement }

// Matches reports whether the selector matches labels.
func (sel *Selector) Matches(ls Labels) bool {
	if sel == nil {
		return false
	}
	for i := range sel.Requirements {
		if !sel.Requirements[i].Matches(ls) {
			return false
		}
	}
	return true
}

// Empty reports whether the selector has no requirements, and so matches
// everything.
func (sel *Selector) Empty() bool { return sel != nil && len(sel.Requirements) == 0 }
