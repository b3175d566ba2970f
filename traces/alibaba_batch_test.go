package traces

import (
	"fmt"
	"math"
	"testing"

	"github.com/berthsim/berth/cluster"
)

const small2018, small2017 = "testdata/alibaba2018", "testdata/alibaba2017"

func TestAlibaba2018(t *testing.T) {
	tr := open(t, small2018+"?memory=4")
	p := read(t, tr.Events(1))
	checkText(t, textOfCPUs(p), `
m_1 96000 4096
m_2 64000 2048
0 default/job_1-M1-0  13: 500 1024
3 default/job_2-M1-0  0: 2500 205
3 default/job_2-M1-1  0: 2500 205
13 default/job_1-R2_1-0  10: 1000 16
13 default/job_1-R2_1-1  10: 1000 16
13 default/job_1-R2_1-2  10: 1000 16`)
	if got, want := fmt.Sprint(p.nodes[0].Labels), "[{failure_domain_1 219} {failure_domain_2 17} {kubernetes.io/hostname m_1} {topology.kubernetes.io/zone zone-17}]"; got != want {
		t.Errorf("labels %s, want %s", got, want)
	}
	if got, want := fmt.Sprint(p.nodes[1].Labels), "[{failure_domain_1 220} {kubernetes.io/hostname m_2}]"; got != want {
		t.Errorf("labels %s, want %s", got, want)
	}
	checkRows(t, tr, 11, `another row of a machine that has one already: 1 from machine_meta.csv:2; the status is "IMPORT_INSTALLING": 1 from machine_meta.csv:4; `+
		`the status is "Running": 1 from batch_task.csv:4; it ends before it starts: 1 from batch_task.csv:5; plan_cpu is empty: 1 from batch_task.csv:6; the line is empty: 1 from batch_task.csv:7`)
	if load := (13*0.5 + 30) / (160 * 13); tr.Format != "alibaba2018" || math.Abs(tr.OfferedLoad-load) > 1e-12 {
		t.Errorf("%s: the load is %v, want %v", tr.Format, tr.OfferedLoad, load)
	}
}

func TestAlibaba2017(t *testing.T) {
	tr := open(t, small2017+"?memory=4&owners=job&nodes=1")
	checkText(t, textOfCPUs(read(t, tr.Events(1))), `
machine-1 64000 2048
0 default/job-3-5-0 Jobjob-3 76: 1500 0
2 default/job-3-4-0 Jobjob-3 65: 500 1024
2 default/job-3-4-1 Jobjob-3 65: 500 1024`)
	checkRows(t, tr, 10, `another row of a machine that has one already: 1 from server_event.csv:4; the status is "Waiting": 1 from batch_task.csv:4; `+
		`it ends before it starts: 1 from batch_task.csv:5; asks for nothing: 1 from batch_task.csv:6; cpus per instance is empty: 1 from batch_task.csv:7`)
	if tr.Format != "alibaba2017" {
		t.Errorf("it is recognised as %s", tr.Format)
	}
	if hash := open(t, small2017+"?memory=4&owners=job").Hash; hash == tr.Hash {
		t.Error("fewer machines have the same hash")
	}
}

func TestAlibabaFails(t *testing.T) {
	for query, want := range map[string]string{
		"?nodes=3":   "there are 2 machines, not 3; leave nodes out, or give fewer",
		"?nodes=0":   `nodes is "0"; give a whole number from 1 to 1000000`,
		"?memory=x":  `memory is "x"; give a whole number from 1 to 1000000`,
		"?owners=us": `owners is "us"; give one of none, job`,
	} {
		checkError(t, small2017+query, small2017+query+": "+want)
	}
	checkError(t, "alibaba2018:testdata/openb", "testdata/openb: no machine_meta.csv or machine_meta.csv.gz in the folder; give the folder that contains it, or the file")
	for _, tt := range badAlibaba {
		if _, err := readAlibaba(tt.table, []byte(tt.content)); err == nil || err.Error() != tt.want {
			t.Errorf("%q:\ngot  %v\nwant %s", tt.content, err, tt.want)
		}
	}
}

// alibabaTables are the tables that fuzzing reads, by number.
var alibabaTables = []alibabaTable{alibaba2018Machines, alibaba2018Tasks, alibaba2017Machines, alibaba2017Tasks}

const goodTask = "M1,1,job_1,type_9,Terminated,97,110,50.0,25\n"

