//go:build unix

package traces

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"
)

// readCases has a reader of each format, and rows like the recording's.
var readCases = []struct {
	format string
	read   func(file string, in *stream) (*replay, error)
	row    func(i int) string // the i-th, from 0, with its line break
	head   string
}{
	{"philly", func(file string, in *stream) (*replay, error) {
		r := newPhillyReader("several")
		err := r.read(file, in)
		return r.replay(nil), err
	}, func(i int) string {
		gpus, run := 1<<(i%4), 60+i%9999
		return fmt.Sprintf("2017-10-%02d %02d:%02d:55,%d.0,%d,%d.0,%06x\n", 1+i/2000%28, i/60%24, i%60, run, gpus, run*gpus, 6214*(i%15))
	}, "timestamp,duration,num_gpus,gpu_time,cluster\n"},
	{"swf", readSWFLog("user"), func(i int) string {
		return fmt.Sprintf("%6d  %8d      -1 %7d %4d      -1      -1   -1 %7d      -1 -1 %4d    1   -1 -1  1     -1      -1\n", i, 14*i, 60+i%9999, 1<<(i%4), 300*(i%9), i%50)
	}, "; MaxProcs: 1000\n"},
	{"metacentrum", readSWFLog("queue"), func(i int) string {
		return fmt.Sprintf("%d %d 1 %d %d 1 1024 %d 356400 4294967296 1 %d 1 1 -1 1 1 1 {1261} q_%dw 1:ppn=%d\n", i, 1358504118+i, 60+i%9999, 1+i%4, 1+i%4, i%50, i%3, 1+i%4)
	}, ""},
	{"alibaba2018", readAlibabaTasks(1), func(i int) string {
		return fmt.Sprintf("M%d_1,%d,job_%d,type_%d,Terminated,%d,%d,%d.0,%d.%d\n", i%9, 1+i%30, i/9, i%12, 133512+i, 133572+i, 50+50*(i%8), i%40, i%10)
	}, ""},
	{"alibaba2017", readAlibabaTasks(3), func(i int) string {
		return fmt.Sprintf("%d,%d,%d,%d,%d,Terminated,50,0.0%08d\n", 20023+i, 20086+i, 2149+i/9, 12070+i, 1+i%200, 5404706+99*(i%40))
	}, ""},
	{"google2011", readGoogleBatches, func(i int) string {
		on, task := fmt.Sprint(2856452382+i), i/1000*333+i%333 // 333 come, begin, and end
		kind := []int{taskSubmit, taskSchedule, 4}[i%1000/333%3]
		if kind == taskSubmit {
			on = ""
		}
		return fmt.Sprintf("%d,,%d,%d,%s,%d,huEqgBuTsgIbw1KmYjIUw/N6rUCEeIqRUY51E4M8%03d=,0,9,0.0%d,0.007767,0.0004044,0\n", 600_000_000+9*i, 6114773114+task/300, task, on, kind, task/300%50, 125+i%8)
	}, ""},
	{"dlrm", func(file string, in *stream) (*replay, error) {
		r := &dlrmReader{}
		err := r.read(file, in)
		return r.replay(nil), err
	}, func(i int) string {
		cpus, at := 8<<(i%3), 822672+i
		return fmt.Sprintf("instance_%d,%s,app_%d,%d,%d,%d,%d,25,25,%d.0,120.0,340.0,400.0,-1,%d.0,%d.0,%d.0\n", i, []string{"CN", "HN"}[i%2], i%156, cpus, cpus, i%2, i%2, 5*cpus, at, at+41, at+3523)
	}, "instance_sn,role,app_name,cpu_request,cpu_limit,gpu_request,gpu_limit,rdma_request,rdma_limit,memory_request,memory_limit,disk_request,disk_limit,max_instance_per_node,creation_time,scheduled_time,deletion_time\n"},
}

