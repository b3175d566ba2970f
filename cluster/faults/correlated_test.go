package faults

import (
	"math"
	"testing"

	"github.com/berthsim/berth/cluster"
)

// TestCorrelatedIncidents groups faults into incidents, which are far apart here.
func TestCorrelatedIncidents(t *testing.T) {
	const count, years = 200, 3
	horizon := years * 365 * day
	m := parse(t, "correlated(mtbf=7d,share=0.1,within=2m,mttr=30m)")
	list := all(t, m, Run{Nodes: nodes(count), Seed: 5, Horizon: horizon})
	incidents, spread, repairs := 0, 0.0, 0.0
	var began cluster.Time = -day
	for _, f := range list {
		if f.At > began+2*cluster.Minute {
			incidents++
			began = f.At
		}
		spread += (f.At - began).Seconds()
		repairs += (f.Until - f.At).Seconds()
	}
	n := float64(len(list))
	if want := float64(horizon) / float64(week); math.Abs(float64(incidents)-want) > 3*math.Sqrt(want) {
		t.Errorf("%d incidents, want about %v", incidents, want)
	}
	if hit := n / float64(incidents) / count; math.Abs(hit-0.1) > 0.005 {
		t.Errorf("%v of nodes are hit by an incident", hit)
	}
	if mean := repairs / n; math.Abs(mean/1800-1) > 0.05 {
		t.Errorf("repairs take %v s", mean)
	}
	// of 20 nodes hit within 2 minutes, the first is at 120/21 s and the others lie evenly behind it
	if mean := spread / n; math.Abs(mean-54) > 4 {
		t.Errorf("nodes fail %v s after the first of them", mean)
	}
}

// TestCorrelatedByRack has whole racks fail.
func TestCorrelatedByRack(t *testing.T) {
	run := Run{Nodes: nodes(400), Seed: 5, Horizon: 365 * day}
	list := all(t, parse(t, "correlated(mtbf=7d,share=0.3,by=rack,mttr=fixed(mean=1h))"), run)
	racks := map[cluster.Time]map[string]int{}
	for _, f := range list {
		for i := range run.Nodes {
			if run.Nodes[i].Name == f.Nodes[0] {
				if racks[f.At] == nil {
					racks[f.At] = map[string]int{}
				}
				racks[f.At][run.Nodes[i].Rack]++
			}
		}
	}
	for at, hit := range racks {
		for rack, n := range hit {
			if n != 20 {
				t.Errorf("at %v, %d nodes of rack %s fail", at, n, rack)
			}
		}
	}
	if len(racks) < 30 || len(racks) > 80 {
		t.Errorf("%d incidents in a year", len(racks))
	}
}

// TestCorrelatedOverlaps has incidents that begin while nodes still fail from
// those before: all must come in order, which all checks.
func TestCorrelatedOverlaps(t *testing.T) {
	list := all(t, parse(t, "correlated(mtbf=1h,share=1,within=10h,mttr=1m)"), Run{Nodes: nodes(10), Seed: 1, Horizon: week})
	if len(list) < 1200 || len(list) > 2100 {
		t.Errorf("%d faults of about 168 incidents with 10 nodes", len(list))
	}
}
