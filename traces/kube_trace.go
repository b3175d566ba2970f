package traces

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/faults"
	"github.com/berthsim/berth/traces/wire"
)

// restOption is an option of recordings of Kubernetes clusters.
var restOption = Option{"rest", "end", "how long pods run that were there when the recording ended: end, until then, or never, without an end"}

// trace makes a Trace of what was taken in. Its time 0 is from into the recording.
func (k *kubeRecording) trace(from recorded) (*Trace, error) {
	rest, err := from.settings.choice("rest", []string{"end", "never"})
	if err != nil {
		return nil, err
	}
	load, err := from.settings.load(0)
	if err != nil {
		return nil, err
	}
	t := &Trace{Timed: true}
	var events []cluster.Event
	nodes := k.nodeEvents(from.span)
	pods, work := k.podEvents(from.span, rest == "never")
	if len(nodes) == 0 || len(pods) == 0 {
		return nil, &Error{File: from.file, Problem: fmt.Sprintf("what is played has %d nodes and %d pods", len(nodes), len(pods)), Remedy: "give a recording, or a part of it, with at least one of each"}
	}
	events = append(events, nodes...)
	events = append(events, k.objectEvents(from.span)...)
	events = append(events, pods...)
	slices.SortStableFunc(events, func(a, b cluster.Event) int {
		return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(rank(&a), rank(&b)))
	})
	stretch, err := t.measure(nodes, pods, work, load, from.file)
	if err != nil {
		return nil, err
	}
	t.Rows, t.Rejected = k.rows, k.rejected
	options := from.options + "&rest=" + rest + "&" + from.span.String() + "&load=" + formatNumber(load)
	t.Hash = hashOf([]byte(from.version), []byte(options), from.content)
	t.events = func(int64) Stream { return &eventStream{events: events, stretch: stretch} }
	if from.epoch != nil {
		t.Epoch = from.epoch(k.start + from.span.from).UTC()
	}
	if stretch == 1 { // moved arrivals have nothing to do with what else happened
		k.rest(t, events, from.span)
	}
	return t, nil
}

// rest has the trace say what a simulated cluster isn't told: which pods were deleted and which
// nodes went for ever, as events; how long pods waited and when nodes were gone, as notes. Those
// that come are numbered as package wire does.
func (k *kubeRecording) rest(t *Trace, events []cluster.Event, p span) {
	m := &Machines{}
	var nodes []*cluster.NodeSpec
	numbers := map[string]int32{}
	whole := slices.Clone(events)
	pods := int32(0)
	for i := range whole {
		switch e := &whole[i]; e.Kind {
		case cluster.NodeAdded:
			nodes = append(nodes, e.NodeSpec)
			e.Node = cluster.NodeID(len(nodes) - 1)
			numbers[e.NodeSpec.Name] = int32(e.Node)
		case cluster.PodAdded:
			e.Pod = cluster.PodID(2 * pods)
			pods++
			numbers[podName(e.PodSpec)] = int32(e.Pod)
		}
	}
	for i := range k.nodes {
		n := &k.nodes[i]
		m.names, m.outages = append(m.names, n.first.Name), append(m.outages, slices.Clone(n.outages))
		number, there := numbers[n.first.Name]
		last := len(n.outages) - 1
		if !there || last < 0 || n.outages[last].until != cluster.Never {
			continue
		}
		if gone := n.outages[last].at - k.start; gone < p.until {
			whole = append(whole, cluster.Event{Time: max(0, gone-p.from), Kind: cluster.NodeRemoved, Pod: cluster.None, Node: cluster.NodeID(number)})
			m.outages[i] = m.outages[i][:last]
		}
	}
	var placed []Note
	for i := range k.pods {
		pod := &k.pods[i]
		number, there := numbers[podName(pod.spec)]
		if !there {
			continue
		}
		if pod.bound > pod.came { // others were on a node when they were first seen
			t.Waits = append(t.Waits, pod.bound-pod.came)
			placed = append(placed, Note{At: pod.bound - k.start - p.from, Placement: wire.Placement{Pod: cluster.PodID(number), Node: cluster.None, Wait: pod.bound - pod.came}})
		}
		if ended := pod.ended - k.start; pod.deleted && ended < p.until {
			whole = append(whole, cluster.Event{Time: max(0, ended-p.from), Kind: cluster.PodEnded, Pod: cluster.PodID(number), Node: cluster.None, Reason: deletedReason})
		}
	}
	slices.SortStableFunc(whole, func(a, b cluster.Event) int { return cmp.Compare(a.Time, b.Time) })
	t.whole = func(int64) Stream { return &eventStream{events: whole, stretch: 1} }
	t.placed = func(_ int64, add func(cluster.Time, wire.Placement)) {
		for _, n := range placed {
			add(n.At, n.Placement)
		}
	}
	start := k.start + p.from
	t.struck = func(add func(cluster.Time, *wire.Fault)) { m.struck(nodes, start, add) }
}

