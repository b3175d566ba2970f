package replay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"time"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/traces/wire"
)

// Replay is a cluster.Cluster that plays the log of a run back: Next returns what it returned
// then, whatever the deadline, and Apply compares what is decided with what was decided then.
// It ends with the log, or after the first difference: what came afterwards followed from
// other decisions.
type Replay struct {
	state *cluster.State
	from  *wire.Reader

	pods  rows[cluster.PodID]
	nodes rows[cluster.NodeID]
	batch []cluster.Event
	fresh []fresh                      // what came in batch, whose rows aren't known yet
	then  []cluster.Decision           // what was decided, with numbers
	ours  map[objectKey]cluster.Object // the last that were decided now

	differs *Difference
}

// fresh is a pod or node that came, by its number, in an event of the batch.
type fresh struct {
	event int
	pod   cluster.PodID
	node  cluster.NodeID
}

// A Difference is where a replay first decided something else than the run that was logged.
type Difference struct {
	Time  cluster.Time
	Index int    // of the decision, among those of its round, from 0
	Then  string // what was decided in the log, "" if nothing was
	Now   string // what is decided now, "" if nothing is
}

// String returns a sentence.
func (d *Difference) String() string {
	or := func(text string) string {
		if text == "" {
			return "nothing"
		}
		return text
	}
	return fmt.Sprintf("after %v, as decision %d of the round: the log has %s, and now it is %s", time.Duration(d.Time), d.Index+1, or(d.Then), or(d.Now))
}

// New returns a Replay of the log that from reads, outcomes included. Its events are for s,
// which must be empty; what the log says of its State is set.
func New(s *cluster.State, from *wire.Reader) *Replay {
	s.Seed, s.Mix = from.Meta().Seed, from.Meta().Mix
	return &Replay{
		state: s, from: from, pods: newRows[cluster.PodID](), nodes: newRows[cluster.NodeID](), ours: map[objectKey]cluster.Object{},
	}
}

// Difference returns where something else was decided, nil if nothing was, so far.
func (r *Replay) Difference() *Difference { return r.differs }

// Next implements cluster.Cluster. Its error says what is wrong with the log.
func (r *Replay) Next(ctx context.Context, _ cluster.Time) (cluster.Time, []cluster.Event, error) {
	now := r.state.Now
	if r.differs != nil {
		return now, nil, io.EOF
	}
	if err := ctx.Err(); err != nil {
		return now, nil, err
	}
	x, err := r.round()
	if err != nil {
		return now, nil, err
	}
	now, size := x.Time, x.Batch
	r.batch, r.fresh, r.then = r.batch[:0], r.fresh[:0], r.then[:0]
	for range size.Events {
		if x, err = r.from.Next(); err != nil {
			return now, nil, unfinished(err)
		}
		if err := r.take(&x.Event); err != nil {
			return now, nil, fmt.Errorf("replaying %v at %d ns: %w", x.Event.Kind, x.Time, err)
		}
	}
	for range size.Decisions {
		if x, err = r.from.Next(); err != nil {
			return now, nil, unfinished(err)
		}
		r.then = append(r.then, x.Decision)
	}
	return now, r.batch, nil
}

// round finds the next round. Samples, gaps and the like are passed over.
func (r *Replay) round() (*wire.Record, error) {
	for {
		x, err := r.from.Next()
		if err != nil {
			return nil, err
		}
		switch x.What {
		case wire.Round:
			return x, nil
		case wire.Workload, wire.Outcome, wire.Decided:
			return nil, fmt.Errorf("replaying: the file has events that are in no round, as a data set does; play its workload instead")
		}
	}
}

// unfinished makes the end of a log an error: it is in the middle of a round.
func unfinished(err error) error {
	if errors.Is(err, io.EOF) {
		return errors.New("replaying: the log ends within a round")
	}
	return err
}

// take appends an event of the log to the batch, with rows instead of numbers.
func (r *Replay) take(e *cluster.Event) error {
	x := *e
	switch e.Kind {
	case cluster.PodAdded:
		r.fresh = append(r.fresh, fresh{len(r.batch), e.Pod, cluster.None})
		x.Pod, x.Node = 0, 0
	case cluster.NodeAdded:
		if _, there := r.state.Nodes.Named(e.NodeSpec.Name); there && !r.leaves(e.NodeSpec.Name) {
			return fmt.Errorf("the node %q is there already", e.NodeSpec.Name)
		}
		r.fresh = append(r.fresh, fresh{len(r.batch), cluster.None, e.Node})
		x.Pod, x.Node = 0, 0
	case cluster.Rejected:
		d, err := r.inRows(&e.Decision)
		if err != nil {
			return err
		}
		d.Detail = r.own(d.Detail)
		x.Decision, x.Pod, x.Node = d, d.Pod, d.Node
	case cluster.ObjectSet:
		if ours := r.ours[keyOf(e.Object)]; ours != nil && reflect.DeepEqual(ours, e.Object) {
			x.Object = ours // controllers may know what they stored by its address
		}
	case cluster.NodeRemoved, cluster.NodeChanged, cluster.NodeHeard:
		row, ok := r.nodes.live(e.Node)
		if !ok {
			return fmt.Errorf("the node %d isn't there", e.Node)
		}
		if e.Kind == cluster.NodeRemoved {
			r.nodes.leave(e.Node)
		}
		x.Node = row
	case cluster.PodRefused, cluster.ObjectRemoved:
	default:
		// A node that comes back tells of its pods at once, even of those that end.
		_, there := r.pods.live(e.Pod)
		ends := e.Kind == cluster.PodEnded
		if x.Pod, x.Node = r.pods.row(e.Pod), r.nodes.row(e.Node); x.Pod == cluster.None || !there && (ends || e.Kind == cluster.PodChanged) {
			return fmt.Errorf("the pod %d isn't there", e.Pod)
		}
		if ends {
			r.pods.leave(e.Pod)
		}
	}
	r.batch = append(r.batch, x)
	return nil
}

