package scheduler

import "github.com/berthsim/berth/cluster"

// backoff is for how long a pod rests after it was tried in vain: the first time,
// and at most. Each time it is twice as long.
type backoff struct{ initial, max cluster.Time }

// window is the time within which kube doesn't tell expiries apart: backoffs
// expire at whole seconds.
const window = cluster.Second

// after returns the time to rest after so many tries in vain.
func (b backoff) after(tries int32) cluster.Time {
	shift := uint(tries - 1)
	if b.initial > b.max>>shift {
		return b.max
	}
	return b.initial << shift
}

// expiry returns when p's backoff expires; -1, which is past even at 0, if it has
// none.
func (q *queue) expiry(p cluster.PodID) cluster.Time {
	e := &q.pods[p]
	tries := e.rejections
	if e.errors > 0 {
		tries = e.errors
	}
	if q.backoff.max == 0 || tries == 0 {
		return -1
	}
	if e.expires == cluster.Never {
		e.expires = whole(e.since + q.backoff.after(tries))
	}
	return e.expires
}

// whole cuts off what is more than whole seconds.
func whole(t cluster.Time) cluster.Time { return t - t%window }

// backsOff reports whether p must rest still. It does in the second in which its
// backoff expires.
func (q *queue) backsOff(s *cluster.State, p cluster.PodID) bool { return q.expiry(p) >= whole(s.Now) }

// wakeRested makes the pods active whose backoff is over.
func (q *queue) wakeRested(s *cluster.State) {
	q.incoming.why = backoffOver
	for {
		r, ok := q.backing.first(q, isBacking)
		if !ok || r.expires >= whole(s.Now) {
			break
		}
		q.activate(s, r.pod, true)
	}
	for {
		r, ok := q.failed.peek(q, isFailed)
		if !ok || r.expires >= whole(s.Now) {
			break
		}
		q.activate(s, r.pod, true)
	}
}

// nextRested returns when the first backoff is over, Never if nobody rests.
func (q *queue) nextRested() cluster.Time {
	next := cluster.Never
	if r, ok := q.backing.first(q, isBacking); ok {
		next = r.expires + window
	}
	if r, ok := q.failed.peek(q, isFailed); ok {
		next = min(next, r.expires+window)
	}
	return next
}
