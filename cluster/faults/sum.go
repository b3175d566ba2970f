package faults

import (
	"fmt"
	"strings"
)

// A Sum has the faults of all its models. The empty Sum has none.
type Sum []Model

// none is the spec of the empty Sum.
const none = "none"

// String implements Model.
func (m Sum) String() string {
	if len(m) == 0 {
		return none
	}
	specs := make([]string, len(m))
	for i, part := range m {
		specs[i] = part.String()
	}
	return strings.Join(specs, "+")
}

// Source implements Model. Models draw apart from each other, and each what it
// would draw alone, but for the second and later ones of a name.
func (m Sum) Source(run Run) (Source, error) {
	seen := map[string]int{}
	var merged merge
	for _, part := range m {
		name, _, _ := strings.Cut(part.String(), "(")
		seen[name]++
		own := run
		if seen[name] > 1 {
			own.Purpose = fmt.Sprintf("%s%d ", run.Purpose, seen[name])
		}
		s, err := part.Source(own)
		if err != nil {
			return nil, err
		}
		merged.heads = append(merged.heads, head{source: s})
	}
	return &merged, nil
}

// merge is the Source of a Sum.
type merge struct{ heads []head }

// A head is a Source with its next fault, once it was asked for.
type head struct {
	source Source
	next   Fault
	err    error
	known  bool
}

// Next implements Source. Of faults of one moment, those of the model that was
// named first come first.
func (m *merge) Next() (Fault, error) {
	var first *head
	for i := range m.heads {
		h := &m.heads[i]
		if !h.known {
			h.next, h.err = h.source.Next()
			h.known = true
		}
		if h.err == nil && (first == nil || h.next.At < first.next.At) {
			first = h
		}
	}
	if first == nil {
		return (&List{}).Next()
	}
	first.known = false
	return first.next, nil
}
