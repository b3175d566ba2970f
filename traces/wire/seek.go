package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"sort"

	"github.com/berthsim/berth/cluster"
)

// Seek has Next return the first record that is not before a time, and all after it. What
// counts is a record's place in time: its own Time, or the latest before it if that is later.
// The file must begin where its io.ReadSeeker does. Of the blocks before, only definitions are
// read, and where the trailer has an index, only of blocks that have some.
func (r *Reader) Seek(t cluster.Time) error {
	from, ok := r.from.(io.ReadSeeker)
	if !ok {
		return errors.New("seeking in a recording: what it is read from can't seek; read it from a file")
	}
	var torn *Error
	if r.err != nil && !errors.Is(r.err, io.EOF) && !(errors.As(r.err, &torn) && torn.Torn != nil) {
		return r.err
	}
	size, err := from.Seek(0, io.SeekEnd)
	if err != nil {
		return r.failed(err)
	}
	r.err, r.torn, r.partial, r.skipTo = nil, nil, true, t
	r.source, r.round, r.left = source{}, Batch{}, [frames]uint32{}
	r.position, r.fromOutside = minTime, minTime
	if err := r.restart(from); err != nil {
		return err
	}
	if index, stride := r.readIndex(from, size); len(index) > 0 {
		target := sort.Search(len(index), func(i int) bool { return index[i].Last >= t })
		for i, e := range index[:target] {
			if e.Definitions == 0 {
				continue
			}
			r.seq = 1 + uint64(i)*uint64(stride)
			end := size
			if i+1 < len(index) {
				end = index[i+1].Offset
			}
			if err := r.pass(from, e.Offset, end, cluster.Never); err != nil {
				return err
			}
		}
		if target == len(index) {
			target--
		}
		r.seq = 1 + uint64(target)*uint64(stride)
		return r.arrive(from, index[target].Offset, size, t)
	}
	return r.arrive(from, r.offset, size, t)
}

// restart reads what the file begins with again, since no definition counts any more.
func (r *Reader) restart(from io.ReadSeeker) error {
	r.seq, r.offset = 0, 0
	if err := r.seekTo(from, 0); err != nil {
		return err
	}
	meta := r.meta
	r.meta = Meta{}
	defer func() { r.meta = meta }()
	return r.readStart()
}

func (r *Reader) seekTo(from io.ReadSeeker, offset int64) error {
	if _, err := from.Seek(offset, io.SeekStart); err != nil {
		return r.failed(err)
	}
	r.offset = offset
	return nil
}

// readIndex returns the index of the file's trailer, nothing if there is none that can be read.
func (r *Reader) readIndex(from io.ReadSeeker, size int64) (index []entry, stride int64) {
	was := *r
	defer func() { r.offset, r.at, r.seq, r.head = was.offset, was.at, was.seq, was.head }()
	defer func() { _ = r.seekTo(from, was.offset) }()
	var footer [fileFooter]byte
	if size < fileFooter || r.seekTo(from, size-fileFooter) != nil {
		return nil, 0
	}
	if _, err := io.ReadFull(from, footer[:]); err != nil || string(footer[8:]) != endMark {
		return nil, 0
	}
	at := binary.LittleEndian.Uint64(footer[:])
	if at >= uint64(size) || r.seekTo(from, int64(at)) != nil {
		return nil, 0
	}
	var b [headerSize]byte
	if _, err := io.ReadFull(from, b[:]); err != nil {
		return nil, 0
	}
	h, problem := parseHeader(b[:])
	if problem != "" || h.kind != trailerBlock {
		return nil, 0
	}
	r.head, r.at, r.offset = h, int64(at), int64(at)+headerSize
	text, err := r.frame(definitionFrame)
	var said totals
	if err != nil || strict(bytes.Clone(text), &said) != nil || said.Stride < 1 || said.Stride > 1<<40 {
		return nil, 0
	}
	return said.Index, said.Stride
}

// arrive makes the block that holds a time the next, or the trailer if none does.
func (r *Reader) arrive(from io.ReadSeeker, offset, size int64, t cluster.Time) error {
	if err := r.pass(from, offset, size, t); err != nil {
		return err
	}
	at := r.offset
	more, err := r.readHeader()
	if err != nil {
		return err
	}
	if more {
		r.seq--
		r.outside, r.created, r.population.nodes = r.head.pods, r.head.created, r.head.nodes
	}
	r.head = header{}
	return r.seekTo(from, at)
}

// pass takes in the definitions of the blocks from an offset to another, and stops before the
// first that reaches a time, or that is none with records, or is not whole.
func (r *Reader) pass(from io.ReadSeeker, offset, end int64, t cluster.Time) error {
	if err := r.seekTo(from, offset); err != nil {
		return err
	}
	for r.offset < end {
		at := r.offset
		more, err := r.readHeader()
		if err != nil {
			return err
		}
		h := &r.head
		next := at + headerSize + int64(h.stored[0]) + int64(h.stored[1]) + int64(h.stored[2])
		if !more || h.kind != dataBlock || h.last >= t || next > end {
			if more {
				r.seq--
			}
			return r.seekTo(from, at)
		}
		definitions, err := r.frame(definitionFrame)
		if err != nil {
			return err
		}
		if err := r.define(definitions); err != nil {
			return err
		}
		if err := r.seekTo(from, next); err != nil {
			return err
		}
	}
	return nil
}
