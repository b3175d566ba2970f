package traces

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/internal/heap"
	"github.com/berthsim/berth/traces/wire"
)

// Groupings are what Scale takes pods together by: what it keeps whole.
var Groupings = []string{"job", "user", "namespace"}

// ScaleOptions say how much of a workload there is to be. Either Pods or Load is
// given.
type ScaleOptions struct {
	Pods float64 // how many times as many pods
	Load float64 // the offered load, as a share of capacity

	// By is what stays together: a job, which is all pods of an owner, or a pod
	// that has none; a user, which is all pods with the same label "user", or, where
	// they have none, of a namespace; or a namespace.
	By string

	// Jitter is how much later copies come at most: all of a group by the same time,
	// which is drawn.
	Jitter cluster.Time

	Seed int64
}

// maxFactor bounds how many copies there are of anything.
const maxFactor = 1000

// ParseFactor reads a factor such as 0.1 or 2.5.
func ParseFactor(text string) (float64, error) {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || !(f > 0) || f > maxFactor {
		return 0, fmt.Errorf("%s is no number above 0 and up to %d", quoted(text), maxFactor)
	}
	return f, nil
}

// Scale returns a workload with more pods or fewer: whole groups of them are left out
// or come again, under other names, so that what belongs together stays together.
// Groups are drawn by seed and name, so that of two scales the smaller has no group
// that the larger hasn't. The workload is read once before, by open, for how much is
// to be drawn; groups are taken until it is that, to within one of them.
//
// A copy wants a node even where what it is a copy of was on one. Notes come with the pods
// that they are about, copies' with the copies, which ran on no node that is known.
func Scale(open func() Stream, o ScaleOptions) (Stream, error) {
	w := weights{bins: make([]float64, weightBins)}
	if err := w.read(open(), o); err != nil {
		return nil, err
	}
	factor := o.Pods
	if o.Load > 0 {
		now := w.demand.Offered(w.demand.Main())
		if now == 0 {
			return nil, &Error{Problem: "the workload has no offered load to change", Remedy: "give --pods"}
		}
		factor = o.Load / now
	}
	if factor > maxFactor {
		return nil, &Error{Problem: fmt.Sprintf("that is %s times the workload", formatNumber(factor)), Remedy: fmt.Sprintf("stay at %d times", maxFactor)}
	}
	whole := math.Floor(factor)
	s := &scaling{from: open(), o: o, whole: int(whole), below: w.threshold(factor - whole), suffix: copySuffix(w.level), renamings: map[copyKind]*copyNames{}}
	return &itemStream{next: s.next}, nil
}

// weightBins is how finely weights are known by draw.
const weightBins = 1 << 16

// weights is how much groups weigh, by what is drawn for them.
type weights struct {
	bins   []float64
	total  float64
	demand Demand
	level  int // how often names say that something is a copy of a copy
}

// read takes a workload in: each pod weighs one, or, if a load is to be reached, what
// it asks for of the main resource, times how long it runs.
func (w *weights) read(s Stream, o ScaleOptions) error {
	perBin := make([]struct{ gpus, cpus, askedGPUs, askedCPUs float64 }, weightBins)
	for {
		e, err := s.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		w.demand.Take(&e)
		if e.Kind != cluster.PodAdded {
			continue
		}
		g := podGroup(e.PodSpec, o.By)
		w.level = max(w.level, copyLevel(e.PodSpec.Name), copyLevel(g.namespace), copyLevel(g.name))
		i := groupDraw(o, g) >> 48
		if o.Load == 0 {
			w.bins[i]++
			w.total++
			continue
		}
		gpus, cpus := float64(e.PodSpec.Class.GPUs.Total()), float64(e.PodSpec.Class.Requests.Get(cluster.CPU))
		b := &perBin[i]
		b.askedGPUs += gpus
		b.askedCPUs += cpus
		if e.PodSpec.Run != cluster.Never {
			b.gpus += float64(gpus * e.PodSpec.Run.Seconds())
			b.cpus += float64(cpus * e.PodSpec.Run.Seconds())
		}
	}
	if o.Load == 0 {
		return nil
	}
	ofGPUs, timed := w.demand.Main() == cluster.GPUShares, w.demand.Timed()
	for i := range perBin {
		b := &perBin[i]
		switch {
		case ofGPUs && timed:
			w.bins[i] = b.gpus
		case ofGPUs:
			w.bins[i] = b.askedGPUs
		case timed:
			w.bins[i] = b.cpus
		default:
			w.bins[i] = b.askedCPUs
		}
		w.total += w.bins[i]
	}
	return nil
}

