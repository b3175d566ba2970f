package traces

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/vmihailenco/msgpack/v5"
)

const smallSimkube = "testdata/simkube/cronjob.sktrace"

// TestSimkube has a CronJob whose three pods ran 30 s each.
func TestSimkube(t *testing.T) {
	tr := open(t, smallSimkube+"?nodes=2&cpus=4&memory=8")
	checkText(t, textOfKube(t, tr), `
0 NodeAdded node-1 4000 8192
0 NodeAdded node-2 4000 8192
38 PodAdded default/hello-simkube-0 CronJob/hello-simkube [] 30
98 PodAdded default/hello-simkube-1 CronJob/hello-simkube [] 30
158 PodAdded default/hello-simkube-2 CronJob/hello-simkube [] 30`)
	checkRows(t, tr, 2, "")
	if tr.Format != "simkube" || tr.Pods != 3 || tr.Nodes != 2 || !tr.Timed || len(tr.Mix) != 1 || tr.OfferedLoad != 0 {
		t.Errorf("got %+v", tr)
	}
	checkError(t, smallSimkube+"?load=1", smallSimkube+": all pods come at the same time, or none uses anything for any time, so there is no load to change; leave load out, or give a longer part of the recording with from and for")
}

// textOfKube writes down what a Trace of a Kubernetes cluster yields, a line an event.
func textOfKube(t testing.TB, tr *Trace) string {
	t.Helper()
	var b strings.Builder
	for _, e := range kubeEvents(t, tr) {
		fmt.Fprintf(&b, "\n%v %v ", e.Time.Seconds(), e.Kind)
		switch {
		case e.NodeSpec != nil:
			fmt.Fprintf(&b, "%s %d %d", e.NodeSpec.Name, e.NodeSpec.Capacity.Get(cluster.CPU), e.NodeSpec.Capacity.Get(cluster.Memory)>>20)
			if len(e.NodeSpec.Taints) > 0 {
				fmt.Fprintf(&b, " %v", e.NodeSpec.Taints)
			}
		case e.PodSpec != nil:
			p := e.PodSpec
			run := "Never"
			if p.Run != cluster.Never {
				run = fmt.Sprint(p.Run.Seconds())
			}
			fmt.Fprintf(&b, "%s/%s %s/%s %v %s", p.Class.Namespace, p.Name, p.Class.Owner.Kind, p.Class.Owner.Name, p.Labels, run)
			if p.On != "" {
				b.WriteString(" on " + p.On)
			}
		default:
			b.WriteString(objectName(e.Object))
			if w, ok := e.Object.(*cluster.Workload); ok {
				fmt.Fprintf(&b, " %d", w.Replicas)
			}
		}
	}
	return b.String()
}

const simkubeHead = `{"version":2,"config":{"trackedObjects":{}},"index":{},"pod_lifecycles":{`

// simkubeDeployment writes an event in which a Deployment is applied.
func simkubeDeployment(at, replicas int, image string) string {
	return fmt.Sprintf(`{"ts":%d,"applied_objs":[{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"d","namespace":"ns"},"spec":{"replicas":%d,`+
		`"selector":{"matchLabels":{"app":"x"}},"template":{"metadata":{"labels":{"app":"x"},"creationTimestamp":null},"spec":{"containers":[{"name":"c","image":%q,"resources":{"requests":{"cpu":"2"}}}]}}}}],"deleted_objs":[]}`,
		at, replicas, image)
}

const simkubeGone = `{"ts":100,"applied_objs":[],"deleted_objs":[{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"d","namespace":"ns"}}]}`

