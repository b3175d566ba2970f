package wire

import (
	"errors"
	"fmt"

	"github.com/berthsim/berth/cluster"
)

// Write writes a record of any kind, as the methods of its kind do.
func (w *Writer) Write(r *Record) error {
	switch r.What {
	case Workload:
		return w.Event(&r.Event)
	case Outcome:
		return w.Outcome(&r.Event)
	case Decided:
		return w.Decision(r.Time, &r.Decision)
	case Round:
		return w.Round(r.Time, r.Batch)
	case Sample:
		return w.Usage(r.Time, r.Usage)
	case Missing:
		return w.Gap(r.Time, r.Gap)
	case Struck:
		return w.Fault(r.Time, r.Fault)
	case Placed:
		return w.Placement(r.Time, &r.Placement)
	}
	return fmt.Errorf("there is no record of the kind %d", r.What)
}

// Event writes an event from outside, which a replay of the workload is to see, and fills in
// the number of a pod or node that comes. Of a PodRefused, such a replay sees that the pod
// comes: that it was refused is an outcome.
func (w *Writer) Event(e *cluster.Event) error {
	if e.Time < w.fromOutside {
		return fmt.Errorf("an event from outside at %d ns comes after one at %d ns; write them in order", e.Time, w.fromOutside)
	}
	if !mayBeOutside(e.Kind) {
		return fmt.Errorf("%v is always an outcome", e.Kind)
	}
	if err := w.open(e.Time, eventShare); err != nil {
		return err
	}
	w.fromOutside = e.Time
	kind := e.Kind
	if kind == cluster.PodRefused {
		w.follow()
		kind = cluster.PodAdded
		w.taken++
		w.outcomes.begin(byte(cluster.PodRefused), e.Time)
		w.outcomes.bool(true) // the workload has it
		w.outcomes.refusal(e)
	}
	w.workload.begin(byte(kind), e.Time)
	switch kind {
	case cluster.PodAdded: // no copy of e, which is large
		w.workload.podSpec(&w.definer, e.PodSpec)
		w.now.outside++
	default:
		if isAboutPod(kind) && !outside(e.Pod) {
			w.workload.fail(fmt.Errorf("an event from outside is about pod %d, which was an outcome", e.Pod))
		}
		w.workload.event(&w.definer, e)
		if kind == cluster.NodeAdded {
			w.now.nodes++
		}
	}
	if err := w.shut(); err != nil {
		return err
	}
	switch e.Kind {
	case cluster.PodAdded:
		e.Pod = cluster.PodID(2 * (w.now.outside - 1))
	case cluster.NodeAdded:
		e.Node = cluster.NodeID(w.now.nodes - 1)
	}
	return nil
}

// mayBeOutside reports whether events of a kind can have come from outside.
func mayBeOutside(kind cluster.Kind) bool {
	return kind != cluster.PodBound && kind != cluster.PodReady && kind != cluster.Rejected
}

// isAboutPod reports whether events of a kind are about a pod that has come.
func isAboutPod(kind cluster.Kind) bool {
	switch kind {
	case cluster.PodChanged, cluster.PodBound, cluster.PodTold, cluster.PodEnded, cluster.PodReady:
		return true
	}
	return false
}

// refusal appends why a pod was refused.
func (e *encoder) refusal(x *cluster.Event) {
	e.varint(int64(x.Code))
	e.string(x.Reason)
}

// Outcome writes an event that followed from decisions, which a replay of the workload must
// not see, and fills in the number of a pod that comes.
func (w *Writer) Outcome(e *cluster.Event) error {
	if e.Kind == cluster.NodeAdded {
		return errors.New("that a node comes is never an outcome")
	}
	if err := w.open(e.Time, eventShare); err != nil {
		return err
	}
	w.follow()
	w.outcomes.begin(byte(e.Kind), e.Time)
	if e.Kind == cluster.PodRefused {
		w.outcomes.bool(false)
		w.outcomes.podSpec(&w.definer, e.PodSpec)
		w.outcomes.refusal(e)
	} else {
		w.outcomes.event(&w.definer, e)
	}
	if e.Kind == cluster.PodAdded {
		w.now.created++
	}
	if err := w.shut(); err != nil {
		return err
	}
	if e.Kind == cluster.PodAdded {
		e.Pod = cluster.PodID(2*(w.now.created-1) + 1)
	}
	return nil
}

