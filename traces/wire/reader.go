package wire

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/internal/input"
	"github.com/klauspost/compress/zstd"
)

// ReadOptions say how a file is read. The zero ReadOptions read all of a file that is whole.
type ReadOptions struct {
	Name string // of the file, for errors; "trace" if it is ""

	// Workload leaves the outcomes unread: Next returns only what a replay of the workload may
	// see.
	Workload bool

	// Torn accepts a file that ends before its trailer: Next returns io.EOF where it ends, and
	// Reader.Torn says so. Otherwise that is an *Error.
	Torn bool
}

// A Reader reads a file, a block at a time. It holds one block, and the definitions that can
// still be referred to; what it returned stays valid.
type Reader struct {
	from io.Reader
	opts ReadOptions
	zstd *zstd.Decoder
	err  error // what Next returns from now on

	meta    Meta
	records uint32 // that a block has at most
	torn    *Torn

	offset int64 // of what is read next
	at     int64 // of the block that is read
	seq    uint64
	head   header

	source
	workload, outcomes decoder
	left               [frames]uint32 // records that are left of each frame
	take               uint64         // records of the workload that come before the next outcome
	position           cluster.Time
	fromOutside        cluster.Time
	round              Batch // what is to come of it
	record             Record
	skipTo             cluster.Time // records before are not returned

	stored, raw []byte // reused
	content     contentHash
	total       totals
	partial     bool // it doesn't read from the beginning, so hashes mean nothing
}

// Records returns how many records a block of the file has at most.
func (r *Reader) Records() int { return int(r.records) }

// NewReader begins to read a file.
func NewReader(from io.Reader, o ReadOptions) (*Reader, error) {
	o.Name = cmp.Or(o.Name, "trace")
	r := &Reader{from: from, opts: o, content: newContentHash(), skipTo: minTime}
	r.total.Stride = 1
	r.position, r.fromOutside = minTime, minTime
	var err error
	if r.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxFrame), zstd.WithDecodeAllCapLimit(true)); err != nil {
		return nil, fmt.Errorf("preparing to decompress: %w", err)
	}
	if err := r.readStart(); err != nil {
		return nil, err
	}
	return r, nil
}

// minTime is earlier than every other Time.
const minTime = -cluster.Never - 1

// Meta returns what the file says of itself.
func (r *Reader) Meta() *Meta { return &r.meta }

// Torn says what is missing, once Next has returned io.EOF; nil if nothing is.
func (r *Reader) Torn() *Torn { return r.torn }

// readStart reads all up to the first block with records.
func (r *Reader) readStart() error {
	var b [fileHeader]byte
	n, err := io.ReadFull(r.from, b[:])
	r.offset += int64(n)
	if !bytes.HasPrefix([]byte(magic), b[:min(n, len(magic))]) || n == 0 && errors.Is(err, io.EOF) {
		return r.wrong("this is not a trace of Berth's", "give a file that Berth has recorded or converted")
	}
	if short(err) {
		return r.wrong("the file ends in its first bytes", "record it anew: nothing is in it")
	}
	if err != nil {
		return fmt.Errorf("reading %s: %w", r.opts.Name, err)
	}
	if version := leUint32(b[8:]); version != Version {
		return r.wrong(fmt.Sprintf("the file's format has version %d, and this program knows %d", version, Version), "use the version of Berth that wrote it, or a newer one")
	}
	r.records = leUint32(b[12:])
	if leUint32(b[16:]) != crc32.Checksum(b[:16], castagnoli) || r.records < leastRecords || r.records > blockRecords {
		return r.damaged("the file's first bytes are damaged")
	}
	more, err := r.readHeader()
	if err != nil {
		return err
	}
	if !more {
		return r.wrong("the file ends before what it says of itself", "record it anew: nothing is in it")
	}
	if r.head.kind != metaBlock {
		return r.damaged("it doesn't begin with what it says of itself")
	}
	text, err := r.frame(definitionFrame)
	if err != nil {
		return r.unlessTorn(err)
	}
	if err := r.skip(workloadFrame); err != nil {
		return r.unlessTorn(err)
	}
	if err := strict(text, &r.meta); err != nil {
		return r.damaged("what it says of itself can't be read: " + err.Error())
	}
	return nil
}

// errTorn is returned within this package where the file ends too early.
var errTorn = errors.New("the file ends")

func short(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }

// unlessTorn returns an error about a file that has not even its metadata.
func (r *Reader) unlessTorn(err error) error {
	if errors.Is(err, errTorn) {
		return r.wrong("the file ends before what it says of itself", "record it anew: nothing is in it")
	}
	return err
}