// TestSimkubeReplicas has pods of a Deployment of which no lifetimes were recorded: it
// is scaled up and down, changed, and deleted.
func TestSimkubeReplicas(t *testing.T) {
	file := t.TempDir() + "/trace.json"
	content := simkubeHead + `},"events":[` + strings.Join([]string{
		simkubeDeployment(10, 2, "i"), simkubeDeployment(20, 3, "i"), simkubeDeployment(40, 1, "i"), simkubeDeployment(50, 1, "j"), simkubeGone,
	}, ",") + "]}"
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	tr := open(t, file+"?nodes=1")
	checkText(t, textOfKube(t, tr), `
0 NodeAdded node-1 16000 65536
0 ObjectSet Deployment ns/d 2
0 ObjectSet ReplicaSet ns/d 2
0 PodAdded ns/d-0 ReplicaSet/d [{app x}] 40
0 PodAdded ns/d-1 ReplicaSet/d [{app x}] 30
10 ObjectSet Deployment ns/d 3
10 ObjectSet ReplicaSet ns/d 3
10 PodAdded ns/d-2 ReplicaSet/d [{app x}] 20
30 ObjectSet Deployment ns/d 1
30 ObjectSet ReplicaSet ns/d 1
40 PodAdded ns/d-3 ReplicaSet/d [{app x}] 50
90 ObjectRemoved Deployment ns/d 1
90 ObjectRemoved ReplicaSet ns/d 1`)
	if load := 2 * (40 + 30 + 20 + 50) / (16 * 40.0); tr.OfferedLoad != load {
		t.Errorf("the load is %v, want %v", tr.OfferedLoad, load)
	}
	checkText(t, textOfKube(t, open(t, file+"?nodes=1&from=5s&for=30s&rest=never")), `
0 NodeAdded node-1 16000 65536
0 ObjectSet Deployment ns/d 2
0 ObjectSet ReplicaSet ns/d 2
5 ObjectSet Deployment ns/d 3
5 ObjectSet ReplicaSet ns/d 3
5 PodAdded ns/d-2 ReplicaSet/d [{app x}] 20
25 ObjectSet Deployment ns/d 1
25 ObjectSet ReplicaSet ns/d 1`)
	twice := kubeEvents(t, open(t, fmt.Sprintf("%s?nodes=1&load=%v", file, 2*tr.OfferedLoad)))
	if got := twice[len(twice)-3]; got.Time != 20*cluster.Second || got.PodSpec.Run != 50*cluster.Second {
		t.Errorf("at twice the load the last pod is %+v", got)
	}
}

