package manifest

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"go.yaml.in/yaml/v3"
)

// names returns the names of pods.
func names(c *Cluster) string {
	var out []string
	for _, p := range c.Pods {
		out = append(out, p.Class.Namespace+"/"+p.Name)
	}
	return strings.Join(out, " ")
}

const podA = `{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}`

func TestForms(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"nothing", "", ""},
		{"comments", "# nothing\n\n---\n---\n# here\n", ""},
		{"JSON", podA, "default/a"},
		{"two in JSON", " " + podA + "\n" + strings.Replace(podA, `"a"`, `"b"`, 1), "default/a default/b"},
		{"byte order mark", "\xef\xbb\xbf" + podA, "default/a"},
		{"JSON in YAML", "---\n" + podA + "\n", "default/a"},
		{"YAML", "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n", "default/a"},
		{"documents", "# first\n--- # one\napiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: x}\n---\n\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: b}\n...\n", "x/a default/b"},
		{"document on the marker's line", "--- {apiVersion: v1, kind: Pod, metadata: {name: a}}\n--- {apiVersion: v1, kind: Pod, metadata: {name: b}}", "default/a default/b"},
		{"directive", "%YAML 1.1\n# so\n---\n" + podA, "default/a"},
		{"list", `{"apiVersion": "v1", "items": [` + podA + `], "kind": "List", "metadata": {"resourceVersion": ""}}`, "default/a"},
		{"empty list", `{"apiVersion": "v1", "items": [], "kind": "List"}`, ""},
		{"list of pods", `{"kind": "PodList", "apiVersion": "v1", "items": [{"metadata": {"name": "a"}}]}`, "default/a"},
		{"list in a list", `{"kind": "List", "apiVersion": "v1", "items": [{"kind": "List", "apiVersion": "v1", "items": [` + podA + `]}, ` + strings.Replace(podA, `"a"`, `"b"`, 1) + `]}`, "default/a default/b"},
		{"YAML list", "apiVersion: v1\nitems:\n# first\n- apiVersion: v1\n  kind: Pod\n  metadata:\n    name: a\n    annotations:\n      text: |\n        - not an item\n\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: b}\nkind: List\nmetadata:\n  resourceVersion: \"\"\n", "default/a default/b"},
		{"YAML list, indented", "apiVersion: v1\nkind: List\nitems:\n  - apiVersion: v1\n    kind: Pod\n    metadata: {name: a}\n", "default/a"},
		{"YAML list at the end", "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: a}\n", "default/a"},
		{"YAML list of pods", "apiVersion: v1\nkind: PodList\nitems:\n- metadata: {name: a}\n", "default/a"},
		{"anchor across items", "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata: &m {name: a, namespace: x}\n- apiVersion: v1\n  kind: Pod\n  metadata: {<<: *m, name: b}\n", "x/a x/b"},
		{"ended", `{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "status": {"phase": "Succeeded"}}`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := names(readOne(t, tt.text)); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// TestKubectlYAML writes a cluster as kubectl does, in either format.
func TestKubectlYAML(t *testing.T) {
	content := kubectlJSON(2, 301)
	want, err := Read("-", content)
	if err != nil {
		t.Fatal(err)
	}
	text := kubectlYAML(t, content)
	if _, items, ok := listItems(part{text, 1}); !ok || len(items) != 303 {
		t.Errorf("the list is split into %d items", len(items))
	}
	got, err := Read("-", text)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("YAML and JSON make different clusters: %v", err)
	}
}

