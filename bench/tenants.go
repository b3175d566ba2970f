package bench

import (
	"maps"
	"slices"
	"strings"

	"github.com/berthsim/berth/cluster"
)

// refusals follow the pods that admission refuses. They wait from their first try on, though
// the cluster has never seen them.
type refusals struct {
	tries, pods int
	since       map[string]refusal               // by namespace and name, of those that are not there yet
	admitted    map[cluster.PodID]admittedLately // of those that were refused and have no node yet
}

type refusal struct {
	at     cluster.Time
	spec   *cluster.PodSpec
	reason string
}

type admittedLately struct {
	order uint64 // of its arrival: rows are reused
	first cluster.Time
}

// refuse notes a try in vain.
func (r *refusals) refuse(e *cluster.Event) {
	if r.since == nil {
		r.since, r.admitted = map[string]refusal{}, map[cluster.PodID]admittedLately{}
	}
	r.tries++
	key := cluster.Key(e.PodSpec.Class.Namespace, e.PodSpec.Name)
	if _, again := r.since[key]; !again {
		r.pods++
		r.since[key] = refusal{e.Time, e.PodSpec, e.Reason}
	}
}

// admit notes that a pod is there.
func (r *refusals) admit(s *cluster.State, e *cluster.Event) {
	if len(r.since) == 0 {
		return
	}
	key := cluster.Key(e.PodSpec.Class.Namespace, e.PodSpec.Name)
	if was, ok := r.since[key]; ok {
		delete(r.since, key)
		r.admitted[e.Pod] = admittedLately{s.Pods.Order[e.Pod], was.at}
	}
}

// came returns when p was first to be created, and forgets it.
func (r *refusals) came(s *cluster.State, p cluster.PodID) cluster.Time {
	if len(r.admitted) == 0 {
		return s.Pods.Arrived[p]
	}
	was, ok := r.admitted[p]
	delete(r.admitted, p)
	if !ok || was.order != s.Pods.Order[p] {
		return s.Pods.Arrived[p]
	}
	return was.first
}

// waiting returns how many pods were refused and have not been admitted yet.
func (r *refusals) waiting() int { return len(r.since) }

// unplaced adds to what is said of pods without a node those that wait for being created.
func (r *refusals) unplaced(to map[string]int) {
	for _, was := range r.since {
		why, _, _ := strings.Cut(was.reason, ", requested:")
		to["not created: "+why]++
	}
}

// metrics adds those of runs in which anybody was refused.
func (r *refusals) metrics(out map[string]float64) {
	if r.tries > 0 {
		out["pods_refused"], out["refusals"] = float64(r.pods), float64(r.tries)
	}
}

// tenants sum up, by namespace, how long pods wait and run. Sums are whole numbers of
// seconds, so that they don't depend on their order.
type tenants struct {
	of    map[string]*tenant
	began []cluster.Time // by row
}

// A tenant is a namespace.
type tenant struct{ pods, gpus spent }

// spent is how long pods waited and ran, in seconds times what a pod counts for.
type spent struct{ waited, ran int64 }

func (x *spent) add(times int64, waited, ran cluster.Time) {
	x.waited += times * int64(waited/cluster.Second)
	x.ran += times * int64(ran/cluster.Second)
}

// begin notes that p begins to run, after so long a wait.
func (ts *tenants) begin(s *cluster.State, p cluster.PodID, now, waited cluster.Time) {
	for len(ts.began) <= int(p) {
		ts.began = append(ts.began, 0)
	}
	ts.began[p] = now
	ts.add(s.Class(p), waited, 0)
}

// end notes that p has run up to now.
func (ts *tenants) end(s *cluster.State, p cluster.PodID, now cluster.Time) {
	if int(p) < len(ts.began) {
		ts.add(s.Class(p), 0, now-ts.began[p])
	}
}

func (ts *tenants) add(c *cluster.Class, waited, ran cluster.Time) {
	if ts.of == nil {
		ts.of = map[string]*tenant{}
	}
	x := ts.of[c.Namespace]
	if x == nil {
		x = &tenant{}
		ts.of[c.Namespace] = x
	}
	x.pods.add(1, waited, ran)
	x.gpus.add(c.GPUs.Total(), waited, ran)
}

// addUnfinished adds the pods that run still, or still wait, up to now.
func (ts *tenants) addUnfinished(s *cluster.State, r *refusals) {
	for p := range cluster.PodID(s.Pods.Rows()) {
		switch {
		case s.Pods.Phase[p] == cluster.Pending:
			ts.add(s.Class(p), s.Now-r.came(s, p), 0)
		case s.Pods.Node[p] != cluster.None:
			ts.end(s, p, s.Now)
		}
	}
	for _, was := range r.since {
		ts.add(was.spec.Class, s.Now-was.at, 0)
	}
}

// jain returns Jain's index of fairness (Jain, Chiu and Hawe 1984), (Σx)²/(n·Σx²), over the
// namespaces that had pods; x is the share of the time that its pods were there, weighted
// by their GPUs if it has any, in which they ran. It is 1 if all fare alike, and 1/n if one
// has it all. There is none for fewer than two namespaces.
func (ts *tenants) jain() (index float64, ok bool) {
	var sum, squares float64
	n := 0
	for _, name := range slices.Sorted(maps.Keys(ts.of)) {
		x := ts.of[name].gpus
		if x.waited+x.ran == 0 {
			x = ts.of[name].pods
		}
		if x.waited+x.ran == 0 {
			continue
		}
		share := float64(x.ran) / float64(x.waited+x.ran)
		sum += share
		squares += float64(share * share)
		n++
	}
	if n < 2 || squares == 0 {
		return 0, false
	}
	return float64(sum*sum) / float64(float64(n)*squares), true
}
