package cluster

import "testing"

// TestClassesAreEqualByContent interns variants of a class that differ in one
// thing each.
func TestClassesAreEqualByContent(t *testing.T) {
	base := func() *Class {
		return &Class{
			Namespace: "ns", Priority: 1, Requests: Amounts{CPU: 1, Memory: 2, EphemeralStorage: 3},
			Extended: []NamedAmount{{"x", 1}}, GPUs: GPURequest{Count: 1, Shares: 5, Models: []string{"A"}},
			BestEffortCPU: 1, BestEffortMemory: 1,
		}
	}
	variants := map[string]func(*Class){
		"namespace":       func(c *Class) { c.Namespace = "other" },
		"priority":        func(c *Class) { c.Priority = 2 },
		"cpu":             func(c *Class) { c.Requests[CPU]++ },
		"memory":          func(c *Class) { c.Requests[Memory]++ },
		"storage":         func(c *Class) { c.Requests[EphemeralStorage]++ },
		"extended name":   func(c *Class) { c.Extended[0].Name = "y" },
		"extended amount": func(c *Class) { c.Extended[0].Amount++ },
		"no extended":     func(c *Class) { c.Extended = nil },
		"gpus":            func(c *Class) { c.GPUs.Count++ },
		"shares":          func(c *Class) { c.GPUs.Shares++ },
		"model":           func(c *Class) { c.GPUs.Models[0] = "B" },
		"models":          func(c *Class) { c.GPUs.Models = []string{"A", "B"} },
		"any model":       func(c *Class) { c.GPUs.Models = nil },
		"best-effort cpu": func(c *Class) { c.BestEffortCPU++ },
		"best-effort mem": func(c *Class) { c.BestEffortMemory++ },
	}
	s := NewState()
	id := s.Intern(base())
	if again := s.Intern(base()); again != id {
		t.Errorf("equal classes got rows %d and %d", id, again)
	}
	seen := map[ClassID]string{id: "base"}
	for name, change := range variants {
		c := base()
		change(c)
		got := s.Intern(c)
		if other, ok := seen[got]; ok {
			t.Errorf("a class with another %s got the row of %s", name, other)
		}
		seen[got] = name
	}
}

func TestEstimateCountsWhatIsNotAskedFor(t *testing.T) {
	s := NewState()
	id := s.Intern(&Class{Requests: Amounts{CPU: 250}, BestEffortCPU: 2, BestEffortMemory: 1})
	cpu, memory := s.Estimate(id)
	if cpu != 450 || memory != 200*1024*1024 {
		t.Errorf("Estimate = %d m, %d bytes; want 450 m and 200 MiB", cpu, memory)
	}
}

func TestMixCountsClasses(t *testing.T) {
	a, b := &Class{Namespace: "a"}, &Class{Namespace: "b"}
	mix := MixOf([]PodSpec{{Class: b}, {Class: a}, {Class: &Class{Namespace: "b"}}, {Class: b}})
	if len(mix) != 2 || mix[0].Class != b || mix[0].Pods != 3 || mix[1].Class != a || mix[1].Pods != 1 {
		t.Errorf("MixOf = %v", mix)
	}
}
