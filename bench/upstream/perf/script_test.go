package perf

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// lightPod is a template of pods that end at once.
const lightPod = `
apiVersion: v1
kind: Pod
metadata: {generateName: light-, labels: {index: "{{.Index}}-{{.Count}}"}}
spec:
  terminationGracePeriodSeconds: 0
  containers: [{name: c, image: i}]
`

// read reads the only test case of a configuration, which must begin on the first line.
func read(t *testing.T, config string) *Case {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"performance-config.yaml": config, "pod.yaml": lightPod, "node.yaml": plainNode} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cases, err := Read(dir)
	if err != nil || len(cases) != 1 {
		t.Fatalf("%d test cases, %v", len(cases), err)
	}
	return cases[0]
}

// TestErrors tells what isn't supported, and where.
func TestErrors(t *testing.T) {
	const workloads = "\n  workloads: [{name: w, params: {n: 1}}]"
	for _, tt := range []struct{ ops, want string }{
		{"[{opcode: createNodes, countParam: $n},\n  {opcode: fly}]", ":3: operation fly isn't supported"},
		{"[{opcode: createNodes, countParam: $n,\n  wings: 2}]", ":3: field wings isn't supported"},
		{"[{opcode: createNodes, countParam: $m}]", ":2: workload w has no parameter $m"},
		{"[{opcode: createNodes, count: 1}]", ":3: no operation uses parameter n"},
		{"[{opcode: createNodes, countParam: $n, count: many}]", ":2: count: "},
		{"[{opcode: createPods, countParam: $n, podTemplatePath: no.yaml}]", ":2: open "},
		{"[{opcode: createPods, countParam: $n, persistentVolumeTemplatePath: v}]", ":2: field persistentVolumeTemplatePath"},
		{"[{opcode: createAny, countParam: $n, templatePath: performance-config.yaml}]", ":2: "},
		{"[{opcode: createPods, countParam: $n, namespace: a},\n  {opcode: deletePods, namespace: a}]", ":3: without a kubelet"},
		{"[{opcode: churn, mode: recreate,\n  templatePaths: [pod.yaml]}]", ":2: churn wants mode"},
		{"[{opcode: createNodes, countParam: $n},\n  {opcode: barrier}]", ":3: the barrier is for pods"},
		{"[{opcode: sleep, duration: soon}]", `:2: "soon" is no duration`},
		{"nothing", ":2: workloadTemplate should be a list"},
	} {
		_, err := read(t, "- name: c\n  workloadTemplate: "+tt.ops+workloads).Playable()
		if err == nil || !strings.Contains(err.Error(), "performance-config.yaml"+tt.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s\ngives the error %v, not one with %q", tt.ops, err, tt.want)
		}
	}
	c := read(t, "- name: c\n  workloads: [{name: w,\n   featureGates: {AnyVolumeDataSource: false}}]")
	if _, err := c.Playable(); err == nil || !strings.Contains(err.Error(), ":2: feature gate AnyVolumeDataSource is true by default") {
		t.Errorf("a feature gate gives the error %v", err)
	}
}

const story = `- name: c
  defaultPodTemplatePath: pod.yaml
  workloadTemplate:
  - {opcode: createNodes, countParam: $nodes, labelNodePrepareStrategy: {labelKey: zone, labelValues: [a, b]}}
  - {opcode: createNodes, count: 1, uniqueNodeLabelStrategy: {labelKey: id}}
  - {opcode: createNamespaces, prefix: ns, count: 2}
  - opcode: createPodSets
    count: 2
    namespacePrefix: ns
    createPodsOp: {opcode: createPods, countParam: $pods}
  - {opcode: deletePods, namespace: ns-0, deletePodsPerSecond: 250, skipWaitToCompletion: true}
  - {opcode: churn, mode: recreate, number: 1, intervalMilliseconds: 6, templatePaths: [node.yaml]}
  - {opcode: sleep, duration: 1ms}
  - {opcode: createPods, count: 4, collectMetrics: true}
  - {opcode: deletePods, namespace: ns-1}
  workloads:
  - {name: small, params: {nodes: 2, pods: 2}}
  - {name: big, params: {nodes: 200, pods: 200}}
`

// lines writes down a script.
func (s *Script) lines() (lines []string) {
	for _, st := range s.steps {
		meta := st.object.(metav1.Object)
		line := fmt.Sprintf("%v %s %s/%s", st.at, map[kind]string{added: "+", removed: "-"}[st.kind], meta.GetNamespace(), meta.GetName())
		for _, key := range []string{"zone", "id", "index"} {
			if value := meta.GetLabels()[key]; value != "" {
				line += " " + value
			}
		}
		if st.timed {
			line += " timed"
		}
		if st.counted {
			line += " counted"
		}
		lines = append(lines, line)
	}
	return lines
}

// TestScript makes a script of all that is supported.
func TestScript(t *testing.T) {
	w, err := read(t, story).At(3)
	if err != nil {
		t.Fatal(err)
	}
	s, err := w.Script(3)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"0s + /node-00000 a", "0s + /node-00001 b", "0s + /node-00002 unique-0", "0s + /ns-0", "0s + /ns-1",
		"2ms + ns-0/light-00000 0-2", "4ms + ns-0/light-00001 1-2", "6ms + ns-1/light-00002 0-2", "8ms + ns-1/light-00003 1-2",
		"8ms + /namespace-5", "9ms + /namespace-7",
		"11ms + namespace-7/light-00004 0-4 timed counted", "12ms - ns-0/light-00000 0-2 timed",
		"13ms + namespace-7/light-00005 1-4 timed counted", "14ms + /node-00003 timed",
		"15ms + namespace-7/light-00006 2-4 timed counted",
		"15ms - ns-1/light-00002 0-2", "15ms - ns-1/light-00003 1-2",
	}
	got := s.lines()
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if s.Nodes != 3 || s.Measured != 3 {
		t.Errorf("%d nodes, %d measured", s.Nodes, s.Measured)
	}
}

// TestAt chooses workloads by their number of nodes, and makes them larger or smaller.
func TestAt(t *testing.T) {
	c := read(t, story)
	for _, tt := range []struct {
		nodes int
		want  string
	}{{3, "small"}, {201, "big"}, {200, "big"}, {101, "big×0.5"}, {5, "small×2"}} {
		w, err := c.At(tt.nodes)
		if err != nil {
			t.Fatal(err)
		}
		if w.Title() != tt.want {
			t.Errorf("%d nodes: %s, want %s", tt.nodes, w.Title(), tt.want)
		}
		s, err := w.Script(0)
		if err != nil {
			t.Fatal(err)
		}
		nodes := 0
		for _, st := range s.steps[:tt.nodes-1] {
			if _, ok := st.object.(*v1.Node); ok {
				nodes++
			}
		}
		if nodes != tt.nodes-1 {
			t.Errorf("%s doesn't begin with about %d nodes", w.Title(), tt.nodes)
		}
	}
	if w, err := read(t, "- name: c\n  workloadTemplate: [{opcode: createNodes, count: 1}]\n  workloads: [{name: w}]").At(10); err == nil {
		t.Errorf("there are 10 nodes in %s", w.Title())
	}
}
