package traces

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/manifest"
)

const smallSnapshot = "testdata/snapshot/cluster.yaml"

// TestSnapshot has all that a cluster has at time 0: pods on nodes first, then those
// that wait, and none of those that have ended.
func TestSnapshot(t *testing.T) {
	tr := open(t, smallSnapshot)
	checkText(t, textOfKube(t, tr), `
0 NodeAdded n1 4000 8192
0 ObjectSet PodDisruptionBudget shop/a
0 ObjectSet ResourceQuota shop/q
0 ObjectSet Namespace shop
0 PodAdded shop/runs / [{app a}] Never on n1
0 PodAdded shop/waits / [{app b}] Never`)
	checkRows(t, tr, 8, "is a pod that had run to its end: 1 from cluster.yaml:0; is a ConfigMap, which isn't read: 1 from cluster.yaml:0")
	if tr.Format != "snapshot" || tr.Timed || tr.OfferedLoad != 1.5/4 || len(tr.Mix) != 2 {
		t.Errorf("got %+v", tr)
	}
	pods := kubeEvents(t, tr)[4:]
	if p := pods[0].PodSpec; p.Started == nil || *p.Started != -3*cluster.Second || p.Unready {
		t.Errorf("the pod on the node is %+v", p)
	}
}

// TestSnapshotRun gives all pods a run time, and the trace another hash.
func TestSnapshotRun(t *testing.T) {
	tr := open(t, smallSnapshot+"?run=30m")
	for _, e := range kubeEvents(t, tr)[4:] {
		if e.PodSpec.Run != 30*cluster.Minute {
			t.Errorf("%s runs for %v", e.PodSpec.Name, e.PodSpec.Run)
		}
	}
	if !tr.Timed || tr.Hash == open(t, smallSnapshot).Hash {
		t.Errorf("got %+v", tr)
	}
}

// TestSnapshotFolder has the same cluster in several files of a folder.
func TestSnapshotFolder(t *testing.T) {
	dir := t.TempDir()
	content, err := os.ReadFile(smallSnapshot)
	if err != nil {
		t.Fatal(err)
	}
	const node = `{"apiVersion":"v1","kind":"Node","metadata":{"name":"n2"},"status":{"allocatable":{"cpu":"2","memory":"1Gi","pods":"9"}}}`
	for name, text := range map[string]string{"a.yaml": string(content), "b.json": node, "README": "no manifest"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tr := open(t, dir)
	if tr.Format != "snapshot" || tr.Nodes != 2 || tr.Pods != 2 || tr.OfferedLoad != 1.5/6 {
		t.Errorf("got %+v", tr)
	}
	hash := tr.Hash
	if err := os.WriteFile(filepath.Join(dir, "b.json"), []byte(node+" "), 0o600); err != nil {
		t.Fatal(err)
	}
	if open(t, dir).Hash == hash {
		t.Error("another file, and the same hash")
	}
}

func TestSnapshotFails(t *testing.T) {
	checkError(t, smallSnapshot+"?run=x", smallSnapshot+`?run=x: run is "x"; give a duration such as 30m`)
	dir := t.TempDir()
	for content, want := range map[string]string{
		"apiVersion: v1\nkind: Node\nmetadata: {name: n1}\n":           ": there are 1 nodes and 0 pods; give at least one of each: kubectl get nodes,pods -A -o yaml",
		"apiVersion: v1\nkind: Node\nmetadata: {name: n1}\nspce: {}\n": `:4: Node has no field "spce"; correct or remove it; Berth reads the API of Kubernetes 1.36.3`,
	} {
		file := filepath.Join(dir, "x.yaml")
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		checkError(t, file, file+want)
	}
}

// FuzzSnapshot plays what manifests say, if that is a cluster.
func FuzzSnapshot(f *testing.F) {
	content, err := os.ReadFile(smallSnapshot)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(content, int64(5))
	f.Fuzz(func(t *testing.T, content []byte, run int64) {
		c, err := manifest.Read("f", content)
		if err != nil {
			return
		}
		tr, err := snapshotTrace(c, cluster.Time(max(run, 0)), "f")
		if err != nil {
			checkFuzzError(t, err)
			return
		}
		tr.Format = "snapshot"
		kubeEvents(t, tr)
	})
}

func BenchmarkSnapshotOpen(b *testing.B) {
	content, err := os.ReadFile(smallSnapshot)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(content)))
	b.ReportAllocs()
	for b.Loop() {
		open(b, smallSnapshot)
	}
}

// The latest time in the file is time 0.
func TestSnapshotEpoch(t *testing.T) {
	if tr := open(t, "snapshot:testdata/snapshot/cluster.yaml"); tr.Epoch.IsZero() {
		t.Error("nobody knows when it was")
	}
}
