package bench

import (
	"slices"

	"github.com/berthsim/berth/cluster"
)

// A queueTeller is what a plugin that goes by a tree of queues knows of them.
type queueTeller interface {
	EachUse(s *cluster.State, yield func(queue, resource string, used, guaranteed int64))
}

// A queueMeasure is a Recorder that follows what queues use.
type queueMeasure struct {
	teller queueTeller
	lines  []*limitLine // in the teller's order
}

// Record implements cluster.Recorder. It returns no error.
func (m *queueMeasure) Record(s *cluster.State, _ []cluster.Event, _ []cluster.Decision) error {
	i := 0
	m.teller.EachUse(s, func(queue, resource string, used, guaranteed int64) {
		if i == len(m.lines) {
			m.lines = append(m.lines, &limitLine{from: s.Now, at: s.Now, use: LimitUse{Name: queue, Resource: resource}})
		}
		l := m.lines[i]
		l.set(s.Now, used, guaranteed)
		i++
	})
	return nil
}

// results returns what became of all queues, by name and resource.
func (m *queueMeasure) results(end cluster.Time) (list []LimitUse) {
	for _, l := range m.lines {
		list = append(list, l.result(end))
	}
	slices.SortFunc(list, func(a, b LimitUse) int { return compareLimits(&a, &b) })
	return list
}
