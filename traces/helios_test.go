package traces

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
)

const (
	smallHelios     = "testdata/helios"
	smallHeliosDays = smallHelios + "/cluster_gpu_number.csv"
)

// heliosNodesText writes out which nodes there are, with their virtual clusters and GPUs.
func heliosNodesText(tr *Trace, t *testing.T) string {
	var got []string
	for _, n := range read(t, tr.Events(1)).nodes {
		vc, _ := n.Labels.Get("vc")
		got = append(got, fmt.Sprintf("%s %s %d", n.Name, vc, n.GPUs))
	}
	slices.Sort(got) // filling shuffles them
	return strings.Join(got, "; ")
}

// TestHeliosDays has virtual clusters that grow and shrink, and one that has no nodes.
func TestHeliosDays(t *testing.T) {
	for query, want := range map[string]string{
		"":                "vcA-1 vcA 8; vcA-2 vcA 8; vcC-1 vcC 8",
		"?day=2020-04-02": "vcA-1 vcA 8; vcC-1 vcC 8; vcC-2 vcC 4",
	} {
		tr := open(t, smallHeliosDays+query)
		if got := heliosNodesText(tr, t); got != want || tr.Format != "helios" {
			t.Errorf("%s: %s has %s, want %s", query, tr.Format, got, want)
		}
		if tr.Rows != 2 || len(tr.Rejected) != 1 || tr.Rejected[0].Reason != "of another day" {
			t.Errorf("%d rows, rejected %+v", tr.Rows, tr.Rejected)
		}
	}
	if open(t, smallHeliosDays).Hash == open(t, smallHeliosDays+"?day=2020-04-02").Hash {
		t.Error("the day isn't in the hash")
	}
	checkError(t, smallHeliosDays+"?day=x", smallHeliosDays+`?day=x: day is "x"; give a date such as 2020-06-01`)
	checkError(t, smallHeliosDays+"?day=2021-04-02", smallHeliosDays+": no row of the day 2021-04-02; give a day that has one")
	config := smallMachines + "Venus_vc_config.csv?day=2020-04-02"
	checkError(t, config, config+`: day is "2020-04-02"; leave it out: the file has no days`)
}

// TestHeliosJobs has a job of one pod, and two of which pods differ.
func TestHeliosJobs(t *testing.T) {
	tr := open(t, smallHelios+"?cpus=10")
	if got, want := heliosNodesText(tr, t), "vcA-1 vcA 8; vcA-2 vcA 8; vcC-1 vcC 8; vcC-2 vcC 4"; got != want || tr.Format != "heliosjobs" {
		t.Errorf("%s has %s, want %s", tr.Format, got, want)
	}
	var got []string
	for _, a := range read(t, tr.Events(1)).pods {
		c := a.pod.Class
		got = append(got, fmt.Sprintf("%v %s/%s %s %v: %d %d %v", a.at.Seconds(), c.Namespace, a.pod.Name, c.Owner.Name, a.pod.Run.Seconds(), c.Requests.Get(cluster.CPU), c.GPUs.Count, c.NodeLabels))
	}
	checkText(t, strings.Join(got, "\n"), `
0 vcA/job-11  60: 4000 1 [{vc vcA}]
5 vcC/job-12-0 job-12 20: 3000 5 [{vc vcC}]
5 vcC/job-12-1 job-12 20: 2000 5 [{vc vcC}]
8 vcA/job-14  1: 2000 0 [{vc vcA}]
10 vcA/job-18-0 job-18 5: 3000 6 [{vc vcA}]
10 vcA/job-18-1 job-18 5: 3000 5 [{vc vcA}]
10 vcA/job-18-2 job-18 5: 2000 5 [{vc vcA}]`)
	checkRows(t, tr, 2+8, "start_time is empty: 1 from cluster_log.csv:4; asks for nothing: 1 from cluster_log.csv:6; "+
		"asks for more GPUs than its nodes have: 1 from cluster_log.csv:7; starts before it was submitted, or ends before it starts: 1 from cluster_log.csv:8")
	if load := (60.0 + 200 + 80) / (28 * 10); math.Abs(tr.OfferedLoad-load) > 1e-12 || len(tr.Waits) != 4 || tr.Waits[0] != 10*cluster.Second {
		t.Errorf("load %v, want %v; waits %v", tr.OfferedLoad, load, tr.Waits)
	}
	for _, a := range read(t, open(t, smallHelios+"?owners=every").Events(1)).pods {
		if a.pod.Class.Owner.Name == "" {
			t.Errorf("%s has no owner", a.pod.Name)
		}
	}
	if got := heliosNodesText(open(t, smallHelios+"?day=2020-04-02"), t); got != "vcA-1 vcA 8; vcC-1 vcC 8; vcC-2 vcC 4" {
		t.Errorf("on a day, %s", got)
	}
}

