package traces

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
)

// A taskRow is what OpenDC writes, with a column that nobody reads in between.
type taskRow struct {
	ID       int32   `parquet:"id"`
	Submit   int64   `parquet:"submission_time,snappy"`
	Deadline *int64  `parquet:"deadline,optional"`
	Duration int64   `parquet:"duration,snappy"`
	CPUs     int32   `parquet:"cpu_count"`
	MHz      float64 `parquet:"cpu_capacity"`
	Memory   int64   `parquet:"mem_capacity"`
}

// A fragmentRow is likewise.
type fragmentRow struct {
	ID       int32   `parquet:"id"`
	Duration int64   `parquet:"duration"`
	MHz      float64 `parquet:"cpu_usage"`
}

const goodTopology = `{"clusters": [{"name": "C01", "hosts": [
 {"name": "Big", "cpu": {"coreCount": 8, "count": 2, "coreSpeed": 2100}, "memory": {"memorySize": 100000}},
 {"name": "Small", "count": 2, "cpu": {"coreCount": 4}, "memory": {"memorySize": 50000}}]}]}`

var (
	goodTasks = []taskRow{
		{7, 1_000_010_000, nil, 60_000, 2, 4000, 2000},
		{9, 1_000_000_000, nil, 30_000, 4, 0, 1000},
		{8, 1_000_000_000, nil, 5000, 0, 100, 0},
		{5, 1_000_040_000, nil, 0, 1, 1000, 0},
	}
	goodFragments = []fragmentRow{{7, 30_000, 3000}, {9, 10_000, 5}, {8, 1000, 1}, {9, 20_000, 6}, {7, 30_000, 500}, {7, 1, 1}}
)

// writeTasks writes a workload of OpenDC's and returns where.
func writeTasks(t testing.TB) string {
	t.Helper()
	folder := t.TempDir()
	writeFile(t, filepath.Join(folder, "x_tasks.parquet"), asParquet(t, goodTasks...))
	writeFile(t, filepath.Join(folder, "x_fragments.parquet"), asParquet(t, goodFragments...))
	writeFile(t, filepath.Join(folder, "topology.json"), []byte(goodTopology))
	return filepath.Join(folder, "x_tasks.parquet")
}

// TestOpenDCTasks has a task that asks for nothing, and a fragment beyond its task's end.
func TestOpenDCTasks(t *testing.T) {
	name := writeTasks(t)
	tr := open(t, name+"?topology=topology.json")
	checkText(t, textOfCPUs(read(t, tr.Events(1))), `
c01-big-1 16000 95367
c01-small-1 4000 47683
c01-small-2 4000 47683
0 default/task-9  30: 4000 953
10 default/task-7  60: 2000 1907
40 default/task-5  0: 1000 0`)
	checkRows(t, tr, 4, "asks for nothing: 1 from x_tasks.parquet:3")
	if load := (30*4 + 60*2) / (24 * 40.0); math.Abs(tr.OfferedLoad-load) > 1e-12 || tr.Format != "opendc" || tr.Epoch.UnixMilli() != 1_000_000_000 {
		t.Errorf("the load is %v, want %v; %+v", tr.OfferedLoad, load, tr)
	}
	checkUsage(t, tr, `
10 0: -1 -1
30 0: -1 -1
40 2: 1500 -1
70 2: 250 -1`)
	checkUsage(t, open(t, name+"?nodes=1&from=5s&load=0.5"), `
30 0: 1500 -1
60 0: 250 -1`)
	if a, b := tr.Hash, open(t, name).Hash; a == b {
		t.Error("the topology doesn't enter the hash")
	}
}

// checkUsage checks what pods used: when, in seconds, the pod, milli-CPUs and bytes.
func checkUsage(t *testing.T, tr *Trace, want string) {
	t.Helper()
	used, err := tr.Usage(1)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, u := range used {
		fmt.Fprintf(&b, "%v %d: %d %d\n", u.At.Seconds(), u.Pod, u.CPU, u.Memory)
	}
	checkText(t, b.String(), want)
}

