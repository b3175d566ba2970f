package traces

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/google/go-cmp/cmp"
)

// fillIn sets every string in v to one that says where it stands, all slices to two
// elements, and all pointers.
func fillIn(v reflect.Value, path string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString("plain " + path)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fillIn(v.Elem(), path)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			fillIn(v.Index(i), fmt.Sprintf("%s[%d]", path, i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fillIn(v.Field(i), path+"."+v.Type().Field(i).Name)
			}
		}
	case reflect.Uint64:
		v.SetUint(1)
	case reflect.Int32, reflect.Int64, reflect.Int:
		v.SetInt(7)
	}
}

// stringsIn lists the strings in v.
func stringsIn(v reflect.Value, into *[]string) {
	switch v.Kind() {
	case reflect.String:
		*into = append(*into, v.String())
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			stringsIn(v.Elem(), into)
		}
	case reflect.Slice:
		for i := range v.Len() {
			stringsIn(v.Index(i), into)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			stringsIn(v.Field(i), into)
		}
	}
}

// stays are the ends of paths of strings that have no pseudonym, each with a reason.
var stays = map[string]string{
	".Key": "keys of labels and taints are the vocabulary", ".TopologyKey": "a label's key", ".MatchLabelKeys": "labels' keys",
	".Kind": "a workload's kind", ".Extended.Name": "a resource", ".IncomingExtended.Name": "a resource", ".Requests.Name": "a resource",
	".Limits.Name": "a resource", ".GivenRequests.Name": "a resource", ".GivenLimits.Name": "a resource", ".Overhead.Name": "a resource",
	".Hard.Name": "a resource", ".Enforced.Name": "a resource", ".Used.Name": "a resource", ".Scope": "Kubernetes' word",
	".Operator": "Kubernetes' word", ".GPUModel": "a product", ".GPUs.Models": "products", ".Features": "Kubernetes' names",
	".Scheduler": "decides who places the pod", ".Protocol": "TCP, UDP or SCTP",
}

// Of whatever an event says, nothing is left but what is listed.
func TestAnonymiseEverything(t *testing.T) {
	var node cluster.NodeSpec
	var pod cluster.PodSpec
	fillIn(reflect.ValueOf(&node).Elem(), "node")
	fillIn(reflect.ValueOf(&pod).Elem(), "pod")
	events := []cluster.Event{{Kind: cluster.NodeAdded, NodeSpec: &node}, {Kind: cluster.PodAdded, PodSpec: &pod, Reason: "plain text"}}
	for _, o := range []cluster.Object{&cluster.Namespace{}, &cluster.Service{}, &cluster.Workload{}, &cluster.DisruptionBudget{}, &cluster.ResourceQuota{}} {
		fillIn(reflect.ValueOf(o).Elem(), fmt.Sprintf("%T", o))
		events = append(events, cluster.Event{Kind: cluster.ObjectSet, Object: o})
	}
	before := told(events)
	s, err := Anonymise(again(events...), []byte("0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	count := 0
	for _, e := range all(t, s) {
		var left []string
		stringsIn(reflect.ValueOf(e), &left)
		for _, text := range left {
			count++
			path, plain := strings.CutPrefix(text, "plain ")
			if !plain {
				continue
			}
			path = strings.NewReplacer("[0]", "", "[1]", "").Replace(path)
			ok := false
			for end := range stays {
				if strings.HasSuffix(path, end) {
					ok, used[end] = true, true
				}
			}
			if !ok {
				t.Errorf("%s is as it was", path)
			}
		}
	}
	for end := range stays {
		if !used[end] {
			t.Errorf("nothing ends in %s", end)
		}
	}
	if count < 200 {
		t.Errorf("there were %d strings only", count)
	}
	if told(events) != before {
		t.Error("what others share was changed")
	}
}

// The same name has the same pseudonym wherever it stands, another key gives others, and
// nothing else changes.
func TestAnonymise(t *testing.T) {
	recorded := jobs()
	key := []byte("a key of 32 random bytes or so..")
	run := func(key []byte) []cluster.Event {
		s, err := Anonymise(again(recorded...), key)
		if err != nil {
			t.Fatal(err)
		}
		return all(t, s)
	}
	events := run(key)
	if host, _ := events[0].NodeSpec.Labels.Get(hostnameLabel); host != events[0].NodeSpec.Name || host == "n" {
		t.Errorf("the node is %s, its label %s", events[0].NodeSpec.Name, host)
	}
	if told(events) != told(run(key)) {
		t.Error("not the same twice")
	}
	if told(events) == told(run([]byte("another key of random bytes....."))) {
		t.Error("the same with another key")
	}
	for _, by := range Groupings {
		var was, is []int
		for _, n := range groupsOf(recorded, by) {
			was = append(was, n)
		}
		for _, n := range groupsOf(events, by) {
			is = append(is, n)
		}
		slices.Sort(was)
		slices.Sort(is)
		if diff := cmp.Diff(was, is); diff != "" {
			t.Errorf("groups by %s: %s", by, diff)
		}
	}
	var before, after Demand
	for i := range recorded {
		before.Take(&recorded[i])
		after.Take(&events[i])
	}
	if diff := cmp.Diff(before, after, cmp.AllowUnexported(Demand{})); diff != "" {
		t.Error(diff)
	}
	if _, err := Anonymise(again(), key[:15]); err == nil {
		t.Error("a short key was taken")
	}
}

// Numbers that are compared stay numbers.
func TestAnonymiseNumbers(t *testing.T) {
	n := nodeAdded(0, 0, "n")
	n.NodeSpec.Labels = cluster.Labels{{Key: "generation", Value: "7"}, {Key: "rack", Value: "7"}}
	p := podAdded(0, 0, "p", sec)
	p.PodSpec.Class.RequiredNode = &cluster.NodeSelector{Terms: []cluster.NodeSelectorTerm{{Labels: []cluster.Requirement{
		{Key: "generation", Op: cluster.Gt, Values: []string{"6"}}, {Key: "rack", Values: []string{"7"}},
	}}}}
	s, err := Anonymise(again(n, p), []byte("0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	events := all(t, s)
	spec := events[0].NodeSpec
	if !events[1].PodSpec.Class.RequiredNode.Matches(spec.Name, spec.Labels) {
		t.Errorf("%v no longer suits %v", spec.Labels, events[1].PodSpec.Class.RequiredNode)
	}
	if rack, _ := spec.Labels.Get("rack"); rack == "7" {
		t.Error("the rack has its name")
	}
}
