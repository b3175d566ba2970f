package lifecycle

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// Keys of taints that controllers put, and one of users'.
const (
	notReadyKey    = "node.kubernetes.io/not-ready"
	unreachableKey = "node.kubernetes.io/unreachable"
	dedicatedKey   = "dedicated"
	brokenKey      = "broken"
)

// Effects of taints.
const (
	noSchedule = "NoSchedule"
	noExecute  = "NoExecute"
)

// A drawer draws one timeline.
type drawer struct {
	*rand.Rand
	t       *Timeline
	zones   [][]int // nodes of each zone; the first stays, and counts
	instant int     // how many were drawn
	shuffle []int   // thousandths of a second, but tenths
}

// Draw draws the timeline of a number among those of a seed. Of twenty timelines, one has a zone of more
// than 50 nodes, and two have some tens of nodes; the others have 3 to 12. A zone never loses all its
// nodes that count: upstream forgets a zone without such nodes sooner or later, as the order of a map
// has it.
func Draw(seed, number uint64) *Timeline {
	d := &drawer{Rand: rand.New(rand.NewPCG(seed, number)), t: &Timeline{}}
	for ms := range 1000 {
		if ms%100 != 0 {
			d.shuffle = append(d.shuffle, ms)
		}
	}
	d.Shuffle(len(d.shuffle), func(i, j int) { d.shuffle[i], d.shuffle[j] = d.shuffle[j], d.shuffle[i] })
	d.settings()
	switch number % 20 {
	case 0:
		d.nodes(60+d.IntN(56), true)
	case 7, 14:
		d.nodes(15+d.IntN(30), false)
	default:
		d.nodes(3+d.IntN(10), false)
	}
	if d.chance(15) {
		d.night(pick(d, d.zones...), pick(d, 60, 80, 100))
	}
	d.pods()
	d.t.End = d.between(240, 660).Truncate(time.Second) + 50*time.Millisecond
	for range 2 + d.IntN(5) {
		scene := scenes[d.IntN(len(scenes))]
		scene(d, d.between(0, 200))
	}
	if d.chance(35) {
		d.brink(d.between(0, 100))
	}
	if number%20 == 0 {
		d.outage(d.between(5, 60), d.zones[0], 0.56+0.4*d.Float64())
	}
	t := d.t
	slices.SortStableFunc(t.Nodes, func(a, b Node) int { return cmp.Compare(a.At, b.At) })
	slices.SortStableFunc(t.Pods, func(a, b Pod) int { return cmp.Compare(a.At, b.At) })
	slices.SortStableFunc(t.Events, func(a, b Event) int { return cmp.Compare(a.At, b.At) })
	return t
}

// between draws a time between two, in seconds. Within a second, each time drawn is at another instant,
// so that what follows whole seconds later comes at its own instant too.
func (d *drawer) between(from, to float64) time.Duration {
	whole := time.Duration(from+d.Float64()*(to-from)) * time.Second
	i := d.instant
	d.instant++
	return whole + time.Duration(d.shuffle[i%len(d.shuffle)])*time.Millisecond + time.Duration(i/len(d.shuffle))*time.Microsecond
}

// after draws a time after another one.
func (d *drawer) after(at time.Duration, from, to float64) time.Duration {
	return d.between(at.Seconds()+from, at.Seconds()+to)
}

// chance reports true in so many of a hundred cases.
func (d *drawer) chance(percent int) bool { return d.IntN(100) < percent }

// pick draws one of several.
func pick[T any](d *drawer, from ...T) T { return from[d.IntN(len(from))] }

func (d *drawer) settings() {
	s := DefaultSettings()
	if d.chance(60) {
		s.Period = pick(d, 5*time.Second, 5*time.Second, 2*time.Second, 3*time.Second, 7*time.Second, 3300*time.Millisecond)
		s.Grace = pick(d, 50*time.Second, 40*time.Second, 20*time.Second, 17*time.Second)
		s.Startup = pick(d, 60*time.Second, 30*time.Second, 45*time.Second)
		s.Rate = pick[float32](d, 0.1, 0.1, 0.2, 0.5, 0.05, 2)
		s.Secondary = pick[float32](d, 0.01, 0.02, 0.05, 0.1)
		s.Large = pick[int32](d, 50, 4, 3, 6)
		s.Threshold = pick[float32](d, 0.55, 0.55, 0.5, 0.34, 0.75)
	}
	d.t.Settings = s
}

// nodes draws nodes that are there at the start. If there is to be a large zone, it is the first.
func (d *drawer) nodes(n int, large bool) {
	zones := 1 + d.IntN(4)
	d.zones = make([][]int, zones)
	for i := range n {
		zone := d.IntN(zones)
		switch {
		case i < zones:
			zone = i
		case large && len(d.zones[0]) < 55:
			zone = 0
		}
		d.node(zone, 0)
	}
}

