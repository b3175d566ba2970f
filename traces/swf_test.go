package traces

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
)

const (
	smallSWF = "swf:testdata/swf/small.swf"
	metaSWF  = "testdata/swf/meta.swf"
)

// textOfCPUs writes nodes with their CPUs and MiB, and pods with what they ask for.
func textOfCPUs(p play) string {
	var b strings.Builder
	for _, n := range p.nodes {
		fmt.Fprintf(&b, "%s %d %d\n", n.Name, n.Capacity.Get(cluster.CPU), n.Capacity.Get(cluster.Memory)/mib)
	}
	for _, a := range p.pods {
		c := a.pod.Class
		fmt.Fprintf(&b, "%v %s/%s %s%s %v: %d %d", a.at.Seconds(), c.Namespace, a.pod.Name, c.Owner.Kind, c.Owner.Name, a.pod.Run.Seconds(), c.Requests.Get(cluster.CPU), c.Requests.Get(cluster.Memory)/mib)
		for _, l := range c.NodeLabels {
			fmt.Fprintf(&b, " %s=%s", l.Key, l.Value)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func checkText(t *testing.T, got, want string) {
	t.Helper()
	if strings.TrimSpace(got) != strings.TrimSpace(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestSWF has jobs on nodes of 4 CPUs each, as the header says: 10 processors are 4, 4
// and 2. No memory of nodes is known, so none is asked for.
func TestSWF(t *testing.T) {
	tr := open(t, smallSWF)
	checkText(t, textOfCPUs(read(t, tr.Events(1))), `
node-1 4000 0
node-2 4000 0
node-3 4000 0
node-4 4000 0
0 user-7/job-1-0 Jobjob-1 60: 4000 0
0 user-7/job-1-1 Jobjob-1 60: 4000 0
0 user-7/job-1-2 Jobjob-1 60: 2000 0
10 user-8/job-2  30: 2000 0
50 user-unknown/job-6  0: 4000 0`)
	checkRows(t, tr, 7, "the run time isn't known: 1 from small.swf:8; the line is empty: 1 from small.swf:9; "+
		"the number of processors isn't known: 1 from small.swf:10; a part of a job that has a row of its own (status 2, 3 or 4): 1 from small.swf:11")
	if began := tr.Epoch.Unix(); began != 749458803 {
		t.Errorf("it begins at %d", began)
	}
	if load := (600 + 60) / (16 * 50.0); math.Abs(tr.OfferedLoad-load) > 1e-12 || tr.GPUs != 0 || tr.Pods != 5 {
		t.Errorf("the load is %v, want %v; %+v", tr.OfferedLoad, load, tr)
	}
}

// TestSWFOptions gives nodes by options: memory counts once nodes have some, in KiB of a
// processor.
func TestSWFOptions(t *testing.T) {
	checkText(t, textOfCPUs(read(t, open(t, smallSWF+"?nodes=1&cpus=16&memory=2&namespace=group&for=5m").Events(1))), `
node-1 16000 2048
0 group-2/job-1  60: 10000 10
10 group-2/job-2  30: 2000 0
50 group-2/job-6  0: 4000 0`)
	checkText(t, textOfCPUs(read(t, open(t, smallSWF+"?cpus=5&namespace=partition&from=10s").Events(1))), `
node-1 5000 0
node-2 5000 0
node-3 5000 0
node-4 5000 0
0 partition-1/job-2  30: 2000 0
40 partition-1/job-6  0: 4000 0`)
}

// TestSWFMetaCentrum has what each node is to give, in bytes of memory, and the
// machines. The request of the last job doesn't say where its processors are.
func TestSWFMetaCentrum(t *testing.T) {
	tr := open(t, metaSWF)
	checkText(t, textOfCPUs(read(t, tr.Events(1))), `
big-1 16000 8192
small-1 4000 4096
small-2 4000 4096
0 user-62/job-0  50: 12000 1024 cluster=big
3 user-62/job-1-0 Jobjob-1 20: 1000 2048
3 user-62/job-1-1 Jobjob-1 20: 2000 2048 cluster=small
3 user-62/job-1-2 Jobjob-1 20: 2000 2048 cluster=small
3 user-62/job-1-3 Jobjob-1 20: 2000 2048 cluster=small
13 user-63/job-2  20: 3000 2048`)
	if ns := read(t, open(t, metaSWF+"?namespace=queue").Events(1)).pods[0].pod.Class.Namespace; ns != "q_1d" {
		t.Errorf("the queue is %s", ns)
	}
}

const goodSWF = "; MaxProcs: 8\n1 0 0 9 1 -1 -1 -1 -1 -1 1 1 1 1 1 1 -1 -1\n2 5 0 9 1 -1 -1 -1 -1 -1 1 1 1 1 1 1 -1 -1\n"

var badSWF = []struct{ content, want string }{
	{"; Computer: x\n1 0 0 9 1 -1 -1 -1 -1 -1 1 1 1 1 1 1 -1 -1\n", "f: the header doesn't say how many processors there are (MaxProcs); give nodes=N and cpus=C"},
	{goodSWF + "1 0 0 9\n", "f:4: 4 fields; give 18, or MetaCentrum's 21"},
	{goodSWF + "x 0 0 9 1 -1 -1 -1 -1 -1 1 1 1 1 1 1 -1 -1\n", `f:4: the job's number (field 1) is "x"; give a whole number up to 9223372036854775807, or -1 if it isn't known`},
	{goodSWF + "3 -1 0 9 1 -1 -1 -1 -1 -1 1 1 1 1 1 1 -1 -1\n", `f:4: the job has no number, or no time at which it was submitted; give both, from 0`},
	{goodSWF + "3 7 0 9 2000000 -1 -1 -1 -1 -1 1 1 1 1 1 1 -1 -1\n", `f:4: allocated processors (field 5) is "2000000"; give a whole number up to 1000000, or -1 if it isn't known`},
	{goodSWF + "3 7 0 9 1 -1 -1 -1 -1 -1 6 1 1 1 1 1 -1 -1\n", `f:4: status (field 11) is "6"; give a whole number up to 5, or -1 if it isn't known`},
	{goodSWF + "2 7 0 9 1 -1 -1 -1 -1 -1 1 1 1 1 1 1 -1 -1\n", `f:4: job 2 is there already; line 3 has that number: give another`},
	{goodSWF + strings.Repeat("x", longestLine+1), `f:4: the line is longer than 1048576 bytes; give a text file, or one whose name ends in .gz if it is compressed`},
}

func readSWF(content []byte) (*swfReader, error) {
	r := newSWFReader("user", Settings{"memory": "1"})
	return r, readContent(content, r.read)
}

func TestSWFFails(t *testing.T) {
	for _, tt := range badSWF {
		if _, err := readSWF([]byte(tt.content)); err == nil || err.Error() != tt.want {
			t.Errorf("%.200q:\ngot  %v\nwant %s", tt.content, err, tt.want)
		}
	}
	checkError(t, smallSWF+"?cpus=0", smallSWF+`?cpus=0: cpus is "0"; give a whole number from 1 to 1000000`)
	checkError(t, smallSWF+"?namespace=x", smallSWF+`?namespace=x: namespace is "x"; give one of user, group, queue, partition`)
}

func TestSWFMachinesFail(t *testing.T) {
	for content, want := range map[string]string{
		"":                         "f.machines: no machines; give a file with at least one, or remove it",
		"0 a 1 1 1\n":              "f.machines:1: 5 fields; give 6: number, name, nodes, CPUs of a node, speed, KiB of memory of a node",
		"0 a x 1 1 1\n":            `f.machines:1: amount (field 3) is "x"; give a whole number up to 1000000, or -1 if it isn't known`,
		"0 a 1 0 1 1\n":            `f.machines:1: field 4 is "0"; give a number above 0`,
		"0 a 1 1 1 1\n1 a 1 1 1 1": `f.machines:2: the name is "a"; give another name to each cluster, without slashes, and at most 1000000 nodes`,
		"0 a/b 1 1 1 1\n":          `f.machines:1: the name is "a/b"; give another name to each cluster, without slashes, and at most 1000000 nodes`,
	} {
		if _, err := readSWFMachines("f.gz", []byte(content)); err == nil || err.Error() != want {
			t.Errorf("%q:\ngot  %v\nwant %s", content, err, want)
		}
	}
}

// TestSWFHash has the machines file in the hash: with others, the workload is another.
func TestSWFHash(t *testing.T) {
	dir := t.TempDir()
	log := filepath.Join(dir, "x.swf")
	writeFile(t, log, []byte(goodSWF))
	alone := open(t, log).Hash
	writeFile(t, log+".machines", []byte("0 a 1 1 1 1\n"))
	if one := open(t, log).Hash; one == alone {
		t.Error("the machines aren't in the hash")
	}
	writeFile(t, log+".gz", gzipped([]byte(goodSWF)))
	if open(t, log+".gz").Hash != open(t, log).Hash {
		t.Error("compressed, the hash is another")
	}
}

func FuzzSWF(f *testing.F) {
	for _, bad := range badSWF {
		f.Add([]byte(bad.content))
	}
	f.Add([]byte(goodSWF + "7 9 0 50 12 1 1024 12 86400 1073741824 1 62 1 1 -1 1 1 1 {1} q 1:ppn=4+2:ppn=4:cl_a\n\n8 9 0 50 12 1 1024 12 86400 7 1 62 1 1 -1 1 1 1\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		r, err := readSWF(content)
		if err != nil {
			checkFuzzError(t, err)
			return
		}
		checkFuzzReplay(t, &r.tally, r.replay())
	})
}

// TestVerifySWF counts the jobs of three logs, and what machines there are.
func TestVerifySWF(t *testing.T) {
	const folder = "swf-pwa"
	needRecording(t, folder)
	for _, tt := range []struct {
		file, query, rejected   string
		rows, nodes, pods, cpus int
		load                    float64
	}{
		{"NASA-iPSC-1993-3.1-cln.swf.gz", "", "", 18_239, 128, 309_953, 128, 0.4661},
		{"LCG.swf.gz", "?cpus=64", "", 188_041, 384, 188_041, 384 * 64, 0.0643},
		{"MetaCentrum-wagap-2013.swf.gz", "", "the run time isn't known: 2 from MetaCentrum-wagap-2013.swf.gz:4186", 17_900, 68, 19_194, 20*80 + 48*12, 0.5768},
	} {
		tr := open(t, folder+"/"+tt.file+tt.query)
		checkRows(t, tr, tt.rows, tt.rejected)
		cpus := int64(0)
		for _, n := range read(t, tr.Events(1)).nodes {
			cpus += n.Capacity.Get(cluster.CPU) / 1000
		}
		if tr.Format != "swf" || tr.Nodes != tt.nodes || tr.Pods != tt.pods || cpus != int64(tt.cpus) || math.Abs(tr.OfferedLoad-tt.load) > 0.0001 {
			t.Errorf("%s: %d nodes, %d CPUs, %d pods, load %v", tt.file, tr.Nodes, cpus, tr.Pods, tr.OfferedLoad)
		}
		t.Logf("%s: %d jobs, %d pods, %d nodes, offered load %.2f %% of CPUs", tt.file, tr.Rows, tr.Pods, tr.Nodes, 100*tr.OfferedLoad)
	}
}