// readHeader reads the header of the next block. more is false if the file ends here, whether
// in the header or before it.
func (r *Reader) readHeader() (more bool, err error) {
	r.at = r.offset
	var b [headerSize]byte
	n, err := io.ReadFull(r.from, b[:])
	r.offset += int64(n)
	if short(err) {
		return false, nil
	}
	if err != nil {
		return false, r.failed(err)
	}
	h, problem := parseHeader(b[:])
	if problem != "" {
		return false, r.damaged(problem)
	}
	if h.seq != r.seq {
		return false, r.damaged(fmt.Sprintf("it says that it is block %d", h.seq))
	}
	if uint64(h.workload)+uint64(h.outcomes) > uint64(r.records) {
		return false, r.damaged("it has more records than the file says that a block has")
	}
	r.head = h
	r.seq++
	return true, nil
}

// frame reads a frame of the block, which must be the next. What it returns is valid until the
// next call.
func (r *Reader) frame(i int) ([]byte, error) {
	size := int(r.head.stored[i])
	if size == 0 {
		return nil, nil
	}
	r.stored = r.stored[:0]
	for len(r.stored) < size { // a piece at a time, lest a file that lies have us allocate it all
		piece := min(size-len(r.stored), 1<<20)
		r.stored = slices.Grow(r.stored, piece)
		n, err := io.ReadFull(r.from, r.stored[len(r.stored):len(r.stored)+piece])
		r.stored = r.stored[:len(r.stored)+n]
		r.offset += int64(n)
		if short(err) {
			return nil, errTorn
		}
		if err != nil {
			return nil, r.failed(err)
		}
	}
	if crc32.Checksum(r.stored, castagnoli) != r.head.crc[i] {
		return nil, r.damaged("a frame's bytes are not those that were written")
	}
	if r.head.compressed>>i&1 == 0 {
		return r.stored, nil
	}
	r.raw = slices.Grow(r.raw[:0], int(r.head.raw[i]))
	raw, err := r.zstd.DecodeAll(r.stored, r.raw[:0:r.head.raw[i]])
	if err != nil || len(raw) != int(r.head.raw[i]) {
		return nil, r.damaged("a frame can't be decompressed")
	}
	r.raw = raw
	return raw, nil
}

// skip reads over the frames of the block from i on.
func (r *Reader) skip(i int) error {
	for ; i < frames; i++ {
		n, err := io.CopyN(io.Discard, r.from, int64(r.head.stored[i]))
		r.offset += n
		if short(err) {
			return errTorn
		}
		if err != nil {
			return r.failed(err)
		}
	}
	return nil
}

// nextBlock reads the next block. It returns io.EOF after the trailer.
func (r *Reader) nextBlock() error {
	more, err := r.readHeader()
	if err != nil {
		return err
	}
	if !more {
		return r.ends(int64(r.records))
	}
	switch r.head.kind {
	case metaBlock:
		return r.damaged("the file says twice what it is")
	case trailerBlock:
		err = r.readTrailer()
	default:
		err = r.readData()
	}
	if errors.Is(err, errTorn) {
		lost := int64(r.records)
		if r.head.kind == dataBlock {
			lost = int64(r.head.workload) + int64(r.head.outcomes)
		}
		return r.ends(lost)
	}
	return err
}

// ends is what becomes of a file that ends before its trailer.
func (r *Reader) ends(lost int64) error {
	r.torn = &Torn{Byte: r.at, Lost: lost}
	if r.opts.Torn {
		return io.EOF
	}
	e := r.wrong(fmt.Sprintf("the file ends without a trailer: all up to byte %d has been read, and %d records at most are missing", r.at, lost),
		"if its writer died, read it as torn")
	e.Torn = r.torn
	return e
}

