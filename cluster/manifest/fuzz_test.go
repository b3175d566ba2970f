package manifest

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/quota"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
)

// FuzzRead reads anything. What is wrong is told on one line; what is right makes
// a State.
func FuzzRead(f *testing.F) {
	f.Add([]byte(podA))
	f.Add([]byte(podYAML("a") + "---\n" + podYAML("b")))
	f.Add([]byte("apiVersion: v1\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata: &a {name: a}\n- *a\nkind: List\n"))
	f.Add([]byte(`{"apiVersion": "v1", "items": [` + podA + `, {}], "kind": "List"}`))
	f.Add([]byte("apiVersion: v1\nkind: Node\nmetadata: {name: node}\nstatus: {capacity: {cpu: 1e3, memory: 1Gi, pods: 9}}\n"))
	f.Add([]byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00"))
	for _, tt := range classTests {
		f.Add([]byte(podText(tt.spec, "")))
		f.Add([]byte(fresh(tt.spec) + "---\n" + admitting))
	}
	f.Add([]byte(quotaText + "---" + limitText))
	for _, tt := range requestTests {
		f.Add([]byte(podText(tt.spec, tt.more)))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		c, err := Read("x", content)
		var wrong *Error
		switch {
		case err == nil:
			cluster.NewState().Observe(0, c.Events())
		case !errors.As(err, &wrong) || strings.ContainsAny(err.Error(), "\n\r") || wrong.Problem == "" || wrong.Remedy == "":
			t.Errorf("%q is no line that says all", err)
		}
	})
}

// FuzzPod makes pods of all kinds, wrong ones too.
func FuzzPod(f *testing.F) {
	f.Add([]byte{}, false)
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20}, true)
	f.Add([]byte(podA+podYAML("a")), true)
	f.Fuzz(func(t *testing.T, data []byte, all bool) {
		p := &v1.Pod{}
		filler := filler{data: data, all: all}
		filler.fill(reflect.ValueOf(p).Elem())
		checkPod(t, p)
		checkDecode(t, reflect.ValueOf(p))
		Default(p)
		once := p.DeepCopy()
		Default(p)
		if !equality.Semantic.DeepEqual(p, once) {
			t.Errorf("Default changes what it has completed: %s, then %s", asJSON(once), asJSON(p))
		}
		checkPod(t, p)
		checkAdmitted(t, p)
	})
}

// FuzzQuotaObjects makes objects that admission and quotas look at, wrong ones too, with and
// without what is ignored.
func FuzzQuotaObjects(f *testing.F) {
	f.Add([]byte{}, true)
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20}, true)
	f.Add([]byte(quotaText+limitText), false)
	f.Fuzz(func(t *testing.T, data []byte, all bool) {
		checkObject(t, data, all, ResourceQuota)
		checkObject(t, data, all, LimitRange)
		checkObject(t, data, all, PriorityClass)
		checkObject(t, data, all, RuntimeClass)
		checkObject(t, data, all, claim)
		checkObject(t, data, all, deviceDemands)
		checkObject(t, data, all, func(s *v1.Service) (*quota.Service, error) { return service(s), nil })
	})
}

func checkObject[From, To any](t *testing.T, data []byte, all bool, convert func(*From) (To, error)) {
	t.Helper()
	o := reflect.New(reflect.TypeFor[From]())
	filler := filler{data: data, all: all}
	filler.fill(o.Elem())
	checkDecode(t, o)
	got, err := convert(o.Interface().(*From))
	var wrong *FieldError
	if err != nil && (!errors.As(err, &wrong) || strings.ContainsAny(err.Error(), "\n\r")) {
		t.Errorf("%q is no line that says all", err)
	}
	dropIgnored(o.Elem())
	again, errBare := convert(o.Interface().(*From))
	if err == nil && !reflect.DeepEqual(got, again) || fmt.Sprint(err) != fmt.Sprint(errBare) {
		t.Errorf("fields that are said to be ignored count:\n%s (%v)\n%s (%v)", asJSON(got), err, asJSON(again), errBare)
	}
	if q, ok := any(got).(*cluster.ResourceQuota); ok && err == nil {
		if again, err := ResourceQuota(ResourceQuotaObject(q)); err != nil || asJSON(again) != asJSON(q) {
			t.Errorf("%s becomes %s, %v", asJSON(q), asJSON(again), err)
		}
	}
}

