package wire

import (
	"bytes"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/berthsim/berth/cluster"
)

// tailOf reads from the beginning, and returns the records from the first on that is not before
// a time.
func tailOf(t *testing.T, file []byte, o ReadOptions, at cluster.Time) []Record {
	t.Helper()
	r, err := NewReader(bytes.NewReader(file), o)
	if err != nil {
		t.Fatal(err)
	}
	r.skipTo = at
	list, err := rest(r)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestSeek checks that seeking gives what is behind when all is read from the beginning, with
// and without an index, and that reading on after it, and seeking again, do.
func TestSeek(t *testing.T) {
	for seed := range uint64(9) {
		rng := rand.New(rand.NewPCG(seed, 8))
		tale := newTale(rng, 1000)
		file := write(t, rng, Options{Records: 30}, tale.records)
		if seed%3 == 1 {
			ends := boundaries(t, file)
			file = file[:ends[len(ends)-1].at] // no trailer
		}
		o := ReadOptions{Workload: seed%2 == 1, Torn: true}
		all, _, err := read(t, bytes.NewReader(file), o)
		if err != nil {
			t.Fatal(err)
		}
		r, err := NewReader(bytes.NewReader(file), o)
		if err != nil {
			t.Fatal(err)
		}
		from, to := all[0].Time-3, all[len(all)-1].Time+3
		for i := range 25 {
			at := from + cluster.Time(rng.Int64N(int64(to-from)))
			if i%4 == 0 {
				at = all[rng.IntN(len(all))].Time
			}
			if err := r.Seek(at); err != nil {
				t.Fatalf("to %d: %v", at, err)
			}
			want := tailOf(t, file, o, at)
			if !o.Workload && len(want) > 0 && want[0].Time < at {
				t.Fatalf("the first record is of %d, and %d was asked for", want[0].Time, at)
			}
			var got []Record
			for range rng.IntN(3) * 1000 {
				x, err := r.Next()
				if err == io.EOF {
					same(t, got, want)
					break
				} else if err != nil {
					t.Fatalf("after seeking to %d: %v", at, err)
				}
				got = append(got, *x)
			}
			same(t, got, want[:min(len(want), len(got))])
		}
	}
}
