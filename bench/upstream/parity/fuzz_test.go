package parity

import (
	"testing"

	"github.com/berthsim/berth/bench/upstream/generate"
)

// FuzzParity compares what comes of any bytes.
func FuzzParity(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("sharp corners"))
	f.Add([]byte("one cluster is not like another"))
	f.Add([]byte{1, 0, 2, 0, 3, 0, 255, 255, 128, 128, 7, 7, 9, 9})
	f.Fuzz(func(t *testing.T, data []byte) {
		mismatches, err := Compare(generate.FromBytes(data, generate.Options{}))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range mismatches {
			t.Error(m)
		}
	})
}