// readData reads a block with records.
func (r *Reader) readData() error {
	h := &r.head
	if h.pods != r.outside || h.nodes != r.population.nodes || !r.opts.Workload && h.created != r.created || h.created < r.created {
		return r.damaged("it says that another number of pods and nodes came before it")
	}
	if h.first < r.position {
		return r.damaged("it goes back in time")
	}
	r.created, r.position = h.created, h.first
	r.total.add(h, r.at)
	definitions, err := r.frame(definitionFrame)
	if err != nil {
		return err
	}
	if err := r.define(definitions); err != nil {
		return err
	}
	r.content.addFrame(definitionFrame, definitions)
	workload, err := r.frame(workloadFrame)
	if err != nil {
		return err
	}
	r.content.addFrame(workloadFrame, workload)
	r.left = [frames]uint32{workloadFrame: h.workload}
	r.take = uint64(h.workload)
	if r.opts.Workload { // no other frame will be read to where this is
		r.workload.start(workload, h.first)
		return r.skip(outcomeFrame)
	}
	r.workload.start(bytes.Clone(workload), h.first)
	outcomes, err := r.frame(outcomeFrame)
	if err != nil {
		return err
	}
	r.content.addFrame(outcomeFrame, outcomes)
	r.outcomes.start(outcomes, h.first)
	r.left[outcomeFrame] = h.outcomes
	r.take = 0
	return nil
}

// define takes in a frame of definitions.
func (r *Reader) define(raw []byte) error {
	d := decoder{records: raw}
	for range r.head.definitions {
		kind, size := d.byte(), d.uvarint()
		if d.problem != "" || size > uint64(d.left()) {
			return r.damaged("a definition is cut off")
		}
		if _, err := r.add(kind, d.records[d.taken:d.taken+int(size)]); err != nil {
			return r.wrong(fmt.Sprintf("a definition (%d) can't be read: %v", kind, err), "use a newer version of Berth, or find out who wrote it")
		}
		d.taken += int(size)
	}
	if d.end(); d.problem != "" {
		return r.damaged("something follows its last definition")
	}
	return nil
}

// readTrailer reads the trailer, and compares what it says with what was read.
func (r *Reader) readTrailer() error {
	text, err := r.frame(definitionFrame)
	if err != nil {
		return err
	}
	if err := r.skip(workloadFrame); err != nil {
		return err
	}
	var footer [fileFooter + 1]byte
	n, err := io.ReadFull(r.from, footer[:])
	r.offset += int64(n)
	switch {
	case err == nil:
		return r.damaged("something follows the trailer")
	case !short(err):
		return r.failed(err)
	case n < fileFooter:
		return errTorn
	case !bytes.Equal(footer[:n], appendFileFooter(nil, r.at)):
		return r.damaged("the file's last bytes are damaged")
	}
	var said totals
	if err := strict(text, &said); err != nil {
		return r.damaged("its trailer can't be read: " + err.Error())
	}
	if !r.partial {
		if err := r.compare(&said); err != nil {
			return err
		}
	}
	if r.round != (Batch{}) && !r.opts.Workload {
		return r.damaged("the last round is not whole")
	}
	return io.EOF
}

// compare checks a trailer against what was read.
func (r *Reader) compare(said *totals) error {
	r.total.population(r.population)
	r.total.Content, r.total.Workload.Content = r.content.sums()
	if r.opts.Workload {
		r.total.Content, r.total.Created = said.Content, said.Created
	}
	is, err := json.Marshal(&r.total)
	if err != nil {
		return fmt.Errorf("comparing trailers: %w", err)
	}
	want, err := json.Marshal(said)
	if err != nil {
		return fmt.Errorf("comparing trailers: %w", err)
	}
	if !bytes.Equal(is, want) {
		return r.damaged("its trailer says something else than what was read")
	}
	return nil
}

// Content returns the hash of the file's content, and that of the part that replays of the
// workload see, as hex, once Next has returned io.EOF. With ReadOptions.Workload there is no
// hash of everything; after a Seek there is none at all.
func (r *Reader) Content() (all, workload string) {
	if r.partial {
		return "", ""
	}
	if all, workload = r.content.sums(); r.opts.Workload {
		all = ""
	}
	return all, workload
}

// Outcomes returns how many decisions and outcomes there are in the blocks that were come to,
// whether Next returned them or not.
func (r *Reader) Outcomes() int64 { return r.total.Outcomes }

// wrong returns an error about the block that is read.
func (r *Reader) wrong(problem, remedy string) *Error {
	block := int64(r.seq)
	if r.offset > r.at+headerSize && r.seq > 0 {
		block--
	}
	return &Error{
		Input: input.Error{File: r.opts.Name, Problem: fmt.Sprintf("block %d, at byte %d: %s", block, r.at, problem), Remedy: remedy},
		Block: block, Byte: r.at,
	}
}

func (r *Reader) damaged(problem string) *Error {
	return r.wrong(problem, "copy the file again from where it came from; what is before that byte can be read")
}

// failed is an error of the system.
func (r *Reader) failed(err error) error {
	return fmt.Errorf("reading %s at byte %d: %w", r.opts.Name, r.offset, err)
}
