package traces

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/faults"
)

const (
	smallKSS  = "testdata/kss/record.jsonl"
	smallKwok = "testdata/kwok/recording.yaml"
)

// recordedShop is what the small recordings of one cluster, each in its own way, come
// to: a runs from before the beginning to the time at which it is deleted; b runs from
// when it is bound, and its namesake after it to the end; c comes when its gate goes;
// d was never bound. n1 is as it was last, but for taints that come and go.
const recordedShop = `
0 NodeAdded n1 4000 8192 [{spot  1}]
0 ObjectSet Namespace shop
0 PodAdded shop/a / [{app a}] 30
1 PodAdded shop/b / [{app b}] 10
5 NodeAdded n2 4000 8192
8 PodAdded shop/c / [{app c}] 21
25 PodAdded shop/b-again-1 / [{app b}] 4`

func TestKSS(t *testing.T) {
	tr := open(t, smallKSS)
	checkText(t, textOfKube(t, tr), recordedShop)
	checkRows(t, tr, 20, becameOfPod+": 8 from record.jsonl:5; "+changesNode+": 1 from record.jsonl:6; "+notRead+": 1 from record.jsonl:19; "+neverBound+": 1 from record.jsonl:15")
	if tr.Format != "kss" || tr.OfferedLoad != (30+10+21+4)/(8*25.0) {
		t.Errorf("got %+v", tr)
	}
	for _, e := range kubeEvents(t, tr) {
		if e.PodSpec != nil && len(e.PodSpec.Class.Gates) > 0 {
			t.Errorf("%s waits for %v, which the recording has let go", e.PodSpec.Name, e.PodSpec.Class.Gates)
		}
	}
}

// TestKubeSpan has a part of a recording: what was there before comes at 0, pods that
// came before don't.
func TestKubeSpan(t *testing.T) {
	tr := open(t, smallKSS+"?from=2s&for=20s&rest=never")
	checkText(t, textOfKube(t, tr), `
0 NodeAdded n1 4000 8192 [{spot  1}]
0 ObjectSet Namespace shop
3 NodeAdded n2 4000 8192
6 PodAdded shop/c / [{app c}] Never`)
	if last := tr.Rejected[len(tr.Rejected)-1]; last.Reason != outOfSpan || last.Rows != 3 {
		t.Errorf("rejected %+v", tr.Rejected)
	}
}

// faultsText writes down what befalls nodes.
func faultsText(t *testing.T, spec string, nodes ...string) string {
	t.Helper()
	f, err := Opener{}.OpenFaults(spec)
	if err != nil {
		t.Fatal(err)
	}
	run := faults.Run{Horizon: cluster.Hour}
	for _, name := range nodes {
		run.Nodes = append(run.Nodes, faults.Node{Name: name})
	}
	source, err := f.Source(run)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for {
		fault, err := source.Next()
		if errors.Is(err, io.EOF) {
			return b.String()
		}
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%v-%v %v %v; ", fault.At.Seconds(), fault.Until.Seconds(), fault.Nodes, fault.Effect.Kind)
	}
}

// TestKubeFaults has the nodes that went away and came back.
func TestKubeFaults(t *testing.T) {
	for _, spec := range []string{"kss:" + smallKSS, "kwok:" + smallKwok, smallKwok} {
		if got := faultsText(t, spec+"?kind=hang", "n1", "n2"); got != "14-20 [n2] hang; " {
			t.Errorf("%s: got %s", spec, got)
		}
	}
}

