package bench

import (
	"cmp"
	"errors"
	"io"
	"math"
	"slices"
	"time"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/traces"
)

// A Census says what there is in a trace: of its pods, by when they come, what they ask
// for and how long they run.
//
// What runs at a time is counted as if each pod had its node at once, so that it depends
// on the trace alone. Pods that never end run until the last arrival.
type Census struct {
	Version  string            `json:"version"`
	Trace    string            `json:"trace"`
	Format   string            `json:"format"`
	Hash     string            `json:"hash"`
	Seed     int64             `json:"seed"`
	Epoch    string            `json:"epoch,omitempty"` // when time 0 is, as RFC 3339 has it
	Rows     int               `json:"rows"`
	Rejected []CensusRejection `json:"rejected"`
	Gaps     []CensusGap       `json:"gaps"` // times of which a recording may not tell all

	Nodes      int             `json:"nodes"`
	GPUs       int             `json:"gpus"`
	NodeKinds  []CensusNodes   `json:"node_kinds"` // the most frequent first
	Pods       int64           `json:"pods"`
	Ending     int64           `json:"pods_that_end"`
	Classes    int             `json:"classes"`
	Namespaces int             `json:"namespaces"`
	Owners     int             `json:"owners"`
	Span       float64         `json:"span_seconds"` // from the first arrival to the last
	Other      []CensusCount   `json:"other_events"` // beside nodes and pods that come: by kind, and of pods that end by reason
	Load       []CensusLoad    `json:"load"`
	Running    CensusLevel     `json:"running"` // pods
	Arrivals   CensusArrivals  `json:"arrivals"`
	Sizes      []CensusSizes   `json:"sizes"`
	Durations  CensusDurations `json:"durations"`

	TopClasses    []CensusShare `json:"top_classes"`
	TopNamespaces []CensusShare `json:"top_namespaces"`

	counts censusCounts // for pictures
}

// CensusRejection is why rows of the recording are no part of the trace.
type CensusRejection struct {
	Reason string `json:"reason"`
	Rows   int    `json:"rows"`
	File   string `json:"file,omitempty"` // with the first of them
	Line   int    `json:"line,omitempty"`
}

// CensusGap is a time of which a recording may not tell all, in seconds since it began.
type CensusGap struct {
	From   float64 `json:"from_seconds"`
	Until  float64 `json:"until_seconds"`
	Notes  int     `json:"notes"`  // how many of the recording's gaps overlap in it
	Reason string  `json:"reason"` // of the first
}

// CensusNodes is nodes that have the same.
type CensusNodes struct {
	Count int    `json:"count"`
	What  string `json:"what"`
}

// CensusCount is how often something happens.
type CensusCount struct {
	What  string `json:"what"`
	Count int64  `json:"count"`
}

// CensusLevel is how much there is of something over time. P95 is of means over Step
// seconds.
type CensusLevel struct {
	Mean float64 `json:"mean"`
	P95  float64 `json:"p95"`
	Peak float64 `json:"peak"`
	Step float64 `json:"step_seconds"`
}

// CensusLoad is what pods that run ask for of a resource, in its unit, and what nodes
// have.
type CensusLoad struct {
	Resource string  `json:"resource"`
	Capacity float64 `json:"capacity"`
	Asked    float64 `json:"asked"`   // by all pods together
	Offered  float64 `json:"offered"` // offered load, as a share of capacity
	CensusLevel
}

// CensusArrivals is when pods come.
type CensusArrivals struct {
	MeanPerHour float64  `json:"mean_per_hour"`
	PeakPerHour int64    `json:"peak_per_hour"` // in an hour on the hour, or from the beginning if nobody knows when that is
	ByHour      []int64  `json:"by_hour"`       // of the day if the trace says when it begins, else of 24 hours from its beginning
	ByDay       []int64  `json:"by_day"`        // of the week, from Monday on; of weeks from the beginning if nobody knows when that is
	Days        []string `json:"days"`          // what ByDay's are called
}

// CensusSizes is what pods ask for of a resource, in its unit.
type CensusSizes struct {
	Resource string  `json:"resource"`
	None     float64 `json:"none"` // share of pods that ask for none; the rest is of the others
	Mean     float64 `json:"mean"`
	P50      int64   `json:"p50"`
	P90      int64   `json:"p90"`
	P99      int64   `json:"p99"`
	Max      int64   `json:"max"`
}

// CensusDurations is how long pods run that end, in seconds. Quantiles are right to 1 %.
type CensusDurations struct {
	Mean float64 `json:"mean"`
	P10  float64 `json:"p10"`
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p99.9"`
	Max  float64 `json:"max"`

	// Longest1 and Longest10 are the shares of all time run that the longest 1 % and 10 %
	// of pods have: of a heavy tail, most.
	Longest1  float64 `json:"share_of_longest_1"`
	Longest10 float64 `json:"share_of_longest_10"`
}

// CensusShare is a class or namespace, its pods, and its share of what is asked for of
// the main resource, times how long it runs.
type CensusShare struct {
	What   string  `json:"what"`
	Pods   int64   `json:"pods"`
	Share  float64 `json:"share"`
	Demand float64 `json:"share_of_demand"`
}

// mostShown is how many classes and namespaces are named.
const mostShown = 10

