package lifecycle

import (
	"testing"
	"testing/synctest"
	"time"
)

// renewals lists when leases are renewed, one by one: the slow twin of Leases.
func renewals(tl *Timeline) (list []Step) {
	on, next := map[string]bool{}, map[string]time.Duration{}
	beats := map[string]Beat{}
	until := func(at time.Duration) {
		for name := range next {
			for ; next[name] <= at; next[name] += beats[name].Every {
				if on[name] && next[name] > 0 {
					list = append(list, Step{At: next[name], renew: name})
				}
			}
		}
	}
	for _, s := range tl.Steps() {
		until(s.At)
		switch {
		case s.Node != nil && s.Node.Lease.Every > 0:
			n := s.Node
			on[n.Name], beats[n.Name], next[n.Name] = true, n.Lease, n.Lease.Phase-n.Lease.Every
			for next[n.Name] <= s.At {
				next[n.Name] += n.Lease.Every
			}
			list = append(list, Step{At: s.At, renew: n.Name}) // it is made then
		case s.Event == nil:
		case s.Event.Verb == RemoveNode:
			delete(next, s.Event.Name)
		case s.Event.Verb == Fail || s.Event.Verb == StopLease:
			on[s.Event.Name] = false
		case s.Event.Verb == Return || s.Event.Verb == RenewLease:
			on[s.Event.Name] = true
		}
	}
	until(tl.End)
	return list
}

// TestLeases has leases written when they are renewed, and the controllers see them through their
// informer, as in a cluster; what is computed of leases must do the same.
func TestLeases(t *testing.T) {
	pin()
	for _, i := range numbers(60) {
		tl := Draw(1, i)
		var written []Observation
		synctest.Test(t, func(*testing.T) { written = play(tl, renewals(tl)) })
		Sort(written)
		if d := Compare(Upstream(t)(tl), written, 0); d != "" {
			t.Errorf("timeline %d\n%s", i, d)
		}
	}
}
