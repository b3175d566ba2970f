package manifest

import (
	"reflect"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
)

const observedPod = `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","namespace":"ns","uid":"u","labels":{"app":"x"},"deletionTimestamp":"2026-01-01T00:00:00Z"},
"spec":{"nodeName":"n1","priority":7,"containers":[{"name":"c","image":"i","resources":{"limits":{"cpu":"2"}}}]},
"status":{"phase":"Running","startTime":"2026-01-01T00:00:00Z","nominatedNodeName":"n2"}}`

// TestObserverPod has a pod as it was before anybody decided about it, whose requests
// are completed as in an API, and whose class is that of its like.
func TestObserverPod(t *testing.T) {
	var o Observer
	p, err := o.Pod([]byte(observedPod))
	if err != nil {
		t.Fatal(err)
	}
	if p.Name != "p" || p.Class.Namespace != "ns" || p.Class.Priority != 7 || p.Class.Requests.Get(cluster.CPU) != 2000 || p.Run != cluster.Never {
		t.Errorf("got %+v of %+v", p, p.Class)
	}
	if p.On != "" || p.Nominated != "" || p.Terminating || p.Started != nil || p.Unready || p.Starting {
		t.Errorf("what became of it shows: %+v", p)
	}
	q, err := o.Pod([]byte(strings.ReplaceAll(observedPod, `"nodeName":"n1",`, "")))
	if err != nil || q.Class != p.Class || q.Account != p.Account {
		t.Errorf("its like has a class of its own: %v", err)
	}
}

// TestObserverObjects has the objects of each kind, without a status.
func TestObserverObjects(t *testing.T) {
	var o Observer
	for text, want := range map[string]cluster.Object{
		`{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"a"}}`:                                                        &cluster.Namespace{Name: "a", Labels: cluster.Labels{{Key: "kubernetes.io/metadata.name", Value: "a"}}},
		`{"apiVersion":"v1","kind":"Service","metadata":{"name":"a"},"spec":{"selector":{"k":"v"}}}`:                            &cluster.Service{Namespace: "default", Name: "a", Selector: cluster.Labels{{Key: "k", Value: "v"}}},
		`{"apiVersion":"apps/v1","kind":"ReplicaSet","metadata":{"name":"a","namespace":"b"},"spec":{}}`:                        &cluster.Workload{Kind: "ReplicaSet", Namespace: "b", Name: "a", Replicas: 1},
		`{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"a"},"spec":{"replicas":3}}`:                            &cluster.Workload{Kind: "Deployment", Namespace: "default", Name: "a", Replicas: 3},
		`{"apiVersion":"apps/v1","kind":"StatefulSet","metadata":{"name":"a"},"spec":{"replicas":3}}`:                           &cluster.Workload{Kind: "StatefulSet", Namespace: "default", Name: "a", Replicas: 3},
		`{"apiVersion":"v1","kind":"ReplicationController","metadata":{"name":"a"},"spec":{"replicas":2,"selector":{"k":"v"}}}`: &cluster.Workload{Kind: "ReplicationController", Namespace: "default", Name: "a", Selector: selector(is("k", "v")), Replicas: 2},
		`{"apiVersion":"policy/v1","kind":"PodDisruptionBudget","metadata":{"name":"a"},"spec":{"maxUnavailable":1},"status":{"disruptionsAllowed":5,"currentHealthy":2,"desiredHealthy":1,"expectedPods":2}}`: &cluster.DisruptionBudget{
			Namespace: "default", Name: "a", MaxUnavailable: &cluster.IntOrPercent{Value: 1}},
		`{"apiVersion":"v1","kind":"ResourceQuota","metadata":{"name":"a"},"spec":{"hard":{"pods":"3"}},"status":{"hard":{"pods":"3"},"used":{"pods":"2"}}}`: &cluster.ResourceQuota{
			Namespace: "default", Name: "a", Hard: []cluster.NamedAmount{{Name: "pods", Amount: 3}}},
	} {
		got, err := o.Object([]byte(text))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, %v; want %+v", text, got, err, want)
		}
	}
	if got, err := o.Object([]byte(`{"apiVersion":"v1","kind":"Secret","metadata":{"name":"a"}}`)); got != nil || err != nil {
		t.Errorf("a kind that isn't converted gives %v, %v", got, err)
	}
}

func TestObserverNode(t *testing.T) {
	var o Observer
	n, err := o.Node([]byte(`{"apiVersion":"v1","kind":"Node","metadata":{"name":"n"},"spec":{"taints":[{"key":"k","effect":"NoSchedule"}]},"status":{"capacity":{"cpu":"4","pods":"110"}}}`))
	if err != nil || n.Name != "n" || n.Capacity.Get(cluster.CPU) != 4000 || len(n.Taints) != 1 {
		t.Errorf("got %+v, %v", n, err)
	}
}

// TestObserverFails has what is no object, each with the error that says so.
func TestObserverFails(t *testing.T) {
	pod := func(o *Observer, text string) error { _, err := o.Pod([]byte(text)); return err }
	object := func(o *Observer, text string) error { _, err := o.Object([]byte(text)); return err }
	for _, tt := range []struct {
		read       func(*Observer, string) error
		text, want string
	}{
		{pod, `{"metadata":{"name":"p"},"spec":{"nodeNme":"x"}}`, ": Pod: spec has no field \"nodeNme\"; did you mean nodeName?"},
		{pod, `{"metadata":{}}`, ": Pod: metadata.name is missing; leave the object out, or give its name"},
		{pod, `{"metadata":{"name":"p"}} {}`, ": Pod: there is '{' where the end of the object should be; correct the file"},
		{pod, `{"metadata":{"name":"p"},"spec":{"preemptionPolicy":"x"}}`, ": Pod default/p: spec.preemptionPolicy is \"x\"; write PreemptLowerPriority, Never"},
		{object, `[`, ": there is '[' where an object should be; correct the file"},
		{object, `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"d"},"spec":{"replicas":"x"}}`, ": Deployment: spec.replicas is a string, where a whole number should be; write a whole number"},
	} {
		if err := tt.read(&Observer{}, tt.text); err == nil || err.Error() != tt.want {
			t.Errorf("%s:\ngot  %v\nwant %s", tt.text, err, tt.want)
		}
	}
}

func TestJSON(t *testing.T) {
	for text, want := range map[string]string{
		"a: yes\nb: [1, 'x']": `{"a":true,"b":[1,"x"]}`, "# nothing\n": "", "---\na: 1\n": `{"a":1}`,
		"a: 1\nb: {": ":8: did not find expected node content; correct the YAML", "a: 1\n---\nb: 1\n": ":7: two documents are one; write --- between them",
	} {
		got, err := JSON([]byte(text), 7)
		if is := string(got); err == nil && is != want || err != nil && err.Error() != want {
			t.Errorf("%q: got %s, %v; want %s", text, got, err, want)
		}
	}
}