// kubectlYAML returns JSON as YAML, in kubectl's style.
func kubectlYAML(t testing.TB, content []byte) []byte {
	t.Helper()
	var tree yaml.Node // JSON is YAML, but for its style
	if err := yaml.Unmarshal(content, &tree); err != nil {
		t.Fatal(err)
	}
	var plain func(n *yaml.Node)
	plain = func(n *yaml.Node) {
		n.Style = 0
		for _, c := range n.Content {
			plain(c)
		}
	}
	plain(&tree)
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	e.CompactSeqIndent()
	if err := e.Encode(&tree); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func podYAML(name string) string {
	return "apiVersion: v1\nkind: Pod\nmetadata: {name: " + name + "}\n"
}

// TestWindow reads a list through windows of any size, in one piece or byte by
// byte.
func TestWindow(t *testing.T) {
	content := kubectlJSON(1, 2)
	content = append(content, "\n{\"apiVersion\": \"v1\", \"kind\": \"Secret\", \"n\": [1, -2.5e1, true, false, null, \"\\u0041\\\\\"]}  "...)
	want, err := Read("-", content)
	if err != nil {
		t.Fatal(err)
	}
	for size := 1; size < 40000; size += 1 + size/9 {
		r := newReader()
		from := bytes.NewReader(content)
		err := r.readJSON("-", newWindow(from, size))
		if size < 300 && err == nil {
			r = newReader()
			err = r.readJSON("-", newWindow(iotest.OneByteReader(bytes.NewReader(content)), size))
		}
		if err != nil {
			t.Fatalf("window of %d: %v", size, err)
		}
		got, err := r.finish()
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("window of %d: got %s, %v; want %s", size, asJSON(got), err, asJSON(want))
		}
	}
}

func TestSkippedAndWarnings(t *testing.T) {
	c := readOne(t, podYAML("a")+"spec: {nodeName: gone}\n---\n"+podYAML("b")+"spec: {nodeName: gone}\n---\n"+podYAML("c")+"status: {phase: Failed}\n"+
		"---\napiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: x}\nwhatever: 1\n---\napiVersion: v1\nkind: Secret\n---\napiVersion: v1\nkind: Secret\n"+
		"---\napiVersion: example.com/v1\nkind: Pod\n---\napiVersion: policy/v1beta1\nkind: PodDisruptionBudget\n")
	want := []Skipped{{"DaemonSet", 1}, {"Pod.v1.example.com", 1}, {"PodDisruptionBudget.v1beta1.policy", 1}, {"Secret", 2}}
	if !reflect.DeepEqual(c.Skipped, want) || c.Ended != 1 {
		t.Errorf("skipped %v, want %v; ended %d", c.Skipped, want, c.Ended)
	}
	warning := `test.yaml:1: Pod default/a, and 1 more, is on node "gone", which is not given; add the node, or the pod counts nowhere`
	if len(c.Warnings) != 1 || c.Warnings[0].Error() != warning {
		t.Errorf("warnings %v, want %s", c.Warnings, warning)
	}
}

