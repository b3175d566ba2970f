package traces

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// recordedByKwok is the same as others record, but for c: in patches, that a gate goes
// isn't looked for, so that the pod comes when it is bound.
var recordedByKwok = strings.Replace(recordedShop, "8 PodAdded", "9 PodAdded", 1)

func TestKwok(t *testing.T) {
	tr := open(t, smallKwok)
	checkText(t, textOfKube(t, tr), recordedByKwok)
	checkRows(t, tr, 20, becameOfPod+": 8 from recording.yaml:43; "+changesNode+": 1 from recording.yaml:53; "+notRead+": 1 from recording.yaml:202; "+neverBound+": 1 from recording.yaml:153")
	if tr.Format != "kwok" {
		t.Errorf("it is recognised as %s", tr.Format)
	}
}

// TestKwokMethods has the same recording as another version of KWOK writes it.
func TestKwokMethods(t *testing.T) {
	content, err := os.ReadFile(smallKwok)
	if err != nil {
		t.Fatal(err)
	}
	text := string(content)
	text = strings.ReplaceAll(text, "target:\n  type: {\"version\": \"v1\", \"resource\"", "resource: {\"version\": \"v1\", \"resource\"")
	text = strings.ReplaceAll(text, "}\n  name: ", "}\ntarget:\n  name: ")
	text = strings.NewReplacer("create: true\npatch:", "method: create\ntemplate:", "delete: true", "method: delete", "patch:", "method: patch\ntemplate:").Replace(text)
	file := t.TempDir() + "/x.yaml"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(text, "create:") || !strings.Contains(text, "method: create") {
		t.Fatal(text)
	}
	checkText(t, textOfKube(t, open(t, file)), recordedByKwok)
}

const kwokHead = "kind: ResourcePatch\ntarget: {type: {version: v1, resource: pods}, name: p}\n"

var badKwok = []struct{ content, want string }{
	{"# 1\n---\nb: {\n", "f:3: did not find expected node content; correct the YAML"},
	{"a: 1\n", "f:1: an object has no apiVersion, kind or metadata.name; give all three, or remove the record"},
	{kwokHead + "durationNanosecond: -1\n", "f:1: durationNanosecond is -1; give nanoseconds since the beginning, less than 31 years"},
	{kwokHead + "durationNanosecond: x\n", "f:1: no ResourcePatch: json: cannot unmarshal string into Go struct field kwokPatch.durationNanosecond of type int64; correct or remove the document"},
	{kwokHead + "method: x\n", "f:1: the ResourcePatch has no target, or no method; give create, patch or delete and a target's name"},
	{kwokHead + "create: true\npatch: {a: 1}\n", "f:1: an object has no apiVersion, kind or metadata.name; give all three, or remove the record"},
	{kwokHead + "patch: {spec: {nodeName: 7}}\n", "f:1: a patch is none of a pod: json: cannot unmarshal number into Go struct field podState.Spec.nodeName of type string; correct or remove the document"},
	{"apiVersion: v1\nkind: Pod\nmetadata: {name: p, creationTimestamp: $(time-offset-nanosecond 99999999999999999999)}\n", `f:1: Pod: metadata.creationTimestamp is "\"$(time-offset-nanosecond 99999999999999999999)\"", which is no Time; write a time such as 2006-01-02T15:04:05Z`},
}

func TestKwokFails(t *testing.T) {
	for _, tt := range badKwok {
		if _, err := parseKube(kwok, []byte(tt.content)); err == nil || err.Error() != tt.want {
			t.Errorf("%q:\ngot  %v\nwant %s", tt.content, err, tt.want)
		}
	}
	long := strings.Repeat("# "+strings.Repeat("x", 1000)+"\n", longestRecord/1000)
	if _, err := parseKube(kwok, []byte(long)); err == nil || !strings.HasPrefix(err.Error(), "f:1: the document is longer than 16777216 bytes") {
		t.Errorf("a document of 16 MiB gives %v", err)
	}
}

// TestKwokMerge has patches of nodes.
func TestKwokMerge(t *testing.T) {
	const node = "apiVersion: v1\nkind: Node\nmetadata: {name: n1, labels: {a: x, b: w}}\nstatus: {allocatable: {cpu: 2, pods: 5}}\n"
	const patch = "---\nkind: ResourcePatch\ntarget: {type: {version: v1, resource: nodes}, name: %s}\npatch: {metadata: {labels: {a: null, c: z}}, spec: {taints: [{key: k, effect: NoSchedule}], $retainKeys: []}, status: {allocatable: {cpu: 4}}}\n"
	k, err := parseKube(kwok, []byte(node+fmt.Sprintf(patch, "n1")+fmt.Sprintf(patch, "m")))
	if err != nil {
		t.Fatal(err)
	}
	n := k.nodes[0].last
	if got := fmt.Sprint(n.Labels, n.Capacity, n.Taints); got != "[{b w} {c z}] [4000 0 0 5] [{k  1}]" {
		t.Errorf("got %s", got)
	}
	if k.rejected[1].Reason != "changes a node that wasn't there" {
		t.Errorf("rejected %v", k.rejected)
	}
}

func FuzzKwok(f *testing.F) {
	for _, bad := range badKwok {
		f.Add([]byte(bad.content))
	}
	fuzzKube(f, kwok, smallKwok)
}
