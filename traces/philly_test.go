package traces

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/berthsim/berth/cluster"
)

const smallPhilly = "philly:testdata/philly"

// TestPhilly has the replay of the small recording, by order of submission.
func TestPhilly(t *testing.T) {
	tr := open(t, smallPhilly+"?nodes2=1&nodes8=2")
	if !tr.Timed || tr.Seeded || tr.Nodes != 3 || tr.GPUs != 18 || tr.Pods != 6 {
		t.Errorf("got %+v", tr)
	}
	p := read(t, tr.Events(1))
	var got []string
	for _, n := range p.nodes {
		got = append(got, fmt.Sprintf("%s %d %d", n.Name, n.GPUs, n.Capacity.Get(cluster.PodSlots)))
	}
	for _, a := range p.pods {
		c := a.pod.Class
		got = append(got, fmt.Sprintf("%v %s/%s %s/%s %v %d", a.at.Seconds(), c.Namespace, a.pod.Name, c.Owner.Kind, c.Owner.Name, a.pod.Run.Seconds(), c.GPUs.Total()))
	}
	want := []string{
		"node-2gpu-000 2 110", "node-8gpu-000 8 110", "node-8gpu-001 8 110",
		"0 vc-a/job-2 / 300 1000",
		"20 vc-b/job-1 / 100.5 2000",
		"20 vc-a/job-5 / 10 8000",
		"60 vc-a/job-4-0 Job/job-4 50 8000", "60 vc-a/job-4-1 Job/job-4 50 8000", "60 vc-a/job-4-2 Job/job-4 50 4000",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	checkRows(t, tr, 7, "timestamp is empty: 1 from philly.csv:4; asks for nothing: 1 from philly.csv:8; the line is empty: 1 from philly.csv:7")
	if load := (300 + 201 + 80 + 1000.0) / (18 * 60); math.Abs(tr.OfferedLoad-load) > 1e-12 {
		t.Errorf("the load is %v, want %v", tr.OfferedLoad, load)
	}
	if got := tr.Epoch.Format(time.DateTime); got != "2017-10-03 00:00:00" {
		t.Errorf("it begins at %s", got)
	}
	if len(tr.Mix) != 5 || tr.Mix[3].Pods != 2 {
		t.Errorf("the mix is %v", tr.Mix)
	}
}

// checkRows compares what a trace says of its rows, and their sum.
func checkRows(t *testing.T, tr *Trace, rows int, rejected string) {
	t.Helper()
	var got []string
	for _, r := range tr.Rejected {
		got = append(got, fmt.Sprintf("%s: %d from %s:%d", r.Reason, r.Rows, r.File, r.Line))
	}
	if tr.Rows != rows || strings.Join(got, "; ") != rejected {
		t.Errorf("%d rows, rejected %s; want %d, %s", tr.Rows, strings.Join(got, "; "), rows, rejected)
	}
}

// TestPhillyOwners gives a pod that is alone an owner on request only.
func TestPhillyOwners(t *testing.T) {
	for _, a := range read(t, open(t, smallPhilly+"?owners=every").Events(1)).pods {
		owner := a.pod.Class.Owner
		if owner.Kind != "Job" || a.pod.Name != owner.Name && !strings.HasPrefix(a.pod.Name, owner.Name+"-") {
			t.Errorf("%s is owned by %+v", a.pod.Name, owner)
		}
	}
}

// TestPhillyDefault has the cluster as it was at its largest.
func TestPhillyDefault(t *testing.T) {
	if tr := open(t, smallPhilly); tr.Nodes != 552 || tr.GPUs != 2490 {
		t.Errorf("%d nodes, %d GPUs", tr.Nodes, tr.GPUs)
	}
}

const goodPhilly = "timestamp,duration,num_gpus,gpu_time,cluster\n2017-10-03 00:00:00,300.0,1,300.0,a\n2017-10-03 00:00:09,300.0,12,300.0,b\n"

var badPhilly = []struct{ content, want string }{
	{"", "f: the file has only empty lines; fetch it again"},
	{"timestamp,duration,num_gpus\n", "f:1: no column cluster; the header must name timestamp, duration, num_gpus, cluster"},
	{goodPhilly + "2017-10-03 00:00:00,300.0,1,300.0\n", "f:4: 4 fields; give 5, as in the header"},
	{goodPhilly + "2017-10-03,300.0,1,300.0,a\n", `f:4: timestamp is "2017-10-03"; give a date and time from 1970 to 2200, such as 2017-10-09 07:01:55`},
	{goodPhilly + "1917-10-03 00:00:00,300.0,1,300.0,a\n", `f:4: timestamp is "1917-10-03 00:00:00"; give a date and time from 1970 to 2200, such as 2017-10-09 07:01:55`},
	{goodPhilly + "2017-10-03 00:00:00,-1,1,300.0,a\n", `f:4: duration is "-1"; give seconds from 0 to 1000000000`},
	{goodPhilly + "2017-10-03 00:00:00,NaN,1,300.0,a\n", `f:4: duration is "NaN"; give seconds from 0 to 1000000000`},
	{goodPhilly + "2017-10-03 00:00:00,1,1.5,300.0,a\n", `f:4: num_gpus is "1.5"; give a whole number from 0 to 100000`},
	{goodPhilly + "2017-10-03 00:00:00,1,1,300.0,a/b\n", `f:4: cluster is "a/b"; give a name without spaces and slashes`},
}

// readPhilly reads content as openPhilly does.
func readPhilly(content []byte) (*phillyReader, error) {
	r := newPhillyReader("several")
	return r, readContent(content, r.read)
}

// readContent gives content, as that of the file f, to a reader.
func readContent(content []byte, read func(file string, in *stream) error) error {
	in, err := newStream("f", bytes.NewReader(content))
	if err != nil {
		return err
	}
	return read("f", in)
}

func TestPhillyFails(t *testing.T) {
	for _, tt := range badPhilly {
		if _, err := readPhilly([]byte(tt.content)); err == nil || err.Error() != tt.want {
			t.Errorf("%q:\ngot  %v\nwant %s", tt.content, err, tt.want)
		}
	}
	for query, want := range map[string]string{
		"?nodes2=0&nodes8=0": ": nodes2 and nodes8 are both 0; give at least one node",
		"?nodes8=x":          `: nodes8 is "x"; give a whole number from 0 to 1000000`,
		"?owners=none":       `: owners is "none"; give one of several, every`,
	} {
		checkError(t, smallPhilly+query, smallPhilly+query+want)
	}
}

func FuzzPhilly(f *testing.F) {
	for _, bad := range badPhilly {
		f.Add([]byte(bad.content))
	}
	f.Add([]byte(goodPhilly + ",300.0,1,300.0,a\n\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		r, err := readPhilly(content)
		if err != nil {
			checkFuzzError(t, err)
			return
		}
		checkFuzzReplay(t, &r.tally, r.replay(fuzzNodes()))
	})
}

// TestVerifyPhilly counts the recording: jobs by their GPUs, as its page has them.
func TestVerifyPhilly(t *testing.T) {
	const folder = "philly-2017"
	needRecording(t, folder)
	tr := open(t, folder)
	if tr.Format != "philly" {
		t.Errorf("it is recognised as %s", tr.Format)
	}
	checkRows(t, tr, 82_248, "the line is empty: 1 from philly.csv.gz:82249")
	jobs, namespaces, shares := map[int64]int{}, map[string]bool{}, map[string]int64{}
	for _, a := range read(t, tr.Events(1)).pods {
		c := a.pod.Class
		namespaces[c.Namespace] = true
		if c.Owner.Kind == "" {
			jobs[c.GPUs.Total()/cluster.WholeGPU]++
		} else {
			shares[c.Namespace+"/"+c.Owner.Name] += c.GPUs.Total()
		}
	}
	for _, sum := range shares {
		jobs[sum/cluster.WholeGPU]++
	}
	want := map[int64]int{1: 76_627, 2: 1818, 4: 1870, 8: 1643, 12: 7, 16: 199, 24: 7, 32: 67, 64: 6, 128: 3}
	if fmt.Sprint(jobs) != fmt.Sprint(want) || len(namespaces) != 15 {
		t.Errorf("jobs by GPUs: %v, of %d virtual clusters", jobs, len(namespaces))
	}
	if math.Abs(tr.OfferedLoad-0.1503) > 0.0001 {
		t.Errorf("the load is %v", tr.OfferedLoad)
	}
	t.Logf("%d jobs of %d virtual clusters, %d pods, offered load %.2f %%", tr.Rows-1, len(namespaces), tr.Pods, 100*tr.OfferedLoad)
}