// deletedReason is how a pod ended that was deleted.
const deletedReason = "deleted"

// podName tells pods of a recording apart.
func podName(p *cluster.PodSpec) string { return "pod " + cluster.Key(p.Class.Namespace, p.Name) }

// rank orders events of one instant: nodes, objects as they were set and removed, pods.
func rank(e *cluster.Event) int {
	switch e.Kind {
	case cluster.NodeAdded:
		return 0
	case cluster.PodAdded:
		return 2
	}
	return 1
}

// nodeEvents has the nodes come when they did: at 0 if that was before the span. A node
// that was gone for ever by then is left out.
func (k *kubeRecording) nodeEvents(p span) (events []cluster.Event) {
	for i := range k.nodes {
		n := &k.nodes[i]
		came := n.came - k.start
		last := len(n.outages) - 1
		if came >= p.until || last >= 0 && n.outages[last].until == cluster.Never && n.outages[last].at-k.start <= p.from {
			continue
		}
		events = append(events, cluster.Event{
			Time: max(0, came-p.from), Kind: cluster.NodeAdded, Pod: cluster.None, Node: cluster.None, NodeSpec: n.spec(),
		})
	}
	return events
}

// passing are the taints by which Kubernetes says what it has found of a node.
var passing = []string{
	cluster.TaintNotReady, cluster.TaintUnreachable, cluster.TaintMemoryPressure,
	cluster.TaintDiskPressure, cluster.TaintPIDPressure, cluster.TaintNetworkUnavailable,
}

// spec describes the node as it was last described, for devices and labels are often
// told late. A taint counts if the node had it first and last, being neither of those
// for a start nor of those for an end, and so does being cordoned.
func (n *kubeNode) spec() *cluster.NodeSpec {
	spec := *n.last
	spec.Unschedulable = n.first.Unschedulable && n.last.Unschedulable
	spec.Taints = nil
	for _, t := range n.last.Taints {
		cordon := t.Key == cluster.TaintUnschedulable && !spec.Unschedulable
		if slices.Contains(n.first.Taints, t) && !slices.Contains(passing, t.Key) && !cordon {
			spec.Taints = append(spec.Taints, t)
		}
	}
	return &spec
}

// objectEvents has objects come and go. Of what was before the span, only what is left
// of it when that begins comes, at 0.
func (k *kubeRecording) objectEvents(p span) (events []cluster.Event) {
	objects := slices.Clone(k.objects)
	slices.SortStableFunc(objects, func(a, b cluster.Event) int { return cmp.Compare(a.Time, b.Time) })
	latest := map[string]int{} // the last event of each object before the span
	for i, e := range objects {
		if e.Time-k.start <= p.from {
			latest[objectName(e.Object)] = i
		}
	}
	for i, e := range objects {
		since := e.Time - k.start
		if since >= p.until || since <= p.from && (latest[objectName(e.Object)] != i || e.Kind == cluster.ObjectRemoved) {
			continue
		}
		e.Time = max(0, since-p.from)
		events = append(events, e)
	}
	return events
}

// objectName tells objects apart.
func objectName(o cluster.Object) string {
	switch o := o.(type) {
	case *cluster.Namespace:
		return "Namespace " + o.Name
	case *cluster.Service:
		return "Service " + cluster.Key(o.Namespace, o.Name)
	case *cluster.Workload:
		return o.Kind + " " + cluster.Key(o.Namespace, o.Name)
	case *cluster.DisruptionBudget:
		return "PodDisruptionBudget " + cluster.Key(o.Namespace, o.Name)
	case *cluster.ResourceQuota:
		return "ResourceQuota " + cluster.Key(o.Namespace, o.Name)
	}
	panic(fmt.Sprintf("an object of type %T", o)) // Observer makes no others
}

