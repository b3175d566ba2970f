package cluster

import (
	"reflect"
	"strings"
	"testing"
)

// TestClassesAreEqualByContent fills in every field of a Class, by reflection,
// and changes one leaf at a time: each must give another class.
func TestClassesAreEqualByContent(t *testing.T) {
	s := NewState()
	base := func() *Class {
		c := &Class{}
		fill(reflect.ValueOf(c).Elem())
		c.Requests = Amounts{CPU: 1, Memory: 2, EphemeralStorage: 3}
		return c
	}
	id := s.Intern(base(), nil)
	if again := s.Intern(base(), nil); again != id {
		t.Errorf("equal classes got rows %d and %d", id, again)
	}
	seen := map[ClassID]string{id: "the base"}
	leaves := 0
	for i := 0; ; i++ {
		c := base()
		left := i
		path, ok := changeLeaf(reflect.ValueOf(c).Elem(), "Class", &left)
		if !ok {
			break
		}
		if strings.HasPrefix(path, "Class.Labels") {
			continue // State fills them in
		}
		leaves++
		got := s.Intern(c, nil)
		if other, ok := seen[got]; ok {
			t.Errorf("a class with another %s got the row of %s", path, other)
		}
		seen[got] = path
	}
	if leaves < 60 {
		t.Errorf("only %d leaves were changed", leaves)
	}
}

// fill makes every slice under v one long, and every pointer point to something.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	}
}

// changeLeaf changes the leaf under v that left others come before, or makes a
// slice longer or a pointer nil, and returns its path.
func changeLeaf(v reflect.Value, path string, left *int) (string, bool) {
	hit := func() bool { *left--; return *left == -1 }
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if p, ok := changeLeaf(v.Field(i), path+"."+v.Type().Field(i).Name, left); ok {
				return p, true
			}
		}
	case reflect.Slice:
		if v.Type() != reflect.TypeFor[Amounts]() && hit() {
			v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem())))
			return path + " length", true
		}
		for i := range v.Len() {
			if p, ok := changeLeaf(v.Index(i), path+"[]", left); ok {
				return p, true
			}
		}
	case reflect.Pointer:
		if hit() {
			v.SetZero()
			return path + " nil", true
		}
		return changeLeaf(v.Elem(), path, left)
	case reflect.String:
		if hit() {
			v.SetString(v.String() + "x")
			return path, true
		}
	case reflect.Bool:
		if hit() {
			v.SetBool(!v.Bool())
			return path, true
		}
	case reflect.Uint8:
		if hit() {
			v.SetUint(v.Uint() + 1)
			return path, true
		}
	default:
		if hit() {
			v.SetInt(v.Int() + 1)
			return path, true
		}
	}
	return "", false
}

// TestLabelsCountOnceMentioned adds pods that differ in labels that nobody
// mentions, then a pod, a Service and a budget that do.
func TestLabelsCountOnceMentioned(t *testing.T) {
	s := NewState()
	add := func(name string, c *Class, labels ...Label) PodID {
		events := []Event{{Kind: PodAdded, PodSpec: &PodSpec{Name: name, Class: c, Labels: labels}}}
		s.Observe(0, events)
		return events[0].Pod
	}
	template := &Class{Namespace: "ns"}
	a := add("a", template, Label{"app", "x"}, Label{"index", "1"}, Label{"uid", "4"})
	b := add("b", template, Label{"app", "y"}, Label{"index", "2"}, Label{"uid", "5"})
	c := add("c", template, Label{"app", "x"}, Label{"index", "3"})
	same := func(p, q PodID) bool { return s.Pods.Class[p] == s.Pods.Class[q] }
	if !same(a, b) || !same(a, c) || len(s.Class(a).Labels) != 0 {
		t.Fatal("labels that nobody mentions tell pods apart")
	}
	s.Observe(0, []Event{{Kind: ObjectSet, Object: &Service{Namespace: "ns", Name: "svc", Selector: Labels{{"app", "x"}}}}})
	if same(a, b) || !same(a, c) || !s.Class(a).SelectedBy(s.Services.Get("ns", "svc")) || s.Class(b).SelectedBy(s.Services.Get("ns", "svc")) {
		t.Fatal("after a Service mentions app, classes are not those of app")
	}
	add("d", &Class{Namespace: "ns", AntiAffinity: PodAffinity{Required: []PodTerm{{
		Selector: &Selector{[]Requirement{{"index", In, []string{"1"}}}}, Namespaces: []string{"ns"},
	}}}})
	if same(a, c) {
		t.Fatal("after a pod mentions index, pods of other indexes are of one class")
	}
	if e := add("e", template, Label{"app", "x"}, Label{"index", "3"}, Label{"uid", "9"}); !same(e, c) {
		t.Fatal("a pod that differs in an unmentioned label only is of another class")
	}
}

