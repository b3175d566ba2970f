package traces

import (
	"math"
	"testing"

	"github.com/berthsim/berth/cluster"
)

const smallGoogleTasks = "testdata/failures"

// TestGoogleTasks has a task that runs to the end of the rows, one that waits, and one
// that is evicted and comes again.
func TestGoogleTasks(t *testing.T) {
	tr := open(t, smallGoogleTasks+"?cpus=10&memory=4")
	p := read(t, tr.Events(1))
	checkText(t, textOfCPUs(p), `
machine-5 5000 1021
machine-10 10000 4096
machine-6 0 0
0 user-1/job-7-0  20: 1250 1024
0 user-1/job-7-1  18.5: 1250 1024
0 user-2/job-9-0  2: 5000 4
4 user-2/job-9-0-again-1  5: 5000 4`)
	if p.pods[0].pod.Class.Priority != 9 || p.pods[3].pod.Class.Priority != 0 || p.nodes[0].Capacity[cluster.PodSlots] != manySlots {
		t.Errorf("priorities or slots: %+v", p.pods[0].pod.Class)
	}
	checkRows(t, tr, 18+10, "CPU request is empty: 1 from part-00000-of-00001.csv:4; submitted, though it is there: 1 from part-00000-of-00001.csv:8; "+
		"an update of what a task asks for: 1 from part-00000-of-00001.csv:12; of a task that isn't there: 1 from part-00000-of-00001.csv:13; "+
		"after the recording: 1 from part-00000-of-00001.csv:18; never scheduled: 1 from part-00000-of-00001.csv:14")
	if load := (20*1.25 + 18.5*1.25 + 35) / (15 * 4); tr.Format != "google2011" || math.Abs(tr.OfferedLoad-load) > 1e-12 {
		t.Errorf("%s: the load is %v, want %v", tr.Format, tr.OfferedLoad, load)
	}
	if owner := read(t, open(t, smallGoogleTasks+"?owners=job").Events(1)).pods[2].pod.Class.Owner; owner != (cluster.OwnerRef{Kind: "Job", Name: "job-9"}) {
		t.Errorf("owner %+v", owner)
	}
	checkError(t, "google2011:testdata/openb", "testdata/openb: no part-*.csv or .csv.gz in the folder; give the folder that contains machine_events")
}

const goodGoogleTask = "600000000,,9,0,,0,bob,0,0,0.5,0.001,0,1\n"

var badGoogleTasks = []struct{ content, want string }{
	{"0,,9,0\n", "f:1: 4 fields; give 13, time, missing info, job ID, task index, machine ID, event type, user, scheduling class, priority, CPU request, memory request, disk space request, different machines restriction"},
	{goodGoogleTask + "0,,9,1,,0,bob,0,0,0.5,0.001,0,1\n", `f:2: time is "0"; give microseconds; a row before has 600000000: sort the rows by time`},
	{"x,,9,1,,0,bob,0,0,0.5,0.001,0,1\n", `f:1: time is "x"; give a whole number from 0 to 9223372036854775807`},
	{"0,,x,1,,0,bob,0,0,0.5,0.001,0,1\n", `f:1: job ID is "x"; give a whole number from 0 to 9223372036854775807`},
	{"0,,9,-1,,0,bob,0,0,0.5,0.001,0,1\n", `f:1: task index is "-1"; give a whole number from 0 to 9223372036854775807`},
	{"0,,9,1,,9,bob,0,0,0.5,0.001,0,1\n", `f:1: event type is "9"; give a whole number from 0 to 8`},
	{"0,,9,1,,0,bob,0,x,0.5,0.001,0,1\n", `f:1: priority is "x"; give a whole number from 0 to 1000`},
	{"0,,9,1,,0,bob,0,0,1.5,0.001,0,1\n", `f:1: CPU request is "1.5"; give a number from 0 to 1, or nothing if it isn't known`},
	{"0,,9,1,,0,bob,0,0,0.5,x,0,1\n", `f:1: memory request is "x"; give a number from 0 to 1, or nothing if it isn't known`},
}

func readGoogleTasks(content []byte) (*googleTaskReader, error) {
	r := newGoogleTaskReader(&Machines{zones: 3, cpu: 64_000, memory: 1 << 38}, "none")
	err := readContent(content, r.read)
	if err == nil {
		r.finish()
	}
	return r, err
}

func TestGoogleTasksFail(t *testing.T) {
	for _, tt := range badGoogleTasks {
		if _, err := readGoogleTasks([]byte(tt.content)); err == nil || err.Error() != tt.want {
			t.Errorf("%q:\ngot  %v\nwant %s", tt.content, err, tt.want)
		}
	}
}

func FuzzGoogleTasks(f *testing.F) {
	for _, bad := range badGoogleTasks {
		f.Add([]byte(bad.content))
	}
	f.Add([]byte(goodGoogleTask + "600000000,,9,0,,1,bob,0,0,0.5,0.001,0,1\n600000009,,9,0,,2,bob,0,0,0.5,0.001,0,1\n600000009,,9,0,,0,bob,0,0,0.5,0.001,0,1\n600000019,,9,0,,1,bob,0,0,0.5,0.001,0,1\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		r, err := readGoogleTasks(content)
		if err != nil {
			checkFuzzError(t, err)
			return
		}
		checkFuzzReplay(t, &r.tally, r.replay(fuzzCPUs()))
	})
}

// TestVerifyGoogleTasks counts the first part of the recording.
func TestVerifyGoogleTasks(t *testing.T) {
	needRecording(t, google2011Folder)
	tr := open(t, google2011Folder)
	const file = "part-00000-of-00500.csv.gz"
	checkRows(t, tr, 37_780+450_146, "CPU request is empty: 291 from "+file+":1; of a task that isn't there: 295 from "+file+":144340; never scheduled: 11497 from "+file+":13087")
	if tr.Nodes != 12_477 || tr.Pods != 201_491-291-11_497 || math.Abs(tr.OfferedLoad-1.036554) > 0.000001 {
		t.Errorf("%d nodes, %d pods, load %v", tr.Nodes, tr.Pods, tr.OfferedLoad)
	}
	t.Logf("%d pods, %d nodes, offered load %.2f %% of CPUs", tr.Pods, tr.Nodes, 100*tr.OfferedLoad)
}