// checkAdmitted puts a pod through admission twice: the second time changes nothing.
func checkAdmitted(t *testing.T, p *v1.Pod) {
	t.Helper()
	ps := quota.NewPlugins([]*quota.LimitRange{{Namespace: p.Namespace, Name: "l", Items: []quota.LimitRangeItem{
		{Type: quota.LimitContainer, Default: cpuMemory(2, 3), DefaultRequest: cpuMemory(1, 2)},
	}}}, []quota.PriorityClass{{Name: p.Spec.PriorityClassName, Value: 5}}, nil)
	admit := func() bool {
		pod, err := NewPod(p)
		if err != nil {
			return false
		}
		pod.RuntimeClass, pod.Priority, pod.NeverPreempts = "", nil, nil
		if err := ps.Mutate(pod); err != nil {
			t.Errorf("%s is refused: %v", asJSON(p), err)
		}
		SetAdmitted(p, pod)
		return true
	}
	if !admit() {
		return
	}
	once := p.DeepCopy()
	if !admit() || !equality.Semantic.DeepEqual(p, once) {
		t.Errorf("admission changes what it has completed: %s, then %s", asJSON(once), asJSON(p))
	}
}

// checkPod converts a pod, with and without what is ignored.
func checkPod(t *testing.T, p *v1.Pod) {
	t.Helper()
	var conv Converter
	spec, err := conv.Pod(p)
	var wrong *FieldError
	if err != nil && (!errors.As(err, &wrong) || strings.ContainsAny(err.Error(), "\n\r")) {
		t.Errorf("%q is no line that says all", err)
	}
	bare := p.DeepCopy()
	dropIgnored(reflect.ValueOf(bare).Elem())
	again, errBare := conv.Pod(bare)
	if !reflect.DeepEqual(spec, again) || fmt.Sprint(err) != fmt.Sprint(errBare) {
		t.Errorf("fields that are said to be ignored count:\n%s (%v)\n%s (%v)", asJSON(spec), err, asJSON(again), errBare)
	}
}

// TestConvertedFieldsCount changes one value at a time in a pod that has all of
// them, and expects another result, or an error.
func TestConvertedFieldsCount(t *testing.T) {
	// Fields that count only together with others that this pod hasn't.
	alone := map[string]bool{
		"kind": true, "apiVersion": true, // the reader's
		"metadata.creationTimestamp": true, "status.phase": true, "spec.runtimeClassName": true, // the reader's too
		"spec.activeDeadlineSeconds": true, // that it is there counts
		"containerPort":              true, // Default's
	}
	base := func() *v1.Pod {
		p := &v1.Pod{}
		if err := json.Unmarshal([]byte(fullPod), p); err != nil {
			t.Fatal(err)
		}
		return p
	}
	convert := func(p *v1.Pod) string {
		spec, err := (&Converter{}).Pod(p)
		return fmt.Sprint(asJSON(spec), err)
	}
	was := convert(base())
	if !strings.HasSuffix(was, "<nil>") {
		t.Fatal(was)
	}
	changed := 0
	for i := 0; ; i++ {
		p := base()
		left := i
		path, ok := changeOne(reflect.ValueOf(p).Elem(), "", &left)
		if !ok {
			break
		}
		last := path[strings.LastIndex(path, ".")+1:]
		if alone[path] || alone[last] {
			continue
		}
		changed++
		if convert(p) == was {
			t.Errorf("another %s makes no difference", path)
		}
	}
	if changed < 75 {
		t.Errorf("only %d values were changed", changed)
	}
}

