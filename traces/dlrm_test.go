package traces

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
)

const smallDLRM = "testdata/dlrm"

// TestDLRM has instances that were there before, and some that go on: to 170 s, the
// latest time there is, even if that of a row that is rejected.
func TestDLRM(t *testing.T) {
	tr := open(t, smallDLRM+"?gpunodes=1&cpunodes=1")
	p := read(t, tr.Events(1))
	checkText(t, textOfCPUs(p), `
hn-1 128000 1048576
cn-1 192000 1048576
0 default/instance_0 ReplicaSetapp_0-HN 170: 12000 123392 role=HN
0 default/instance_1 ReplicaSetapp_0-CN 50.5: 64000 327680 role=CN
100 default/instance_2 ReplicaSetapp_1-HN 50: 8000 40960 role=HN
150 default/instance_3 ReplicaSetapp_1-CN 10: 8000 40960 role=CN`)
	if c := p.pods[0].pod.Class; c.GPUs.Total() != 1000 || fmt.Sprint(c.Extended) != "[{"+rdma+" 25}]" || p.pods[3].pod.Class.Extended != nil {
		t.Errorf("it asks for %+v, %v", c.GPUs, c.Extended)
	}
	if n := p.nodes[0]; n.GPUs != 8 || fmt.Sprint(n.Extended) != "[{"+rdma+" 200}]" {
		t.Errorf("node %+v", n)
	}
	checkRows(t, tr, 6, "never scheduled: 1 from "+dlrmFile+":6; it ends before it starts: 1 from "+dlrmFile+":7")
	if load := (170 + 50) / (8 * 150.0); math.Abs(tr.OfferedLoad-load) > 1e-12 || tr.Format != "dlrm" {
		t.Errorf("the load is %v, want %v", tr.OfferedLoad, load)
	}
	checkError(t, smallDLRM+"?gpus=65", smallDLRM+`?gpus=65: gpus is "65"; give a whole number from 1 to 64`)
	checkError(t, smallDLRM+"?cpunodes=0", smallDLRM+`?cpunodes=0: cpunodes is "0"; give a whole number from 1 to 1000000`)
}

const (
	dlrmHead = "instance_sn,role,app_name,cpu_request,gpu_request,rdma_request,memory_request,creation_time,scheduled_time,deletion_time\n"
	goodDLRM = dlrmHead + "i0,HN,a,12,1,25,120.0,,,\ni1,CN,a,12,0,25,120.0,5,6,9\n"
)

var badDLRM = []struct{ content, want string }{
	{"instance_sn,role\n", "f:1: no column app_name; the header must name " + strings.Join(dlrmColumns, ", ") + ", " + strings.Join(dlrmTimes, ", ")},
	{goodDLRM + "i0,HN,a,12,1,25,120.0,,,\n", `f:4: instance_sn is "i0"; line 2 has that name already: give another`},
	{goodDLRM + "i2,XN,a,12,1,25,120.0,,,\n", `f:4: role is "XN"; give HN, with a GPU, or CN, without`},
	{goodDLRM + "i2,HN,,12,1,25,120.0,,,\n", `f:4: app_name is ""; give a name without spaces and slashes`},
	{goodDLRM + "i2,HN,a,x,1,25,120.0,,,\n", `f:4: cpu_request is "x"; give a number from 0 to 1000000`},
	{goodDLRM + "i2,HN,a,12,65,25,120.0,,,\n", `f:4: gpu_request is "65"; give a whole number from 0 to 64`},
	{goodDLRM + "i2,HN,a,12,1,2.5,120.0,,,\n", `f:4: rdma_request is "2.5"; give a whole number from 0 to 1000000`},
	{goodDLRM + "i2,HN,a,12,1,25,-1,,,\n", `f:4: memory_request is "-1"; give a number from 0 to 1000000`},
	{goodDLRM + "i2,HN,a,12,1,25,1,-5,,\n", `f:4: creation_time is "-5"; give seconds from 0 to 1000000000`},
}

func readDLRM(content []byte) (*dlrmReader, error) {
	r := &dlrmReader{}
	return r, readContent(content, r.read)
}

func TestDLRMFails(t *testing.T) {
	for _, tt := range badDLRM {
		if _, err := readDLRM([]byte(tt.content)); err == nil || err.Error() != tt.want {
			t.Errorf("%q:\ngot  %v\nwant %s", tt.content, err, tt.want)
		}
	}
}

func FuzzDLRM(f *testing.F) {
	for _, bad := range badDLRM {
		f.Add([]byte(bad.content))
	}
	f.Add([]byte(goodDLRM + "\ni3,CN,a,12,0,0,120.0,5,,9\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		r, err := readDLRM(content)
		if err != nil {
			checkFuzzError(t, err)
			return
		}
		checkFuzzReplay(t, &r.tally, r.replay(fuzzNodes()))
	})
}

// TestVerifyDLRM counts instances of each role, and services.
func TestVerifyDLRM(t *testing.T) {
	const folder = "alibaba-gpu-v2025-dlrm"
	needRecording(t, folder)
	tr := open(t, folder)
	checkRows(t, tr, 23_871, "")
	roles, apps := map[string]int{}, map[string]bool{}
	for _, a := range read(t, tr.Events(1)).pods {
		role, _ := a.pod.Class.NodeLabels.Get(roleLabel)
		roles[role]++
		apps[strings.TrimSuffix(strings.TrimSuffix(a.pod.Class.Owner.Name, "-CN"), "-HN")] = true
		if (role == "HN") != (a.pod.Class.GPUs.Total() == cluster.WholeGPU) {
			t.Errorf("%s with role %s asks for %+v", a.pod.Name, role, a.pod.Class.GPUs)
		}
	}
	if roles["CN"] != 16_485 || roles["HN"] != 7386 || len(apps) != 156 || math.Abs(tr.OfferedLoad-0.3994) > 0.0001 {
		t.Errorf("%v of %d services, load %v", roles, len(apps), tr.OfferedLoad)
	}
	t.Logf("%d instances of %d services, offered load %.2f %% of GPUs", tr.Pods, len(apps), 100*tr.OfferedLoad)
}
