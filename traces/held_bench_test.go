//go:build unix

package traces

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"runtime/metrics"
	"strings"
	"testing"
)

// An endlessText is a head and then blocks of rows, over and over, up to so many bytes. It is
// never anywhere as a whole. As it is read it looks at how much of the heap is in use.
type endlessText struct {
	head, block string
	left        int64  // bytes of blocks
	rest        string // of what is read now
	peak        uint64 // bytes of the heap that were in use at most
	read        int64
}

// Read implements io.Reader.
func (x *endlessText) Read(p []byte) (n int, err error) {
	if x.rest, x.head = x.rest+x.head, ""; x.rest == "" {
		if x.left <= 0 {
			return 0, io.EOF
		}
		x.rest, x.left = x.block, x.left-int64(len(x.block))
	}
	n = copy(p, x.rest)
	x.rest = x.rest[n:]
	if before := x.read >> 24; (x.read+int64(n))>>24 > before {
		x.peak = max(x.peak, heapInUse())
	}
	x.read += int64(n)
	return n, nil
}

// heapInUse returns the bytes of the heap's spans that have objects, garbage included.
func heapInUse() uint64 {
	samples := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/unused:bytes"}}
	metrics.Read(samples)
	return samples[0].Value.Uint64() + samples[1].Value.Uint64()
}

// heldCases have recordings that go on and on: after some pods come rows that bring no more,
// which is all that can go on for ever, as each pod is held.
var heldCases = []struct {
	format     string
	head, row  func(i int) string
	pods, rows int // of the head, and of a block
	read       func(file string, in *stream) (*replay, error)
}{
	{"google2011", func(i int) string { return googleRow(i, taskSubmit) + googleRow(i, taskSchedule) },
		func(i int) string { return googleRow(i, taskLastUpdate) }, 100_000, 8_000, readGoogleBatches},
	{"swf", func(i int) string { return swfText(i, 1) }, func(i int) string { return swfText(i, 3) }, 100_000, 8_000, readSWFLog("user")},
}

func googleRow(task, kind int) string {
	return fmt.Sprintf("%d,,%d,%d,%d,%d,huEqgBuTsgIbw1KmYjIUw/N6rUCEeIqRUY51E4M8%03d=,0,9,0.0%d,0.007767,0.0004044,0\n",
		int64(700_000_000), 6114773114+task/300, task, 2856452382+task, kind, task/300%50, 125+task%8)
}

func swfText(job, status int) string {
	return fmt.Sprintf("%6d  %8d      -1 %7d %4d      -1      -1   -1 %7d      -1 %2d %4d    1   -1 -1  1     -1      -1\n", job, 14*job, 60+job%9999, 1<<(job%4), 300*(job%9), status, job%50)
}

func readGoogleBatches(file string, in *stream) (*replay, error) {
	r := newGoogleTaskReader(&Machines{zones: 3, cpu: 64_000, memory: 1 << 38}, "none")
	err := r.read(file, in)
	r.finish()
	return r.replay(nil), err
}

// BenchmarkHeld reads a recording of so many gigabytes that is made as it is read, and fails if
// more of the heap is in use meanwhile than the pods and some garbage take: text isn't held. It
// takes minutes:
//
//	go test ./traces -run '^$' -bench Held -benchtime 1x
func BenchmarkHeld(b *testing.B) {
	const most = 128 << 20
	for _, bb := range heldCases {
		text := func(rows int, row func(i int) string) string {
			var all strings.Builder
			for i := range rows {
				all.WriteString(row(i))
			}
			return all.String()
		}
		head, block := text(bb.pods, bb.head), text(bb.rows, bb.row)
		for _, gigabytes := range []int64{1, 10} {
			b.Run(fmt.Sprintf("format=%s/gigabytes=%d", bb.format, gigabytes), func(b *testing.B) {
				peak := uint64(0)
				measure(b, int(gigabytes*1e9), func() error {
					runtime.GC() // what was before
					x := &endlessText{head: head, block: block, left: gigabytes * 1e9}
					in, err := newStream("f", x)
					if err != nil {
						return err
					}
					r, err := bb.read("f", in)
					if err == nil && r.batches.count != bb.pods {
						err = fmt.Errorf("%d batches, not %d", r.batches.count, bb.pods)
					}
					peak = max(peak, x.peak)
					return err
				})
				b.ReportMetric(float64(peak)/(1<<20), "MiB-in-use")
				if peak > most {
					b.Errorf("%d MiB were in use, more than %d", peak>>20, most>>20)
				}
			})
		}
	}
}

// BenchmarkKept says how many bytes a reader holds of each pod, or batch of pods, once it has
// read them: what a recording's memory grows with.
func BenchmarkKept(b *testing.B) {
	for _, bb := range readCases {
		content := []byte(bb.head + rowsOf(bb.row))
		b.Run("format="+bb.format, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				before := liveHeap()
				b.StartTimer()
				in, err := newStream("f", bytes.NewReader(content))
				if err != nil {
					b.Fatal(err)
				}
				r, err := bb.read("f", in)
				if err != nil {
					b.Fatal(err)
				}
				in = nil
				b.StopTimer()
				b.ReportMetric(float64(int64(liveHeap())-int64(before))/float64(r.batches.count), "bytes/batch")
				b.StartTimer()
				runtime.KeepAlive(r)
			}
		})
	}
}

// liveHeap returns the bytes of the heap that are still referred to.
func liveHeap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
