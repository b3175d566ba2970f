package scheduler

import (
	"fmt"
	"maps"
	"slices"

	"github.com/berthsim/berth/cluster"
)

// A Sorter gives the queue another order: kube's QueueSort. Pods wait in several lanes, in
// each of them in kube's order, and the Sorter says which lane's turn it is. So the order may
// depend on what has been placed since a pod began to wait, which that of a heap can't, and
// still costs no more than there are lanes.
//
// A profile has at most one Sorter, and all profiles of a Scheduler must have the same one, as
// kube-scheduler demands: they share a queue.
type Sorter interface {
	// Lane returns in which lane p waits, a small number from 0 on. It may depend on p's
	// class alone. It must not write to s.
	Lane(s *cluster.State, p cluster.PodID) int

	// First returns the place in heads of the pod to be tried next. Heads are the first
	// pods of all lanes that have any, by number of the lane. It must not write to s.
	First(s *cluster.State, heads []cluster.PodID) int
}

// maxLanes bounds the numbers of lanes, so that a wrong one doesn't cost all memory.
const maxLanes = 1 << 16

type namedSorter struct {
	name string
	Sorter
}

// addSorter takes in that a plugin sorts, if it does. There can be only one.
func (pr *Profile) addSorter(name string, except Points, inst any) error {
	so, ok := inst.(Sorter)
	if !ok || except&AtQueueSort != 0 {
		return nil
	}
	if pr.sorter.Sorter != nil {
		return fmt.Errorf("plugins %s and %s both sort the queue; it has one order, so name one of them", pr.sorter.name, name)
	}
	pr.sorter = namedSorter{name, so}
	return nil
}

// sorterOf returns the Sorter of all profiles, nil if they have none.
func sorterOf(profiles map[string]*Profile) Sorter {
	var first *Profile
	for _, name := range slices.Sorted(maps.Keys(profiles)) {
		pr := profiles[name]
		if first == nil {
			first = pr
		}
		if pr.sorter.name != first.sorter.name {
			panic(fmt.Sprintf("scheduler: profiles sort the queue by %q and by %q, and there is one queue for all", first.sorter.name, pr.sorter.name))
		}
	}
	if first == nil {
		return nil
	}
	return first.sorter.Sorter
}

// lanes are the lanes for one place, by number. Without a Sorter there is one.
type lanes[T holder[T]] struct {
	all  []lane[T]
	live int // tickets that are not void, in all of them
}

func (ls *lanes[T]) push(i int32, t T) {
	for len(ls.all) <= int(i) {
		ls.all = append(ls.all, lane[T]{})
	}
	ls.all[i].push(t)
	ls.live++
}

// void says that a ticket in lane i is void now.
func (ls *lanes[T]) void(i int32) {
	ls.all[i].live--
	ls.live--
}

// pop takes out the ticket whose turn it is.
func (ls *lanes[T]) pop(q *queue, s *cluster.State, where place) (t T, ok bool) {
	if len(ls.all) == 0 {
		return t, false
	}
	i := 0
	if len(ls.all) > 1 {
		if i = ls.turn(q, s, where); i < 0 {
			return t, false
		}
	}
	if t, ok = ls.all[i].pop(q, where); ok {
		ls.live--
	}
	return t, ok
}

// turn returns the lane whose turn it is, -1 if all are empty. The Sorter is asked only if
// there is a choice.
func (ls *lanes[T]) turn(q *queue, s *cluster.State, where place) int {
	q.heads, q.places = q.heads[:0], q.places[:0]
	for i := range ls.all {
		if t, ok := ls.all[i].peek(q, where); ok {
			q.heads, q.places = append(q.heads, t.held().pod), append(q.places, i)
		}
	}
	switch len(q.heads) {
	case 0:
		return -1
	case 1:
		return q.places[0]
	}
	k := q.sorter.First(s, q.heads)
	if k < 0 || k >= len(q.heads) {
		panic(fmt.Sprintf("scheduler: of %d lanes a Sorter chooses %d", len(q.heads), k))
	}
	return q.places[k]
}

// first returns the ticket that comes before all others, whichever lane's turn it is.
func (ls *lanes[T]) first(q *queue, where place) (first T, ok bool) {
	for i := range ls.all {
		if t, found := ls.all[i].peek(q, where); found && (!ok || t.Before(first)) {
			first, ok = t, true
		}
	}
	return first, ok
}

// laneOf returns the lane in which p waits.
func (q *queue) laneOf(s *cluster.State, p cluster.PodID) int32 {
	if q.sorter == nil {
		return 0
	}
	i := q.sorter.Lane(s, p)
	if i < 0 || i >= maxLanes {
		panic(fmt.Sprintf("scheduler: a Sorter has %s wait in lane %d; lanes are 0 to %d", s.PodName(p), i, maxLanes-1))
	}
	return int32(i)
}