const (
	goodHeliosJobs = "job_id,vc,gpu_num,cpu_num,node_num,submit_time,start_time,end_time\n1,a,1,1,1,2020-04-01 00:00:00,2020-04-01 00:00:10,2020-04-01 00:01:10\n"
	heliosTimes    = "2020-04-01 00:00:00,2020-04-01 00:00:10,2020-04-01 00:01:10\n"
)

var badHelios = []struct {
	days          bool
	content, want string
}{
	{true, "day,a\n", "f:1: no column date; the header must name date"},
	{true, "date,a\n", "f: no row of any day; fetch it again"},
	{true, "date,a\n1,8\n", `f:2: date is "1"; give a date such as 2020-06-01`},
	{true, "date,a\n2020-04-01,x\n", `f:2: a is "x"; give a whole number from 0 to 80000`},
	{true, "date,a b\n2020-04-01,8\n", `f:2: a virtual cluster is called "a b"; give a name without spaces and slashes`},
	{true, "date,a,b,total\n2020-04-01,8,8,24\n", `f:2: total is "24"; the virtual clusters have 16 together: correct one of them`},
	{false, "job_id,vc\n", "f:1: no column gpu_num; the header must name job_id, vc, gpu_num, cpu_num, node_num, submit_time, start_time, end_time"},
	{false, goodHeliosJobs + "2,a,x,1,1," + heliosTimes, `f:3: gpu_num is "x"; give a whole number from 0 to 800000`},
	{false, goodHeliosJobs + "2,a,1,x,1," + heliosTimes, `f:3: cpu_num is "x"; give a whole number from 0 to 1000000`},
	{false, goodHeliosJobs + "2,a,1,1,x," + heliosTimes, `f:3: node_num is "x"; give a whole number from 0 to 100000`},
	{false, goodHeliosJobs + "2,a/b,1,1,1," + heliosTimes, `f:3: vc is "a/b"; give a name without spaces and slashes`},
	{false, goodHeliosJobs + "1,a,1,1,1," + heliosTimes, `f:3: job_id is "1"; line 2 has that job already: leave one of them out`},
	{false, goodHeliosJobs + "2,a,1,1,1,yesterday,x,x\n", `f:3: submit_time is "yesterday"; give a date and time from 1970 to 2200, such as 2017-10-09 07:01:55`},
}

func readHelios(days bool, content []byte) (*heliosJobsReader, []*cluster.NodeSpec, error) {
	r, d := &heliosJobsReader{owners: "several"}, &heliosDaysReader{most: true}
	err := readContent(content, func(file string, in *stream) error {
		if days {
			return d.read(&r.tally, file, in)
		}
		return r.read(file, in)
	})
	return r, d.nodes, err
}

func TestHeliosFails(t *testing.T) {
	for _, tt := range badHelios {
		if _, _, err := readHelios(tt.days, []byte(tt.content)); err == nil || err.Error() != tt.want {
			t.Errorf("%q:\ngot  %v\nwant %s", tt.content, err, tt.want)
		}
	}
}

func FuzzHelios(f *testing.F) {
	for _, bad := range badHelios {
		f.Add(bad.days, []byte(bad.content))
	}
	f.Add(true, []byte("date,a,b\n2020-04-01,8,9\n2020-04-02,16,0\n"))
	f.Add(false, []byte(goodHeliosJobs+"2,a,10,7,3,"+heliosTimes))
	f.Fuzz(func(t *testing.T, days bool, content []byte) {
		r, nodes, err := readHelios(days, content)
		if err != nil {
			checkFuzzError(t, err)
			return
		}
		for _, n := range nodes {
			if n.GPUs < 1 || n.GPUs > heliosNodeGPUs || !isName(n.Name) {
				t.Errorf("node %+v", n)
			}
		}
		if r.batches.count > 0 {
			checkFuzzReplay(t, &r.tally, r.replay(fuzzCPUs()))
		}
	})
}

// TestVerifyHeliosDays has the GPUs that the file says of its first day and its last.
func TestVerifyHeliosDays(t *testing.T) {
	needRecording(t, "helios-2020")
	for query, gpus := range map[string]int{"": 784, "?day=2020-09-28": 1208} {
		tr := open(t, "helios-2020/Earth_gpu_number.csv"+query)
		if tr.GPUs != gpus || tr.Nodes != gpus/8 || tr.Rows != 181 {
			t.Errorf("%s: %d rows, %d nodes, %d GPUs", query, tr.Rows, tr.Nodes, tr.GPUs)
		}
	}
}
