package replay

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/sim"
	"github.com/berthsim/berth/traces/wire"
)

// firstFit binds each pod that comes to the first node that has room: so little that what a log
// costs shows.
type firstFit struct{}

func (firstFit) Step(s *cluster.State, events []cluster.Event) cluster.Time {
	for i := range events {
		if events[i].Kind != cluster.PodAdded {
			continue
		}
		for _, n := range s.Nodes.Live() {
			if s.Free(n, cluster.PodSlots) > 0 {
				s.Bind(events[i].Pod, n, cluster.Allocation{})
				break
			}
		}
	}
	return cluster.Never
}

// busy is a workload of pods that come, are bound and end.
func busy(pods int) sim.List {
	class := &cluster.Class{Namespace: "default"}
	var list sim.List
	for i := range 100 {
		list = append(list, cluster.Event{Kind: cluster.NodeAdded, NodeSpec: &cluster.NodeSpec{Name: fmt.Sprint("n", i), Capacity: cluster.Amounts{cluster.PodSlots: 110}}})
	}
	for i := range pods {
		spec := &cluster.PodSpec{Name: fmt.Sprintf("pod-%06d", i), Class: class, Run: cluster.Time(i%900) * cluster.Second}
		list = append(list, cluster.Event{Time: cluster.Time(i) * cluster.Second, Kind: cluster.PodAdded, PodSpec: spec})
	}
	return list
}

func play(b *testing.B, c cluster.Cluster, s *cluster.State, rec cluster.Recorder) {
	b.Helper()
	if err := cluster.Run(context.Background(), c, s, rec, firstFit{}); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkLog plays a run without a log, with one, and from one. What a log costs is the
// difference of the first two.
func BenchmarkLog(b *testing.B) {
	const pods = 50_000
	simulated := func(b *testing.B, s *cluster.State) cluster.Cluster {
		list := busy(pods)
		c, err := sim.New(s, &list, sim.Options{})
		if err != nil {
			b.Fatal(err)
		}
		return c
	}
	logged := func(b *testing.B, to io.Writer) {
		s := cluster.NewState()
		c := simulated(b, s)
		w, err := wire.Create(to, Meta(s), wire.Options{})
		if err != nil {
			b.Fatal(err)
		}
		play(b, c, s, NewLog(w))
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("log=none", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s := cluster.NewState()
			play(b, simulated(b, s), s, cluster.Recorders{})
		}
		b.ReportMetric(b.Elapsed().Seconds()*1e9/float64(b.N)/pods, "ns/pod")
	})
	var file bytes.Buffer
	b.Run("log=written", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			file.Reset()
			logged(b, &file)
		}
		b.ReportMetric(b.Elapsed().Seconds()*1e9/float64(b.N)/pods, "ns/pod")
		b.ReportMetric(float64(file.Len())/pods, "bytes/pod")
	})
	b.Run("log=replayed", func(b *testing.B) {
		file.Reset()
		logged(b, &file)
		b.ReportAllocs()
		for b.Loop() {
			from, err := wire.NewReader(bytes.NewReader(file.Bytes()), wire.ReadOptions{})
			if err != nil {
				b.Fatal(err)
			}
			s := cluster.NewState()
			r := New(s, from)
			if play(b, r, s, cluster.Recorders{}); r.Difference() != nil {
				b.Fatal(r.Difference())
			}
		}
		b.ReportMetric(b.Elapsed().Seconds()*1e9/float64(b.N)/pods, "ns/pod")
	})
}