// TakeCensus reads a trace's workload under a seed. It holds the pods that run at a
// time, and what there is of each class and namespace.
func TakeCensus(t *traces.Trace, s traces.Stream, seed int64) (*Census, error) {
	c := &Census{Version: Version, Trace: t.Name, Format: t.Format, Hash: t.Hash, Seed: seed, Rows: t.Rows, Rejected: []CensusRejection{}, Gaps: []CensusGap{}}
	for _, r := range t.Rejected {
		c.Rejected = append(c.Rejected, CensusRejection(r))
	}
	k := &c.counts
	if !t.Epoch.IsZero() {
		c.Epoch = t.Epoch.Format(time.RFC3339Nano)
		k.past = cluster.Time(t.Epoch.Sub(t.Epoch.Truncate(time.Hour)))
	}
	k.begin()
	for {
		e, err := s.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		k.take(&e)
	}
	k.finish()
	c.summarise(t.Epoch)
	return c, nil
}

// AddGaps adds what Trace.Gaps says.
func (c *Census) AddGaps(gaps []traces.Gap) {
	for _, g := range gaps {
		c.Gaps = append(c.Gaps, CensusGap{From: g.From.Seconds(), Until: g.Until.Seconds(), Notes: g.Notes, Reason: g.Reason})
	}
}

// summarise makes figures of what was counted.
func (c *Census) summarise(epoch time.Time) {
	k := &c.counts
	d := &k.demand
	c.Nodes, c.GPUs, c.Pods, c.Ending = d.Nodes, d.GPUs, d.Pods, d.Ending
	c.Span = d.Window().Seconds()
	c.Classes, c.Namespaces, c.Owners = len(k.classes), len(k.namespaces), k.owners
	c.NodeKinds, c.Other = k.nodeKinds, k.other
	if c.Other == nil {
		c.Other = []CensusCount{}
	}
	slices.SortStableFunc(c.NodeKinds, func(a, b CensusNodes) int { return cmp.Compare(b.Count, a.Count) })
	for _, r := range d.Resources() {
		load := CensusLoad{Resource: r.Name, Capacity: r.Capacity, Asked: r.Asked, Offered: d.Offered(r.Name)}
		if level := k.level(r.Name, false); level != nil {
			load.CensusLevel = level.summary()
		}
		if r.Name != "pods" {
			c.Load = append(c.Load, load)
			c.Sizes = append(c.Sizes, k.sizes(r.Name))
		}
	}
	c.Running = k.running.summary()
	c.Arrivals = k.arrivals(epoch, d)
	c.Durations = k.runs.summary()
	c.TopClasses, c.TopNamespaces = k.top(k.classes), k.top(k.namespaces)
}

// arrivals sums arrivals up by hour and day.
func (k *censusCounts) arrivals(epoch time.Time, d *traces.Demand) CensusArrivals {
	a := CensusArrivals{ByHour: make([]int64, 24), ByDay: make([]int64, 7)}
	hours := math.Max(d.Window().Seconds()/3600, 1)
	a.MeanPerHour = float64(d.Pods) / hours
	for i, n := range k.hours {
		a.PeakPerHour = max(a.PeakPerHour, n)
		at := time.Unix(0, 0).UTC().Add(time.Duration(i) * time.Hour)
		day := i / 24 % 7
		if !epoch.IsZero() {
			at = epoch.Truncate(time.Hour).Add(time.Duration(i) * time.Hour)
			day = (int(at.Weekday()) + 6) % 7
		}
		a.ByHour[at.Hour()] += n
		a.ByDay[day] += n
	}
	a.Days = []string{"day 1", "day 2", "day 3", "day 4", "day 5", "day 6", "day 7"}
	if !epoch.IsZero() {
		a.Days = []string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}
	}
	return a
}

// sizes returns what pods ask for of a resource.
func (k *censusCounts) sizes(resource string) CensusSizes {
	type size struct{ amount, pods int64 }
	var list []size
	out := CensusSizes{Resource: resource}
	asking, sum := int64(0), 0.0
	for _, g := range k.classes {
		traces.EachRequest(g.class, func(name string, amount int64) {
			if name == resource {
				list = append(list, size{amount, g.pods})
				asking += g.pods
				sum += float64(float64(amount) * float64(g.pods))
			}
		})
	}
	out.None = 1 - float64(asking)/math.Max(float64(k.demand.Pods), 1)
	if asking == 0 {
		return out
	}
	slices.SortFunc(list, func(a, b size) int { return cmp.Compare(a.amount, b.amount) })
	out.Mean, out.Max = sum/float64(asking), list[len(list)-1].amount
	for _, q := range []struct {
		share float64
		to    *int64
	}{{0.5, &out.P50}, {0.9, &out.P90}, {0.99, &out.P99}} {
		before := int64(0)
		for _, s := range list {
			if before += s.pods; float64(before) >= q.share*float64(asking) {
				*q.to = s.amount
				break
			}
		}
	}
	return out
}

// top returns the largest of some groups, by pods.
func (k *censusCounts) top(groups []*censusGroup) []CensusShare {
	sorted := slices.Clone(groups)
	slices.SortStableFunc(sorted, func(a, b *censusGroup) int { return cmp.Compare(b.pods, a.pods) })
	total := 0.0
	for _, g := range groups {
		total += k.demandOf(g)
	}
	list := []CensusShare{}
	for _, g := range sorted[:min(len(sorted), mostShown)] {
		s := CensusShare{What: g.name, Pods: g.pods, Share: float64(g.pods) / float64(k.demand.Pods)}
		if g.class != nil {
			s.What = classWords(g.class)
		}
		if total > 0 {
			s.Demand = k.demandOf(g) / total
		}
		list = append(list, s)
	}
	return list
}

// demandOf returns what a group asks for of the main resource, times how long it runs
// where pods end.
func (k *censusCounts) demandOf(g *censusGroup) float64 {
	ofGPUs := k.demand.Main() == cluster.GPUShares
	switch {
	case ofGPUs && k.demand.Timed():
		return g.gpuSeconds
	case ofGPUs:
		return g.gpus
	case k.demand.Timed():
		return g.cpuSeconds
	}
	return g.cpus
}