// changeOne changes the value under v that left others come before, and returns
// the path of its field.
func changeOne(v reflect.Value, path string, left *int) (string, bool) {
	hit := func() bool { *left--; return *left == -1 }
	s := schemaOf(v.Type())
	switch {
	case v.Kind() == reflect.Pointer:
		if v.IsNil() {
			return "", false
		}
		if s.shape == custom {
			return path, hit() && setNil(v)
		}
		return changeOne(v.Elem(), path, left)
	case s.shape == structure:
		for i := range len(s.fields) {
			for name, f := range s.fields {
				if f.number != i || f.ignore {
					continue
				}
				if p, ok := changeOne(v.FieldByIndex(f.index), strings.TrimPrefix(path+"."+name, "."), left); ok {
					return p, true
				}
			}
		}
	case s.shape == list:
		for i := range v.Len() {
			if p, ok := changeOne(v.Index(i), path, left); ok {
				return p, true
			}
		}
	case s.shape == dictionary || s.shape == custom:
		if !v.IsZero() && hit() {
			v.SetZero()
			return path, true
		}
	case v.IsZero():
	case s.shape == text:
		if hit() {
			v.SetString(v.String() + "2")
			return path, true
		}
	case s.shape == boolean:
		if hit() {
			v.SetBool(!v.Bool())
			return path, true
		}
	case s.shape == integer:
		if hit() {
			v.SetInt(v.Int() + 1)
			return path, true
		}
	}
	return "", false
}

func setNil(v reflect.Value) bool {
	v.SetZero()
	return true
}

// fullPod has a value in every field that is converted, as far as they go
// together.
const fullPod = `{
	"metadata": {"name": "p", "namespace": "ns", "labels": {"a": "b"}, "deletionTimestamp": "2024-01-01T00:00:00Z",
		"ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "r", "controller": true}]},
	"spec": {
		"nodeName": "node", "schedulerName": "mine", "priority": 5, "preemptionPolicy": "Never", "nodeSelector": {"a": "b"},
		"hostNetwork": true, "hostUsers": false, "overhead": {"cpu": "1"}, "priorityClassName": "high", "runtimeClassName": "r",
		"activeDeadlineSeconds": 5, "terminationGracePeriodSeconds": 7, "schedulingGates": [{"name": "g"}],
		"resources": {"requests": {"memory": "1Gi", "cpu": "9"}, "limits": {"cpu": "9"}},
		"tolerations": [{"key": "k", "operator": "Equal", "value": "v", "effect": "NoExecute", "tolerationSeconds": 5}],
		"volumes": [{"image": {"reference": "m"}}],
		"initContainers": [{"name": "i", "image": "i", "restartPolicy": "Always", "resources": {"requests": {"cpu": "1"}, "limits": {"cpu": "1"}}, "ports": [{"hostPort": 80, "protocol": "UDP", "hostIP": "10.0.0.1"}]}],
		"containers": [{"name": "c", "image": "i", "restartPolicyRules": [{"action": "RestartAllContainers"}], "ports": [{"hostPort": 81}], "resources": {"requests": {"cpu": "1"}, "limits": {"cpu": "1"}}}],
		"topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "z", "whenUnsatisfiable": "DoNotSchedule", "minDomains": 2, "matchLabelKeys": ["x"],
			"nodeAffinityPolicy": "Ignore", "nodeTaintsPolicy": "Honor", "labelSelector": {"matchLabels": {"a": "b"}, "matchExpressions": [{"key": "k", "operator": "In", "values": ["v"]}]}}],
		"affinity": {
			"nodeAffinity": {
				"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": [{"key": "k", "operator": "In", "values": ["v"]}], "matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n"]}]}]},
				"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "preference": {"matchExpressions": [{"key": "k", "operator": "In", "values": ["v"]}]}}]},
			"podAffinity": {
				"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "z", "namespaces": ["x"], "labelSelector": {"matchLabels": {"a": "b"}}, "namespaceSelector": {"matchLabels": {"a": "b"}}}],
				"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "podAffinityTerm": {"topologyKey": "z"}}]},
			"podAntiAffinity": {
				"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "z"}],
				"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "podAffinityTerm": {"topologyKey": "z"}}]}}},
	"status": {
		"startTime": "2024-01-01T00:00:00Z", "conditions": [{"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler"}],
		"allocatedResources": {"memory": "2Gi"}, "resources": {"requests": {"cpu": "10"}},
		"containerStatuses": [{"name": "c", "allocatedResources": {"ephemeral-storage": "3"}, "resources": {"requests": {"a.b/c": "4"}, "limits": {"a.b/c": "4"}}}],
		"initContainerStatuses": [{"name": "i", "allocatedResources": {"a.b/d": "3"}, "resources": {"requests": {"a.b/e": "4"}, "limits": {"a.b/e": "4"}}}]}
}`
