package wire

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/internal/input"
)

// maxLine bounds a line of JSON: a definition, or a record, and what JSON adds.
const maxLine = 2 * maxFrame

// ReadJSONLines writes to a file what WriteJSONLines has written, or anybody else in that form.
// Name is that of the lines, for errors, which are *Error where the lines are wrong: Byte is
// the line's number then.
func ReadJSONLines(to io.Writer, name string, from io.Reader) error {
	l := &unliner{name: name, lines: bufio.NewReaderSize(from, 1<<16)}
	var first line
	if err := l.next(&first); err != nil {
		return l.wrong(err)
	}
	if first.Format != lineFormat || first.Meta == nil {
		return l.wrong(errors.New(`this is not a trace: its first line has no "format": "berth-trace" and "meta"`))
	}
	if first.Version != Version {
		return l.wrong(fmt.Errorf("the format has version %d, and this program knows %d", first.Version, Version))
	}
	w, err := Create(to, *first.Meta, Options{Records: first.Records})
	if err != nil {
		return l.wrong(err)
	}
	for {
		var x line
		err := l.next(&x)
		switch {
		case err != nil:
		case x.End != nil:
			return l.end(w, x.End)
		case x.Define != "":
			err = l.definition(&x)
		default:
			var r Record
			if err = l.record(&x, &r); err == nil {
				l.records++
				err = w.Write(&r)
			}
		}
		if err != nil && w.broken == nil {
			err = l.wrong(err)
		}
		if err != nil {
			return err
		}
	}
}

// An unliner makes records of lines.
type unliner struct {
	name    string
	lines   *bufio.Reader
	line    int
	text    []byte // reused
	records int64
	defined
}

// wrong says in which line something is wrong, unless the system could not read it.
func (l *unliner) wrong(err error) error {
	var system *systemError
	if errors.As(err, &system) {
		return fmt.Errorf("reading %s: %w", l.name, system.error)
	}
	return &Error{
		Input: input.Error{File: l.name, Line: l.line, Problem: err.Error(), Remedy: "write it as docs/trace-format.md says"},
		Block: -1, Byte: int64(l.line),
	}
}

// A systemError is no fault of the lines.
type systemError struct{ error }

