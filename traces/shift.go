package traces

import (
	"slices"

	"github.com/berthsim/berth/cluster"
)

// shift moves an event, and all times that it speaks of, by so much. What the event
// points to is shared, so that what changes is a copy.
func shift(e *cluster.Event, by cluster.Time) {
	if by == 0 {
		return
	}
	e.Time += by
	if e.NodeSpec != nil {
		spec := *e.NodeSpec
		if spec.Created != 0 { // nobody knows
			spec.Created += by
		}
		shiftHealth(&spec.Health, by)
		e.NodeSpec = &spec
	}
	if e.Health != nil {
		health := *e.Health
		shiftHealth(&health, by)
		e.Health = &health
	}
	if e.PodSpec != nil && e.PodSpec.Started != nil {
		spec, started := *e.PodSpec, *e.PodSpec.Started
		spec.Started = &started
		shiftTime(spec.Started, by)
		e.PodSpec = &spec
	}
	if b, ok := e.Object.(*cluster.DisruptionBudget); ok && len(b.DisruptedAt) > 0 {
		budget := *b
		budget.DisruptedAt = slices.Clone(b.DisruptedAt)
		for i := range budget.DisruptedAt {
			shiftTime(&budget.DisruptedAt[i], by)
		}
		e.Object = &budget
	}
}

// shift moves a note, and all times that it speaks of, by so much.
func (n *Note) shift(by cluster.Time) {
	n.At += by
	if n.Fault != nil {
		fault := *n.Fault
		shiftTime(&fault.Until, by)
		n.Fault = &fault
	}
	if n.Gap != nil {
		gap := *n.Gap
		gap.From += by
		n.Gap = &gap
	}
}

// begin leaves of a note what is of time 0 or later.
func (n *Note) begin() {
	n.At = max(0, n.At)
	if n.Gap != nil {
		gap := *n.Gap
		gap.From = max(0, gap.From)
		n.Gap = &gap
	}
}

// lasts reports whether a note is of a time or later, or what it tells of goes on until then.
func (n *Note) lasts(until cluster.Time) bool {
	return n.At >= until || n.Fault != nil && n.Fault.Until > until
}

func shiftHealth(h *cluster.NodeHealth, by cluster.Time) {
	for _, b := range []*cluster.Beats{&h.Lease, &h.Posts} {
		if *b != (cluster.Beats{}) { // nothing was ever heard
			shiftTime(&b.First, by)
			shiftTime(&b.Until, by)
		}
	}
}

func shiftTime(t *cluster.Time, by cluster.Time) {
	if *t != cluster.Never {
		*t += by
	}
}
