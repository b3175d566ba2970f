package faults

import (
	"errors"
	"io"
	"strings"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/internal/heap"
)

// A Renewal lets each node, rack or zone fail and be repaired in turn, on its
// own:
//
//	nodes(mtbf=30d,mttr=1h)
//	zones(mtbf=60d,mttr=fixed(mean=30m),kind=partition)
//
// MTBF is the mean time of operation between failures, repairs not counted in
// (as in IEC 60050-192), so that availability is MTBF/(MTBF+MTTR). At 0 all are up
// and have been for a while: the first failure is as likely to come on the first
// day as on any other, whatever the distribution.
type Renewal struct {
	By     Domain
	MTBF   Dist
	Repair Dist
	Effect
}

// String implements Model.
func (m *Renewal) String() string {
	opts := append([]string{"mtbf=" + m.MTBF.String(), "mttr=" + m.Repair.String()}, m.Effect.kindOptions()...)
	return m.By.String() + "s(" + strings.Join(opts, ",") + ")"
}

// kindOptions lists the kind, unless it is Crash, and its parameters.
func (e Effect) kindOptions() []string {
	if e.Kind == Crash {
		return nil
	}
	return append([]string{"kind=" + e.Kind.String()}, e.options()...)
}

// Source implements Model. It takes memory for each node, not for each fault.
func (m *Renewal) Source(run Run) (Source, error) {
	groups, err := run.groups(m.By)
	if err != nil {
		return nil, wrongAt(err, m.String(), 0)
	}
	s := &renewals{effect: m.Effect, up: clockOf(m.MTBF), repair: clockOf(m.Repair), horizon: run.Horizon}
	purpose := run.Purpose + "fault of a " + m.By.String() + ": "
	s.units = make([]unit, len(groups))
	for i, g := range groups {
		s.units[i] = unit{
			nodes:   g.nodes,
			ups:     cluster.NewDraw(run.Seed, purpose+"up", g.name),
			repairs: cluster.NewDraw(run.Seed, purpose+"repair", g.name),
		}
		s.push(failure{at: s.up.first(s.units[i].ups.At(0)), unit: int32(i)})
	}
	return s, nil
}

// renewals is the Source of a Renewal.
type renewals struct {
	effect     Effect
	up, repair clock
	horizon    cluster.Time
	units      []unit
	next       heap.Heap[failure] // of each unit that will fail again
}

// A unit is what fails on its own.
type unit struct {
	nodes        []string
	ups, repairs cluster.Draw
}

// A failure is the next of a unit.
type failure struct {
	at        cluster.Time
	unit, nth int32
}

// Before implements heap.Ordered.
func (f failure) Before(other failure) bool {
	if f.at != other.at {
		return f.at < other.at
	}
	return f.unit < other.unit
}

func (s *renewals) push(f failure) {
	if f.at < s.horizon {
		s.next.Push(f)
	}
}

// Next implements Source.
func (s *renewals) Next() (Fault, error) {
	if len(s.next) == 0 {
		return Fault{}, io.EOF
	}
	f := s.next.Pop()
	u := &s.units[f.unit]
	until := later(f.at, s.repair.draw(u.repairs.At(int(f.nth))))
	nth := f.nth + 1
	s.push(failure{at: later(until, s.up.draw(u.ups.At(int(nth)))), unit: f.unit, nth: nth})
	return Fault{At: f.at, Until: until, Nodes: u.nodes, Effect: s.effect}, nil
}

// wrongAt says of an error where it is.
func wrongAt(err error, file string, line int) error {
	if e, ok := errors.AsType[*Error](err); ok {
		e.File, e.Line = file, line
	}
	return err
}