// next reads a line.
func (l *unliner) next(into *line) error {
	l.text = l.text[:0]
	l.line++
	for {
		piece, err := l.lines.ReadSlice('\n')
		l.text = append(l.text, piece...)
		if len(l.text) > maxLine {
			return fmt.Errorf("the line has more than %d bytes", maxLine)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if errors.Is(err, io.EOF) && len(l.text) == 0 {
			return errors.New(`the lines end without one that says "end"`)
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return &systemError{err}
		}
		return strict(l.text, into)
	}
}

// end checks that nothing is missing, and that nothing follows.
func (l *unliner) end(w *Writer, end *endLine) error {
	if end.Records != l.records {
		return l.wrong(fmt.Errorf("there are %d records, and there should be %d", l.records, end.Records))
	}
	rest, err := l.lines.ReadByte()
	if err == nil {
		l.line++
		return l.wrong(fmt.Errorf("something follows the end: %q", rest))
	}
	if !errors.Is(err, io.EOF) {
		return l.wrong(&systemError{err})
	}
	return w.Close()
}

func (l *unliner) definition(x *line) error {
	kind := slices.Index(definitionNames[:], x.Define)
	if x.Number == nil || kind <= 0 {
		return fmt.Errorf("a definition of %s has no number, or there are none of that kind", strconv.Quote(x.Define))
	}
	n, err := l.add(byte(kind), bytes.TrimSpace(x.Is))
	if err != nil {
		return err
	}
	if n != *x.Number {
		return fmt.Errorf("the number of this definition is %d; the next of its kind is %d", *x.Number, n)
	}
	return nil
}

// find returns what a number refers to, nothing if there is no number.
func find[T any](k *kept[T], n *uint64) (item T, err error) {
	if n == nil {
		return item, nil
	}
	item, ok := k.get(*n + 1)
	if !ok || *n+1 == 0 {
		return item, fmt.Errorf("there is no definition %d, or no longer", *n)
	}
	return item, nil
}

func (l *unliner) record(x *line, r *Record) (err error) {
	if x.Time == nil {
		return errors.New("the record has no time")
	}
	r.Time = *x.Time
	var known bool
	if r.What, known = otherKinds[x.Kind]; known {
		return l.other(x, r)
	}
	kind, err := kindNamed(x.Kind)
	if err != nil {
		return err
	}
	if kind >= cluster.Bind {
		r.What = Decided
		r.Decision, err = l.decision(kind, x.Pod, x.Node, &x.decisionLine)
		return err
	}
	if r.What = Workload; x.Outcome {
		r.What = Outcome
	}
	return l.event(kind, x, r)
}

func (l *unliner) other(x *line, r *Record) (err error) {
	switch {
	case r.What == Round && x.Batch != nil:
		r.Batch = *x.Batch
	case r.What == Sample && x.Usage != nil:
		r.Usage = *x.Usage
	case r.What == Missing && x.Gap != nil:
		r.Gap = *x.Gap
	case r.What == Struck && x.Fault != nil:
		r.Fault = x.Fault
	case r.What == Placed && x.Placement != nil:
		p := x.Placement
		r.Placement = Placement{Pod: p.Pod, Wait: p.Wait, Allocation: cluster.Allocation{GPUs: cluster.GPUSet(p.GPUs)}}
		r.Placement.Node, err = number(p.Node)
	default:
		return fmt.Errorf("the line of a %s doesn't say what it is to say", x.Kind)
	}
	return err
}

func (l *unliner) event(kind cluster.Kind, x *line, r *Record) error {
	e := &r.Event
	e.Time, e.Kind, e.Reason, e.Code, e.Ready = r.Time, kind, x.Reason, x.Code, x.Ready
	var errs [6]error
	e.Pod, errs[0] = number(x.Pod)
	e.Node, errs[1] = number(x.Node)
	e.NodeSpec, errs[2] = find(&l.nodeSpecs, x.NodeSpec)
	e.Object, errs[3] = find(&l.objects, x.Object)
	if x.Spec != nil {
		e.PodSpec, errs[4] = l.podSpec(x.Spec)
	}
	if x.Health != nil {
		e.Health = &cluster.NodeHealth{Conditions: x.Health.Conditions, Lease: x.Health.Lease, Posts: x.Health.Posts}
	}
	if d := x.Rejected; d != nil {
		var decided cluster.Kind
		if decided, errs[5] = kindNamed(d.Kind); errs[5] == nil {
			e.Decision, errs[5] = l.decision(decided, d.Pod, d.Node, &d.decisionLine)
			e.Pod, e.Node = e.Decision.Pod, e.Decision.Node
		}
	}
	return cmp.Or(errs[:]...)
}

func (l *unliner) podSpec(x *podLine) (*cluster.PodSpec, error) {
	spec := &cluster.PodSpec{
		Name: x.Name, On: x.On, Nominated: x.Nominated, Terminating: x.Terminating, Preempted: x.Preempted,
		Unready: x.Unready, Starting: x.Starting, Started: x.Started, Run: cluster.Never, Continues: x.Continues, Stop: x.Stop, Grace: x.Grace,
		Allocation: cluster.Allocation{GPUs: cluster.GPUSet(x.GPUs)},
	}
	if x.Run != nil {
		spec.Run = *x.Run
	}
	var errs [3]error
	spec.Class, errs[0] = find(&l.classes, x.Class)
	spec.Labels, errs[1] = find(&l.labels, x.Labels)
	spec.Account, errs[2] = find(&l.accounts, x.Account)
	return spec, cmp.Or(errs[:]...)
}

func (l *unliner) decision(kind cluster.Kind, pod *cluster.PodID, node *cluster.NodeID, x *decisionLine) (d cluster.Decision, err error) {
	d.Kind = kind
	var errs [5]error
	d.Pod, errs[0] = number(pod)
	d.Node, errs[1] = number(node)
	d.GPUs = cluster.GPUSet(x.GPUs)
	switch {
	case x.Taint != nil:
		d.Detail = *x.Taint
	case x.Status != nil:
		d.Detail = cluster.StatusChange{From: x.Status.From, To: x.Status.To}
	case x.Cause != nil:
		d.Detail = cluster.Cause(*x.Cause)
	case x.Create != nil:
		var spec *cluster.PodSpec
		spec, errs[2] = l.podSpec(x.Create)
		d.Detail = spec
	case x.Store != nil:
		var o cluster.Stored
		o.From, errs[3] = find(&l.objects, x.Store.From)
		o.To, errs[4] = find(&l.objects, x.Store.To)
		d.Detail = o
	}
	return d, cmp.Or(errs[:]...)
}
