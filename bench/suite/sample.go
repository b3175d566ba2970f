package suite

import (
	"runtime"
	"time"

	"github.com/berthsim/berth/scheduler"
)

// A Sample is what it took to place some pods, for each of them.
type Sample struct {
	Nanoseconds float64 `json:"ns"`
	Allocs      float64 `json:"allocs"`
	Bytes       float64 `json:"bytes"` // allocated
	// Calibrated is the time as a multiple of what a fixed piece of work took right
	// before and after.
	Calibrated float64 `json:"calibrated"`
}

// A Counter is a kind of work that is counted.
type Counter struct {
	Name string
	of   func(scheduler.Work) uint64
}

// Counters are all there are, of which the amount for a pod is told.
var Counters = []Counter{
	{"filtered", func(w scheduler.Work) uint64 { return w.Filtered }},
	{"scored", func(w scheduler.Work) uint64 { return w.Scored }},
	{"refreshed", func(w scheduler.Work) uint64 { return w.Refreshed }},
	{"scans", func(w scheduler.Work) uint64 { return w.Scans }},
}

// Counts are numbers by the name of their Counter, for a pod.
type Counts map[string]float64

// Measure places pods, and returns what that took and the work that was done.
func (w *World) Measure(pods int) (Sample, Counts) {
	w.Prepare(pods)
	runtime.GC() // what others have left behind is not its
	var before, after runtime.MemStats
	work := w.profile.Work()
	runtime.ReadMemStats(&before)
	unit := calibrate()
	began := time.Now()
	for range pods {
		w.Place()
	}
	took := time.Since(began)
	unit = (unit + calibrate()) / 2
	runtime.ReadMemStats(&after)
	each := float64(took.Nanoseconds()) / float64(pods)
	return Sample{
		Nanoseconds: each,
		Allocs:      float64(after.Mallocs-before.Mallocs) / float64(pods),
		Bytes:       float64(after.TotalAlloc-before.TotalAlloc) / float64(pods),
		Calibrated:  each / float64(unit.Nanoseconds()),
	}, countsSince(work, w.profile.Work(), pods)
}

// countsSince returns what was done between two looks at a profile's work, for each pod.
func countsSince(before, after scheduler.Work, pods int) Counts {
	counts := Counts{}
	for _, c := range Counters {
		counts[c.Name] = float64(c.of(after)-c.of(before)) / float64(pods)
	}
	return counts
}
