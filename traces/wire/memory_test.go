package wire

import (
	"fmt"
	"io"
	"runtime"
	"testing"

	"github.com/berthsim/berth/cluster"
)

// allocated returns how many bytes a call has allocated, whether freed since or not.
func allocated(t *testing.T, call func()) uint64 {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	call()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// TestBounded writes and reads, through a pipe, a gigabyte of records whose pods all have labels
// of their own (32 MiB with -short), and looks at how much is in use meanwhile.
func TestBounded(t *testing.T) {
	size := int64(1 << 30)
	if testing.Short() {
		size = 32 << 20
	}
	const most = 400 << 20 // definitions that can still be referred to, on both sides, and a block
	from, to := io.Pipe()
	written := make(chan error, 1)
	go func() { written <- writeUnlike(to, size) }()
	r, err := NewReader(from, ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	peak := uint64(0)
	var raw int64
	for i := 0; ; i++ {
		_, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if i%10_000 == 0 {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak = max(peak, m.HeapInuse)
			raw = r.total.Definitions
		}
	}
	if err := <-written; err != nil {
		t.Fatal(err)
	}
	t.Logf("%d MiB, %d definitions; %d MiB in use at most", size>>20, raw, peak>>20)
	if peak > most {
		t.Errorf("%d MiB were in use, more than %d", peak>>20, most>>20)
	}
}

// writeUnlike writes pods until their records and definitions have so many bytes.
func writeUnlike(to *io.PipeWriter, size int64) error {
	w, err := Create(to, Meta{}, Options{})
	if err != nil {
		return err
	}
	class := &cluster.Class{Namespace: "default"}
	for i, done := 0, int64(0); done < size; i++ {
		labels := cluster.Labels{{Key: "app.kubernetes.io/instance", Value: fmt.Sprintf("worker-%0200d", i)}}
		spec := &cluster.PodSpec{Name: fmt.Sprintf("pod-%0900d", i), Class: class, Labels: labels}
		if err := w.Event(&cluster.Event{Time: cluster.Time(i), Kind: cluster.PodAdded, PodSpec: spec}); err != nil {
			return err
		}
		done += 1200
	}
	if err := w.Close(); err != nil {
		return err
	}
	return to.Close()
}