// threshold returns below which draw, in bins, groups weigh nearest to a share of all.
func (w *weights) threshold(share float64) int {
	want, sum := float64(share*w.total), 0.0
	for i := range w.bins {
		if w.bins[i] > 0 && want-sum < float64(w.bins[i]/2) { // with it is farther off than without
			return i
		}
		sum += w.bins[i]
	}
	return weightBins
}

// A group is what stays together.
type group struct {
	kind            string // what it is: namespace, user or job
	namespace, name string // name is "" if it is a namespace
}

// podGroup returns the group of a pod.
func podGroup(p *cluster.PodSpec, by string) group {
	c := p.Class
	switch by {
	case "job":
		if c.Owner != (cluster.OwnerRef{}) {
			return group{by, c.Namespace, c.Owner.Kind + "/" + c.Owner.Name}
		}
		return group{by, c.Namespace, "Pod/" + p.Name}
	case "user":
		if user, ok := p.Labels.Get(userLabel); ok {
			return group{by, "", user}
		}
	}
	return group{"namespace", c.Namespace, ""}
}

// userLabel is the label that names whose pod it is.
const userLabel = "user"

// objectGroup returns the group that an object comes and goes with; false if it is
// there once, whatever is drawn.
func objectGroup(o cluster.Object, by string) (group, bool) {
	if w, ok := o.(*cluster.Workload); ok && by == "job" {
		return group{by, w.Namespace, w.Kind + "/" + w.Name}, true
	}
	if by != "namespace" {
		return group{}, false
	}
	switch o := o.(type) {
	case *cluster.Namespace:
		return group{by, o.Name, ""}, true
	case *cluster.Service:
		return group{by, o.Namespace, ""}, true
	case *cluster.Workload:
		return group{by, o.Namespace, ""}, true
	case *cluster.DisruptionBudget:
		return group{by, o.Namespace, ""}, true
	case *cluster.ResourceQuota:
		return group{by, o.Namespace, ""}, true
	}
	return group{}, false
}

func groupDraw(o ScaleOptions, g group) cluster.Draw {
	return cluster.NewDraw(o.Seed, "scale by "+g.kind, cluster.Key(g.namespace, g.name))
}

// A scaling yields what Scale makes of a workload.
type scaling struct {
	from  Stream
	o     ScaleOptions
	whole int // copies of every group,
	below int // and one more of those whose draw is below this bin

	suffix    string // of copies' names, before the number
	renamings map[copyKind]*copyNames
	waiting   heap.Heap[copied] // read, and not yet come
	seq       uint64
	now       cluster.Time // of what was read last
	done      bool

	nodes    numbering
	draws    []cluster.Draw // of the group of the k-th pod that came,
	copyAt   []int64        // and where in numbers its copies begin; both only in a stream with numbers
	numbers  []int32        // of copies, or left as long as they have none
	podsOut  int32
	numbered bool
}

// A copied is what comes at a time.
type copied struct {
	item
	seq  uint64
	pod  int32 // the k-th that came, if it is about one
	copy int
}

// Before implements heap.Ordered.
func (c copied) Before(other copied) bool {
	if a, b := c.time(), other.time(); a != b {
		return a < b
	}
	return c.seq < other.seq
}

// copies returns how often a group comes.
func (s *scaling) copies(draw cluster.Draw) int {
	if int(draw>>48) < s.below {
		return s.whole + 1
	}
	return s.whole
}

// next returns what comes next.
func (s *scaling) next() (item, error) {
	for {
		for !s.done && (len(s.waiting) == 0 || s.waiting[0].time() >= s.now) {
			i, err := nextItem(s.from)
			if errors.Is(err, io.EOF) {
				s.done = true
				break
			}
			if err != nil {
				return item{}, err
			}
			switch {
			case i.note == nil:
				s.now = i.event.Time
				s.take(i.event)
			default:
				if i.note.What == wire.Sample { // of others the time may be another than that of the events around them
					s.now = max(s.now, i.note.At)
				}
				s.takeNote(i.note)
			}
		}
		if len(s.waiting) == 0 {
			return item{}, io.EOF
		}
		c := s.waiting.Pop()
		if s.number(&c) {
			return c.item, nil
		}
	}
}

