package wire

import (
	"encoding/binary"
	"unicode/utf8"

	"github.com/berthsim/berth/cluster"
)

// A decoder takes records out of a frame. What it finds wrong makes it bad, and all it returns
// from then on means nothing; it never reads beyond the frame.
//
// How far it has come are numbers, for slices that are cut shorter with each byte would be
// pointers written for the collector to look at.
type decoder struct {
	text    string
	spoken  int // bytes of text that were taken
	records []byte
	taken   int // bytes of records that were
	time    cluster.Time
	pod     int64
	problem string // "" as long as nothing is wrong
	specs   []cluster.PodSpec
}

// start takes over a frame's content.
func (d *decoder) start(raw []byte, at cluster.Time) {
	*d = decoder{time: at, specs: d.specs}
	if len(raw) == 0 {
		return
	}
	n, size := binary.Uvarint(raw)
	if size <= 0 || n > uint64(len(raw)-size) {
		d.fail("its strings are longer than the frame")
		return
	}
	d.text, d.records = string(raw[size:size+int(n)]), raw[size+int(n):]
}

func (d *decoder) fail(problem string) {
	if d.problem == "" {
		d.problem = problem
	}
	d.records, d.taken = nil, 0
}

// left returns how many bytes of records there are still.
func (d *decoder) left() int { return len(d.records) - d.taken }

// end checks that nothing is left over.
func (d *decoder) end() {
	if d.left() > 0 || d.spoken < len(d.text) {
		d.fail("something follows its last record")
	}
}

func (d *decoder) byte() byte {
	if d.taken >= len(d.records) {
		d.fail("a record is cut off")
		return 0
	}
	x := d.records[d.taken]
	d.taken++
	return x
}

func (d *decoder) bool() bool {
	x := d.byte()
	if x > 1 {
		d.fail("a truth value is neither 0 nor 1")
	}
	return x == 1
}

func (d *decoder) uvarint() uint64 {
	if i := d.taken; i < len(d.records) && d.records[i] < 0x80 {
		d.taken = i + 1
		return uint64(d.records[i])
	}
	return d.longUvarint()
}

// longUvarint reads a number of several bytes, as most are not.
func (d *decoder) longUvarint() uint64 {
	x, n := binary.Uvarint(d.records[d.taken:])
	if n <= 0 {
		d.fail("a number is cut off, or too large")
		return 0
	}
	d.taken += n
	return x
}

func (d *decoder) varint() int64 {
	x := d.uvarint()
	return int64(x>>1) ^ -int64(x&1)
}

// at reads the time of a record.
func (d *decoder) at() cluster.Time {
	d.time += cluster.Time(d.varint())
	return d.time
}

func (d *decoder) string() string {
	n := d.uvarint()
	if n > uint64(len(d.text)-d.spoken) || n > maxText {
		d.fail("a string is longer than what is left of the strings")
		return ""
	}
	s := d.text[d.spoken : d.spoken+int(n)]
	d.spoken += int(n)
	if !utf8.ValidString(s) {
		d.fail("a string isn't UTF-8")
	}
	return s
}

// podRef returns a pod's number, which must be one of pods.
func (d *decoder) podRef(pods *population) cluster.PodID {
	x := d.uvarint()
	if x == 0 {
		return cluster.None
	}
	x--
	d.pod += int64(x>>1) ^ -int64(x&1)
	if !pods.has(d.pod) {
		d.fail("a record is about a pod that hasn't come")
		return cluster.None
	}
	return cluster.PodID(d.pod)
}

func (d *decoder) nodeRef(pods *population) cluster.NodeID {
	x := d.uvarint()
	if x > pods.nodes {
		d.fail("a record is about a node that hasn't come")
		return cluster.None
	}
	return cluster.NodeID(x) - 1
}

// population is how many pods and nodes there have been.
type population struct{ outside, created, nodes uint64 }

// has reports whether a number is one of a pod that has come.
func (ps *population) has(pod int64) bool {
	if pod < 0 {
		return false
	}
	if pod&1 == 1 {
		return uint64(pod>>1) < ps.created
	}
	return uint64(pod>>1) < ps.outside
}

// lookUp reads a reference to a definition.
func lookUp[T any](d *decoder, k *kept[T]) T {
	item, ok := k.get(d.uvarint())
	if !ok {
		d.fail("a record refers to a definition that isn't there, or no longer")
	}
	return item
}

// newSpec returns an empty spec. They are made some at a time, which is quicker.
func (d *decoder) newSpec() *cluster.PodSpec {
	if len(d.specs) == 0 {
		d.specs = make([]cluster.PodSpec, 32)
	}
	spec := &d.specs[0]
	d.specs = d.specs[1:]
	return spec
}

func (d *decoder) podSpec(defs *defined) *cluster.PodSpec {
	spec := d.newSpec()
	spec.Name = d.string()
	spec.Class = lookUp(d, &defs.classes)
	spec.Labels = lookUp(d, &defs.labels)
	spec.Account = lookUp(d, &defs.accounts)
	if spec.Class == nil {
		d.fail("a pod has no class")
	}
	bits := d.uvarint()
	if bits >= podBits {
		d.fail("a pod's spec has parts that aren't known")
	}
	spec.Terminating, spec.Preempted = bits&isTerminating != 0, bits&isPreempted != 0
	spec.Unready, spec.Starting = bits&isUnready != 0, bits&isStarting != 0
	if bits&hasOn != 0 {
		spec.On = d.string()
	}
	if bits&hasNominated != 0 {
		spec.Nominated = d.string()
	}
	if bits&hasStarted != 0 {
		started := cluster.Time(d.varint())
		spec.Started = &started
	}
	spec.Run = cluster.Never
	if bits&runsForever == 0 {
		spec.Run = cluster.Time(d.varint())
	}
	if bits&hasContinues != 0 {
		spec.Continues = d.string()
	}
	if bits&hasStop != 0 {
		spec.Stop = cluster.Time(d.varint())
	}
	if bits&hasGrace != 0 {
		spec.Grace = cluster.Time(d.varint())
	}
	if bits&hasDevices != 0 {
		spec.Allocation.GPUs = cluster.GPUSet(d.uvarint())
	}
	return spec
}

func (d *decoder) conditions() (cs cluster.Conditions) {
	if d.uvarint() != uint64(len(cs)) {
		d.fail("a node has another number of conditions")
	}
	for i := range cs {
		cs[i] = cluster.ConditionStatus(d.byte())
	}
	if checkConditions(&cs) != nil {
		d.fail("a node's condition has a status that isn't known")
		return cluster.Conditions{}
	}
	return cs
}

func (d *decoder) beats() (b cluster.Beats) {
	b.First, b.Every, b.Until = cluster.Time(d.varint()), cluster.Time(d.varint()), cluster.Time(d.varint())
	return b
}