// leaves reports whether the batch has a node leave before one of its name comes.
func (r *Replay) leaves(name string) bool {
	for i := range r.batch {
		if e := &r.batch[i]; e.Kind == cluster.NodeRemoved && r.state.Nodes.Name[e.Node] == name {
			return true
		}
	}
	return false
}

// inRows returns a decision of the log with rows instead of numbers.
func (r *Replay) inRows(d *cluster.Decision) (cluster.Decision, error) {
	x := *d
	x.Pod, x.Node = r.pods.row(d.Pod), r.nodes.row(d.Node)
	if d.Pod != cluster.None && x.Pod == cluster.None || d.Node != cluster.None && x.Node == cluster.None {
		return x, fmt.Errorf("%v is about pod %d and node %d, of which one isn't there", d.Kind, d.Pod, d.Node)
	}
	aboutPod := d.Kind <= cluster.Nominate || d.Kind == cluster.MarkUnready || d.Kind == cluster.RequestEviction || d.Kind == cluster.Finalise
	aboutNode := d.Kind == cluster.Bind || d.Kind == cluster.AddTaint || d.Kind == cluster.RemoveTaint || d.Kind == cluster.SetConditions
	if aboutPod && x.Pod == cluster.None || aboutNode && x.Node == cluster.None {
		return x, fmt.Errorf("%v names no pod, or no node", d.Kind)
	}
	return x, nil
}

// own returns what was decided now in place of what the log says of it, if they are equal:
// State takes back what it knows by its address.
func (r *Replay) own(detail cluster.Detail) cluster.Detail {
	if o, ok := detail.(cluster.Stored); ok {
		if ours := r.ours[keyOf(o.To)]; ours != nil && reflect.DeepEqual(ours, o.To) {
			return cluster.Stored{From: o.From, To: ours}
		}
	}
	return detail
}

// Apply implements cluster.Cluster. It carries nothing out: what became of the decisions is in
// the log. Its error says what is wrong with the log.
func (r *Replay) Apply(_ context.Context, ds []cluster.Decision) error {
	r.learn()
	for i := range max(len(ds), len(r.then)) {
		var then, now *cluster.Decision
		if i < len(r.then) {
			x, err := r.inRows(&r.then[i])
			if err != nil {
				return fmt.Errorf("replaying what was decided at %d ns: %w", r.state.Now, err)
			}
			then = &x
		}
		if i < len(ds) {
			now = &ds[i]
		}
		if then == nil || now == nil || !reflect.DeepEqual(*then, *now) {
			r.differs = &Difference{Time: r.state.Now, Index: i, Then: r.describe(then), Now: r.describe(now)}
			return nil
		}
		if o, ok := now.Detail.(cluster.Stored); ok {
			r.ours[keyOf(o.To)] = o.To
		}
	}
	return nil
}

// learn notes in which rows State has put what came.
func (r *Replay) learn() {
	for _, f := range r.fresh {
		if e := &r.batch[f.event]; e.Kind == cluster.PodAdded {
			r.pods.come(f.pod, e.Pod)
		} else {
			r.nodes.come(f.node, e.Node)
		}
	}
	r.fresh = r.fresh[:0]
}

// describe returns a decision by names.
func (r *Replay) describe(d *cluster.Decision) string {
	if d == nil {
		return ""
	}
	text := d.Kind.String()
	if d.Pod != cluster.None {
		text += " of " + r.state.PodName(d.Pod)
	}
	if d.Node != cluster.None {
		text += " on " + r.state.Nodes.Name[d.Node]
	}
	if d.GPUs != 0 {
		text += fmt.Sprintf(" with GPUs %b", d.GPUs)
	}
	switch of := d.Detail.(type) {
	case nil:
	case *cluster.PodSpec:
		text += " " + nameOf(of)
	case cluster.Stored:
		text += fmt.Sprintf(" %+v", reflect.Indirect(reflect.ValueOf(of.To)))
	default:
		text += fmt.Sprintf(" %+v", of)
	}
	return text
}
