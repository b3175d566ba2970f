package traces

import (
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/google/go-cmp/cmp"
)

// A listed is a Stream of events that are known.
type listed []cluster.Event

func (l *listed) Next() (cluster.Event, error) {
	if len(*l) == 0 {
		return cluster.Event{}, io.EOF
	}
	e := (*l)[0]
	*l = (*l)[1:]
	return e, nil
}

// again returns a function that gives events anew.
func again(events ...cluster.Event) func() Stream {
	return func() Stream { l := listed(events); return &l }
}

// all reads a Stream to its end.
func all(t testing.TB, s Stream) (events []cluster.Event) {
	t.Helper()
	for {
		e, err := s.Next()
		if errors.Is(err, io.EOF) {
			return events
		}
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
	}
}

const sec = cluster.Second

// nodeAdded is a node with a number, as recordings have it.
func nodeAdded(at cluster.Time, number cluster.NodeID, name string) cluster.Event {
	spec := &cluster.NodeSpec{Name: name, Capacity: cluster.Amounts{4000, 8 << 30, 0, 110}, Labels: cluster.Labels{{Key: hostnameLabel, Value: name}}}
	return cluster.Event{Time: at, Kind: cluster.NodeAdded, Pod: cluster.None, Node: number, NodeSpec: spec}
}

// podAdded is the k-th pod that comes.
func podAdded(at cluster.Time, k int, name string, run cluster.Time) cluster.Event {
	class := &cluster.Class{Namespace: "ns", Requests: cluster.Amounts{1000, 1 << 30}}
	return cluster.Event{Time: at, Kind: cluster.PodAdded, Pod: cluster.PodID(2 * k), Node: cluster.None, PodSpec: &cluster.PodSpec{Name: name, Class: class, Run: run}}
}

func about1(at cluster.Time, kind cluster.Kind, k int) cluster.Event {
	return cluster.Event{Time: at, Kind: kind, Pod: cluster.PodID(2 * k), Node: cluster.None}
}

func ofNode(at cluster.Time, kind cluster.Kind, node cluster.NodeID) cluster.Event {
	return cluster.Event{Time: at, Kind: kind, Pod: cluster.None, Node: node}
}

// told tells events in words, a line each, with numbers.
func told(events []cluster.Event) string {
	var b strings.Builder
	for i := range events {
		e := &events[i]
		b.WriteString(describe(e))
		if comes(e.Kind) {
			b.WriteString(" #" + formatNumber(float64(max(int32(e.Pod), int32(e.Node)))))
		}
		b.WriteString("\n")
	}
	return b.String()
}

func wantTold(t *testing.T, events []cluster.Event, lines ...string) {
	t.Helper()
	want := strings.Join(lines, "\n") + "\n"
	if diff := cmp.Diff(want, told(events)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestCut(t *testing.T) {
	recorded := again(
		nodeAdded(0, 0, "gone"), nodeAdded(0, 1, "stays"),
		podAdded(1*sec, 0, "short", 2*sec), podAdded(1*sec, 1, "long", 20*sec), podAdded(2*sec, 2, "deleted", 20*sec), podAdded(3*sec, 3, "forever", cluster.Never),
		ofNode(4*sec, cluster.NodeRemoved, 0), about1(5*sec, cluster.PodEnded, 2), nodeAdded(6*sec, 2, "late"),
		podAdded(10*sec, 4, "first", 1*sec), podAdded(11*sec, 5, "second", 1*sec),
		about1(12*sec, cluster.PodEnded, 1), about1(12*sec, cluster.PodEnded, 2), about1(13*sec, cluster.PodEnded, 5), ofNode(13*sec, cluster.NodeRemoved, 0), ofNode(13*sec, cluster.NodeRemoved, 2),
		podAdded(15*sec, 6, "after", 1*sec),
	)
	t.Run("without those that run", func(t *testing.T) {
		wantTold(t, all(t, Cut(recorded(), CutOptions{From: 10 * sec, For: 5 * sec})),
			"at 0 s NodeAdded stays #0", "at 0 s NodeAdded late #1",
			"at 0 s PodAdded ns/first for 1 s #0", "at 1 s PodAdded ns/second for 1 s #2",
			"at 3 s PodEnded pod 2", "at 3 s NodeRemoved node 1")
	})
	t.Run("with those that run", func(t *testing.T) {
		wantTold(t, all(t, Cut(recorded(), CutOptions{From: 10 * sec, For: 5 * sec, Running: true})),
			"at 0 s NodeAdded stays #0", "at 0 s NodeAdded late #1",
			"at 0 s PodAdded ns/long for 11 s #0", "at 0 s PodAdded ns/forever #2",
			"at 0 s PodAdded ns/first for 1 s #4", "at 1 s PodAdded ns/second for 1 s #6",
			"at 2 s PodEnded pod 0", "at 3 s PodEnded pod 6", "at 3 s NodeRemoved node 1")
	})
	t.Run("all of it", func(t *testing.T) {
		if diff := cmp.Diff(told(all(t, recorded())), told(all(t, Cut(recorded(), CutOptions{})))); diff != "" {
			t.Errorf("-recorded +cut:\n%s", diff)
		}
	})
	t.Run("nothing comes any more", func(t *testing.T) {
		wantTold(t, all(t, Cut(recorded(), CutOptions{From: 14 * sec, For: 1 * sec})), "at 0 s NodeAdded stays #0")
	})
}

// Two cuts, one after the other, are one.
func TestCutTwice(t *testing.T) {
	tr := open(t, "philly:testdata/philly")
	whole := func() Stream { return tr.Events(1) }
	events := all(t, whole())
	last := events[len(events)-1].Time
	for _, running := range []bool{false, true} {
		for i := range cluster.Time(8) {
			from, more := last*i/10, last/10
			once := all(t, Cut(whole(), CutOptions{From: from + more, Running: running}))
			twice := all(t, Cut(Cut(whole(), CutOptions{From: from, Running: running}), CutOptions{From: more, Running: running}))
			if diff := cmp.Diff(told(once), told(twice)); diff != "" {
				t.Fatalf("from %d, running %v: -once +twice:\n%s", from, running, diff)
			}
		}
	}
}

func TestShiftMovesEveryTime(t *testing.T) {
	started, never := 5*sec, cluster.Never
	health := cluster.NodeHealth{Lease: cluster.Beats{First: 1 * sec, Every: sec, Until: cluster.Never}}
	e := cluster.Event{
		Time: 10 * sec, NodeSpec: &cluster.NodeSpec{Created: 2 * sec, Health: health}, Health: &health,
		PodSpec: &cluster.PodSpec{Started: &started, Run: 3 * sec},
		Object:  &cluster.DisruptionBudget{DisruptedAt: []cluster.Time{7 * sec, never}},
	}
	before := e
	shift(&e, -4*sec)
	moved := cluster.NodeHealth{Lease: cluster.Beats{First: -3 * sec, Every: sec, Until: cluster.Never}}
	began := 1 * sec
	want := cluster.Event{
		Time: 6 * sec, NodeSpec: &cluster.NodeSpec{Created: -2 * sec, Health: moved}, Health: &moved,
		PodSpec: &cluster.PodSpec{Started: &began, Run: 3 * sec},
		Object:  &cluster.DisruptionBudget{DisruptedAt: []cluster.Time{3 * sec, never}},
	}
	if !reflect.DeepEqual(e, want) {
		t.Errorf("got %+v, want %+v", e, want)
	}
	if before.NodeSpec.Created != 2*sec || *before.PodSpec.Started != 5*sec || health.Lease.First != 1*sec {
		t.Error("what others share was changed")
	}
}
