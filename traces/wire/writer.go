package wire

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"

	"github.com/berthsim/berth/cluster"
	"github.com/klauspost/compress/zstd"
)

// Options say how a file is written. The zero Options are the usual case.
type Options struct {
	// Records is how many a block has at most, and so how many are lost at most if the writer
	// dies: 8 to 65536, and 65536 if it is 0.
	Records int
}

// leastRecords is the least that Options.Records may be: some are written together.
const leastRecords = 8

// A Writer writes a file, a block at a time. Records come in the order in which things
// happened; events from outside must not go back in time. A record that can't be written is
// an error and leaves no trace; after an error of the underlying writer, there is no more
// than that error.
type Writer struct {
	to      io.Writer
	records int // in a block, at most
	zstd    *zstd.Encoder
	broken  error // of the underlying writer

	block
	was         block // before the record that is being written
	definer     definer
	definitions []byte // of this block
	defined     uint32

	offset  int64  // of the next block
	seq     uint64 // of the next block
	before  population
	total   totals
	content contentHash
	raw     []byte // reused
	out     []byte // reused
}

// block is what a record changes, so that it can be taken back.
type block struct {
	workload, outcomes encoder
	taken              uint32       // records of workload that outcomes knows of
	first, position    cluster.Time // of the first record, and of the last: never less than one before
	fromOutside        cluster.Time // of the last event from outside
	now                population
	round              Batch // what is to come of it
}

// Create begins a file.
func Create(to io.Writer, meta Meta, o Options) (*Writer, error) {
	records := cmp.Or(o.Records, blockRecords)
	if records < leastRecords || records > blockRecords {
		return nil, fmt.Errorf("a block can't have %d records; give %d to %d", records, leastRecords, blockRecords)
	}
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1),
		zstd.WithEncoderCRC(false), zstd.WithSingleSegment(true))
	if err != nil {
		return nil, fmt.Errorf("preparing to compress: %w", err)
	}
	w := &Writer{to: to, records: records, zstd: encoder, content: newContentHash()}
	w.position, w.fromOutside = math.MinInt64, math.MinInt64
	w.total.Stride = 1
	w.workload.come, w.outcomes.come = &w.now, &w.now
	w.definer.define = w.define
	text, err := json.Marshal(meta)
	if err != nil {
		return nil, fmt.Errorf("writing metadata: %w", err)
	}
	if len(text) > maxFrame {
		return nil, fmt.Errorf("metadata of %d bytes is larger than the format allows, %d", len(text), maxFrame)
	}
	w.out = appendFileHeader(w.out, records)
	return w, w.emit(&header{kind: metaBlock}, [frames][]byte{text})
}

// define adds a definition to the block.
func (w *Writer) define(kind byte, _ uint64, text []byte) error {
	w.definitions = append(w.definitions, kind)
	w.definitions = binary.AppendUvarint(w.definitions, uint64(len(text)))
	w.definitions = append(w.definitions, text...)
	w.defined++
	return nil
}

// A share is the part that a record has in a round.
type share uint8

const (
	noShare share = iota // it isn't in a round
	eventShare
	decisionShare
)

// open prepares for a record at a time. Every open that returns no error has its shut.
func (w *Writer) open(at cluster.Time, part share) error {
	if w.broken != nil {
		return w.broken
	}
	left := w.round
	switch {
	case part == noShare && left != (Batch{}), part == eventShare && left.Events == 0 && left.Decisions > 0, part == decisionShare && left.Events > 0:
		return fmt.Errorf("the round has %d events and %d decisions to come, and something else came", left.Events, left.Decisions)
	}
	count, size := int(w.workload.count+w.outcomes.count), w.workload.size()+w.outcomes.size()
	if count+leastRecords > w.records || size >= fullBytes || size >= blockBytes && left == (Batch{}) || len(w.definitions) >= fullBytes {
		if err := w.Flush(); err != nil {
			return err
		}
	}
	w.was = w.block
	w.position = max(w.position, at)
	if w.workload.count+w.outcomes.count == 0 {
		w.first = w.position
		w.workload.time, w.outcomes.time = w.first, w.first
	}
	switch {
	case part == eventShare && left.Events > 0:
		w.round.Events--
	case part == decisionShare && left.Decisions > 0:
		w.round.Decisions--
	}
	return nil
}

