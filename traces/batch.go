package traces

import (
	"strconv"

	"github.com/berthsim/berth/cluster"
)

// A batch is pods that came together, ask for the same and run equally long: a
// pod called NAME if pods is 0, else pods of them, called NAME-FIRST and so on.
// A recording is held as batches, which take a fraction of its PodSpecs' memory. They
// name classes and names by number, since without pointers in them the collector has
// nothing to follow: with two in each, reading took up to twice as long.
type batch struct {
	at     cluster.Time // by the recording's clock
	run    cluster.Time
	waited cluster.Time // before it ran, in the recording, if replay.waits; -1 if unknown
	name   int64        // in replay.names
	class  int32        // in replay.classes
	first  int32
	pods   int32
	more   bool // of the row that the batch before is of
}

// count returns how many pods b has.
func (b *batch) count() int64 { return int64(max(b.pods, 1)) }

// class returns the class of b's pods.
func (r *replay) class(b *batch) *cluster.Class { return r.classes[b.class] }

// spec makes the i-th pod of b.
func (r *replay) spec(b *batch, i int32) *cluster.PodSpec {
	var room [64]byte
	name := r.names.appendName(room[:0], b.name)
	if b.pods > 0 {
		name = strconv.AppendInt(append(name, '-'), int64(b.first+i), 10)
	}
	p := &cluster.PodSpec{Name: string(name), Class: r.class(b), Run: b.run}
	if r.labels != nil {
		p.Labels = r.labels(b.name)
	}
	return p
}

// A batchNames has the names that numbers stand for in batches.
type batchNames interface {
	appendName(to []byte, number int64) []byte
}

// A numbered is names that are the same text with the number behind it.
type numbered string

// appendName implements batchNames.
func (text numbered) appendName(to []byte, number int64) []byte {
	return strconv.AppendInt(append(to, text...), number, 10)
}

// A texts is names as they are; the number says where, from 0.
type texts struct{ list[string] }

// put adds a name, and returns its number.
func (l *texts) put(name string) int64 {
	l.add(name)
	return int64(l.count) - 1
}

// appendName implements batchNames.
func (l *texts) appendName(to []byte, number int64) []byte {
	return append(to, *l.at(int(number))...)
}
