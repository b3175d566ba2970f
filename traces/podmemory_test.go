package traces

import (
	"strings"
	"testing"
)

const smallPodMemory = "testdata/podmemory"

// TestPodMemory has a pod of which a value is missing, and one that never ran.
func TestPodMemory(t *testing.T) {
	tr := open(t, smallPodMemory+"?nodes=1&request=50")
	checkText(t, textOfCPUs(read(t, tr.Events(1))), `
node-1 64000 524288
0 default/worker-b  60: 0 1024
60 default/worker-a  180: 0 2048`)
	checkRows(t, tr, 3, "it never ran: 1 from pods.json:3")
	checkUsage(t, tr, `
0 0: -1 1000
60 2: -1 2000
180 2: -1 3221225473`)
	if tr.OfferedLoad != 0 || tr.Format != "podmemory" || tr.Epoch.Unix() != 1_652_335_260 {
		t.Errorf("%+v", tr)
	}
	if c := read(t, open(t, smallPodMemory+"?request=0").Events(1)).pods[1].pod.Class; c.Requests != nil {
		t.Errorf("it asks for %v", c.Requests)
	}
	checkError(t, smallPodMemory+"?request=1001", smallPodMemory+`?request=1001: request is "1001"; give a whole number from 0 to 1000`)
	checkError(t, smallPodMemory+"?load=1", smallPodMemory+`?load=1: there is no option "load"; podmemory takes nodes, cpus, memory, request, from, for`)
}

const goodPodMemory = `[{"Name": "a", "Memory": [null, 5, 6], "Time": [0, 60000, 120000]}`

var badPodMemory = []struct{ content, want string }{
	{"[\n{", "f:2: no sound JSON; fetch the file again"},
	{`[{"Name": 5}]`, "f:1: Name is a number; give a string"},
	{`[{"Name": "a b"}]`, `f:1: Name is "a b"; give a name without spaces and slashes`},
	{goodPodMemory + `, {"Name": "a"}]`, `f:2: Name is "a"; pod 1 has that name already: give another`},
	{goodPodMemory + `, {"Name": "b", "Time": [1]}]`, `f:2: 0 values in Memory and 1 in Time; give as many`},
	{goodPodMemory + `, {"Name": "b", "Memory": [1, 2], "Time": [1, 1]}]`, `f:2: Time[1] is 1; give milliseconds since 1970, up to 3153600000000, that grow`},
	{goodPodMemory + `, {"Name": "b", "Memory": [-1], "Time": [1]}]`, `f:2: Memory[0] is -1; give bytes from 0 to 1125899906842624, or null`},
}

func readPodMemory(content string) (*podMemoryReader, error) {
	r := &podMemoryReader{file: "f", request: 100, names: map[string]int{}}
	return r, r.read([]byte(content))
}

func TestPodMemoryFails(t *testing.T) {
	for _, tt := range badPodMemory {
		if _, err := readPodMemory(tt.content); err == nil || err.Error() != tt.want {
			t.Errorf("%q:\ngot  %v\nwant %s", tt.content, err, tt.want)
		}
	}
}

func FuzzPodMemory(f *testing.F) {
	for _, bad := range badPodMemory {
		f.Add(bad.content)
	}
	f.Add(goodPodMemory + `, {"Name": "b", "Memory": [7, null], "Time": [0, 1]}]`)
	f.Fuzz(func(t *testing.T, content string) {
		r, err := readPodMemory(content)
		if err != nil {
			checkFuzzError(t, err)
			return
		}
		for _, u := range r.uses {
			if b := r.batches.at(int(u.name)); u.age < 0 || u.age > b.run || u.memory > r.classes.all[b.class].Requests.Get(1) {
				t.Errorf("%+v of %+v", u, b)
			}
		}
		checkFuzzReplay(t, &r.tally, r.replay(fuzzCPUs()))
	})
}

// TestVerifyPodMemory has the values that were counted by other means.
func TestVerifyPodMemory(t *testing.T) {
	const folder = "k8s-pod-memory-2022"
	needRecording(t, folder)
	tr := open(t, folder)
	checkRows(t, tr, 500, "")
	used, err := tr.Usage(1)
	if err != nil {
		t.Fatal(err)
	}
	most, sizes := int64(0), map[string]int{}
	for _, u := range used {
		most = max(most, u.Memory)
	}
	for _, a := range read(t, tr.Events(1)).pods {
		sizes[strings.Split(a.pod.Name, "-")[2]]++
	}
	if len(used) != 9927 || most != 298_349_284_010 || sizes["s"] != 250 || sizes["m"] != 142 || sizes["l"] != 108 {
		t.Errorf("%d values up to %d, pods %v", len(used), most, sizes)
	}
	t.Logf("%d pods of %d classes, %d values", tr.Pods, len(tr.Mix), len(used))
}
