package wire

import (
	"encoding/binary"

	"github.com/berthsim/berth/cluster"
)

func leUint32(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }

// Next returns the next record, in the order in which they were written. It is valid until the
// next call; what it points to stays. Next returns io.EOF after the last, and an *Error where
// the file is damaged or torn.
func (r *Reader) Next() (*Record, error) {
	for r.err == nil {
		for r.left[workloadFrame]+r.left[outcomeFrame] == 0 {
			if r.err = r.finish(); r.err != nil {
				return nil, r.err
			}
			if r.err = r.nextBlock(); r.err != nil {
				return nil, r.err
			}
		}
		problem := r.read()
		if problem != "" {
			r.err = r.damaged(problem)
			return nil, r.err
		}
		if r.position >= r.skipTo {
			return &r.record, nil
		}
	}
	return nil, r.err
}

// finish checks that the block was read to its end.
func (r *Reader) finish() error {
	if r.head.kind != dataBlock {
		return nil
	}
	r.workload.end()
	r.outcomes.end()
	switch {
	case r.workload.problem != "":
		return r.damaged(r.workload.problem)
	case r.outcomes.problem != "":
		return r.damaged(r.outcomes.problem)
	case r.opts.Workload:
		r.position = r.head.last
	case r.position != r.head.last && r.head.workload+r.head.outcomes > 0:
		return r.damaged("it ends at another time than its header says")
	}
	return nil
}

// read reads the block's next record. It returns what is wrong, "" if nothing is.
func (r *Reader) read() string {
	x := &r.record
	*x = Record{}
	for r.take == 0 && r.left[outcomeFrame] > 0 {
		d := &r.outcomes
		tag := d.byte()
		if tag == tagTake {
			if r.take = d.uvarint(); r.take > uint64(r.left[workloadFrame]) || r.take == 0 {
				d.fail("it takes more records of the workload than there are, or none")
			}
			if d.problem != "" {
				return d.problem
			}
			continue
		}
		r.left[outcomeFrame]--
		return r.readOutcome(d, tag)
	}
	if r.left[workloadFrame] == 0 {
		return "it has fewer records than its header says"
	}
	problem := r.readWorkload()
	if problem == "" {
		problem = r.count()
	}
	return problem
}

// readWorkload reads the next record that came from outside.
func (r *Reader) readWorkload() string {
	x, d := &r.record, &r.workload
	r.left[workloadFrame]--
	if r.take > 0 {
		r.take--
	}
	tag := d.byte()
	x.Time = d.at()
	if tag < tagBatch {
		x.What, x.Event.Kind, x.Event.Time = Workload, cluster.Kind(tag), x.Time
		if !mayBeOutside(x.Event.Kind) {
			return "the workload has an event that is always an outcome"
		}
		if d.event(&r.source, &x.Event); d.problem != "" {
			return d.problem
		}
		if isAboutPod(x.Event.Kind) && !outside(x.Event.Pod) {
			return "an event from outside is about a pod that was an outcome"
		}
		if x.Time < r.fromOutside {
			return "events from outside go back in time"
		}
		r.fromOutside = x.Time
		switch x.Event.Kind {
		case cluster.PodAdded:
			x.Event.Pod = cluster.PodID(2 * r.outside)
			r.outside++
		case cluster.NodeAdded:
			x.Event.Node = cluster.NodeID(r.population.nodes)
			r.population.nodes++
		}
		if r.outside > maxPods || r.population.nodes > maxPods {
			return "there are more pods, or nodes, than there are numbers"
		}
		return ""
	}
	d.other(&r.source, tag, x)
	if x.What == Sample && !outside(x.Usage.Pod) {
		return "a sample from outside is about a pod that was an outcome"
	}
	return d.problem
}

// readOutcome reads an outcome, whose tag is known.
func (r *Reader) readOutcome(d *decoder, tag byte) string {
	x := &r.record
	x.Time = d.at()
	switch {
	case tag == byte(cluster.PodRefused):
		return r.readRefused(d)
	case tag < tagBatch:
		x.What, x.Event.Kind, x.Event.Time = Outcome, cluster.Kind(tag), x.Time
		if x.Event.Kind == cluster.NodeAdded {
			return "that a node comes is said to be an outcome"
		}
		d.event(&r.source, &x.Event)
		if x.Event.Kind == cluster.PodAdded {
			x.Event.Pod = cluster.PodID(2*r.created + 1)
			if r.created++; r.created > maxPods {
				return "there are more pods than there are numbers"
			}
		}
	case d.outcome(&r.source, tag, x):
	case tag == tagUsage:
		if d.other(&r.source, tag, x); outside(x.Usage.Pod) && d.problem == "" {
			return "a sample of a pod from outside is said to be an outcome"
		}
	default:
		return "a record is of a kind that isn't known, or not here"
	}
	if d.problem != "" {
		return d.problem
	}
	return r.count()
}

// readRefused reads that a pod was refused, which may have come from outside.
func (r *Reader) readRefused(d *decoder) string {
	x, at := &r.record, r.record.Time
	own := d.bool()
	if own {
		if r.left[workloadFrame] == 0 {
			return "a pod was refused that has not come"
		}
		if problem := r.readWorkload(); problem != "" {
			return problem
		}
		if x.What != Workload || x.Event.Kind != cluster.PodAdded || x.Time != at {
			return "a pod was refused that has not come"
		}
	} else {
		x.What, x.Event.Time, x.Event.PodSpec = Outcome, at, d.podSpec(&r.defined)
	}
	x.Event.Kind, x.Event.Pod, x.Event.Node = cluster.PodRefused, cluster.None, cluster.None
	x.Event.Code, x.Event.Reason = d.code(), d.string()
	if d.problem != "" {
		return d.problem
	}
	return r.count()
}

// count minds the time and what rounds are to have. Without outcomes there are no rounds.
func (r *Reader) count() string {
	x := &r.record
	r.position = max(r.position, x.Time)
	if r.position > r.head.last {
		return "a record is of a time that its header leaves out"
	}
	if r.opts.Workload {
		return ""
	}
	left := &r.round
	isEvent := x.What == Workload || x.What == Outcome
	switch {
	case left.Events > 0 && isEvent:
		left.Events--
	case left.Events == 0 && left.Decisions > 0 && x.What == Decided:
		left.Decisions--
	case *left != (Batch{}):
		return "a round lacks events, or decisions"
	case x.What == Round:
		*left = x.Batch
	}
	return ""
}

// A Stream is the workload of a file, as traces have it: a cluster/sim Source.
type Stream struct {
	r     *Reader
	kinds []cluster.Kind
}

// NewStream returns the events that r reads, and no other records: those of some kinds, or of
// all if none are given. r should read the workload only.
func NewStream(r *Reader, kinds ...cluster.Kind) *Stream { return &Stream{r, kinds} }

// Next returns the next event, io.EOF after the last, or what is wrong with the file.
func (s *Stream) Next() (cluster.Event, error) {
	for {
		x, err := s.r.Next()
		if err != nil {
			return cluster.Event{}, err
		}
		if x.What == Workload && s.wants(x.Event.Kind) {
			return x.Event, nil
		}
	}
}

func (s *Stream) wants(kind cluster.Kind) bool {
	for _, k := range s.kinds {
		if k == kind {
			return true
		}
	}
	return len(s.kinds) == 0
}

// Arrivals are the kinds of events that a simulated cluster takes from a workload.
func Arrivals() []cluster.Kind {
	return []cluster.Kind{cluster.NodeAdded, cluster.PodAdded, cluster.ObjectSet, cluster.ObjectRemoved}
}