func parseKube(f *kubeFormat, content []byte) (*kubeRecording, error) {
	in, err := newStream("f", bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	k := newKubeRecording("f")
	return k, f.read(k, in)
}

const kssNode = `{"time":"2026-03-01T10:00:00Z","event":"Add","resource":{"apiVersion":"v1","kind":"Node","metadata":{"name":"n"}}}` + "\n"

var badKSS = []struct{ content, want string }{
	{kssNode + "x\n", "f:2: no record: invalid character 'x' looking for beginning of value; give lines with time, event and resource"},
	{kssNode + `{"event":"Add"}` + "\n", "f:2: there is no time from 1970 to 2200; give one such as 2026-01-02T15:04:05.999Z"},
	{strings.Replace(kssNode, "Add", "Adds", 1), `f:1: event is "Adds"; give Add, Update or Delete`},
	{strings.Replace(kssNode, `"v1"`, `1`, 1), "f:1: an object is no object of Kubernetes: json: cannot unmarshal number into Go struct field kubeObject.apiVersion of type string; correct or remove the record"},
	{strings.Replace(kssNode, `"name":"n"`, ``, 1), "f:1: an object has no apiVersion, kind or metadata.name; give all three, or remove the record"},
	{strings.Replace(kssNode, `"name":"n"}`, `"name":"n"},"spec":{"taints":7}`, 1), "f:1: Node: spec.taints is a number, where a list should be; write a list"},
	{strings.Replace(kssNode, "Node", "Pod", 1), ""},
}

func TestKSSFails(t *testing.T) {
	for _, tt := range badKSS {
		_, err := parseKube(kss, []byte(tt.content))
		if tt.want == "" {
			if err != nil {
				t.Errorf("%q: %v", tt.content, err)
			}
			continue
		}
		if err == nil || err.Error() != tt.want {
			t.Errorf("%q:\ngot  %v\nwant %s", tt.content, err, tt.want)
		}
	}
	file := t.TempDir() + "/x.jsonl"
	if err := os.WriteFile(file, []byte(kssNode), 0o600); err != nil {
		t.Fatal(err)
	}
	checkError(t, file, file+": what is played has 1 nodes and 0 pods; give a recording, or a part of it, with at least one of each")
	if long := append([]byte(kssNode), make([]byte, longestRecord+1)...); true {
		if _, err := parseKube(kss, long); err == nil || !strings.HasPrefix(err.Error(), "f:2: the line is longer than 16777216 bytes") {
			t.Errorf("a line of 16 MiB gives %v", err)
		}
	}
}

func FuzzKSS(f *testing.F) {
	for _, bad := range badKSS {
		f.Add([]byte(bad.content))
	}
	fuzzKube(f, kss, smallKSS)
}

// fuzzKube plays what a reader makes of a file like the small one.
func fuzzKube(f *testing.F, of *kubeFormat, small string) {
	content, err := os.ReadFile(small)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(content)
	f.Fuzz(func(t *testing.T, content []byte) {
		k, err := parseKube(of, content)
		if err != nil {
			checkFuzzError(t, err)
			return
		}
		checkFuzzKube(t, k)
	})
}

func BenchmarkKSSRead(b *testing.B) {
	content, err := os.ReadFile(smallKSS)
	if err != nil {
		b.Fatal(err)
	}
	content = bytes.Repeat(content, 100)
	b.SetBytes(int64(len(content)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := parseKube(kss, content); err != nil {
			b.Fatal(err)
		}
	}
}

// TestKubeWhole has what is there beside what is played: which pods were deleted, how long
// they waited, when nodes were gone; and the recording's beginning by the calendar.
func TestKubeWhole(t *testing.T) {
	tr := open(t, smallKSS)
	wantEpoch := time.Date(2026, 3, 1, 10, 0, 0, 500_000_000, time.UTC)
	if !tr.Epoch.Equal(wantEpoch) {
		t.Errorf("it began at %v, want %v", tr.Epoch, wantEpoch)
	}
	if later := open(t, smallKSS+"?from=2s"); !later.Epoch.Equal(wantEpoch.Add(2 * time.Second)) {
		t.Errorf("2 s into it is %v", later.Epoch)
	}
	if kwok := open(t, smallKwok); !kwok.Epoch.IsZero() {
		t.Errorf("KWOK counts from the beginning, and yet it is %v", kwok.Epoch)
	}
	lines := noteLines(t, tr.Noted(1))
	for _, want := range []string{"at 2 s pod 2 on -1, GPUs 0, waited 1 s", "at 14 s crash of n2 until 20 s", "at 30 s PodEnded pod 0"} {
		if !slices.Contains(lines, want) {
			t.Errorf("no %s in\n\t%s", want, strings.Join(lines, "\n\t"))
		}
	}
	if !slices.Equal(tr.Waits, []cluster.Time{sec, sec, sec}) {
		t.Errorf("waits %v", tr.Waits)
	}
	if problems, err := Validate(tr.Whole(1)); err != nil || len(problems) > 0 {
		t.Errorf("%v: %v", err, problems)
	}
	if tr := open(t, smallKSS+"?load=0.5"); len(noteLines(t, tr.Noted(1))) != len(all(t, tr.Events(1))) {
		t.Error("arrivals are moved, and yet there are notes")
	}
}
