package evictiontest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/eviction"
	"github.com/berthsim/berth/scheduler/schedulertest"
)

// watched is an instance of a policy of which every answer is checked.
type watched struct {
	nodes eviction.NodePolicy
	pods  eviction.PodPolicy
	fault error // the first
	asked int
}

func (w *watched) found(format string, args ...any) {
	if w.fault == nil {
		w.fault = fmt.Errorf(format, args...)
	}
}

// keeping has something be asked, and finds out whether that writes to the State: of the
// first times always, later now and then, since it takes much longer than asking.
func (w *watched) keeping(s *cluster.State, ask func()) {
	if w.asked++; w.asked > 500 && w.asked%32 != 0 {
		ask()
		return
	}
	before := schedulertest.Fingerprint(s)
	ask()
	if schedulertest.Fingerprint(s) != before {
		w.found("the State was written to")
	}
}

// view returns what others can read of a zone, as it is now.
func view(z *eviction.Zone) any {
	type view struct {
		name          string
		state         eviction.ZoneState
		stopped       bool
		size, unready int
		waiting       []cluster.NodeID
		zones         []*eviction.Zone
		nodes         int
		silent        []eviction.Silence
	}
	p := z.Cluster
	return view{z.Name, z.State, z.Stopped, z.Size, z.Unready, slices.Clone(z.Waiting), slices.Clone(p.Zones), p.Nodes, slices.Clone(p.Silent)}
}

// NextNode implements eviction.NodePolicy.
func (w *watched) NextNode(s *cluster.State, z *eviction.Zone) (i int, at cluster.Time) {
	before := view(z)
	w.keeping(s, func() {
		i, at = w.nodes.NextNode(s, z)
		if at <= s.Now {
			return
		}
		if j, again := w.nodes.NextNode(s, z); again != at {
			w.found("at %d ns, node %d of zone %q is next at %d ns, and asked again node %d at %d ns", s.Now, i, z.Name, at, j, again)
		}
	})
	if !reflect.DeepEqual(view(z), before) {
		w.found("zone %q was written to", z.Name)
	}
	if i < 0 || i >= len(z.Waiting) {
		w.found("place %d in a line of %d", i, len(z.Waiting))
	}
	if at < s.Now {
		w.found("a node is next at %d ns, which is before now, %d ns", at, s.Now)
	}
	if w.fault != nil { // the run ends with this round
		return 0, cluster.Never
	}
	return i, at
}

// ZoneChanged implements eviction.ZoneWatcher.
func (w *watched) ZoneChanged(s *cluster.State, z *eviction.Zone) {
	if watcher, ok := w.nodes.(eviction.ZoneWatcher); ok {
		w.keeping(s, func() { watcher.ZoneChanged(s, z) })
	}
}

// NextPods implements eviction.PodPolicy.
func (w *watched) NextPods(s *cluster.State, due []cluster.PodID) (now []cluster.PodID, again cluster.Time) {
	asked := slices.Clone(due)
	w.keeping(s, func() {
		now, again = w.pods.NextPods(s, due)
		now = slices.Clone(now)
		if twice, at := w.pods.NextPods(s, due); !slices.Equal(twice, now) || at != again {
			w.found("rows %v of %v go now, and asked again rows %v", now, due, twice)
		}
	})
	if !slices.Equal(due, asked) {
		w.found("the pods asked about were changed from rows %v to %v", asked, due)
	}
	left := len(asked)
	for i, p := range now {
		if err := canGo(s, p, now[:i]); err != nil {
			w.found("%w", err)
			return nil, cluster.Never
		}
		if slices.Contains(asked, p) {
			left--
		}
	}
	if left > 0 && again <= s.Now {
		w.found("%d pods stay, and are to be asked about again at %d ns, which isn't later than now, %d ns", left, again, s.Now)
		return nil, cluster.Never
	}
	return now, again
}

// canGo returns why a pod can't be deleted, nil if it can.
func canGo(s *cluster.State, p cluster.PodID, before []cluster.PodID) error {
	switch {
	case p < 0 || int(p) >= s.Pods.Rows() || s.Pods.Phase[p] == cluster.Ended:
		return fmt.Errorf("row %d goes, and there is no such pod", p)
	case slices.Contains(before, p):
		return errors.New("pod " + s.PodName(p) + " goes twice")
	case s.Pods.Node[p] == cluster.None:
		return errors.New("pod " + s.PodName(p) + " goes, and is on no node")
	case s.Pods.Phase[p] == cluster.Terminating:
		return errors.New("pod " + s.PodName(p) + " goes, and has been told to end before")
	}
	return nil
}