var badAlibaba = []struct {
	table         int
	content, want string
}{
	{0, "m_1,0,219,17,96,100\n", "f:1: 6 fields; give 7, machine_id, time_stamp, failure_domain_1, failure_domain_2, cpu_num, mem_size, status"},
	{0, "machine_id,1,2,3,4,5,6\n,0,219,17,96,100,USING\n", `f:2: machine_id is ""; give a name`},
	{0, "m_1,0,219,17,-1,100,USING\n", `f:1: cpu_num is "-1"; give a whole number from 0 to 1000000`},
	{0, "m_1,0,219,17,1,101,USING\n", `f:1: mem_size is "101"; give a number from 0 to 100`},
	{1, goodTask + "M1,x,job_2,type_9,Terminated,97,110,50.0,25\n", `f:2: instance_num is "x"; give a whole number from 0 to 10000000`},
	{1, goodTask + "M1,1,job_2,type_9,Terminated,x,110,50.0,25\n", `f:2: start_time is "x"; give a whole number of at most 1000000000`},
	{1, goodTask + "M1,1,job_2,type_9,Terminated,97,-2000000000,50.0,25\n", `f:2: end_time is "-2000000000"; give a whole number of at most 1000000000`},
	{1, goodTask + "M1,1,job_2,type_9,Terminated,97,110,x,25\n", `f:2: plan_cpu is "x"; give a number from 0 to 100000000`},
	{1, goodTask + "M1,1,job_2,type_9,Terminated,97,110,5,NaN\n", `f:2: plan_mem is "NaN"; give a number from 0 to 100`},
	{1, goodTask + goodTask, `f:2: job "job_1" has task "M1" already; leave one of them out`},
	{1, goodTask + "M1,1,a/b,type_9,Terminated,97,110,5,5\n", `f:2: the names are "a/b-M1"; give names without spaces and slashes`},
	{2, "0,1,add,,64,2,1\n", `f:1: normalized memory is "2"; give a number from 0 to 1`},
	{2, "0,1,add,,64,1,1\nx,1,softerror,disk_full,0,0,0\n", `f:2: timestamp is "x"; give a whole number from 0 to 1000000000`},
	{2, "0,1,add,,x,1,1\n", `f:1: number of cpus is "x"; give a whole number from 0 to 1000000`},
	{3, "1,2,3,4,5,Failed,6,7\n", `f:1: memory per instance is "7"; give a number from 0 to 1`},
	{3, "1,2,3,4,-5,Failed,6,1\n", `f:1: number of instances is "-5"; give a whole number from 0 to 10000000`},
}

// readAlibaba reads content as one of alibabaTables.
func readAlibaba(table int, content []byte) (*alibabaBatch, error) {
	r := newAlibabaBatch(4, "none")
	if table == 2 {
		r.errors = &softErrors{repair: cluster.Hour, which: everySoftError, at: map[string][]cluster.Time{}}
	}
	return r, readContent(content, func(file string, in *stream) error { return r.read(file, in, alibabaTables[table]) })
}

func FuzzAlibaba(f *testing.F) {
	for _, bad := range badAlibaba {
		f.Add(uint(bad.table), []byte(bad.content))
	}
	f.Add(uint(2), []byte(goodSoftErrors))
	f.Fuzz(func(t *testing.T, table uint, content []byte) {
		r, err := readAlibaba(int(table%4), content)
		if err != nil {
			checkFuzzError(t, err)
			return
		}
		for _, n := range r.nodes {
			if n.Capacity[0] < 0 || n.Capacity[1] < 0 || !isName(n.Name) {
				t.Errorf("node %+v", n)
			}
		}
		if r.errors != nil {
			checkSoftErrors(t, r)
		}
		if r.batches.count > 0 {
			checkFuzzReplay(t, &r.tally, r.replay(fuzzCPUs()))
		}
	})
}

// TestVerifyAlibaba counts what the recordings have, and what of it is rejected.
func TestVerifyAlibaba(t *testing.T) {
	for _, tt := range []struct {
		folder            string
		rows, nodes, pods int
		load              float64
		rejected          string
	}{
		{"alibaba-2018", 17_592 + 11_354, 4033, 31_543, 0.0000078, `another row of a machine that has one already: 13554 from machine_meta.csv.gz:2; the status is "IMPORT_INSTALLING": 5 from machine_meta.csv.gz:8311`},
		{"alibaba-2017", 1352 + 80_553, 1313, 10_609_540, 0.944787, `the status is "Waiting": 8847 from batch_task.csv.gz:4; ` +
			`the status is "Running": 3567 from batch_task.csv.gz:35; cpus per instance is empty: 11 from batch_task.csv.gz:54978`},
	} {
		needRecording(t, tt.folder)
		tr := open(t, tt.folder)
		checkRows(t, tr, tt.rows, tt.rejected)
		if tr.Format != "alibaba"+tt.folder[8:] || tr.Nodes != tt.nodes || tr.Pods != tt.pods || math.Abs(tr.OfferedLoad-tt.load) > 0.000001 {
			t.Errorf("%s: %d nodes, %d pods, load %v", tr.Format, tr.Nodes, tr.Pods, tr.OfferedLoad)
		}
		t.Logf("%s: %d pods, %d nodes, offered load %.2f %% of CPUs", tr.Name, tr.Pods, tr.Nodes, 100*tr.OfferedLoad)
	}
}
