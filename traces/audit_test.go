package traces

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

const smallAudit = "testdata/audit/audit.log"

// TestAudit has a pod that is evicted and runs on until its kubelet deletes it, one of
// which only the request was recorded and only the first deletion, and one that nobody
// ever bound. n1 was there before the log began.
func TestAudit(t *testing.T) {
	tr := open(t, smallAudit)
	checkText(t, textOfKube(t, tr), `
0 NodeAdded n1 4000 8192
1 PodAdded shop/a-x / [{app a-x}] 18
4 PodAdded shop/b / [{app b}] 21
21 NodeAdded n2 4000 8192
31 ObjectSet Namespace shop2`)
	checkRows(t, tr, 21, strings.Join([]string{
		earlyStage + ": 1 from audit.log:1",
		bindsPod + ": 2 from audit.log:4",
		becameOfPod + ": 4 from audit.log:5",
		noObject + ": 2 from audit.log:8",
		refusedCall + ": 1 from audit.log:9",
		evictionNo + `, asked by "descheduler": 1 from audit.log:10`,
		evictsPod + `, asked by "descheduler": 1 from audit.log:11`,
		onlyReads + ": 1 from audit.log:18",
		notRead + ": 1 from audit.log:19",
		neverBound + ": 1 from audit.log:17",
	}, "; "))
	if tr.Format != "audit" || tr.OfferedLoad != (18+21)/(8*3.0) {
		t.Errorf("got %+v", tr)
	}
	if got := faultsText(t, "audit:"+smallAudit, "n1", "n2"); !strings.HasPrefix(got, "25-") || !strings.HasSuffix(got, "[n2] crash; ") {
		t.Errorf("n2 was deleted for ever at 25 s, but %s", got)
	}
}

// TestAuditNodes has nodes that the log doesn't.
func TestAuditNodes(t *testing.T) {
	tr := open(t, smallAudit+"?nodes=3&cpus=2&memory=1")
	if tr.Nodes != 3 || tr.Hash == open(t, smallAudit).Hash || tr.OfferedLoad != (18+21)/(6*3.0) {
		t.Errorf("got %+v", tr)
	}
	checkError(t, smallAudit+"?nodes=x", smallAudit+`?nodes=x: nodes is "x"; give a whole number from 1 to 1000000`)
}

// TestAuditFolder has a log in two files, as it is when it was rotated.
func TestAuditFolder(t *testing.T) {
	content, err := os.ReadFile(smallAudit)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(content), "\n")
	dir := t.TempDir()
	for name, text := range map[string][]string{"audit-2026-03-01T10-00-10.000.log": lines[:10], "audit.log": lines[10:], "x.txt": {"no log"}} {
		if err := os.WriteFile(dir+"/"+name, []byte(strings.Join(text, "")), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := textOfKube(t, open(t, dir)), textOfKube(t, open(t, smallAudit)); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	checkError(t, "audit:testdata/openb", "testdata/openb: no file of the format audit in the folder; give "+audit.path)
}

// TestAuditAskers has more users than reasons name.
func TestAuditAskers(t *testing.T) {
	k := newKubeRecording("f")
	a := &auditReader{kube: k}
	for i := range 2 * mostAskers {
		e := &auditEvent{}
		e.User.Username = fmt.Sprint("u", i)
		got := a.by(evictsPod, e)
		if named := strings.Contains(got, fmt.Sprintf("asked by \"u%d\"", i)); named != (i < mostAskers) {
			t.Errorf("user %d: %s", i, got)
		}
	}
}

const auditHead = `{"apiVersion":"audit.k8s.io/v1","stage":"ResponseComplete","requestReceivedTimestamp":"2026-03-01T10:00:00Z","objectRef":{"resource":"pods","apiVersion":"v1","namespace":"a","name":"b"},`

var badAudit = []struct{ content, want string }{
	{"x\n", "f:1: no audit event: invalid character 'x' looking for beginning of value; correct or remove the line"},
	{"{}\n", `f:1: apiVersion is ""; give events of audit.k8s.io`},
	{`{"apiVersion":"audit.k8s.io/v1"}`, "f:1: there is no time from 1970 to 2200; give one such as 2026-01-02T15:04:05.999Z"},
	{auditHead + `"verb":"create","requestObject":{"apiVersion":"v1","kind":"Pod","metadata":{},"spec":{"x":1}}}`, `f:1: Pod: spec has no field "x"; correct or remove it; Berth reads the API of Kubernetes 1.36.3`},
	{auditHead + `"verb":"deletecollection","responseObject":{"kind":"PodList","items":7}}`, "f:1: no list: json: cannot unmarshal number into Go struct field .items of type []json.RawMessage; correct or remove the line"},
	{auditHead + `"verb":"deletecollection","responseObject":{"kind":"PodList","items":[7]}}`, "f:1: no object in a list: json: cannot unmarshal number into Go value of type traces.kubeObject; correct or remove the line"},
}

func TestAuditFails(t *testing.T) {
	for _, tt := range badAudit {
		if _, err := parseKube(audit, []byte(tt.content)); err == nil || err.Error() != tt.want {
			t.Errorf("%q:\ngot  %v\nwant %s", tt.content, err, tt.want)
		}
	}
}

func FuzzAudit(f *testing.F) {
	for _, bad := range badAudit {
		f.Add([]byte(bad.content))
	}
	fuzzKube(f, audit, smallAudit)
}

func BenchmarkAuditRead(b *testing.B) {
	content, err := os.ReadFile(smallAudit)
	if err != nil {
		b.Fatal(err)
	}
	content = []byte(strings.Repeat(string(content), 100))
	b.SetBytes(int64(len(content)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := parseKube(audit, content); err != nil {
			b.Fatal(err)
		}
	}
}