// takeNote has the copies of a note wait for their time.
func (s *scaling) takeNote(n *Note) {
	pod := cluster.PodID(left)
	switch n.What {
	case wire.Sample:
		pod = n.Usage.Pod
	case wire.Placed:
		pod = n.Placement.Pod
	default:
		s.push(copied{item: item{note: n}, pod: -1})
		return
	}
	if pod < 0 || pod%2 != 0 || int(pod/2) >= len(s.draws) {
		return
	}
	draw := s.draws[pod/2]
	for i := range s.copies(draw) {
		note := *n
		note.shift(s.later(draw, i))
		if i > 0 {
			note.Placement.Node, note.Placement.Allocation = left, cluster.Allocation{}
		}
		s.push(copied{item: item{note: &note}, pod: int32(pod / 2), copy: i})
	}
}

// later returns how much later the i-th copy of a group comes.
func (s *scaling) later(draw cluster.Draw, i int) cluster.Time {
	if i == 0 {
		return 0
	}
	return cluster.Time(float64(draw.At(i).Float() * float64(s.o.Jitter)))
}

// take has the copies of an event wait for their time.
func (s *scaling) take(e cluster.Event) {
	var g group
	pod, fixed := int32(-1), false
	switch e.Kind {
	case cluster.PodAdded:
		g = podGroup(e.PodSpec, s.o.By)
		if s.numbered = s.numbered || e.Pod != cluster.None; s.numbered {
			pod = int32(len(s.draws))
		}
	case cluster.PodChanged, cluster.PodEnded, cluster.PodTold:
		pod = int32(e.Pod) / 2
		if pod < 0 || int(pod) >= len(s.draws) {
			return
		}
		if e.PodSpec != nil {
			g = podGroup(e.PodSpec, s.o.By)
		}
	default:
		var ok bool
		g, ok = objectGroup(e.Object, s.o.By)
		fixed = !ok
	}
	if fixed {
		s.push(copied{item: item{event: e}, pod: -1})
		return
	}
	draw := cluster.Draw(0)
	if pod >= 0 && int(pod) < len(s.draws) {
		draw = s.draws[pod]
	} else {
		draw = groupDraw(s.o, g)
	}
	copies := s.copies(draw)
	if e.Kind == cluster.PodAdded && pod >= 0 {
		s.draws, s.copyAt = append(s.draws, draw), append(s.copyAt, int64(len(s.numbers)))
		for range copies {
			s.numbers = append(s.numbers, int32(left))
		}
	}
	for i := range copies {
		s.push(copied{item: item{event: s.copyOf(e, g, draw, i)}, pod: pod, copy: i})
	}
}

func (s *scaling) push(c copied) {
	c.seq = s.seq
	s.seq++
	s.waiting.Push(c)
}

// copyOf returns the i-th copy of an event of a group; the 0-th is the event.
func (s *scaling) copyOf(e cluster.Event, g group, draw cluster.Draw, i int) cluster.Event {
	if i == 0 {
		return e
	}
	shift(&e, s.later(draw, i))
	key := copyKind{g.kind, i}
	n := s.renamings[key]
	if n == nil {
		n = newCopyNames(s.suffix, i)
		s.renamings[key] = n
	}
	n.group = g
	n.event(&e)
	e.Node = cluster.None
	if e.PodSpec != nil {
		spec := *e.PodSpec
		spec.On, spec.Allocation, spec.Nominated, spec.Started = "", cluster.Allocation{}, "", nil
		e.PodSpec = &spec
	}
	return e
}

// number gives what comes its number. It returns false if it is about what was left
// out.
func (s *scaling) number(c *copied) bool {
	if c.note != nil {
		return s.numberNote(c)
	}
	e := &c.event
	switch {
	case e.Kind == cluster.PodAdded:
		e.Pod = cluster.PodID(2 * s.podsOut)
		s.podsOut++
		if c.pod >= 0 {
			s.numbers[s.copyAt[c.pod]+int64(c.copy)] = int32(e.Pod)
		}
	case e.Kind == cluster.NodeAdded:
		s.nodes.come(e, true)
	case c.pod >= 0:
		e.Pod = cluster.PodID(s.numbers[s.copyAt[c.pod]+int64(c.copy)])
		return e.Pod != left
	}
	return true
}

// numberNote gives a note its numbers. It returns false if the pod hasn't come.
func (s *scaling) numberNote(c *copied) bool {
	n := c.note
	if n.What == wire.Placed {
		n.Placement.Node = cluster.NodeID(numberIn(s.nodes.nodes, int32(n.Placement.Node)))
	}
	if c.pod < 0 {
		return true
	}
	pod := cluster.PodID(s.numbers[s.copyAt[c.pod]+int64(c.copy)])
	n.Usage.Pod, n.Placement.Pod = pod, pod
	return pod != left
}
