package traces

import (
	"fmt"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
)

// TestGoogleJobs has two jobs of one program, of which one is submitted twice, and one whose
// names are missing.
func TestGoogleJobs(t *testing.T) {
	tr := open(t, smallGoogleTasks+"?labels=job&owners=program")
	var got []string
	for _, p := range read(t, tr.Events(1)).pods {
		got = append(got, fmt.Sprintf("%s %s %v", p.pod.Name, p.pod.Class.Owner.Name, p.pod.Labels))
	}
	checkText(t, strings.Join(got, "\n"), `
job-7-0 program-1 [{job job-7} {program program-1} {scheduling-class 3} {user user-1}]
job-7-1 program-1 [{job job-7} {program program-1} {scheduling-class 3} {user user-1}]
job-9-0 program-1 [{job job-9} {program program-1} {scheduling-class 0} {user user-2}]
job-9-0-again-1 program-1 [{job job-9} {program program-1} {scheduling-class 0} {user user-2}]`)
	checkRows(t, tr, 18+10+6, "logical job name is empty: 1 from part-00000-of-00001.csv:3; CPU request is empty: 1 from part-00000-of-00001.csv:4; submitted, though it is there: 1 from part-00000-of-00001.csv:8; "+
		"an update of what a task asks for: 1 from part-00000-of-00001.csv:12; of a task that isn't there: 1 from part-00000-of-00001.csv:13; "+
		"after the recording: 1 from part-00000-of-00001.csv:18; never scheduled: 1 from part-00000-of-00001.csv:14")
	hashes := map[string]string{}
	for _, query := range []string{"", "?owners=job", "?owners=program", "?labels=job", "?constraints=node"} {
		hash := open(t, smallGoogleTasks+query).Hash
		if other, twice := hashes[hash]; twice {
			t.Errorf("%q and %q have the same hash", query, other)
		}
		hashes[hash] = query
	}
	if p := read(t, open(t, smallGoogleTasks).Events(1)).pods[0].pod; p.Labels != nil || p.Class.Owner != (cluster.OwnerRef{}) || p.Class.RequiredNode != nil {
		t.Errorf("nobody asked for what %+v has", p)
	}
	for query, want := range map[string]string{
		"?owners=x":      `owners is "x"; give one of none, job, program`,
		"?labels=x":      `labels is "x"; give one of none, job`,
		"?constraints=x": `constraints is "x"; give one of none, node`,
	} {
		checkError(t, smallGoogleTasks+query, smallGoogleTasks+query+": "+want)
	}
}

// TestGoogleJobUnknown has a job of which there are no job events.
func TestGoogleJobUnknown(t *testing.T) {
	r := newGoogleTaskReader(&Machines{zones: 3, cpu: 64_000, memory: 1 << 38}, "program")
	r.jobs = newGoogleJobReader()
	r.labelling = newGoogleLabelling(r.jobs)
	if err := readContent([]byte(goodGoogleTask+"600000001,,9,0,,1,bob,0,0,0.5,0.001,0,1\n"), r.read); err != nil {
		t.Fatal(err)
	}
	r.finish()
	p := r.replay(nil).spec(r.batches.at(0), 0)
	if got := fmt.Sprint(p.Class.Owner.Name, p.Labels); got != "job-9[{job job-9} {scheduling-class 0} {user user-1}]" {
		t.Error(got)
	}
}

const goodGoogleJob = "600000000,,9,0,bob,0,nameB,logicalA\n"

var badGoogleJobs = []struct{ content, want string }{
	{"0,,9,0\n", "f:1: 4 fields; give 8, time, missing info, job ID, event type, user, scheduling class, job name, logical job name"},
	{goodGoogleJob + "0,,9,1,bob,0,nameB,logicalA\n", `f:2: time is "0"; a row before has 600000000: sort the rows by time`},
	{"x,,9,1,bob,0,nameB,logicalA\n", `f:1: time is "x"; give a whole number from 0 to 9223372036854775807`},
	{"0,,x,1,bob,0,nameB,logicalA\n", `f:1: job ID is "x"; give a whole number from 0 to 9223372036854775807`},
	{"0,,9,9,bob,0,nameB,logicalA\n", `f:1: event type is "9"; give a whole number from 0 to 8`},
}

// readGoogleJobs reads content as job events.
func readGoogleJobs(content []byte) (*googleTaskReader, error) {
	r := newGoogleTaskReader(&Machines{zones: 3, cpu: 64_000, memory: 1 << 38}, "program")
	r.jobs = newGoogleJobReader()
	return r, readContent(content, r.rowsOf(googleJobColumns, r.jobs.row))
}

func TestGoogleJobsFail(t *testing.T) {
	for _, tt := range badGoogleJobs {
		if _, err := readGoogleJobs([]byte(tt.content)); err == nil || err.Error() != tt.want {
			t.Errorf("%q:\ngot  %v\nwant %s", tt.content, err, tt.want)
		}
	}
}

func FuzzGoogleJobs(f *testing.F) {
	for _, bad := range badGoogleJobs {
		f.Add([]byte(bad.content))
	}
	f.Add([]byte(goodGoogleJob + goodGoogleJob))
	f.Fuzz(func(t *testing.T, content []byte) {
		r, err := readGoogleJobs(content)
		if err != nil {
			checkFuzzError(t, err)
			return
		}
		rejected := 0
		for _, why := range r.rejected {
			rejected += why.Rows
		}
		if len(r.jobs.of) > r.rows-rejected || len(r.jobs.programs) > len(r.jobs.of) {
			t.Errorf("%d jobs of %d programs in %d rows", len(r.jobs.of), len(r.jobs.programs), r.rows)
		}
	})
}

// TestVerifyGoogleJobs counts what the recording's job events say of its first tasks.
func TestVerifyGoogleJobs(t *testing.T) {
	needRecording(t, google2011Folder)
	tr := open(t, google2011Folder+"?labels=job")
	if want := 37_780 + 450_146 + 69_721; tr.Rows != want || tr.Pods != 201_491-291-11_497 {
		t.Errorf("%d rows, want %d, and %d pods", tr.Rows, want, tr.Pods)
	}
	programs, without := map[string]bool{}, 0
	for _, p := range read(t, tr.Events(1)).pods {
		program, known := p.pod.Labels.Get("program")
		if programs[program] = true; !known {
			without++
		}
	}
	if without > 0 {
		t.Errorf("%d pods are of no program", without)
	}
	t.Logf("%d pods of %d programs", tr.Pods, len(programs))
}