// Decision writes what was decided at a time.
func (w *Writer) Decision(at cluster.Time, d *cluster.Decision) error {
	if err := w.open(at, decisionShare); err != nil {
		return err
	}
	w.follow()
	w.outcomes.begin(byte(d.Kind), at)
	w.outcomes.decision(&w.definer, d)
	return w.shut()
}

// Round begins a round of a run: what Next returned at a time, and what was decided. So many
// events and decisions must follow.
func (w *Writer) Round(at cluster.Time, b Batch) error {
	if b.Events < 0 || b.Decisions < 0 || b.Events > maxRound || b.Decisions > maxRound {
		return fmt.Errorf("a round can't have %d events and %d decisions", b.Events, b.Decisions)
	}
	if n := int(w.workload.count + w.outcomes.count); n > 0 && n+b.Events+b.Decisions+leastRecords > w.records && w.round == (Batch{}) {
		if err := w.Flush(); err != nil { // so that the round is in one block, if it can be
			return err
		}
	}
	if err := w.open(at, noShare); err != nil {
		return err
	}
	w.follow()
	w.outcomes.begin(tagBatch, at)
	w.outcomes.uvarint(uint64(b.Events))
	w.outcomes.uvarint(uint64(b.Decisions))
	w.round = b
	return w.shut()
}

// Usage writes what a pod was seen to use. That of a pod which was an outcome is one, too.
func (w *Writer) Usage(at cluster.Time, u Usage) error {
	if err := w.open(at, noShare); err != nil {
		return err
	}
	to := &w.workload
	if !outside(u.Pod) {
		w.follow()
		to = &w.outcomes
	}
	to.begin(tagUsage, at)
	if u.Pod == cluster.None {
		to.fail(errors.New("what is used is used by a pod"))
	}
	to.podRef(u.Pod)
	to.varint(u.CPU)
	to.varint(u.Memory)
	return w.shut()
}

// Gap writes of which time, up to now, something may be missing.
func (w *Writer) Gap(at cluster.Time, g Gap) error {
	if err := w.open(at, noShare); err != nil {
		return err
	}
	w.workload.begin(tagGap, at)
	if g.From > at {
		w.workload.fail(fmt.Errorf("a gap from %d to %d ns ends before it begins", g.From, at))
	}
	w.workload.uvarint(uint64(at) - uint64(g.From))
	w.workload.varint(g.Lost)
	w.workload.string(g.Reason)
	return w.shut()
}

// Fault writes what befell nodes.
func (w *Writer) Fault(at cluster.Time, f *Fault) error {
	if err := w.open(at, noShare); err != nil {
		return err
	}
	e := &w.workload
	e.begin(tagFault, at)
	e.varint(int64(f.Until))
	e.string(f.Kind)
	e.string(f.Signal)
	for _, t := range [...]cluster.Time{f.Period, f.Down, f.By} {
		e.varint(int64(t))
	}
	e.uvarint(uint64(len(f.Nodes)))
	for _, name := range f.Nodes {
		e.string(name)
	}
	return w.shut()
}

// Placement writes where a recording says that a pod ran.
func (w *Writer) Placement(at cluster.Time, p *Placement) error {
	if err := w.open(at, noShare); err != nil {
		return err
	}
	w.follow()
	e := &w.outcomes
	e.begin(tagPlacement, at)
	if p.Pod == cluster.None {
		e.fail(errors.New("what is placed is a pod"))
	}
	e.podRef(p.Pod)
	e.nodeRef(p.Node)
	e.varint(int64(p.Wait))
	e.uvarint(uint64(p.GPUs))
	return w.shut()
}
