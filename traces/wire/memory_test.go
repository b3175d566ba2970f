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
	checkBounded(t, unlike{size: size, name: 900})
}

// BenchmarkBounded does so with one gigabyte and with ten, of pods with longer names, which
// takes minutes:
//
//	go test ./traces/wire -run '^$' -bench Bounded -benchtime 1x
func BenchmarkBounded(b *testing.B) {
	for _, gigabytes := range []int64{1, 10} {
		b.Run(fmt.Sprintf("gigabytes=%d", gigabytes), func(b *testing.B) {
			b.SetBytes(gigabytes * 1e9)
			peak := uint64(0)
			for b.Loop() {
				runtime.GC() // what was before
				peak = max(peak, checkBounded(b, unlike{size: gigabytes * 1e9, name: 4000}))
			}
			b.ReportMetric(float64(peak)/(1<<20), "MiB-in-use")
		})
	}
}

// checkBounded writes and reads pods, and fails if there was ever more in use than it takes to
// hold a block and the definitions that can still be referred to, on both sides. It returns how
// many bytes there were at most.
func checkBounded(tb testing.TB, pods unlike) (peak uint64) {
	tb.Helper()
	const most = 400 << 20
	from, to := io.Pipe()
	written := make(chan error, 1)
	go func() { written <- pods.write(to) }()
	r, err := NewReader(from, ReadOptions{})
	if err != nil {
		tb.Fatal(err)
	}
	var raw int64
	for i := 0; ; i++ {
		_, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			tb.Fatal(err)
		}
		if i%10_000 == 0 {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak = max(peak, m.HeapInuse)
			raw = r.total.Definitions
		}
	}
	if err := <-written; err != nil {
		tb.Fatal(err)
	}
	tb.Logf("%d MiB, %d definitions; %d MiB in use at most", pods.size>>20, raw, peak>>20)
	if peak > most {
		tb.Errorf("%d MiB were in use, more than %d", peak>>20, most>>20)
	}
	return peak
}

// unlike is pods with labels of their own: about so many bytes of records and definitions, with
// names of so many bytes each.
type unlike struct {
	size int64
	name int
}

// write writes them.
func (pods unlike) write(to *io.PipeWriter) error {
	w, err := Create(to, Meta{}, Options{})
	if err != nil {
		return err
	}
	class := &cluster.Class{Namespace: "default"}
	for i, done := 0, int64(0); done < pods.size; i++ {
		labels := cluster.Labels{{Key: "app.kubernetes.io/instance", Value: fmt.Sprintf("worker-%0200d", i)}}
		spec := &cluster.PodSpec{Name: fmt.Sprintf("pod-%0*d", pods.name, i), Class: class, Labels: labels}
		if err := w.Event(&cluster.Event{Time: cluster.Time(i), Kind: cluster.PodAdded, PodSpec: spec}); err != nil {
			return err
		}
		done += int64(pods.name) + 300
	}
	if err := w.Close(); err != nil {
		return err
	}
	return to.Close()
}