// TestOpenDCUnit has memory that fits in KiB only, and a workload without fragments.
func TestOpenDCUnit(t *testing.T) {
	name := filepath.Join(t.TempDir(), "tasks.parquet")
	writeFile(t, name, asParquet(t, taskRow{1, 0, nil, 1, 1, 1, 8 << 20}, taskRow{2, 9, nil, 1, 1, 1, 8 << 20}))
	checkError(t, name, name+": each task asks for at least 7812 GiB, and no node has that much; give unit=KiB if its mem_capacity is in KiB, or nodes with more memory")
	tr := open(t, name+"?unit=KiB&nodes=1")
	if got := read(t, tr.Events(1)).pods[0].pod.Class.Requests.Get(cluster.Memory); got != 8<<30 {
		t.Errorf("it asks for %d", got)
	}
	checkUsage(t, tr, "")
	checkError(t, name+"?unit=GB", name+`?unit=GB: unit is "GB"; give one of MB, KiB`)
	checkError(t, name+"?cpus=0", name+`?cpus=0: cpus is "0"; give a whole number from 1 to 1000000`)
	_, err := Opener{}.Open(name + "?topology=none.json")
	if err == nil || !strings.Contains(err.Error(), "none.json: no such file") {
		t.Errorf("got %v", err)
	}
}

