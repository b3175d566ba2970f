package suite

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"runtime/coverage"
)

// What a function costs is counted in statements, which neither load nor heat nor the place of
// things in memory changes: a program that was built with -cover counts how often it comes to
// each block of statements (runtime/coverage). So what differs between two programs by a percent
// can be told in seconds, and without any rights. What it doesn't tell is the cost of a statement:
// what packages do that are not instrumented, allocation, caches.

// errUncounted is why a program that was built as usual counts no statements.
var errUncounted = errors.New("the program was built without -cover -covermode=atomic")

// statementsOf returns how many statements a function runs, in the packages that the program was
// built to count in. Nothing else must run meanwhile.
func statementsOf(weights [][]weight, run func()) (uint64, error) {
	if err := coverage.ClearCounters(); err != nil {
		return 0, errUncounted
	}
	run()
	var counters bytes.Buffer
	if err := coverage.WriteCounters(&counters); err != nil {
		return 0, fmt.Errorf("reading the counters: %w", err)
	}
	return sumCounters(counters.Bytes(), weights)
}

// A weight says, of a function, how many statements each of its blocks has.
type weight []uint64

// errForm is that of counters as another version of Go writes them.
var errForm = errors.New("the counters have an unknown form")

// readWeights returns the weights of all functions, by number of the package and of the function.
func readWeights() ([][]weight, error) {
	var meta bytes.Buffer
	if err := coverage.WriteMeta(&meta); err != nil {
		return nil, errUncounted
	}
	return decodeWeights(meta.Bytes())
}

// decodeWeights reads the description of the counters. Its form is that of Go's
// internal/coverage, MetaFileHeader to FuncDesc, version 1.
func decodeWeights(meta []byte) (weights [][]weight, err error) {
	defer func() {
		if recover() != nil { // what it says leads out of it
			weights, err = nil, errForm
		}
	}()
	u32, u64 := binary.LittleEndian.Uint32, binary.LittleEndian.Uint64
	if !bytes.Equal(meta[:4], []byte("\x00\x63\x76\x6d")) || u32(meta[4:]) != 1 {
		return nil, errForm
	}
	const header, packageHeader, functions = 56, 44, 40
	for i := range u64(meta[16:]) {
		pkg := meta[u64(meta[header+8*i:]):]
		of := make([]weight, u32(pkg[functions:]))
		for j := range of {
			at := packageHeader + 4*j
			of[j] = decodeWeight(&uleb{pkg[u32(pkg[at:]):]})
		}
		weights = append(weights, of)
	}
	return weights, nil
}

// decodeWeight reads the description of a function: how many blocks, its name and file; of each
// block, where it begins and ends, and its statements.
func decodeWeight(u *uleb) weight {
	w := make(weight, u.next())
	u.next()
	u.next()
	for i := range w {
		for range 4 {
			u.next()
		}
		w[i] = u.next()
	}
	return w
}

// sumCounters adds up counters, times their weights. Their form is CounterFileHeader and a
// CounterSegmentHeader with what follows it, version 1.
func sumCounters(data []byte, weights [][]weight) (sum uint64, err error) {
	defer func() {
		if recover() != nil {
			sum, err = 0, errForm
		}
	}()
	u32, u64 := binary.LittleEndian.Uint32, binary.LittleEndian.Uint64
	const header, segmentHeader, raw = 32, 16, 1
	if !bytes.Equal(data[:4], []byte("\x00\x63\x77\x6d")) || u32(data[4:]) != 1 {
		return 0, errForm
	}
	segment := data[header:]
	next := (&uleb{segment[segmentHeader+u32(segment[8:])+u32(segment[12:]):]}).next
	if data[24] == raw {
		next = (&words{segment[segmentHeader+u32(segment[8:])+u32(segment[12:]):]}).next
	}
	for range u64(segment) {
		count, pkg, function := next(), next(), next()
		of := weights[pkg][function]
		for i := range count {
			sum += next() * of[i]
		}
	}
	return sum, nil
}

// uleb reads numbers of as many bytes as they need, seven bits each.
type uleb struct{ left []byte }

func (u *uleb) next() uint64 {
	n, size := binary.Uvarint(u.left)
	if size <= 0 {
		panic(io.ErrUnexpectedEOF)
	}
	u.left = u.left[size:]
	return n
}

// words reads numbers of four bytes.
type words struct{ left []byte }

func (w *words) next() uint64 {
	n := binary.LittleEndian.Uint32(w.left)
	w.left = w.left[4:]
	return uint64(n)
}