func TestReadErrors(t *testing.T) {
	node := "apiVersion: v1\nkind: Node\nmetadata: {name: node}\n"
	for _, tt := range []struct{ text, want string }{
		{podYAML("a") + "---\n" + podYAML("a"), "test.yaml:5: Pod default/a is there already, at test.yaml:1; remove one of the two"},
		{podYAML("a") + "spec:\n  nodeNam: x\n", `test.yaml:5: Pod: spec has no field "nodeNam"; did you mean nodeName?`},
		{podYAML("a") + "spec:\n  nodeName: 5\n", `test.yaml:5: Pod: spec.nodeName is a number, where a string should be; put it in quotes`},
		{podYAML("a") + "spec:\n  tolerations:\n  - {}\n  - operator: Exist\n", `test.yaml:7: Pod default/a: spec.tolerations[1].operator is "Exist"; write Equal, Exists`},
		{podYAML("a") + "spec:\n  tolerations: [{effect: no}]\n", `test.yaml:5: Pod: spec.tolerations[0].effect is false, where a string should be; put it in quotes`},
		{podYAML("a") + "spec:\n  tolerations: [{effect: None}]\n", `test.yaml:5: Pod default/a: spec.tolerations[0].effect is "None"; write NoSchedule, PreferNoSchedule, NoExecute`},
		{podYAML("a") + "spec:\n  preemptionPolicy: Sometimes\n", `test.yaml:5: Pod default/a: spec.preemptionPolicy is "Sometimes"; write PreemptLowerPriority, Never`},
		{podYAML("a") + "spec:\n  topologySpreadConstraints:\n  - topologyKey: x\n", `test.yaml:6: Pod default/a: spec.topologySpreadConstraints[0].whenUnsatisfiable is ""; write DoNotSchedule, ScheduleAnyway`},
		{podYAML("a") + "spec:\n  topologySpreadConstraints: [{whenUnsatisfiable: DoNotSchedule, nodeTaintsPolicy: Obey}]\n", `test.yaml:5: Pod default/a: spec.topologySpreadConstraints[0].nodeTaintsPolicy is "Obey"; write Honor, Ignore`},
		{podYAML("a") + "spec:\n  topologySpreadConstraints: [{whenUnsatisfiable: DoNotSchedule, nodeAffinityPolicy: Obey}]\n", `test.yaml:5: Pod default/a: spec.topologySpreadConstraints[0].nodeAffinityPolicy is "Obey"; write Honor, Ignore`},
		{podYAML("a") + "spec:\n  topologySpreadConstraints: [{whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {a: b c}}}]\n", `test.yaml:5: Pod default/a: spec.topologySpreadConstraints[0].labelSelector.matchLabels.a: values[0][a]: Invalid value: "b c": `},
		{podYAML("a") + "spec:\n  affinity:\n    podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{labelSelector: {matchExpressions: [{key: a, operator: Gt, values: ['1']}]}}]}\n", `test.yaml:6: Pod default/a: spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector.matchExpressions[0].operator is "Gt"; write In, NotIn, Exists, DoesNotExist`},
		{podYAML("a") + "spec:\n  affinity:\n    podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{podAffinityTerm: {namespaceSelector: {matchExpressions: [{key: a, operator: In}]}}}]}\n", `test.yaml:6: Pod default/a: spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm.namespaceSelector.matchExpressions[0]: values: Invalid value: null: `},
		{podYAML("a") + "spec:\n  affinity:\n    nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: a, operator: Is}]}]}}\n", `test.yaml:6: Pod default/a: spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].operator is "Is"; write In, NotIn, Exists, DoesNotExist, Gt, Lt`},
		{podYAML("a") + "spec:\n  affinity:\n    nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{preference: {matchFields: [{key: spec.x, operator: In}]}}]}\n", `test.yaml:6: Pod default/a: spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].preference.matchFields[0].key is "spec.x"; write metadata.name`},
		{podYAML("a") + "spec:\n  affinity:\n    nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{preference: {matchFields: [{key: metadata.name, operator: Exists}]}}]}\n", `test.yaml:6: Pod default/a: spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].preference.matchFields[0].operator is "Exists"; write In, NotIn`},
		{podYAML("a") + "spec:\n  affinity:\n    nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{preference: {matchFields: [{key: metadata.name, operator: In}]}}]}\n", `test.yaml:6: Pod default/a: spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].preference.matchFields[0].values has not exactly one name; write one term for each node`},
		{node + "status:\n  allocatable:\n    cpu: -4\n", "test.yaml:6: Node node: status.allocatable.cpu is negative; write 0 or more"},
		{node + "spec:\n  taints:\n  - {key: a, effect: Never}\n", `test.yaml:6: Node node: spec.taints[0].effect is "Never"; write NoSchedule, PreferNoSchedule, NoExecute`},
		{"apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {name: a}\nspec:\n  selector:\n    matchExpressions: [{key: a, operator: is}]\n", `test.yaml:6: ReplicaSet default/a: spec.selector.matchExpressions[0].operator is "is"; write In, NotIn, Exists, DoesNotExist`},
		{"apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: a}\nspec:\n  selector:\n    matchExpressions: [{key: a, operator: is}]\n", `test.yaml:6: PodDisruptionBudget default/a: spec.selector.matchExpressions[0].operator is "is"; write In, NotIn, Exists, DoesNotExist`},
		{"apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: a}\nspec:\n  minAvailable: half\n", `test.yaml:5: PodDisruptionBudget default/a: spec.minAvailable is "half"; write a number, a percentage like 50%`},
		{"apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: a}\nspec:\n  unhealthyPodEvictionPolicy: Never\n", `test.yaml:5: PodDisruptionBudget default/a: spec.unhealthyPodEvictionPolicy is "Never"; write IfHealthyBudget, AlwaysAllow`},
		{"\nkind: Pod\n", "test.yaml:2: an object has no apiVersion or no kind; write both: apiVersion: v1, kind: Pod"},
		{"apiVersion: v1\nkind: [Pod]\n", "test.yaml:2: an object's kind or apiVersion is no string; put it in quotes"},
		{"apiVersion: v1\nkind: Pod\nmetadata: {generateName: a-}\n", "test.yaml:3: Pod: metadata.name is missing; give the object a name; no API server makes one of generateName here"},
		{"- a\n", "test.yaml:1: there is '[' where an object should be; correct the file"},
		{"a\n", `test.yaml:1: there is '"' where an object should be; correct the file`},
		{"a: b: c\n", "test.yaml:1: mapping values are not allowed in this context; correct the YAML"},
		{"a: 1\n---\na: {\n", "test.yaml:1: an object has no apiVersion or no kind; write both: apiVersion: v1, kind: Pod"},
		{podYAML("a") + "---\na: {\n", "test.yaml:5: did not find expected node content; correct the YAML"},
		{podYAML("a") + "spec: {nodeName: !mine x}\n", `test.yaml:4: there is no type "!mine" in Kubernetes; remove the tag`},
		{podYAML("a") + "spec: {priority: .inf}\n", `test.yaml:4: ".inf" is no number of Kubernetes; write a finite number`},
		{podYAML("a") + "? [a]\n: b\n", "test.yaml:4: a key is no scalar; write a name before the colon"},
		{"a: &a [*a]\n", "test.yaml:1: aliases make too much of too little; write out what they stand for"},
		{podYAML("a") + "spec:\n  <<: 5\n", "test.yaml:5: only mappings can be merged; put an alias of a mapping behind <<"},
		{"apiVersion: v1\nkind: List\nitems:\n- " + strings.ReplaceAll(podYAML("a"), "\n", "\n  ") + "spec:\n    nodeNam: x\n", `test.yaml:8: Pod: spec has no field "nodeNam"; did you mean nodeName?`},
		{"apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: a, labels: {\n", "test.yaml:6: did not find expected node content; correct the YAML"},
		{"{\n\"apiVersion\": \"v1\",\n\"items\": [\n" + podA + ",\n" + podA + "\n]}", "test.yaml:5: Pod default/a is there already, at test.yaml:4; remove one of the two"},
		{"{\n\"apiVersion\": \"v1\",\n\"items\": [\n" + podA + ",\n5]}", "test.yaml:5: there is '5' where an object should be; correct the file"},
		{"{\n\"apiVersion\": \"v1\",\n\"items\": [\n" + podA + "\n", "test.yaml:5: the text ends where a comma or the end of the array should be; give the whole file"},
		{"{\"items\": [{\"metadata\": {}}], \"kind\": \"PodList\", \"apiVersion\": \"v1\"}", "test.yaml:1: an object has no apiVersion or no kind; write both: apiVersion: v1, kind: Pod"},
		{podA + "\n}", "test.yaml:2: there is '}' where an object should be; correct the file"},
		{"\x1f\x8bx", "test.yaml: damaged gzip data; compress the file again"},
		{"a: \"\xff\"", "test.yaml:1: the text is not UTF-8; save the file as UTF-8"},
	} {
		_, err := Read("test.yaml", []byte(tt.text))
		var wrong *Error
		if !errors.As(err, &wrong) || !strings.HasPrefix(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("got  %v\nwant %s\nin %q", err, tt.want, tt.text)
		}
	}
}