// shut ends a record: it is in the file, or nothing of it is.
func (w *Writer) shut() error {
	err := cmp.Or(w.workload.err, w.outcomes.err)
	if err == nil && (w.workload.size() > maxFrame-16 || w.outcomes.size() > maxFrame-16) {
		err = errors.New("a record is larger than the format allows")
	}
	if err != nil {
		w.block = w.was
		return fmt.Errorf("writing a record: %w", err)
	}
	if w.now.outside > maxPods || w.now.created > maxPods || w.now.nodes > maxPods {
		w.block = w.was
		return errors.New("there are more pods, or nodes, than the format has numbers for")
	}
	return nil
}

// follow has outcomes know how many records of the workload come before the next.
func (w *Writer) follow() {
	if n := w.workload.count - w.taken; n > 0 {
		w.outcomes.byte(tagTake)
		w.outcomes.uvarint(uint64(n))
		w.taken = w.workload.count
	}
}

// Flush ends the block and writes it, so that what was recorded up to now is in the file
// whatever happens to the writer. The less often, the smaller the file.
func (w *Writer) Flush() error {
	if w.broken != nil {
		return w.broken
	}
	if w.workload.count+w.outcomes.count == 0 && w.defined == 0 {
		return nil
	}
	h := header{
		kind: dataBlock, first: w.first, last: w.position, workload: w.workload.count, outcomes: w.outcomes.count, definitions: w.defined,
		pods: w.before.outside, created: w.before.created, nodes: w.before.nodes,
	}
	if h.workload+h.outcomes == 0 { // definitions of records that could not be written
		w.first = w.position
		h.first = w.position
	}
	w.raw = w.outcomes.appendFrame(w.workload.appendFrame(w.raw[:0]))
	middle := len(w.raw) - w.outcomes.frameSize()
	raw := [frames][]byte{w.definitions, w.raw[:middle], w.raw[middle:]}
	w.total.add(&h, w.offset)
	for i, frame := range raw {
		w.content.addFrame(i, frame)
	}
	if err := w.emit(&h, raw); err != nil {
		return err
	}
	w.workload.start()
	w.outcomes.start()
	w.definitions, w.defined, w.taken, w.before = w.definitions[:0], 0, 0, w.now
	return nil
}

// emit writes a block.
func (w *Writer) emit(h *header, raw [frames][]byte) error {
	h.seq = w.seq
	w.seq++
	start := len(w.out)
	w.out = append(w.out, make([]byte, headerSize)...)
	for i, frame := range raw {
		at := len(w.out)
		w.out = w.zstd.EncodeAll(frame, w.out)
		h.compressed |= 1 << i
		if len(w.out)-at >= len(frame) {
			w.out = append(w.out[:at], frame...)
			h.compressed &^= 1 << i
		}
		h.raw[i], h.stored[i] = uint32(len(frame)), uint32(len(w.out)-at)
		h.crc[i] = crc32.Checksum(w.out[at:], castagnoli)
	}
	appendHeader(w.out[:start], h)
	return w.send()
}

// send writes what is ready.
func (w *Writer) send() error {
	n, err := w.to.Write(w.out)
	w.offset += int64(n)
	w.out = w.out[:0]
	if err != nil {
		w.broken = fmt.Errorf("writing the recording: %w", err)
	}
	return w.broken
}

// Close writes what is left and the trailer. It doesn't close the underlying writer.
func (w *Writer) Close() error {
	if w.round != (Batch{}) && w.broken == nil {
		return fmt.Errorf("the last round has %d events and %d decisions to come", w.round.Events, w.round.Decisions)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	w.total.population(w.now)
	w.total.Content, w.total.Workload.Content = w.content.sums()
	text, err := json.Marshal(&w.total)
	if err != nil {
		return fmt.Errorf("writing the trailer: %w", err)
	}
	trailer := w.offset
	if err := w.emit(&header{kind: trailerBlock}, [frames][]byte{text}); err != nil {
		return err
	}
	w.out = appendFileFooter(w.out, trailer)
	if err := w.send(); err != nil {
		return err
	}
	w.broken = errors.New("writing the recording: it has been closed")
	return nil
}
