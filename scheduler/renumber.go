package scheduler

import (
	"cmp"
	"slices"

	"github.com/berthsim/berth/cluster"
)

// renumberAt is when tries are numbered anew. Cohorts leave gaps between numbers, which may
// double where cohorts become one, so that even 64 bits don't last for ever.
const renumberAt = 1 << 40

// renumber numbers the last tries of all pods from 1 on, in their order, if numbers have become
// large and no tickets are about that have them: but for those after an error, which are
// changed.
func (q *queue) renumber() {
	if q.single || q.tries < q.renumberAt || q.active.live+q.backing.live > 0 {
		return
	}
	var pods []cluster.PodID
	for p := range q.pods {
		if e := &q.pods[p]; e.place != absent {
			if e.cohort != nil {
				e.seq += e.cohort.shift
			}
			pods = append(pods, cluster.PodID(p))
		}
	}
	slices.SortFunc(pods, func(a, b cluster.PodID) int { return cmp.Compare(q.pods[a].seq, q.pods[b].seq) })
	for i, p := range pods {
		q.pods[p].seq = uint64(i + 1)
	}
	q.tries = uint64(len(pods))
	q.aged = q.aged[:0]
	for _, g := range q.idle.all {
		for _, p := range g.pods {
			if e := &q.pods[p]; e.gate == ungated {
				q.aged.Push(age{e.since, e.seq, p, nil})
			}
		}
		for _, c := range g.cohorts {
			c.shift = 0
			q.aged.Push(age{c.since, c.seqOf(q, 0), c.pods[0], c})
		}
	}
	failed := q.failed.heap
	q.failed.heap = nil
	for _, t := range failed {
		if e := &q.pods[t.pod]; e.place == isFailed && e.ticket == t.number {
			t.seq = e.seq
			q.failed.heap.Push(t)
		}
	}
}