func compressed(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write([]byte(text))
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestGzip(t *testing.T) {
	for _, text := range []string{podA, podYAML("a")} {
		z := compressed(t, text)
		c, err := Read("a.gz", z)
		if err != nil || names(c) != "default/a" {
			t.Errorf("got %v, %v", c, err)
		}
		for _, n := range []int{len(z) - 1, len(z) / 2, 12, 3} {
			if _, err := Read("a.gz", z[:n]); err == nil || err.Error() != "a.gz: damaged gzip data; compress the file again" {
				t.Errorf("%d of %d bytes: %v", n, len(z), err)
			}
		}
	}
}

func TestReadPath(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, content []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := ReadPath(dir); err == nil || !strings.HasSuffix(err.Error(), ": no file in the folder is a manifest; give files that end in .yaml, .yml or .json, or these and .gz") {
		t.Errorf("an empty folder: %v", err)
	}
	if _, err := ReadPath(filepath.Join(dir, "gone")); err == nil || !strings.HasSuffix(err.Error(), "gone: there is no such file or folder; give the path of a manifest, or of a folder of them") {
		t.Errorf("no folder: %v", err)
	}
	write("b.yaml", []byte(podYAML("b")))
	write("a.yml", []byte(podYAML("a")))
	write("c.json.gz", compressed(t, strings.Replace(podA, `"a"`, `"c"`, 1)))
	write("README.md", []byte("no: manifest: at all"))
	if err := os.Mkdir(filepath.Join(dir, "deeper.yaml"), 0o700); err != nil {
		t.Fatal(err)
	}
	c, err := ReadPath(dir)
	if err != nil || names(c) != "default/a default/b default/c" {
		t.Fatalf("got %v, %v", c, err)
	}
	c, err = ReadPath(filepath.Join(dir, "b.yaml"))
	if err != nil || names(c) != "default/b" {
		t.Fatalf("got %v, %v", c, err)
	}
	write("d.json", []byte(podA))
	if _, err := ReadPath(dir); err == nil || !strings.HasSuffix(err.Error(), "d.json:1: Pod default/a is there already, at "+filepath.Join(dir, "a.yml")+":1; remove one of the two") {
		t.Errorf("a pod in two files: %v", err)
	}
}

// TestScalars reads YAML scalars as kubectl does.
func TestScalars(t *testing.T) {
	for _, tt := range []struct{ yaml, want string }{
		{"null", "null"}, {"~", "null"}, {"", "null"}, {"true", "true"}, {"FALSE", "false"}, {"yes", "true"}, {"Off", "false"}, {"'yes'", `"yes"`},
		{"!!str yes", `"yes"`}, {"5", "5"}, {"-5", "-5"}, {"0x10", "16"}, {"010", "8"}, {"1_000", "1000"}, {"1.50", "1.50"}, {"1e3", "1e3"}, {".5", "0.5"},
		{"99999999999999999999", "99999999999999999999"}, {"18446744073709551615", "18446744073709551615"}, {"0xffffffffffffffff", "18446744073709551615"},
		{"2024-01-01", `"2024-01-01"`}, {"1Gi", `"1Gi"`}, {`"a\tb\"\\\u00e9\u0001"`, `"a\u0009b\"\\é\u0001"`}, {"!!binary aGk=", `"aGk="`}, {"!!int '7'", "7"},
		{"|\n  a\n  b\n", `"a\nb\n"`}, {"[a, 1, {b: c}]", `["a",1,{"b":"c"}]`}, {"{a: &x {p: 1, q: 2}, b: {<<: *x, q: 3}, c: *x}", `{"a":{"p":1,"q":2},"b":{"q":3,"p":1},"c":{"p":1,"q":2}}`},
		{"{a: &x {p: 1}, c: {<<: [*x, {p: 2, q: 4}]}}", `{"a":{"p":1},"c":{"p":1,"q":4}}`},
	} {
		var got string
		err := yamlValues([]byte("k: "+tt.yaml), 1, func(text []byte, _ []mark) error {
			got = string(text)
			if !json.Valid(text) {
				t.Errorf("%s is no JSON", text)
			}
			return nil
		})
		if want := `{"k":` + tt.want + "}"; err != nil || strings.ReplaceAll(got, `\u000a`, `\n`) != want {
			t.Errorf("%s: got %s, %v; want %s", tt.yaml, got, err, want)
		}
	}
}
