package scenario_test

import (
	"strings"
	"testing"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/berthsim/berth/bench/upstream/generate"
	"github.com/berthsim/berth/bench/upstream/scenario"
)

const story = `# A story.
# Of two lines.
apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
---
apiVersion: v1
kind: Node
metadata:
  name: a
---
step: schedule
---
apiVersion: v1
kind: Pod
metadata:
  name: p
  namespace: default
spec:
  containers:
  - image: i
    name: c
    resources: {}
---
apiVersion: v1
kind: Pod
metadata:
  name: q
  namespace: default
spec:
  containers: null
---
step: delete
objects:
- {"kind":"Pod","namespace":"default","name":"p"}
- {"kind":"Node","name":"a"}
---
step: retry
limit: 2
---
step: finish
---
step: try
---
apiVersion: v1
kind: Pod
metadata:
  name: r
  namespace: default
spec:
  containers: null
`

// TestText reads a file and wants the same text when it is written.
func TestText(t *testing.T) {
	s, err := scenario.Read(strings.NewReader(story))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, step := range s.Steps {
		names = append(names, step.String())
	}
	want := "add node/a; schedule pod/default/p; schedule pod/default/q; delete pod/default/p; delete node/a; retry; finish; try pod/default/r"
	if got := strings.Join(names, "; "); got != want {
		t.Errorf("steps\n%s\nwant\n%s", got, want)
	}
	var b strings.Builder
	if err := s.Write(&b); err != nil {
		t.Fatal(err)
	}
	if b.String() != story {
		t.Errorf("written:\n%s\nwant:\n%s", b.String(), story)
	}
}

// TestRoundTrip writes generated scenarios and reads them back.
func TestRoundTrip(t *testing.T) {
	for i := range uint64(20) {
		s := generate.Scenario(5, i, generate.Options{Nodes: 10, Pods: 10, Loose: true})
		var b strings.Builder
		if err := s.Write(&b); err != nil {
			t.Fatal(err)
		}
		again, err := scenario.Read(strings.NewReader(b.String()))
		if err != nil {
			t.Fatal(err)
		}
		if len(again.Steps) != len(s.Steps) || string(again.Config) != string(s.Config) {
			t.Fatalf("index %d: %d steps became %d, configuration\n%s\nbecame\n%s", i, len(s.Steps), len(again.Steps), s.Config, again.Config)
		}
		for j := range s.Steps {
			a, b := s.Steps[j], again.Steps[j]
			if a.Verb != b.Verb || a.Ref != b.Ref || a.Limit != b.Limit || !sameObject(a, b) {
				t.Fatalf("index %d, step %d: %v became %v", i, j, a, b)
			}
		}
	}
}

// sameObject ignores the kind, which only what was read has, and nil against empty.
func sameObject(a, b scenario.Step) bool {
	if a.Object == nil || b.Object == nil {
		return a.Object == nil && b.Object == nil
	}
	x, y := a.Object.DeepCopyObject(), b.Object.DeepCopyObject()
	y.GetObjectKind().SetGroupVersionKind(x.GetObjectKind().GroupVersionKind())
	return equality.Semantic.DeepEqual(x, y)
}

func TestErrors(t *testing.T) {
	for text, want := range map[string]string{
		"step: jump":                                 `document 1: step "jump"`,
		"step: delete":                               "with 0 objects",
		"step: finish\nlimit: 1":                     "with limit 1",
		"step: schedule\nobjects: [{kind: P}]":       "with 1 objects",
		"step: retry\nwhen: now":                     "unknown field",
		"kind: Node\napiVersion: v1\nspec: {odd: 1}": "unknown field",
		"kind: Unheard\napiVersion: v1":              "no kind",
		"kind: KubeSchedulerConfiguration\n---\nkind: KubeSchedulerConfiguration\n": "document 2: a second",
		"a: [": "document 1",
	} {
		_, err := scenario.Read(strings.NewReader(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want one with %q", text, err, want)
		}
	}
}

// TestList reads what "kubectl get -o yaml" prints.
func TestList(t *testing.T) {
	const text = `apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Node, metadata: {name: a}}
- {apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: b, namespace: c}}
`
	s, err := scenario.Read(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Steps) != 2 || s.Steps[1].String() != "add poddisruptionbudget/c/b" {
		t.Errorf("steps %v", s.Steps)
	}
}

// TestMinimise plants a failure that needs one node's label and one pod, in this order.
func TestMinimise(t *testing.T) {
	s := generate.Scenario(1, 4, generate.Options{Nodes: 12, Pods: 12})
	node := s.Steps[len(s.Steps)/2].Object
	for _, step := range s.Steps {
		if n, ok := step.Object.(*v1.Node); ok {
			n.Labels["guilty"] = "yes"
			node = n
		}
	}
	fails := func(c *scenario.Scenario) bool {
		labelled := false
		for _, step := range c.Steps {
			if n, ok := step.Object.(*v1.Node); ok && n.Labels["guilty"] == "yes" {
				labelled = true
			}
			if p, ok := step.Object.(*v1.Pod); ok && labelled && len(p.Spec.Containers) > 0 {
				return true
			}
		}
		return false
	}
	small := scenario.Minimise(s, fails, 2000)
	if !fails(small) {
		t.Fatal("the small scenario doesn't fail")
	}
	if len(small.Steps) != 2 || len(small.Config) > 0 {
		t.Fatalf("%d steps left: %v", len(small.Steps), small.Steps)
	}
	n := small.Steps[0].Object.(*v1.Node)
	if n.Name == "" || len(n.Labels) != 1 || len(n.Status.Allocatable) > 0 {
		t.Errorf("the node still has %+v; the last was %s", n, node.(*v1.Node).Name)
	}
}