func readAlibabaTasks(table int) func(file string, in *stream) (*replay, error) {
	return func(file string, in *stream) (*replay, error) {
		r := newAlibabaBatch(512, "none")
		err := r.read(file, in, alibabaTables[table])
		return r.replay(nil), err
	}
}

func readSWFLog(by string) func(file string, in *stream) (*replay, error) {
	return func(file string, in *stream) (*replay, error) {
		r := newSWFReader(by, Settings{"nodes": "125", "cpus": "8", "memory": "1"})
		err := r.read(file, in)
		return r.replay(), err
	}
}

// BenchmarkRead reads rows from memory and makes batches of them, hashing included.
// On a machine that does other work besides, cpu-MB/s is what counts: per second of
// the processor's, the collector's included, rather than of the clock.
func BenchmarkRead(b *testing.B) {
	for _, bb := range readCases {
		b.Run("format="+bb.format, func(b *testing.B) { benchmarkRead(b, "f", []byte(bb.head+rowsOf(bb.row)), bb.read) })
	}
	b.Run("format=azure", func(b *testing.B) {
		var vms, times strings.Builder
		for i := range 900 {
			fmt.Fprintf(&vms, "%d %s\n", 1+i, strings.Repeat("m,|,a,|,g,g,g,g,g,g,g,|,k,k,|,b,b,b,b,b,b,b,b,|,", 20))
			fmt.Fprintf(&times, "%d %s\n", 1+i, strings.Repeat("U1,|,U4,|,U3,U3,U1,U3,U1,U1,U1,|,C3,C3,|,U15,U15,U15,U15,U15,U16,U16,U16,|,", 20))
		}
		flavours, intervals := "", ""
		for i := range 26 {
			flavours += fmt.Sprintf("%d,3.5 %c\n", 1+i, 'a'+i)
			intervals += fmt.Sprintf("%d %d\n", 300*i, i)
		}
		measure(b, vms.Len()+times.Len(), func() error {
			r, err := readAzure(flavours, intervals, vms.String(), times.String())
			r.replay(nil)
			return err
		})
	})
}

// BenchmarkReadZipped does so with compressed rows; what is counted is the bytes that
// come out.
func BenchmarkReadZipped(b *testing.B) {
	for _, bb := range readCases {
		b.Run("format="+bb.format, func(b *testing.B) {
			benchmarkRead(b, "f.gz", []byte(bb.head+rowsOf(bb.row)), bb.read)
		})
	}
}

// rowsOf returns enough rows that tables of names and tasks outgrow the processor's
// caches near it.
func rowsOf(row func(i int) string) string {
	var all strings.Builder
	for i := range 50_000 {
		all.WriteString(row(i))
	}
	return all.String()
}

// benchmarkRead reads content, compressed first if the file's name says so.
func benchmarkRead(b *testing.B, file string, content []byte, read func(file string, in *stream) (*replay, error)) {
	n := len(content)
	if strings.HasSuffix(file, ".gz") {
		var zipped bytes.Buffer
		z := gzip.NewWriter(&zipped)
		if _, err := z.Write(content); err != nil {
			b.Fatal(err)
		}
		if err := z.Close(); err != nil {
			b.Fatal(err)
		}
		content = zipped.Bytes()
	}
	measure(b, n, func() error {
		in, err := newStream(file, bytes.NewReader(content))
		if err != nil {
			return err
		}
		if _, err := read(file, in); err != nil {
			return err
		}
		in.sum()
		return nil
	})
}

// measure reports how fast so many bytes are read, by the clock and by the
// processor's time.
func measure(b *testing.B, n int, read func() error) {
	b.SetBytes(int64(n))
	b.ReportAllocs()
	from := processorTime(b)
	for b.Loop() {
		if err := read(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)*float64(b.N)/1e6/(processorTime(b)-from).Seconds(), "cpu-MB/s")
}

// processorTime returns how long processors have worked for this process.
func processorTime(b *testing.B) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
