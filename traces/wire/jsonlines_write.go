package wire

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/berthsim/berth/cluster"
)

// WriteJSONLines writes what is left of a file as JSON lines, from which ReadJSONLines makes
// the same file again: a line with what it says of itself, then records in order, each after
// the definitions that it is the first to refer to, and a line with how many there are. A
// Reader of the workload gives the lines of that.
func WriteJSONLines(to io.Writer, from *Reader) error {
	buffered := bufio.NewWriterSize(to, 1<<16)
	l := &liner{to: json.NewEncoder(buffered)}
	l.to.SetEscapeHTML(false)
	l.definer.define = l.define
	err := l.to.Encode(&line{Format: lineFormat, Version: Version, Records: int(from.records), Meta: &from.meta})
	count := int64(0)
	for ; err == nil; count++ {
		var r *Record
		if r, err = from.Next(); errors.Is(err, io.EOF) {
			err = nil
			break
		}
		if err == nil {
			err = l.write(r)
		}
	}
	if err == nil {
		err = l.to.Encode(&line{End: &endLine{count}})
	}
	return errors.Join(err, buffered.Flush())
}

// A liner writes records as lines.
type liner struct {
	to      *json.Encoder
	definer definer
	err     error // of a definition
}

// define writes a definition before the line that refers to it.
func (l *liner) define(kind byte, number uint64, text []byte) error {
	return l.to.Encode(&line{Define: definitionNames[kind], Number: &number, Is: text})
}

// ref returns a definition's number, nil if there is none.
func (l *liner) ref(reference uint64, err error) *uint64 {
	if err != nil && l.err == nil {
		l.err = err
	}
	if reference == 0 {
		return nil
	}
	n := reference - 1
	return &n
}

func (l *liner) write(r *Record) error {
	x := line{Time: &r.Time}
	switch r.What {
	case Workload, Outcome:
		x.Kind, x.Outcome = r.Event.Kind.String(), r.What == Outcome
		l.event(&x, &r.Event)
	case Decided:
		x.Kind, x.Pod, x.Node = r.Decision.Kind.String(), some(r.Decision.Pod), some(r.Decision.Node)
		x.decisionLine = l.decision(&r.Decision)
	case Round:
		x.Kind, x.Batch = "Batch", &r.Batch
	case Sample:
		x.Kind, x.Usage = "Usage", &r.Usage
	case Missing:
		x.Kind, x.Gap = "Gap", &r.Gap
	case Struck:
		x.Kind, x.Fault = "Fault", r.Fault
	case Placed:
		p := &r.Placement
		x.Kind, x.Placement = "Placement", &placementLine{p.Pod, some(p.Node), p.Wait, uint64(p.GPUs)}
	default:
		return fmt.Errorf("there is no record of the kind %d", r.What)
	}
	if l.err != nil {
		return l.err
	}
	return l.to.Encode(&x)
}

func (l *liner) event(x *line, e *cluster.Event) {
	x.Reason, x.Code, x.Ready = e.Reason, e.Code, e.Ready
	switch e.Kind {
	case cluster.PodAdded, cluster.NodeAdded: // their numbers follow from their order
	case cluster.Rejected:
		d := &e.Decision
		x.Rejected = &rejectedLine{Kind: d.Kind.String(), Pod: some(d.Pod), Node: some(d.Node), decisionLine: l.decision(d)}
	default:
		x.Pod, x.Node = some(e.Pod), some(e.Node)
	}
	if e.PodSpec != nil {
		x.Spec = l.podSpec(e.PodSpec)
	}
	x.NodeSpec = l.ref(l.definer.node(e.NodeSpec))
	x.Object = l.ref(l.definer.object(e.Object))
	if e.Health != nil {
		x.Health = &healthLine{e.Health.Conditions, e.Health.Lease, e.Health.Posts}
	}
}

func (l *liner) podSpec(spec *cluster.PodSpec) *podLine {
	x := &podLine{
		Name: spec.Name, On: spec.On, Nominated: spec.Nominated, Terminating: spec.Terminating, Preempted: spec.Preempted,
		Unready: spec.Unready, Starting: spec.Starting, Started: spec.Started, Continues: spec.Continues, Stop: spec.Stop, Grace: spec.Grace,
		GPUs: uint64(spec.Allocation.GPUs),
	}
	x.Class = l.ref(l.definer.class(spec.Class))
	x.Labels = l.ref(l.definer.labelSet(spec.Labels))
	x.Account = l.ref(l.definer.account(spec.Account))
	if spec.Run != cluster.Never {
		x.Run = &spec.Run
	}
	return x
}

func (l *liner) decision(d *cluster.Decision) decisionLine {
	x := decisionLine{GPUs: uint64(d.GPUs)}
	switch of := d.Detail.(type) {
	case cluster.Taint:
		x.Taint = &of
	case cluster.StatusChange:
		x.Status = &statusLine{of.From, of.To}
	case cluster.Cause:
		cause := string(of)
		x.Cause = &cause
	case *cluster.PodSpec:
		x.Create = l.podSpec(of)
	case cluster.Stored:
		from := l.ref(l.definer.object(of.From)) // its number comes first
		x.Store = &storeLine{from, l.ref(l.definer.object(of.To))}
	}
	return x
}