// node draws a node of a zone, and returns its place among all.
func (d *drawer) node(zone int, at time.Duration) int {
	i := len(d.t.Nodes)
	n := Node{
		Name: fmt.Sprintf("n%03d", i), At: at,
		Lease:  Beat{10 * time.Second, d.between(0, 10) + 250},
		Status: Beat{5 * time.Minute, d.between(0, 300) + 125},
	}
	d.place(&n, zone)
	if at == 0 {
		n.Age = time.Duration(d.IntN(4000)) * time.Second
	}
	if d.chance(7) {
		n.Lease, n.Status.Every = Beat{}, 10*time.Second
	}
	n.Silent = d.chance(6)
	if n.Silent && d.chance(60) {
		n.Lease, n.Age = Beat{}, time.Duration(d.IntN(40))*time.Second
	}
	if at > 0 {
		n.Age = 0
	}
	n.Excluded = d.settled(zone) && d.chance(8)
	n.Cordoned = d.chance(5)
	if d.chance(8) {
		n.Taints = append(n.Taints, pick(d, Taint{notReadyKey, "", noExecute}, Taint{unreachableKey, "", noExecute}, Taint{dedicatedKey, "x", noExecute},
			Taint{notReadyKey, "", noSchedule}, Taint{dedicatedKey, "y", noSchedule}, Taint{"node.kubernetes.io/memory-pressure", "", noSchedule}))
	}
	d.t.Nodes = append(d.t.Nodes, n)
	d.zones[zone] = append(d.zones[zone], i)
	return i
}

// night has a part of a zone's nodes, in a hundred, be dead when the controllers start.
func (d *drawer) night(zone []int, part int) {
	for _, node := range zone {
		if n := &d.t.Nodes[node]; d.chance(part) {
			n.Silent, n.Lease, n.Age = true, Beat{}, time.Hour
		}
	}
}

// settled reports whether a zone has a node that counts and is there from the start to the end.
func (d *drawer) settled(zone int) bool {
	return len(d.zones[zone]) > 0 && d.t.Nodes[d.zones[zone][0]].At == 0
}

// place gives a node the labels of a zone. Of two zones, the first has none.
func (d *drawer) place(n *Node, zone int) {
	n.Zone, n.Region = fmt.Sprintf("z%d", zone), fmt.Sprintf("r%d", zone/2)
	if len(d.zones) == 2 && zone == 0 {
		n.Zone, n.Region = "", ""
	}
}

// pods draws pods that are there at the start.
func (d *drawer) pods() {
	for i := range min(len(d.t.Nodes), 25) {
		for range d.IntN(4) {
			d.pod(i, 0)
		}
	}
}

// pod draws a pod on a node.
func (d *drawer) pod(node int, at time.Duration) {
	i := len(d.t.Pods)
	p := Pod{
		Name: fmt.Sprintf("p%03d", i), Node: d.t.Nodes[node].Name, At: at,
		Grace: pick(d, 30*time.Second, 30*time.Second, 0, 60*time.Second), NotReady: d.chance(10),
	}
	if d.chance(70) {
		// Half microseconds are nobody else's.
		p.Stop = time.Duration(d.IntN(40))*time.Second + time.Duration(i+1)*time.Microsecond + 500
	}
	if !d.chance(20) {
		for range pick(d, 1, 1, 1, 2, 3) {
			p.Tolerations = append(p.Tolerations, d.tolerations()...)
		}
	}
	d.t.Pods = append(d.t.Pods, p)
}

// tolerations draws some that belong together.
func (d *drawer) tolerations() []Toleration {
	forever := func(key, effect string) Toleration {
		return Toleration{Key: key, Operator: "Exists", Effect: effect}
	}
	limited := func(key, effect string, seconds ...int64) Toleration {
		return Toleration{Key: key, Operator: "Exists", Effect: effect, Limited: true, Seconds: pick(d, seconds...)}
	}
	switch d.IntN(10) {
	case 0, 1:
		return []Toleration{limited(notReadyKey, noExecute, 300), limited(unreachableKey, noExecute, 300)}
	case 2, 3:
		return []Toleration{limited(notReadyKey, noExecute, 20, 60), limited(unreachableKey, noExecute, 30, 45, 90)}
	case 4: // as those of a DaemonSet's pods
		return []Toleration{forever(notReadyKey, noExecute), forever(unreachableKey, noExecute), forever("node.kubernetes.io/disk-pressure", noSchedule)}
	case 5:
		return []Toleration{pick(d, forever("", ""), limited("", "", 45), limited("", noExecute, 70))}
	case 6:
		return []Toleration{{Key: dedicatedKey, Operator: "Equal", Value: pick(d, "x", "y"), Effect: noExecute, Limited: true, Seconds: pick[int64](d, 25, 80)}}
	case 7:
		return []Toleration{limited(dedicatedKey, "", 40), limited(brokenKey, noExecute, 15), forever(unreachableKey, noExecute)}
	case 8: // the first that matches counts
		return []Toleration{limited(unreachableKey, noExecute, 120), limited(unreachableKey, noExecute, 10), limited(brokenKey, noExecute, 35)}
	default:
		return []Toleration{limited(pick(d, unreachableKey, notReadyKey, dedicatedKey), noExecute, 0, -5, 5, 50)}
	}
}
