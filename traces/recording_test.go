package traces

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/traces/wire"
	"github.com/google/go-cmp/cmp"
)

// recordingOf writes a recording of a live cluster: pods that ran when it began, that were
// bound and ended in it, that were deleted before, and that run at its end.
func recordingOf(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "r.berth")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	w, err := wire.Create(f, wire.Meta{Kind: wire.Recording}, wire.Options{})
	if err != nil {
		t.Fatal(err)
	}
	class := &cluster.Class{Namespace: "default", Requests: cluster.Amounts{cluster.CPU: 1000}}
	pod := func(name, on string) *cluster.PodSpec {
		return &cluster.PodSpec{Name: name, Class: class, On: on, Run: cluster.Never}
	}
	node := &cluster.NodeSpec{
		Name: "n", Capacity: cluster.Amounts{cluster.CPU: 4000, cluster.Memory: 1 << 30, cluster.PodSlots: 10},
		Taints: []cluster.Taint{{Key: cluster.TaintNotReady, Effect: cluster.NoSchedule}, {Key: "own", Effect: cluster.NoSchedule}},
	}
	const sec = cluster.Second
	write := func(e cluster.Event, outside bool) {
		t.Helper()
		put := w.Outcome
		if outside {
			put = w.Event
		}
		if err := put(&e); err != nil {
			t.Fatal(err)
		}
	}
	changed := func(at cluster.Time, p cluster.PodID, spec *cluster.PodSpec) {
		write(cluster.Event{Time: at, Kind: cluster.PodChanged, Pod: p, Node: cluster.None, PodSpec: spec}, false)
	}
	came := func(at cluster.Time, name string) {
		write(cluster.Event{Time: at, Kind: cluster.PodAdded, PodSpec: pod(name, "")}, true)
	}
	write(cluster.Event{Time: 1, Kind: cluster.NodeAdded, NodeSpec: node}, true)
	came(1, "before")
	changed(1, 0, pod("before", "n"))
	came(10*sec, "whole")
	came(10*sec, "deleted")
	changed(15*sec, 2, pod("whole", "n"))
	changed(16*sec, 2, pod("whole", "n")) // its labels, say
	write(cluster.Event{Time: 20 * sec, Kind: cluster.PodEnded, Pod: 4, Node: cluster.None}, false)
	write(cluster.Event{Time: 30 * sec, Kind: cluster.PodEnded, Pod: 0, Node: 0}, false)
	write(cluster.Event{Time: 40 * sec, Kind: cluster.NodeRemoved, Pod: cluster.None, Node: 0}, true)
	write(cluster.Event{Time: 41 * sec, Kind: cluster.NodeAdded, NodeSpec: node}, true)
	came(45*sec, "late")
	changed(50*sec, 6, pod("late", "n"))
	write(cluster.Event{Time: 55 * sec, Kind: cluster.PodEnded, Pod: 2, Node: 0}, false)
	came(58*sec, "waits")
	changed(60*sec, 6, pod("late", "n"))
	if err := errors.Join(w.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestRecording wants pods of a recording to come when they came, and to run for as long as
// they ran, wherever that was.
func TestRecording(t *testing.T) {
	file := recordingOf(t)
	const sec = cluster.Second
	type came struct {
		Name string
		At   cluster.Time
		Run  cluster.Time
	}
	for _, test := range []struct {
		spec string
		late []came // those that run at the end
	}{
		{file, []came{{"late", 45 * sec, 10 * sec}, {"waits", 58 * sec, 2 * sec}}},
		{file + "?rest=never", []came{{"late", 45 * sec, cluster.Never}, {"waits", 58 * sec, cluster.Never}}},
	} {
		tr := open(t, test.spec)
		want := append([]came{{"n", 1, 0}, {"before", 1, 30*sec - 1}, {"whole", 10 * sec, 40 * sec}}, test.late...)
		var got []came
		for s := tr.Events(1); ; {
			e, err := s.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			switch e.Kind {
			case cluster.NodeAdded:
				got = append(got, came{e.NodeSpec.Name, e.Time, 0})
				if len(e.NodeSpec.Taints) != 1 || e.NodeSpec.Taints[0].Key != "own" {
					t.Errorf("the node's taints are %v", e.NodeSpec.Taints)
				}
			case cluster.PodAdded:
				got = append(got, came{e.PodSpec.Name, e.Time, e.PodSpec.Run})
				if e.PodSpec.On != "" {
					t.Errorf("%s says where it was", e.PodSpec.Name)
				}
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.spec, diff)
		}
		if tr.Pods != 4 || tr.Nodes != 1 || len(tr.Rejected) != 1 || tr.Rejected[0].Rows != 1 {
			t.Errorf("%s: %d pods, %d nodes, left out %v", test.spec, tr.Pods, tr.Nodes, tr.Rejected)
		}
	}
	if a, b := open(t, file), open(t, file+"?rest=never"); a.Hash == b.Hash {
		t.Error("other run times have the same hash")
	}
}
