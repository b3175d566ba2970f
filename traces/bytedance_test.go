package traces

import (
	"math"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
)

const smallByteDance = "testdata/bytedance"

// TestByteDance has a container that is on no machine.
func TestByteDance(t *testing.T) {
	tr := open(t, smallByteDance+"?cpus=8&memory=4")
	p := read(t, tr.Events(1))
	for i := range p.pods {
		if p.pods[i].pod.Run != cluster.Never || p.pods[i].pod.On != "" {
			t.Errorf("pod %+v", p.pods[i].pod)
		}
		spec := *p.pods[i].pod
		spec.Run = 0
		p.pods[i].pod = &spec
	}
	checkText(t, textOfCPUs(p), `
0.0.0.0 8000 2048
0.0.0.1 4000 4096
1 default/c0 ReplicaSets0 0: 1000 409
2 default/c1 ReplicaSets0 0: 1000 409
3 default/c2 ReplicaSets1 0: 2666 0`)
	if load := 4666 / 12000.0; math.Abs(tr.OfferedLoad-load) > 1e-12 || tr.Timed || tr.Rows != 4 || tr.Pods != 3 || tr.Format != "bytedance" {
		t.Errorf("the load is %v, want %v; %+v", tr.OfferedLoad, load, tr)
	}
	where := ""
	for _, a := range read(t, open(t, smallByteDance+"?placed=yes").Events(1)).pods {
		where += a.pod.Name + " on " + a.pod.On + " at " + "0123"[a.at/cluster.Second:][:1] + "; "
	}
	if want := "c0 on 0.0.0.1 at 0; c1 on 0.0.0.0 at 0; c2 on  at 0; "; where != want {
		t.Errorf("got  %s\nwant %s", where, want)
	}
	checkError(t, smallByteDance+"?placed=x", smallByteDance+`?placed=x: placed is "x"; give one of no, yes`)
	checkError(t, smallByteDance+"?cpus=0", smallByteDance+`?cpus=0: cpus is "0"; give a whole number from 1 to 1000000`)
}

const goodByteDance = `{"ServiceList": [{"Service": "s", "RequestCPU": 0.1, "RequestMem": 0.2, "ContainerList": ["c"], "CompatibleMachines": "*"}],
"MachineList": [{"MachineIP": "m", "TotalCPU": 1, "TotalMem": 0.5, "InitialDeployingContainers": ["c"]}]}`

// badByteDance changes the good one.
var badByteDance = []struct{ from, to, want string }{
	{`"ServiceList"`, "\n,", "f:2: no sound JSON; fetch the file again"},
	{`"RequestCPU": 0.1`, `"RequestCPU": "1"`, "f:1: ServiceList.RequestCPU is a string; give a float64"},
	{`"m"`, `"m/"`, `f: MachineList, entry 1: MachineIP is "m/"; give a name of its own, without spaces and slashes`},
	{`"TotalMem": 0.5`, `"TotalMem": 0`, "f: MachineList, entry 1: TotalCPU and TotalMem are 1 and 0; give shares above 0 and up to 1"},
	{`["c"]}]}`, `["c", "c"]}]}`, `f: MachineList, entry 1: container "c" is on a machine before; leave one out`},
	{`"s"`, `""`, `f: ServiceList, entry 1: Service is ""; give a name of its own, without spaces and slashes`},
	{`0.2`, `-1`, "f: ServiceList, entry 1: RequestCPU and RequestMem are 0.1 and -1; give shares from 0 to 1"},
	{`["c"], "C`, `["c", "c"], "C`, `f: ServiceList, entry 1: container "c"; give a name of its own, without spaces and slashes`},
	{`"*"`, `["m"]`, `f: ServiceList, entry 1: CompatibleMachines is a list; give a cluster with "*" for every service, as M3 has: lists of machines are not read`},
	{`["c"], "C`, `[], "C`, "f: 1 machines and 0 containers; give a file with at least one of each"},
}

func TestByteDanceFails(t *testing.T) {
	for _, tt := range badByteDance {
		content := strings.Replace(goodByteDance, tt.from, tt.to, 1)
		if _, err := readByteDance("f", []byte(content), 64_000, 1<<38, true); err == nil || err.Error() != tt.want {
			t.Errorf("%s:\ngot  %v\nwant %s", content, err, tt.want)
		}
	}
}

func FuzzByteDance(f *testing.F) {
	for _, bad := range badByteDance {
		f.Add(strings.Replace(goodByteDance, bad.from, bad.to, 1))
	}
	f.Add(goodByteDance)
	f.Fuzz(func(t *testing.T, content string) {
		tr, err := readByteDance("f", []byte(content), 64_000, 1<<38, true)
		if err != nil {
			checkFuzzError(t, err)
			return
		}
		for _, share := range tr.Mix {
			checkFuzzClass(t, share.Class)
		}
		if p := read(t, tr.Events(1)); len(p.pods) != tr.Pods || len(p.nodes) != tr.Nodes {
			t.Errorf("%d pods, %d nodes", len(p.pods), len(p.nodes))
		}
	})
}

// TestVerifyByteDance has the snapshot as it was counted by other means, and sees that it
// fits the machines on which it was.
func TestVerifyByteDance(t *testing.T) {
	const folder = "bytedance-microservice-2022"
	needRecording(t, folder)
	tr := open(t, folder+"?placed=yes")
	checkRows(t, tr, 547+96, "")
	p := read(t, tr.Events(1))
	if len(p.pods) != 3485 || len(p.nodes) != 96 || len(tr.Mix) != 547 || math.Abs(tr.OfferedLoad-0.8835) > 0.001 {
		t.Errorf("%d pods of %d services on %d nodes, load %v", len(p.pods), len(tr.Mix), len(p.nodes), tr.OfferedLoad)
	}
	free := map[string][]int64{}
	for _, n := range p.nodes {
		free[n.Name] = []int64{n.Capacity.Get(cluster.CPU), n.Capacity.Get(cluster.Memory), n.Capacity.Get(cluster.PodSlots)}
	}
	for _, a := range p.pods {
		left, asks := free[a.pod.On], a.pod.Class.Requests
		left[0], left[1], left[2] = left[0]-asks.Get(cluster.CPU), left[1]-asks.Get(cluster.Memory), left[2]-1
		if left[0] < 0 || left[1] < 0 || left[2] < 0 {
			t.Fatalf("%s doesn't fit %s: %v left", a.pod.Name, a.pod.On, left)
		}
	}
	t.Logf("load %.2f %% of CPUs", 100*tr.OfferedLoad)
}
