package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/berthsim/berth/cluster"
)

// The tags of records. Those of events and decisions are their cluster.Kind.
const (
	tagBatch     = 32
	tagUsage     = 33
	tagGap       = 34
	tagFault     = 35
	tagPlacement = 36
	tagTake      = 37 // so many records of the workload's frame come here
)

// The bits that say which parts of a pod's spec follow; the others are zero.
const (
	hasOn = 1 << iota
	hasNominated
	isTerminating
	isPreempted
	isUnready
	isStarting
	hasStarted
	runsForever
	hasContinues
	hasStop
	hasGrace
	hasDevices
	podBits
)

// The kinds of details of decisions.
const (
	noDetail = iota
	taintDetail
	statusDetail
	causeDetail
	podDetail
	storedDetail
)

// An encoder puts records into a frame. Strings are apart from all else, so that a reader can
// hold those of a frame as one.
type encoder struct {
	text, records []byte
	count         uint32       // of records
	time          cluster.Time // of the last
	pod           int64        // the last that was referred to
	err           error        // what is wrong with the record
	come          *population  // which pods and nodes can be referred to
}

// start makes room for the records of another block.
func (e *encoder) start() {
	*e = encoder{text: e.text[:0], records: e.records[:0], come: e.come}
}

func (e *encoder) size() int { return len(e.text) + len(e.records) }

// begin begins a record.
func (e *encoder) begin(tag byte, at cluster.Time) {
	e.records = append(e.records, tag)
	e.varint(int64(at - e.time))
	e.time = at
	e.count++
}

func (e *encoder) byte(x byte)      { e.records = append(e.records, x) }
func (e *encoder) uvarint(x uint64) { e.records = binary.AppendUvarint(e.records, x) }
func (e *encoder) varint(x int64)   { e.records = binary.AppendVarint(e.records, x) }

func (e *encoder) bool(x bool) {
	if x {
		e.byte(1)
	} else {
		e.byte(0)
	}
}

func (e *encoder) string(s string) {
	if len(s) > maxText {
		e.fail(fmt.Errorf("a string of %d bytes is longer than the format allows, %d", len(s), maxText))
		return
	}
	if !utf8.ValidString(s) {
		e.fail(fmt.Errorf("the string %.60q isn't UTF-8", s))
		return
	}
	e.uvarint(uint64(len(s)))
	e.text = append(e.text, s...)
}

// podRef refers to a pod by its number, None to none: as the difference to the last that was
// referred to, since pods often end in about the order in which they came.
func (e *encoder) podRef(p cluster.PodID) {
	if p == cluster.None {
		e.uvarint(0)
		return
	}
	if !e.come.has(int64(p)) {
		e.fail(fmt.Errorf("there is no pod %d yet", p))
	}
	difference := int64(p) - e.pod
	e.uvarint(uint64(difference<<1^difference>>63) + 1)
	e.pod = int64(p)
}

// nodeRef refers to a node by its number, None to none.
func (e *encoder) nodeRef(n cluster.NodeID) {
	if n < cluster.None || int64(n) >= int64(e.come.nodes) {
		e.fail(fmt.Errorf("there is no node %d yet", n))
	}
	e.uvarint(uint64(n + 1))
}

func (e *encoder) fail(err error) {
	if e.err == nil {
		e.err = err
	}
}

// reference appends a reference to a definition.
func (e *encoder) reference(r uint64, err error) {
	if err != nil {
		e.fail(err)
	}
	e.uvarint(r)
}

// podSpec appends a description of a pod.
func (e *encoder) podSpec(d *definer, spec *cluster.PodSpec) {
	if spec == nil || spec.Class == nil {
		e.fail(errors.New("a pod without a spec, or whose spec has no class, can't be written"))
		return
	}
	e.string(spec.Name)
	e.reference(d.class(spec.Class))
	e.reference(d.labelSet(spec.Labels))
	e.reference(d.account(spec.Account))
	var bits uint64
	for i, is := range [...]bool{
		spec.On != "", spec.Nominated != "", spec.Terminating, spec.Preempted, spec.Unready, spec.Starting,
		spec.Started != nil, spec.Run == cluster.Never, spec.Continues != "", spec.Stop != 0, spec.Grace != 0, spec.Allocation != cluster.Allocation{},
	} {
		if is {
			bits |= 1 << i
		}
	}
	e.uvarint(bits)
	if bits&hasOn != 0 {
		e.string(spec.On)
	}
	if bits&hasNominated != 0 {
		e.string(spec.Nominated)
	}
	if bits&hasStarted != 0 {
		e.varint(int64(*spec.Started))
	}
	if bits&runsForever == 0 {
		e.varint(int64(spec.Run))
	}
	if bits&hasContinues != 0 {
		e.string(spec.Continues)
	}
	if bits&hasStop != 0 {
		e.varint(int64(spec.Stop))
	}
	if bits&hasGrace != 0 {
		e.varint(int64(spec.Grace))
	}
	if bits&hasDevices != 0 {
		e.uvarint(uint64(spec.Allocation.GPUs))
	}
}

