package traces

import (
	"errors"
	"io"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/traces/wire"
)

// ownItems yields the workload of a file of Berth's own with its notes. Of decisions and
// outcomes there are those notes only that say when a pod was placed, and where.
type ownItems struct {
	file   io.Closer
	reader *wire.Reader
	pods   cluster.PodID // that have come from outside

	// Of pods that wait, in a log; a dataset says by itself how long they did.
	came  map[cluster.PodID]cluster.Time
	bound map[cluster.PodID]cluster.Allocation // by decisions whose outcome is to come
}

// openNoted begins to read the file, outcomes included.
func (f *ownFile) openNoted() (Stream, error) {
	in, err := f.read()
	if err != nil {
		return nil, err
	}
	r, err := wire.NewReader(in, wire.ReadOptions{Name: f.path})
	if err != nil {
		_ = in.Close() // only read
		return nil, err
	}
	o := &ownItems{file: in, reader: r}
	if r.Meta().Kind != wire.Dataset {
		o.came, o.bound = map[cluster.PodID]cluster.Time{}, map[cluster.PodID]cluster.Allocation{}
	}
	return &itemStream{next: o.next}, nil
}

// next returns what comes next.
func (o *ownItems) next() (item, error) {
	for {
		x, err := o.reader.Next()
		if err != nil {
			_ = o.file.Close() // only read
			return item{}, err
		}
		switch x.What {
		case wire.Workload:
			return item{event: o.event(x.Event)}, nil
		case wire.Sample:
			if x.Usage.Pod%2 == 0 { // others were outcomes
				return item{note: &Note{What: wire.Sample, At: x.Time, Usage: x.Usage}}, nil
			}
		case wire.Placed:
			delete(o.came, x.Placement.Pod)
			return item{note: &Note{What: wire.Placed, At: x.Time, Placement: x.Placement}}, nil
		case wire.Struck:
			return item{note: &Note{What: wire.Struck, At: x.Time, Fault: x.Fault}}, nil
		case wire.Missing:
			gap := x.Gap
			return item{note: &Note{What: wire.Missing, At: x.Time, Gap: &gap}}, nil
		case wire.Decided:
			if x.Decision.Kind == cluster.Bind && o.bound != nil {
				o.bound[x.Decision.Pod] = x.Decision.Allocation
			}
		case wire.Outcome:
			if n := o.outcome(&x.Event, x.Time); n != nil {
				return item{note: n}, nil
			}
		}
	}
}

// event returns what the workload has of an event: that a pod comes, where it was refused.
func (o *ownItems) event(e cluster.Event) cluster.Event {
	switch e.Kind {
	case cluster.PodRefused:
		e = cluster.Event{Time: e.Time, Kind: cluster.PodAdded, Pod: o.pods, Node: cluster.None, PodSpec: e.PodSpec}
	case cluster.PodEnded:
		delete(o.came, e.Pod)
		delete(o.bound, e.Pod)
	}
	if e.Kind == cluster.PodAdded {
		o.pods = e.Pod + 2
		if o.came != nil {
			o.came[e.Pod] = e.Time
		}
	}
	return e
}

// outcome returns the note that a pod from outside was placed, nil if that isn't what an
// outcome says.
func (o *ownItems) outcome(e *cluster.Event, at cluster.Time) *Note {
	if e.Kind != cluster.PodBound && e.Kind != cluster.PodEnded {
		return nil
	}
	came, waited := o.came[e.Pod]
	given := o.bound[e.Pod]
	delete(o.came, e.Pod)
	delete(o.bound, e.Pod)
	if e.Kind == cluster.PodEnded || !waited {
		return nil
	}
	return &Note{What: wire.Placed, At: at, Placement: wire.Placement{Pod: e.Pod, Node: e.Node, Wait: at - came, Allocation: given}}
}

// used returns what pods used under a seed.
func (f *ownFile) used(seed int64) (used []Used, err error) {
	err = f.each(seed, func(n *Note) {
		if n.What == wire.Sample {
			used = append(used, Used{At: n.At, Usage: n.Usage})
		}
	})
	return used, err
}

// waits returns how long pods waited in what the file is a recording of.
func (f *ownFile) waits() (waits []cluster.Time, err error) {
	err = f.each(0, func(n *Note) {
		if n.What == wire.Placed && n.Placement.Wait >= 0 {
			waits = append(waits, n.Placement.Wait)
		}
	})
	return waits, err
}

// each gives the notes under a seed, one after the other.
func (f *ownFile) each(seed int64, take func(*Note)) error {
	for s := f.noted(seed); ; {
		i, err := nextItem(s)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if i.note != nil {
			take(i.note)
		}
	}
}
