package lifecycle

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// A Tally counts what was seen, so that a comparison of nothing doesn't look like one.
type Tally struct {
	Timelines    int
	Observations int // of nodes and pods
	Counts       map[string]int
}

// NewTally returns an empty one.
func NewTally() *Tally { return &Tally{Counts: map[string]int{}} }

// Add counts a timeline and what was observed in it, zones included.
func (y *Tally) Add(t *Timeline, seen []Observation) {
	y.Timelines++
	for _, e := range t.Events {
		y.Counts["event: "+string(e.Verb)]++
	}
	zones := map[string]string{}
	for i, o := range seen {
		if o.Kind != OfZone {
			y.Observations++
			y.Counts[string(o.Kind)+": "+o.What]++
			continue
		}
		what, size, _ := strings.Cut(o.What, " of ")
		before, after, _ := strings.Cut(what, " to ")
		y.Counts["zone: "+what]++
		zones[o.Name] = after
		var nodes int32
		if _, err := fmt.Sscan(size, &nodes); err == nil && after == "PartialDisruption" {
			y.Counts[fmt.Sprintf("state: %s, large %v", after, nodes > t.Settings.Large)]++
		} else if after != "FullDisruption" {
			y.Counts["state: "+after]++
		}
		if i+1 < len(seen) && seen[i+1].Kind == OfZone && seen[i+1].At == o.At {
			continue // the pass isn't over
		}
		y.dark(zones, before, after)
	}
	y.situations(t, seen)
}

// dark counts how many zones are fully disrupted at the end of a pass that changed the last one's state.
func (y *Tally) dark(zones map[string]string, before, after string) {
	dark := 0
	for _, state := range zones {
		if state == "FullDisruption" {
			dark++
		}
	}
	switch {
	case dark == len(zones):
		y.Counts["state: FullDisruption of all zones"]++
	case dark > 0:
		y.Counts["state: FullDisruption, but not of all zones"]++
	case before == "FullDisruption" && after != before:
		y.Counts["state: FullDisruption is over"]++
	}
}

// String lists counts in order of their names, also those that are expected and 0, and the sums.
func (y *Tally) String() string {
	names := maps.Clone(y.Counts)
	for _, name := range Expected() {
		names[name] += 0
	}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(names)) {
		fmt.Fprintf(&b, "%7d %s\n", names[name], name)
	}
	fmt.Fprintf(&b, "%d timelines, %d transitions", y.Timelines, y.Observations)
	return b.String()
}

// Missing lists what is expected and wasn't seen.
func (y *Tally) Missing() (names []string) {
	for _, name := range Expected() {
		if y.Counts[name] == 0 {
			names = append(names, name)
		}
	}
	return names
}

// Expected lists all that some hundreds of timelines should show.
func Expected() (names []string) {
	for _, v := range slices.Sorted(maps.Keys(verbs)) {
		names = append(names, "event: "+string(v))
	}
	for _, c := range []string{"Ready", "MemoryPressure", "DiskPressure", "PIDPressure"} {
		names = append(names, "node: "+BecameUnknown(c, "NodeStatusUnknown"), "node: "+BecameUnknown(c, "NodeStatusNeverUpdated"))
	}
	for _, key := range []string{"not-ready", "unreachable", "memory-pressure", "disk-pressure", "pid-pressure", "network-unavailable", "unschedulable"} {
		key = "node.kubernetes.io/" + key
		names = append(names, "node: "+Tainted(key, noSchedule), "node: "+Untainted(key, noSchedule))
		if key == notReadyKey || key == unreachableKey {
			names = append(names, "node: "+Tainted(key, noExecute), "node: "+Untainted(key, noExecute))
		}
	}
	names = append(names, "pod: "+NotReady, "pod: "+Deleted)
	states := []string{"Normal", "PartialDisruption", "FullDisruption"}
	for _, before := range append(states, "Initial") {
		for _, after := range states {
			if before != after {
				names = append(names, "zone: "+before+" to "+after)
			}
		}
	}
	names = append(names, "state: Normal", "state: PartialDisruption, large true", "state: PartialDisruption, large false",
		"state: FullDisruption of all zones", "state: FullDisruption, but not of all zones", "state: FullDisruption is over")
	for _, s := range situations {
		names = append(names, "situation: "+s)
	}
	return names
}

// situations are what follows from several observations.
var situations = []string{
	backEarly, atOnce, inTime, spared, orphan, swapped, waited, goneQueued, darkUntaint, secondTaint, anExcluded, bounced,
}

const (
	backEarly   = "a node is well again before its NoExecute taint"
	waited      = "a node waits for its NoExecute taint"
	goneQueued  = "a node goes while it waits for its NoExecute taint"
	swapped     = "a node's NoExecute taint is swapped for the other"
	darkUntaint = "NoExecute taints are taken when all zones go dark"
	anExcluded  = "an excluded node becomes Unknown"
	bounced     = "a node becomes Unknown again"
	atOnce      = "a pod is deleted as its node is tainted"
	inTime      = "a pod is deleted when it has tolerated long enough"
	spared      = "a taint that a pod tolerates for some time is taken before"
	orphan      = "a pod of a node that is gone is deleted"
	secondTaint = "a second NoExecute taint comes to a pod that tolerates the first for some time"
)

// A nodeStory is what is known of a node while its story is told.
type nodeStory struct {
	there    bool
	excluded bool
	unknown  int           // how often it became so
	since    time.Duration // it became Unknown; 0 if it isn't, or is tainted
	executes map[string]time.Duration
}