func (e *encoder) conditions(cs *cluster.Conditions) {
	e.uvarint(uint64(len(cs)))
	for _, st := range cs {
		e.byte(byte(st))
	}
	if err := checkConditions(cs); err != nil {
		e.fail(err)
	}
}

func (e *encoder) beats(b *cluster.Beats) {
	e.varint(int64(b.First))
	e.varint(int64(b.Every))
	e.varint(int64(b.Until))
}

// decision appends all of a decision but its time.
func (e *encoder) decision(d *definer, x *cluster.Decision) {
	if x.Kind < cluster.Bind || x.Kind > cluster.Store {
		e.fail(fmt.Errorf("%v (%d) is not a decision that the format knows", x.Kind, x.Kind))
		return
	}
	if kind, ok := kindOfDetail(x.Detail); !ok || !allowsDetail(x.Kind, kind) {
		e.fail(fmt.Errorf("the format knows no %v with a %T", x.Kind, x.Detail))
		return
	}
	e.podRef(x.Pod)
	e.nodeRef(x.Node)
	e.uvarint(uint64(x.GPUs))
	switch of := x.Detail.(type) {
	case nil:
		e.byte(noDetail)
	case cluster.Taint:
		e.byte(taintDetail)
		e.string(of.Key)
		e.string(of.Value)
		e.byte(byte(of.Effect))
	case cluster.StatusChange:
		e.byte(statusDetail)
		e.conditions(&of.From)
		e.conditions(&of.To)
	case cluster.Cause:
		e.byte(causeDetail)
		e.string(string(of))
	case *cluster.PodSpec:
		e.byte(podDetail)
		e.podSpec(d, of)
	case cluster.Stored:
		e.byte(storedDetail)
		e.reference(d.object(of.From))
		e.reference(d.object(of.To))
		if of.To == nil {
			e.fail(errors.New("a Stored without an object can't be written"))
		}
	}
}

// kindOfDetail returns the kind of a decision's detail.
func kindOfDetail(detail cluster.Detail) (kind byte, ok bool) {
	switch of := detail.(type) {
	case nil:
		return noDetail, true
	case cluster.Taint:
		return taintDetail, of.Effect <= cluster.NoExecute
	case cluster.StatusChange:
		return statusDetail, true
	case cluster.Cause:
		return causeDetail, true
	case *cluster.PodSpec:
		return podDetail, of != nil
	case cluster.Stored:
		return storedDetail, true
	}
	return noDetail, false
}

// event appends an event's parts, but for its time and kind.
func (e *encoder) event(d *definer, x *cluster.Event) {
	switch x.Kind {
	case cluster.NodeAdded:
		e.nodeSpec(d, x.NodeSpec)
	case cluster.NodeRemoved:
		e.nodeRef(x.Node)
	case cluster.NodeChanged:
		e.nodeRef(x.Node)
		e.nodeSpec(d, x.NodeSpec)
	case cluster.NodeHeard:
		e.nodeRef(x.Node)
		if x.Health == nil {
			e.fail(errors.New("a NodeHeard without Health can't be written"))
			return
		}
		e.conditions(&x.Health.Conditions)
		e.beats(&x.Health.Lease)
		e.beats(&x.Health.Posts)
	case cluster.ObjectSet, cluster.ObjectRemoved:
		e.reference(d.object(x.Object))
		if x.Object == nil {
			e.fail(fmt.Errorf("an %v without an Object can't be written", x.Kind))
		}
	case cluster.PodAdded:
		e.podSpec(d, x.PodSpec)
	case cluster.PodChanged:
		e.podRef(x.Pod)
		e.podSpec(d, x.PodSpec)
	case cluster.PodBound, cluster.PodTold:
		e.podRef(x.Pod)
		e.nodeRef(x.Node)
	case cluster.PodEnded:
		e.podRef(x.Pod)
		e.nodeRef(x.Node)
		e.string(x.Reason)
	case cluster.PodReady:
		e.podRef(x.Pod)
		e.nodeRef(x.Node)
		e.bool(x.Ready)
	case cluster.Rejected:
		e.byte(byte(x.Decision.Kind))
		e.decision(d, &x.Decision)
		e.varint(int64(x.Code))
		e.string(x.Reason)
	default:
		e.fail(fmt.Errorf("%v (%d) is not an event that the format knows", x.Kind, x.Kind))
	}
}

func (e *encoder) nodeSpec(d *definer, spec *cluster.NodeSpec) {
	if spec == nil {
		e.fail(errors.New("a node without a spec can't be written"))
		return
	}
	if err := checkNode(spec); err != nil {
		e.fail(err)
		return
	}
	e.reference(d.node(spec))
}

// appendFrame appends the frame's content: the length of all strings, the strings, the
// records. A frame without records is empty.
func (e *encoder) appendFrame(b []byte) []byte {
	if e.count == 0 {
		return b
	}
	b = binary.AppendUvarint(b, uint64(len(e.text)))
	return append(append(b, e.text...), e.records...)
}

// frameSize is the bytes that appendFrame appends.
func (e *encoder) frameSize() int {
	if e.count == 0 {
		return 0
	}
	return len(binary.AppendUvarint(nil, uint64(len(e.text)))) + e.size()
}
