package suite

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
)

// put appends values as they are in memory, little end first.
func put(b []byte, values ...any) []byte {
	for _, v := range values {
		b, _ = binary.Append(b, binary.LittleEndian, v)
	}
	return b
}

// counted is what a program writes that has one package with two functions: one with blocks of 2
// and 5 statements, one with a block of 1.
func counted() (meta, counters []byte) {
	functions := [][]byte{{2, 0, 0, 1, 1, 2, 2, 2, 3, 3, 4, 4, 5, 0}, {1, 0, 0, 1, 1, 2, 2, 1, 0}}
	pkg := put(nil, uint32(0), [3]uint32{}, [16]byte{}, [4]byte{}, uint32(1), uint32(2), uint32(52), uint32(52+len(functions[0])))
	pkg = append(pkg, bytes.Join(functions, nil)...)
	meta = put([]byte("\x00cvm"), uint32(1), uint64(0), uint64(1), [16]byte{}, [2]uint32{}, [8]byte{}, uint64(72), uint64(len(pkg)))
	meta = append(meta, pkg...)

	counters = put([]byte("\x00cwm"), uint32(1), [16]byte{}, byte(2), [7]byte{})
	counters = put(counters, uint64(2), uint32(4), uint32(4), [8]byte{})
	return meta, append(counters, 2, 0, 0, 10, 0x80, 1, 1, 0, 1, 7)
}

func TestStatements(t *testing.T) {
	meta, counters := counted()
	weights, err := decodeWeights(meta)
	if err != nil {
		t.Fatal(err)
	}
	sum, err := sumCounters(counters, weights)
	if want := uint64(10*2 + 128*5 + 7*1); sum != want || err != nil {
		t.Errorf("%d statements (%v) instead of %d", sum, err, want)
	}
	for size := range counters {
		if _, err := sumCounters(counters[:size], weights); !errors.Is(err, errForm) {
			t.Errorf("the first %d bytes of counters: %v", size, err)
		}
	}
	for size := range len(meta) - 1 { // the last byte is not needed
		if _, err := decodeWeights(meta[:size]); !errors.Is(err, errForm) {
			t.Errorf("the first %d bytes of the description: %v", size, err)
		}
	}
	if _, err := readWeights(); err != nil && !errors.Is(err, errUncounted) {
		t.Error(err)
	}
}