// TestOpenDCLostFragments reads fragments when they are wanted.
func TestOpenDCLostFragments(t *testing.T) {
	name := writeTasks(t)
	file := strings.Replace(name, "_tasks", "_fragments", 1)
	for _, tt := range []struct {
		row  fragmentRow
		want string
	}{
		{fragmentRow{6, 1, 1}, "id is 6; there is no such task: give the fragments of these tasks"},
		{fragmentRow{9, -1, 1}, "duration is -1; give milliseconds from 0 to 3153600000000"},
		{fragmentRow{9, 1, -1}, "cpu_usage is -1; give MHz from 0 to 1000000000000"},
	} {
		writeFile(t, file, asParquet(t, tt.row))
		_, err := open(t, name).Usage(1)
		var wrong *Error
		if want := file + ":1: " + tt.want; !errors.As(err, &wrong) || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

func TestOpenDCTasksFail(t *testing.T) {
	good := goodTasks[0]
	change := func(by func(r *taskRow)) []byte {
		r := good
		by(&r)
		return asParquet(t, r)
	}
	for _, tt := range []struct {
		content []byte
		want    string
	}{
		{asParquet(t, good, good), "f:2: id is 7; a row before has that id: give another"},
		{change(func(r *taskRow) { r.Submit = -1 }), "f:1: submission_time is -1; give milliseconds since 1970 from 0 to 3153600000000"},
		{change(func(r *taskRow) { r.Duration = -1 }), "f:1: duration is -1; give milliseconds from 0 to 3153600000000"},
		{change(func(r *taskRow) { r.CPUs = -1 }), "f:1: cpu_count is -1; give CPUs from 0 to 1000000"},
		{change(func(r *taskRow) { r.MHz = math.NaN() }), "f:1: cpu_capacity is NaN; give MHz from 0 to 1000000000000"},
		{change(func(r *taskRow) { r.Memory = -1 }), "f:1: mem_capacity is -1; give MB, or KiB from 0 to 1000000000"},
		{asParquet(t, goodFragments...), "f: no column submission_time of type INT64; give a file with id, submission_time, duration, cpu_count and mem_capacity (whole numbers) and cpu_capacity (DOUBLE)"},
		{nil, "f: not a sound Parquet file (it doesn't begin with PAR1); fetch the file again"},
	} {
		if err := newOpenDCTasks("f", "MB").read(tt.content); err == nil || err.Error() != tt.want {
			t.Errorf("got  %v\nwant %s", err, tt.want)
		}
	}
}

var badTopologies = []struct{ content, want string }{
	{"{\n,", "f:2: no sound JSON; fetch the file again"},
	{`{"clusters": [{"hosts": [{"cpu": {"coreCount": "many"}}]}]}`, "f:1: clusters.hosts.cpu.coreCount is a string; give a int"},
	{`{"clusters": []}`, "f: no hosts; give a topology with at least one"},
	{strings.Replace(goodTopology, `"Big"`, `"a b"`, 1), `f: clusters[0].hosts[0].name is "C01-a b" with its cluster's; give names without spaces and slashes`},
	{strings.Replace(goodTopology, `"Big"`, `"small"`, 1), `f: clusters[0].hosts[1].name is "Small", as a host's before; give another`},
	{strings.Replace(goodTopology, `"count": 2, "cpu"`, `"count": 0, "cpu"`, 1), "f: clusters[0].hosts[1].count makes -1 nodes; give from 1 to 1000000 in all"},
	{strings.Replace(goodTopology, `"coreCount": 8`, `"coreCount": 0`, 1), "f: clusters[0].hosts[0].cpu.coreCount is 0, of 2; give from 1 to 1000000 in all"},
	{strings.Replace(goodTopology, `50000`, `0`, 1), "f: clusters[0].hosts[1].memory.memorySize is 0; give MB from 1 to 1000000000"},
}

func TestTopologyFails(t *testing.T) {
	for _, tt := range badTopologies {
		if _, err := readTopology("f", []byte(tt.content)); err == nil || err.Error() != tt.want {
			t.Errorf("%s:\ngot  %v\nwant %s", tt.content, err, tt.want)
		}
	}
}

func FuzzTopology(f *testing.F) {
	for _, bad := range badTopologies {
		f.Add([]byte(bad.content))
	}
	f.Add([]byte(goodTopology))
	f.Fuzz(func(t *testing.T, content []byte) {
		nodes, err := readTopology("f", content)
		if err != nil {
			checkFuzzError(t, err)
			return
		}
		names := map[string]bool{}
		for _, n := range nodes {
			if names[n.Name] || n.Capacity.Get(cluster.CPU) < 1000 || n.Capacity.Get(cluster.Memory) < megabyte {
				t.Errorf("node %+v", n)
			}
			names[n.Name] = true
		}
	})
}

func FuzzOpenDCTasks(f *testing.F) {
	f.Add(asParquet(f, goodTasks...), asParquet(f, goodFragments...))
	f.Fuzz(func(t *testing.T, tasks, fragments []byte) {
		r := newOpenDCTasks("f", "MB")
		if err := r.read(tasks); err != nil {
			checkFuzzError(t, err)
			return
		}
		checkFuzzReplay(t, &r.tally, r.replay(fuzzCPUs()))
		uses, err := r.uses("f", fragments)
		if err != nil {
			checkFuzzError(t, err)
			return
		}
		for _, u := range uses {
			if !r.tasks[u.name].pod || u.age < 0 || u.cpu < -1 {
				t.Errorf("use %+v", u)
			}
		}
	})
}

// TestVerifyOpenDCTasks has the tasks and fragments that were counted by other means, on
// OpenDC's own topology. All tasks of SURF are of a whole node.
func TestVerifyOpenDCTasks(t *testing.T) {
	needRecording(t, "opendc")
	for _, tt := range []struct {
		spec            string
		pods, fragments int
		hours           float64 // from first to last arrival, at most
	}{
		{"opendc/surf_week_tasks.parquet?topology=surf_topology.json", 6295, 2_323_475, 7 * 24},
		{"opendc/bitbrains_small_tasks.parquet?unit=KiB&nodes=50&cpus=32&memory=128", 50, 276_979, 30 * 24},
	} {
		tr := open(t, tt.spec)
		checkRows(t, tr, tt.pods, "")
		p := read(t, tr.Events(1))
		used, err := tr.Usage(1)
		if err != nil {
			t.Fatal(err)
		}
		if len(p.pods) != tt.pods || len(used) != tt.fragments || p.pods[len(p.pods)-1].at.Seconds() > tt.hours*3600 {
			t.Errorf("%d pods and %d fragments, the last comes at %v", len(p.pods), len(used), p.pods[len(p.pods)-1].at)
		}
		total := 0.0
		for _, u := range used {
			a := p.pods[u.Pod/2]
			if u.At > a.at+a.pod.Run || u.CPU < 0 {
				t.Fatalf("%+v of %s, which runs for %v", u, a.pod.Name, a.pod.Run)
			}
			total += float64(u.CPU)
		}
		t.Logf("%s: %d nodes, %d pods, offered load %.2f %%, use on average %.0f milli-CPUs", tt.spec, tr.Nodes, tr.Pods, 100*tr.OfferedLoad, total/float64(len(used)))
	}
}