func TestEstimateCountsWhatIsNotAskedFor(t *testing.T) {
	s := NewState()
	id := s.Intern(&Class{Requests: Amounts{CPU: 250}, BestEffortCPU: 2, BestEffortMemory: 1}, nil)
	cpu, memory := s.Estimate(id)
	if cpu != 450 || memory != 200*1024*1024 {
		t.Errorf("Estimate = %d m, %d bytes; want 450 m and 200 MiB", cpu, memory)
	}
}

// TestEstimatesAreTaken checks that Estimates is what counts, on a node and for a
// pod that wants one.
func TestEstimatesAreTaken(t *testing.T) {
	s := NewState()
	s.Resource("example.com/other") // a column between
	id := s.Intern(&Class{
		Requests: Amounts{CPU: 250, EphemeralStorage: 7}, BestEffortCPU: 2, BestEffortMemory: 1,
		Extended: []NamedAmount{{"example.com/nic", 1}, {"hugepages-2Mi", 8}},
		Estimates: &Estimates{CPU: 1, Memory: 2, IncomingCPU: 3, IncomingMemory: 4,
			IncomingExtended: []NamedAmount{{"hugepages-1Gi", 6}, {"hugepages-2Mi", 5}}},
	}, nil)
	if cpu, memory := s.Estimate(id); cpu != 1 || memory != 2 {
		t.Errorf("Estimate = %d m, %d bytes; want 1 and 2", cpu, memory)
	}
	for name, want := range map[string]int64{
		"cpu": 3, "memory": 4, "ephemeral-storage": 7, "example.com/nic": 1, "hugepages-2Mi": 5, "hugepages-1Gi": 6, "example.com/other": 0,
	} {
		if r, ok := s.Column(name); !ok || s.Incoming(id, r) != want {
			t.Errorf("of %s, %d are incoming; want %d", name, s.Incoming(id, r), want)
		}
	}
	if r, ok := s.Column("hugepages-2Mi"); !ok || s.ClassByID(id).Requests.Get(r) != 8 {
		t.Error("what is incoming is requested too")
	}
	if _, ok := s.Column("example.com/gone"); ok {
		t.Error("there is a column that nobody has asked for")
	}
	plain := s.Intern(&Class{Requests: Amounts{CPU: 250}, BestEffortCPU: 2, BestEffortMemory: 1}, nil)
	if cpu, memory := s.Incoming(plain, CPU), s.Incoming(plain, Memory); cpu != 450 || memory != 200*1024*1024 {
		t.Errorf("without Estimates %d m, %d bytes are incoming; want 450 m and 200 MiB", cpu, memory)
	}
}

func TestMixCountsClasses(t *testing.T) {
	a, b := &Class{Namespace: "a"}, &Class{Namespace: "b"}
	mix := MixOf([]PodSpec{{Class: b}, {Class: a}, {Class: &Class{Namespace: "b"}}, {Class: b}})
	if len(mix) != 2 || mix[0].Class != b || mix[0].Pods != 3 || mix[1].Class != a || mix[1].Pods != 1 {
		t.Errorf("MixOf = %v", mix)
	}
}
