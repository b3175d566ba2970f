package wire

import (
	"math"

	"github.com/berthsim/berth/cluster"
)

// A source is what the records of a frame are read with.
type source struct {
	defined
	population
}

// decision reads all of a decision of a kind.
func (d *decoder) decision(src *source, kind cluster.Kind) (x cluster.Decision) {
	if kind < cluster.Bind || kind > cluster.Store {
		d.fail("a decision is of a kind that isn't known")
		return x
	}
	x.Kind, x.Pod, x.Node = kind, d.podRef(&src.population), d.nodeRef(&src.population)
	x.GPUs = cluster.GPUSet(d.uvarint())
	detail := d.byte()
	if !allowsDetail(kind, detail) {
		d.fail("a decision says what decisions of its kind don't")
		return x
	}
	switch detail {
	case taintDetail:
		t := cluster.Taint{Key: d.string(), Value: d.string(), Effect: cluster.Effect(d.byte())}
		if t.Effect > cluster.NoExecute {
			d.fail("a taint has an effect that isn't known")
		}
		x.Detail = t
	case statusDetail:
		x.Detail = cluster.StatusChange{From: d.conditions(), To: d.conditions()}
	case causeDetail:
		x.Detail = cluster.Cause(d.string())
	case podDetail:
		x.Detail = d.podSpec(&src.defined)
	case storedDetail:
		o := cluster.Stored{From: lookUp(d, &src.objects), To: lookUp(d, &src.objects)}
		if o.To == nil {
			d.fail("a decision stores nothing")
		}
		x.Detail = o
	}
	return x
}

// allowsDetail reports whether a decision of a kind says such a thing beside its kind, pod and
// node. Only a Cause may be missing where there could be one.
func allowsDetail(kind cluster.Kind, detail byte) bool {
	want := byte(noDetail)
	switch kind {
	case cluster.AddTaint, cluster.RemoveTaint:
		want = taintDetail
	case cluster.SetConditions:
		want = statusDetail
	case cluster.Evict, cluster.RequestEviction, cluster.Finalise:
		return detail == noDetail || detail == causeDetail
	case cluster.Create:
		want = podDetail
	case cluster.Store:
		want = storedDetail
	}
	return detail == want
}

// event reads an event's parts, but for its time, into x, whose kind is known. Numbers of what
// comes are for the caller to fill in.
func (d *decoder) event(src *source, x *cluster.Event) {
	x.Pod, x.Node = cluster.None, cluster.None
	switch x.Kind {
	case cluster.NodeAdded:
		x.NodeSpec = d.nodeSpec(src)
	case cluster.NodeRemoved:
		x.Node = d.aNode(src)
	case cluster.NodeChanged:
		x.Node, x.NodeSpec = d.aNode(src), d.nodeSpec(src)
	case cluster.NodeHeard:
		x.Node = d.aNode(src)
		x.Health = &cluster.NodeHealth{Conditions: d.conditions(), Lease: d.beats(), Posts: d.beats()}
	case cluster.ObjectSet, cluster.ObjectRemoved:
		if x.Object = lookUp(d, &src.objects); x.Object == nil {
			d.fail("an event about an object has none")
		}
	case cluster.PodAdded:
		x.PodSpec = d.podSpec(&src.defined)
	case cluster.PodChanged:
		x.Pod, x.PodSpec = d.aPod(src), d.podSpec(&src.defined)
	case cluster.PodBound, cluster.PodTold:
		x.Pod, x.Node = d.aPod(src), d.nodeRef(&src.population)
	case cluster.PodEnded:
		x.Pod, x.Node, x.Reason = d.aPod(src), d.nodeRef(&src.population), d.string()
	case cluster.PodReady:
		x.Pod, x.Node, x.Ready = d.aPod(src), d.nodeRef(&src.population), d.bool()
	case cluster.Rejected:
		x.Decision = d.decision(src, cluster.Kind(d.byte()))
		x.Pod, x.Node, x.Code, x.Reason = x.Decision.Pod, x.Decision.Node, d.code(), d.string()
	default:
		d.fail("a record is of a kind that isn't known, or not here")
	}
}

func (d *decoder) code() int16 {
	code := d.varint()
	if code < math.MinInt16 || code > math.MaxInt16 {
		d.fail("a status code is out of range")
	}
	return int16(code)
}

func (d *decoder) nodeSpec(src *source) *cluster.NodeSpec {
	spec := lookUp(d, &src.nodeSpecs)
	if spec == nil {
		d.fail("a node has no spec")
	}
	return spec
}

// aNode reads the number of a node, which can't be None.
func (d *decoder) aNode(src *source) cluster.NodeID {
	n := d.nodeRef(&src.population)
	if n == cluster.None {
		d.fail("an event about a node names none")
	}
	return n
}

// aPod reads the number of a pod, which can't be None.
func (d *decoder) aPod(src *source) cluster.PodID {
	p := d.podRef(&src.population)
	if p == cluster.None {
		d.fail("an event about a pod names none")
	}
	return p
}

// other reads a record that is neither an event nor a decision.
func (d *decoder) other(src *source, tag byte, r *Record) {
	switch tag {
	case tagUsage:
		r.What, r.Usage = Sample, Usage{Pod: d.aPod(src), CPU: d.varint(), Memory: d.varint()}
	case tagGap:
		r.What, r.Gap = Missing, Gap{From: r.Time - cluster.Time(d.uvarint()), Lost: d.varint(), Reason: d.string()}
		if r.Gap.From > r.Time {
			d.fail("a gap ends before it begins")
		}
	case tagFault:
		r.What, r.Fault = Struck, d.fault()
	default:
		d.fail("a record is of a kind that isn't known, or not here")
	}
}

func (d *decoder) fault() *Fault {
	f := &Fault{Until: cluster.Time(d.varint()), Kind: d.string(), Signal: d.string()}
	f.Period, f.Down, f.By = cluster.Time(d.varint()), cluster.Time(d.varint()), cluster.Time(d.varint())
	count := d.uvarint()
	if count > uint64(d.left()) { // each takes a byte at least
		d.fail("a fault names more nodes than there is room for")
		return f
	}
	for range count {
		f.Nodes = append(f.Nodes, d.string())
	}
	return f
}

// outcome reads a record that only the frame of outcomes has. It reports whether it was one.
func (d *decoder) outcome(src *source, tag byte, r *Record) bool {
	switch {
	case tag >= byte(cluster.Bind):
		r.What, r.Decision = Decided, d.decision(src, cluster.Kind(tag))
	case tag == tagBatch:
		events, decisions := d.uvarint(), d.uvarint()
		if events > maxRound || decisions > maxRound {
			d.fail("a round is too large")
		}
		r.What, r.Batch = Round, Batch{int(events), int(decisions)}
	case tag == tagPlacement:
		r.What, r.Placement = Placed, Placement{Pod: d.aPod(src), Node: d.nodeRef(&src.population), Wait: cluster.Time(d.varint())}
		r.Placement.GPUs = cluster.GPUSet(d.uvarint())
	default:
		return false
	}
	return true
}

// maxRound is the highest number of events, and of decisions, in a round.
const maxRound = 1 << 30
