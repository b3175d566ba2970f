package wire

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"syscall"
	"testing"
	"time"

	"github.com/berthsim/berth/cluster"
)

// benchEvents is how many arrivals and ends a benchmark writes and reads.
const benchEvents = 400_000

// openbLike makes arrivals and ends as openb has them: some 160 classes, names with a number,
// a pod's end some time after it came.
func openbLike(yield func(e *cluster.Event, outcome bool) error) error {
	const running = 3000
	classes := make([]*cluster.Class, 160)
	for i := range classes {
		classes[i] = &cluster.Class{
			Namespace: "default", Requests: cluster.Amounts{cluster.CPU: int64(1000 + 250*i), cluster.Memory: int64(i) << 30},
			GPUs: cluster.GPURequest{Count: int32(i % 3), Shares: 1000},
		}
	}
	for i := range 1200 {
		node := &cluster.NodeSpec{Name: fmt.Sprintf("openb-node-%04d", i), Capacity: cluster.Amounts{cluster.CPU: 96000}, GPUs: i % 9}
		if err := yield(&cluster.Event{Kind: cluster.NodeAdded, NodeSpec: node}, false); err != nil {
			return err
		}
	}
	specs := make([]cluster.PodSpec, 10_000)
	for i := range specs {
		specs[i] = cluster.PodSpec{Name: fmt.Sprintf("openb-pod-%06d", i), Class: classes[(i*7919>>4)%len(classes)], Run: cluster.Time(i%977) * cluster.Minute}
	}
	var pods []cluster.PodID
	var e, ended cluster.Event // reused
	now := cluster.Time(0)
	for i := range benchEvents / 2 {
		now += cluster.Time(i*2654435761%4096) * cluster.Millisecond
		e = cluster.Event{Time: now, Kind: cluster.PodAdded, PodSpec: &specs[i%len(specs)]}
		if err := yield(&e, false); err != nil {
			return err
		}
		if len(pods) < running {
			pods = append(pods, e.Pod)
			continue
		}
		at := i * 40503 % running
		ended = cluster.Event{Time: now, Kind: cluster.PodEnded, Pod: pods[at], Node: cluster.NodeID(at % 1200)}
		pods[at] = e.Pod
		if err := yield(&ended, true); err != nil {
			return err
		}
	}
	return nil
}

func writeOpenbLike(tb testing.TB, to io.Writer) (events int) {
	w, err := Create(to, Meta{Kind: Dataset}, Options{})
	if err != nil {
		tb.Fatal(err)
	}
	err = openbLike(func(e *cluster.Event, outcome bool) error {
		events++
		if outcome {
			return w.Outcome(e)
		}
		return w.Event(e)
	})
	if err := errors.Join(err, w.Close()); err != nil {
		tb.Fatal(err)
	}
	return events
}

type counting int64

func (c *counting) Write(p []byte) (int, error) {
	*c += counting(len(p))
	return len(p), nil
}

// processorTime is what this process has used of all cores, in seconds. On a machine that others
// use, it says more than the clock does.
func processorTime(tb testing.TB) float64 {
	tb.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano()).Seconds()
}

// report says how many events were dealt with in a second, and in a second of a processor.
func report(b *testing.B, events int, before float64) {
	b.Helper()
	total := float64(events) * float64(b.N)
	b.ReportMetric(total/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(total/(processorTime(b)-before), "events/cpu-s")
}

func BenchmarkWrite(b *testing.B) {
	events, size := 0, counting(0)
	b.ReportAllocs()
	before := processorTime(b)
	for b.Loop() {
		size = 0
		events = writeOpenbLike(b, &size)
	}
	report(b, events, before)
	b.ReportMetric(float64(size)/float64(events), "bytes/event")
}

func BenchmarkRead(b *testing.B) {
	var file bytes.Buffer
	events := writeOpenbLike(b, &file)
	for _, workload := range []bool{false, true} {
		b.Run(fmt.Sprintf("workload=%t", workload), func(b *testing.B) {
			b.ReportAllocs()
			before := processorTime(b)
			n := 0
			for b.Loop() {
				r, err := NewReader(bytes.NewReader(file.Bytes()), ReadOptions{Workload: workload})
				if err != nil {
					b.Fatal(err)
				}
				for n = 0; ; n++ {
					if _, err := r.Next(); err != nil {
						if !errors.Is(err, io.EOF) {
							b.Fatal(err)
						}
						break
					}
				}
			}
			if !workload && n != events {
				b.Fatalf("read %d events of %d", n, events)
			}
			report(b, n, before)
		})
	}
}
