package traces

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/faults"
	"github.com/parquet-go/parquet-go"
)

// A failureRow is what OpenDC writes, with a column that nobody reads in between.
type failureRow struct {
	Interval  int64   `parquet:"failure_interval,snappy,dict"`
	Remark    string  `parquet:"remark,optional"`
	Duration  int64   `parquet:"failure_duration,snappy,dict"`
	Intensity float64 `parquet:"failure_intensity,snappy,dict"`
}

// asParquet writes rows into groups of a few.
func asParquet[T any](t testing.TB, rows ...T) []byte {
	t.Helper()
	var b bytes.Buffer
	w := parquet.NewGenericWriter[T](&b)
	for i, row := range rows {
		if _, err := w.Write([]T{row}); err != nil {
			t.Fatal(err)
		}
		if i%3 == 2 {
			if err := w.Flush(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

var goodFailures = []failureRow{
	{0, "", 60_000, 1},
	{100_000, "storm", 300_000, 0.5},
	{200_000, "", 1000, 1},
	{0, "", 2000, 1},
	{50_000, "", 1000, 0.001},
	{50_000, "", 5000, 1},
}

func writeOpenDC(t testing.TB, rows ...failureRow) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "failures_x.parquet")
	writeFile(t, name, asParquet(t, rows...))
	return name
}

func TestOpenDC(t *testing.T) {
	name := writeOpenDC(t, goodFailures...)
	run := faults.Run{Nodes: namedNodes("a", "b", "c", "d"), Seed: 1, Horizon: day}
	for _, tt := range []struct{ options, want string }{
		{"", "0-60 crash a,b,c,d\n100-400 crash HALF\n300-301 crash a,b,c,d\n300-302 crash a,b,c,d\n400-405 crash a,b,c,d\n"},
		{"?kind=partition&from=300s", "0-1 partition a,b,c,d\n0-2 partition a,b,c,d\n100-105 partition a,b,c,d\n"},
		{"?interval=end", "0-60 crash a,b,c,d\n160-460 crash HALF\n660-661 crash a,b,c,d\n661-663 crash a,b,c,d\n764-769 crash a,b,c,d\n"},
	} {
		f := openFaults(t, name+tt.options)
		list := readFaults(t, f, run)
		for i := range list {
			if 0 < len(list[i].Nodes) && len(list[i].Nodes) < 4 {
				list[i].Nodes = []string{"HALF"}
			}
		}
		if got := textOf(list); got != tt.want || f.Format != "opendc" {
			t.Errorf("%s: got\n%swant\n%s", tt.options, got, tt.want)
		}
	}
	for _, spec := range []string{name + "?from=400001ms", name + "?from=1d"} {
		_, err := Opener{}.OpenFaults(spec)
		if _, from, _ := strings.Cut(spec, "from="); err == nil || err.Error() != spec+": no failure after "+from+"; give an earlier from" {
			t.Errorf("got %v", err)
		}
	}
}

// TestOpenDCShares counts how many nodes are hit. It leaves nodes out, too.
func TestOpenDCShares(t *testing.T) {
	var rows []failureRow
	for range 50 {
		rows = append(rows, failureRow{Interval: 1000, Duration: 1000, Intensity: 0.25})
	}
	f := openFaults(t, writeOpenDC(t, rows...))
	var names []string
	for i := range 1000 {
		names = append(names, fmt.Sprint("n", i))
	}
	list := readFaults(t, f, faults.Run{Nodes: namedNodes(names...), Seed: 9, Horizon: day})
	fewer := readFaults(t, f, faults.Run{Nodes: namedNodes(names[500:]...), Seed: 9, Horizon: day})
	if len(list) != 50 || len(fewer) != 50 {
		t.Fatalf("%d and %d faults", len(list), len(fewer))
	}
	total := 0
	for i, fault := range list {
		total += len(fault.Nodes)
		if n := len(fault.Nodes); n < 180 || n > 320 {
			t.Errorf("failure %d hits %d of 1000", i, n)
		}
		if all, some := strings.Join(fault.Nodes, ","), strings.Join(fewer[i].Nodes, ","); !strings.HasSuffix(all, some) {
			t.Errorf("without half of the nodes, failure %d hits %s", i, some)
		}
	}
	if mean := float64(total) / 50; mean < 240 || mean > 260 {
		t.Errorf("a failure hits %v nodes", mean)
	}
}

func TestOpenDCFails(t *testing.T) {
	type row = failureRow
	const century = "3153600000000"
	long := make([]row, 102)
	for i := range long {
		long[i] = row{365 * 24 * 3600 * 1000, "", 1, 1}
	}
	for _, tt := range []struct {
		content []byte
		want    string
	}{
		{asParquet(t, row{-1, "", 1, 1}), "f:1: failure_interval is -1; give milliseconds from 0 to " + century},
		{asParquet(t, row{1, "", 1, 1}, row{1, "", 0, 1}), "f:2: failure_duration is 0; give milliseconds from 1 to " + century},
		{asParquet(t, row{1, "", 3153600000001, 1}), "f:1: failure_duration is 3153600000001; give milliseconds from 1 to " + century},
		{asParquet(t, row{1, "", 1, 0}), "f:1: failure_intensity is 0; give a share of hosts above 0 and up to 1"},
		{asParquet(t, row{1, "", 1, 1.5}), "f:1: failure_intensity is 1.5; give a share of hosts above 0 and up to 1"},
		{asParquet(t, long...), "f:101: failure_interval is 31536000000; it is more than a century after the first failure: give a shorter recording"},
		{asParquet[row](t), "f: no failures; give a file with at least one"},
		{
			asParquet(t, struct {
				Interval *int64  `parquet:"failure_interval,optional"`
				Duration int64   `parquet:"failure_duration"`
				Share    float64 `parquet:"failure_intensity"`
			}{nil, 1, 1}),
			"f:1: failure_interval is <null>; give a number in each row",
		},
		{
			asParquet(t, struct {
				Interval int64 `parquet:"failure_interval"`
				Duration int64 `parquet:"failure_duration"`
				Share    int64 `parquet:"failure_intensity"`
			}{1, 1, 1}),
			"f: no column failure_intensity of type DOUBLE; give a file with failure_interval and failure_duration (INT64) and failure_intensity (DOUBLE)",
		},
		{[]byte("PAR1"), "f: not a sound Parquet file (it doesn't end with PAR1); fetch the file again"},
		{[]byte("PAR1\x01\x00\x00\x00PAR1"), "f: not a sound Parquet file (its footer is longer than the file); fetch the file again"},
		{[]byte("PAR1\x00\x00\x00\x00PAR1"), "f: not a sound Parquet file ("},
		{nil, "f: not a sound Parquet file (it doesn't begin with PAR1); fetch the file again"},
	} {
		_, err := readOpenDC("f", tt.content, false)
		if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("got  %v\nwant %s", err, tt.want)
		}
	}
}

// TestOpenDCDamaged changes each byte of a file, and cuts it off after each: what
// is read is either sound or an *Error.
func TestOpenDCDamaged(t *testing.T) {
	good := asParquet(t, goodFailures...)
	for i := range good {
		for _, by := range []byte{1, 0x80, 0xff} {
			damaged := bytes.Clone(good)
			damaged[i] ^= by
			checkOpenDC(t, damaged)
		}
		checkOpenDC(t, good[:i])
	}
}

// checkOpenDC reads what may be damaged.
func checkOpenDC(t *testing.T, content []byte) {
	t.Helper()
	failures, err := readOpenDC("f", content, true)
	if err != nil {
		checkFuzzError(t, err)
		return
	}
	before := cluster.Time(0)
	for _, r := range failures {
		if r.at < before || r.duration <= 0 || !(r.share > 0 && r.share <= 1) {
			t.Errorf("failure %+v", r)
		}
		before = r.at + r.duration
	}
}

func FuzzOpenDC(f *testing.F) {
	f.Add(asParquet(f, goodFailures...))
	f.Add(asParquet(f, goodFailures[0]))
	f.Fuzz(func(t *testing.T, content []byte) { checkOpenDC(t, content) })
}