// podEvents has the pods of a span come, and returns how long each ran. Others are
// counted as rejected.
func (k *kubeRecording) podEvents(p span, endless bool) (events []cluster.Event, work []cluster.Time) {
	order := make([]int, len(k.pods))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(k.pods[a].came, k.pods[b].came) })
	outside := 0
	for _, i := range order {
		pod := &k.pods[i]
		if pod.ended >= 0 && pod.bound < 0 && k.binds > 0 {
			k.reject(neverBound, k.file, pod.line)
			continue
		}
		since := pod.came - k.start
		if since < p.from || since >= p.until {
			outside++
			continue
		}
		ran := pod.ran(k.end)
		spec := *pod.spec
		spec.Run = ran
		if pod.ended < 0 && endless {
			spec.Run = cluster.Never
		}
		events = append(events, cluster.Event{Time: since - p.from, Kind: cluster.PodAdded, Pod: cluster.None, Node: cluster.None, PodSpec: &spec})
		work = append(work, ran)
	}
	if outside > 0 {
		k.rejectAll(outOfSpan, k.file, 0, outside)
	}
	return events, work
}

// ran returns how long a pod ran, up to the end of the recording: from when it was
// bound, or if that isn't known from when it came.
func (p *kubePod) ran(end cluster.Time) cluster.Time {
	from := p.came
	if p.bound >= 0 {
		from = p.bound
	}
	if p.ended >= 0 {
		end = p.ended
	}
	return max(0, end-from)
}

// measure fills in what t says of its nodes and pods, each with its run time, and
// returns by how much times are to be stretched; 1 for not at all.
func (t *Trace) measure(nodes, pods []cluster.Event, work []cluster.Time, load float64, file string) (stretch float64, err error) {
	r := &replay{}
	for _, e := range nodes {
		r.nodes = append(r.nodes, e.NodeSpec)
	}
	numbers := map[*cluster.Class]int32{}
	for i, e := range pods {
		number, ok := numbers[e.PodSpec.Class]
		if !ok {
			number = int32(len(r.classes))
			r.classes, numbers[e.PodSpec.Class] = append(r.classes, e.PodSpec.Class), number
		}
		r.batches.add(batch{at: e.Time, run: work[i], class: number})
	}
	t.Nodes, t.GPUs, t.Pods, t.Mix = len(nodes), gpusOf(r.nodes), len(pods), r.mix()
	demand, capacity := r.demand(t.GPUs > 0)
	window := r.window()
	switch {
	case capacity > 0 && window > 0:
		t.OfferedLoad = demand / capacity / window.Seconds()
	case capacity > 0: // all come together
		for i := range r.batches.count {
			r.batches.at(i).run = cluster.Second
		}
		asked, _ := r.demand(t.GPUs > 0)
		t.OfferedLoad = asked / capacity
	}
	if load == 0 {
		return 1, nil
	}
	if t.OfferedLoad == 0 || window == 0 {
		return 0, &Error{File: file, Problem: "all pods come at the same time, or none uses anything for any time, so there is no load to change", Remedy: "leave load out, or give a longer part of the recording with from and for"}
	}
	spread, err := spreadFor(demand/capacity, load, file)
	t.OfferedLoad = load
	return spread / float64(window), err
}

// An eventStream is a Stream of events that are known.
type eventStream struct {
	events  []cluster.Event
	stretch float64
}

// Next implements Stream.
func (s *eventStream) Next() (cluster.Event, error) {
	if len(s.events) == 0 {
		return cluster.Event{}, io.EOF
	}
	e := s.events[0]
	s.events = s.events[1:]
	if s.stretch != 1 {
		e.Time = cluster.Time(min(math.Round(float64(float64(e.Time)*s.stretch)), math.MaxInt64/2))
	}
	return e, nil
}

// openFaults makes Faults of the times at which nodes were gone.
func (k *kubeRecording) openFaults(effect faults.Effect, from recorded) (*Faults, error) {
	if len(k.nodes) == 0 {
		return nil, &Error{File: from.file, Problem: "no nodes", Remedy: "give a recording with at least one"}
	}
	m := &Machines{}
	for i := range k.nodes {
		n := &k.nodes[i]
		m.names = append(m.names, n.first.Name)
		var outages []outage
		for _, o := range n.outages {
			if o.until == o.at {
				continue
			}
			o.at -= k.start
			if o.until != cluster.Never {
				o.until -= k.start
			}
			outages = append(outages, o)
		}
		m.outages = append(m.outages, outages)
	}
	hash := hashOf([]byte(from.version), fmt.Appendf(nil, "kind=%v&%s", effect.Kind, from.options), from.content)
	return &Faults{Hash: hash, source: m.faults(effect)}, nil
}