// TestSimkubeLives has lifetimes whose owner was changed between them.
func TestSimkubeLives(t *testing.T) {
	content := simkubeHead + `"apps/v1.Deployment ns/d":{"2":[{"Running":60}],"1":["Empty",{"Finished":[12,30]},{"Finished":[11,20]}]}},"events":[` +
		simkubeDeployment(10, 2, "i") + "," + simkubeDeployment(50, 2, "j") + "]}"
	r, err := parseSimkube([]byte(content))
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, p := range r.kube.pods {
		got += fmt.Sprintf("%s %v %v %v; ", p.spec.Name, p.bound.Seconds(), p.ran(r.kube.end).Seconds(), p.spec.Class.Images)
	}
	if want := "d-0 11 9 [i:latest]; d-1 12 18 [i:latest]; d-2 60 0 [j:latest]; "; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func parseSimkube(content []byte) (*simkubeReader, error) {
	in, err := newStream("f", bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	return readSimkube("f", in, 1000)
}

// packed returns a value as MessagePack.
func packed(t testing.TB, v any) []byte {
	t.Helper()
	b, err := msgpack.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var badSimkube = []struct{ content, want string }{
	{"", "f: the file is empty; fetch it again"},
	{"\x81", "f: the MessagePack ends early; fetch the file again"},
	{"\xdd\xff\xff\xff\xff\x01", "f: the MessagePack ends early; fetch the file again"},
	{"\xdb\xff\xff\xff\xff\x01", "f: the MessagePack ends early; fetch the file again"},
	{"\xc1", "f: no MessagePack: a value has the code 0xc1, which JSON can't say; fetch the file again"},
	{"\x81\xc0\x01", "f: no MessagePack: a key is no string, no number and no pair of them; fetch the file again"},
	{"\x80\x80", "f: there is more behind the recording; fetch the file again"},
	{strings.Repeat("\x91", 2000), "f: the recording is too deep or too long; give a shorter one"},
	{"{", "f: no recording of SimKube: unexpected end of JSON input; fetch the file again"},
	{`{"version":1}`, "f: the recording's version is 1; give one of version 2: SimKube from 2.0 on writes them"},
	{simkubeHead + `"v1.Pod a/b":{"1":[{"Finished":[9,7]}]}},"events":[]}`, "f: no recording of SimKube: a pod's life is neither Empty, nor Running since, nor Finished with two times; fetch the file again"},
	{simkubeHead + `"v1.Pod a/b":{"1":[{"Running":-9}]}},"events":[]}`, "f: no recording of SimKube: a pod's life is not in the years from 1970 to 2200; fetch the file again"},
	{simkubeHead + `},"events":[{"ts":5},{"ts":4}]}`, "f: event 2 is of 4; give seconds since 1970, in order and before 2200"},
	{simkubeHead + `},"events":[{"ts":5,"applied_objs":[{"kind":"Pod"}]}]}`, "f:1: an object has no apiVersion, kind or metadata.name; give all three, or remove the record"},
	{simkubeHead + `},"events":[` + simkubeDeployment(1, -1, "i") + "]}", "f:1: replicas is -1; give a whole number from 0 to 200000"},
	{simkubeHead + `},"events":[` + simkubeDeployment(1, 1001, "i") + "]}", "f:1: there are more than 1000 pods; give a shorter recording"},
	{simkubeHead + `},"events":[` + strings.Replace(simkubeDeployment(1, 1, "i"), `"2"`, `"x"`, 1) + "]}", `f:1: Deployment: spec.template.spec.containers[0].resources.requests.cpu is "\"x\"", which is no Quantity; write a number with a unit, such as 500m or 1Gi`},
}

func TestSimkubeFails(t *testing.T) {
	for _, tt := range badSimkube {
		if _, err := parseSimkube([]byte(tt.content)); err == nil || err.Error() != tt.want {
			t.Errorf("%.200q:\ngot  %v\nwant %s", tt.content, err, tt.want)
		}
	}
	checkError(t, smallSimkube+"?rest=x", smallSimkube+`?rest=x: rest is "x"; give one of end, never`)
	checkError(t, smallSimkube+"?from=1h", smallSimkube+": what is played has 10 nodes and 0 pods; give a recording, or a part of it, with at least one of each")
}

// TestSimkubePacked has the values that JSON says otherwise.
func TestSimkubePacked(t *testing.T) {
	content := packed(t, []any{nil, true, -5, uint64(1<<64 - 1), 1.5, "a\xffb\n", []int{}, map[int]int{7: 8}})
	content = append(content[:len(content)-3], "\x82\x92\xa1a\x02\x03\xcd\x01\x00\x04"...)
	got, err := jsonOf("f", bytes.NewReader(content))
	if want := `[null,true,-5,18446744073709551615,1.5,"a` + "\ufffd" + `b\n",[],{"a 2":3,"256":4}]`; err != nil || strings.ReplaceAll(string(got), `\ufffd`, "\ufffd") != want {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
}

func FuzzSimkube(f *testing.F) {
	for _, bad := range badSimkube {
		f.Add([]byte(bad.content))
	}
	sample, err := os.ReadFile(smallSimkube)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sample)
	f.Add([]byte(simkubeHead + `},"events":[` + simkubeDeployment(10, 2, "i") + "," + simkubeGone + "]}"))
	f.Fuzz(func(t *testing.T, content []byte) {
		r, err := parseSimkube(content)
		if err != nil {
			checkFuzzError(t, err)
			return
		}
		r.kube.nodes = append(r.kube.nodes, kubeNode{first: fuzzCPUs()[0], last: fuzzCPUs()[0], came: r.kube.start})
		checkFuzzKube(t, r.kube)
	})
}

func BenchmarkSimkubeRead(b *testing.B) {
	events := make([]string, 1000)
	for i := range events {
		events[i] = simkubeDeployment(10+i, i%2, "i")
	}
	content := []byte(simkubeHead + `},"events":[` + strings.Join(events, ",") + "]}")
	b.SetBytes(int64(len(content)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := parseSimkube(content); err != nil {
			b.Fatal(err)
		}
	}
}

// TestVerifySimkube counts the recordings of SimKube's repository.
func TestVerifySimkube(t *testing.T) {
	const folder = "simkube/"
	needRecording(t, folder+"dsb-scaling.sktrace")
	for _, want := range []struct {
		file                string
		rows, pods, classes int
		rejected            string
	}{
		{"bare-pods.sktrace", 4, 4, 1, ""},
		{"cronjob.sktrace", 2, 3, 1, ""},
		{"dsb-scaling.sktrace", 46, 54, 27, ""},
		{"trace.json", 2, 2, 1, notThere + ": 1 from trace.json:2"},
	} {
		tr := open(t, folder+want.file)
		checkRows(t, tr, want.rows, want.rejected)
		if tr.Format != "simkube" || tr.Pods != want.pods || len(tr.Mix) != want.classes {
			t.Errorf("%s: %s, %d pods of %d classes", want.file, tr.Format, tr.Pods, len(tr.Mix))
		}
		t.Logf("%s: %d objects, %d pods, offered load %.2f %% of 10 nodes", want.file, tr.Rows, tr.Pods, 100*tr.OfferedLoad)
	}
}
