package faults

import (
	"io"
	"strings"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/internal/heap"
)

// Correlated lets incidents happen to the cluster, each of which hits a share of
// the nodes, one soon after another:
//
//	correlated(mtbf=7d,share=0.1,by=rack,within=2m,mttr=30m)
//
// The time from an incident to the next is drawn from MTBF, whatever the repairs
// take. Each node, rack or zone is hit with the probability Share, whether others
// are or not; then each node of it fails at a moment that is drawn evenly from
// Within after the incident, and is repaired on its own.
type Correlated struct {
	MTBF   Dist
	Share  float64 // above 0, at most 1
	By     Domain
	Within cluster.Time // 0 for all at once
	Repair Dist
	Effect
}

// String implements Model.
func (m *Correlated) String() string {
	opts := []string{
		"mtbf=" + m.MTBF.String(), "share=" + formatNumber(m.Share), "by=" + m.By.String(),
		"within=" + FormatDuration(m.Within), "mttr=" + m.Repair.String(),
	}
	return "correlated(" + strings.Join(append(opts, m.Effect.kindOptions()...), ",") + ")"
}

// Source implements Model. It takes memory for each node, once for every incident
// that is still going on.
func (m *Correlated) Source(run Run) (Source, error) {
	groups, err := run.groups(m.By)
	if err != nil {
		return nil, wrongAt(err, m.String(), 0)
	}
	draw := func(what, name string) cluster.Draw {
		return cluster.NewDraw(run.Seed, run.Purpose+"correlated fault: "+what, name)
	}
	s := &incidents{
		model: m, horizon: run.Horizon,
		every: clockOf(m.MTBF), repair: clockOf(m.Repair),
		times: draw("incident", ""),
	}
	for _, g := range groups {
		h := hittable{hits: draw("hit", g.name)}
		for i, name := range g.nodes {
			h.nodes = append(h.nodes, fragile{g.nodes[i : i+1 : i+1], draw("onset", name), draw("repair", name)})
		}
		s.groups = append(s.groups, h)
	}
	s.at = s.every.first(s.times.At(0))
	if len(groups) == 0 {
		s.at = cluster.Never // lest one look for a node to hit, for ever
	}
	return s, nil
}

// incidents is the Source of Correlated.
type incidents struct {
	model         *Correlated
	horizon       cluster.Time
	every, repair clock
	times         cluster.Draw
	groups        []hittable
	at            cluster.Time // of the next incident
	nth           int
	onsets        heap.Heap[onset] // of incidents before
	seq           uint64
}

// A hittable is a group of nodes that an incident hits or doesn't.
type hittable struct {
	hits  cluster.Draw
	nodes []fragile
}

type fragile struct {
	name            []string // one
	onsets, repairs cluster.Draw
}

// An onset is a fault that is known already, but not yet at its time.
type onset struct {
	fault Fault
	seq   uint64
}

// Before implements heap.Ordered.
func (o onset) Before(other onset) bool {
	if o.fault.At != other.fault.At {
		return o.fault.At < other.fault.At
	}
	return o.seq < other.seq
}

// Next implements Source.
func (s *incidents) Next() (Fault, error) {
	for s.at < s.horizon && (len(s.onsets) == 0 || s.onsets[0].fault.At >= s.at) {
		s.strike()
	}
	if len(s.onsets) == 0 {
		return Fault{}, io.EOF
	}
	return s.onsets.Pop().fault, nil
}

// strike lets the next incident happen.
func (s *incidents) strike() {
	for i := range s.groups {
		g := &s.groups[i]
		if g.hits.At(s.nth).Float() >= s.model.Share {
			continue
		}
		for j := range g.nodes {
			n := &g.nodes[j]
			at := later(s.at, cluster.Time(float64(float64(s.model.Within)*n.onsets.At(s.nth).Float())))
			if at >= s.horizon {
				continue
			}
			until := later(at, s.repair.draw(n.repairs.At(s.nth)))
			s.seq++
			s.onsets.Push(onset{Fault{At: at, Until: until, Nodes: n.name, Effect: s.model.Effect}, s.seq})
		}
	}
	s.nth++
	s.at = later(s.at, s.every.draw(s.times.At(s.nth)))
}
