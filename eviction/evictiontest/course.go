package evictiontest

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/faults"
	"github.com/berthsim/berth/eviction"
)

// A Course is a random cluster and what befalls it: some hours of faults, then calm, in
// which all nodes are well but some that stay silent, fewer than half of any zone.
type Course struct {
	Settings eviction.Settings
	Until    cluster.Time // when it ends; may be changed

	seed    int64
	nodes   []*cluster.NodeSpec
	arrive  []cluster.Event // nodes and pods, in order of time
	faults  faults.List
	budgets []*cluster.DisruptionBudget
	counts  []count
}

// A count is what budgets allow from a time on.
type count struct {
	at      cluster.Time
	allowed int32
}

// The times of a Course: faults begin and end in storm, but for those that stay.
const (
	storm = 3 * cluster.Hour
	calm  = storm + cluster.Hour
	day   = 24 * cluster.Hour
)

// RandomCourse returns the course of a seed.
func RandomCourse(seed uint64) *Course {
	rng := rand.New(rand.NewPCG(seed, 2))
	c := &Course{Settings: eviction.Defaults(), Until: calm + day, seed: rng.Int64()}
	if rng.IntN(2) == 0 {
		c.Settings.Grace = cluster.Time(17+rng.IntN(60)) * cluster.Second
		c.Settings.Rate = []float32{0.05, 0.2, 2}[rng.IntN(3)] // with 1, upstream has stopped zones starve
		c.Settings.LargeZone = rng.IntN(10)
	}
	zones := 1 + rng.IntN(4)
	for i := range 1 + rng.IntN(30) {
		c.nodes = append(c.nodes, &cluster.NodeSpec{
			Name: fmt.Sprintf("n%02d", i), Capacity: cluster.Amounts{cluster.PodSlots: 6},
			Labels: cluster.MakeLabels(map[string]string{faults.ZoneLabel: fmt.Sprint("z", rng.IntN(zones))}),
		})
	}
	for _, n := range c.nodes {
		at := cluster.Time(0)
		if rng.IntN(8) == 0 {
			at = between(rng, 0, storm)
		}
		n.Created = at
		c.arrive = append(c.arrive, cluster.Event{Time: at, Kind: cluster.NodeAdded, NodeSpec: n})
	}
	for i := range rng.IntN(8 * len(c.nodes)) {
		c.arrive = append(c.arrive, cluster.Event{Time: between(rng, cluster.Second, storm), Kind: cluster.PodAdded, PodSpec: randomPod(rng, fmt.Sprintf("p%03d", i))})
	}
	slices.SortStableFunc(c.arrive, func(a, b cluster.Event) int { return cmp.Compare(a.Time, b.Time) })
	c.strike(rng)
	c.limit(rng)
	return c
}

// between draws a time between two. No two things happen at once, so that what comes of it
// doesn't depend on which is first.
func between(rng *rand.Rand, from, to cluster.Time) cluster.Time {
	return from + cluster.Time(rng.Int64N(int64(to-from)))
}

func randomPod(rng *rand.Rand, name string) *cluster.PodSpec {
	class := &cluster.Class{Namespace: "test", Requests: cluster.Amounts{cluster.PodSlots: 1}}
	switch rng.IntN(6) {
	case 0, 1:
		class.Owner = cluster.OwnerRef{Kind: "ReplicaSet", Name: fmt.Sprint("web-", rng.IntN(3))}
	case 2, 3:
		class.Owner = cluster.OwnerRef{Kind: "Job", Name: fmt.Sprint("train-", rng.IntN(3))}
	case 4:
		class.Owner = cluster.OwnerRef{Kind: "PyTorchJob", Name: "tune"}
	}
	for _, key := range []string{cluster.TaintUnreachable, cluster.TaintNotReady} {
		t := cluster.Toleration{Key: key, Exists: true, Effect: cluster.NoExecute}
		seconds := []int64{0, 10, 60, 300, 300, 3000}[rng.IntN(6)]
		switch rng.IntN(8) {
		case 0:
		case 1:
			class.Tolerations = append(class.Tolerations, t)
		default:
			t.Seconds = &seconds
			class.Tolerations = append(class.Tolerations, t)
		}
	}
	stop := cluster.Time(rng.Int64N(int64(40 * cluster.Second)))
	run := cluster.Never
	if rng.IntN(3) == 0 {
		run = between(rng, cluster.Second, 2*storm)
	}
	return &cluster.PodSpec{
		Name: name, Class: class, Labels: cluster.MakeLabels(map[string]string{"app": fmt.Sprint("a", rng.IntN(3))}),
		Run: run, Stop: stop, Grace: 30 * cluster.Second,
	}
}

// strike draws faults: of some nodes, of whole zones, and of some that stay.
func (c *Course) strike(rng *rand.Rand) {
	byZone := map[string][]string{}
	for _, n := range c.nodes {
		zone, _ := n.Labels.Get(faults.ZoneLabel)
		byZone[zone] = append(byZone[zone], n.Name)
	}
	add := func(at, until cluster.Time, nodes []string) {
		f := faults.Fault{At: at, Until: until, Nodes: nodes}
		if until == cluster.Never {
			f.Kind = []faults.Kind{faults.Crash, faults.Hang, faults.Partition}[rng.IntN(3)]
		} else {
			f.Effect = randomEffect(rng)
		}
		c.faults = append(c.faults, f)
	}
	for z := range 4 {
		names := byZone[fmt.Sprint("z", z)]
		if len(names) == 0 {
			continue
		}
		for range rng.IntN(4) {
			at := between(rng, 0, storm-cluster.Hour)
			some := names[:1+rng.IntN(len(names))]
			add(at, at+between(rng, 10*cluster.Second, cluster.Hour), some)
		}
		if lost := len(names) / 3; lost > 0 {
			add(between(rng, 0, storm), cluster.Never, names[len(names)-lost:])
		}
	}
	slices.SortStableFunc(c.faults, func(a, b faults.Fault) int { return cmp.Compare(a.At, b.At) })
}

// randomEffect draws what a fault does that doesn't stay.
func randomEffect(rng *rand.Rand) (e faults.Effect) {
	e.Kind = []faults.Kind{faults.Crash, faults.Hang, faults.Partition, faults.Flap, faults.Flap, faults.Late, faults.Pressure}[rng.IntN(7)]
	switch e.Kind {
	case faults.Flap:
		e.Period = between(rng, 2*cluster.Minute, 10*cluster.Minute)
		e.Down = between(rng, cluster.Minute, e.Period)
	case faults.Late:
		e.By = between(rng, cluster.Second, 2*cluster.Minute)
	case faults.Pressure:
		e.Signal = faults.Signals[rng.IntN(len(faults.Signals))]
	}
	return e
}

// limit draws budgets, and what they allow: everything, once all is calm.
func (c *Course) limit(rng *rand.Rand) {
	for i := range rng.IntN(4) {
		c.budgets = append(c.budgets, &cluster.DisruptionBudget{
			Namespace: "test", Name: fmt.Sprint("b", i), Allowed: int32(rng.IntN(3)),
			Selector: &cluster.Selector{Requirements: []cluster.Requirement{{Key: "app", Op: cluster.In, Values: []string{fmt.Sprint("a", i)}}}},
		})
	}
	for at := between(rng, 0, storm/8); at < calm; at += between(rng, cluster.Second, storm/8) {
		c.counts = append(c.counts, count{at, int32(rng.IntN(3))})
	}
	c.counts = append(c.counts, count{calm, 1 << 20})
}
