package scenario

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"k8s.io/apimachinery/pkg/runtime"
)

// Minimise makes a failing scenario smaller: it leaves out steps, the configuration, and fields and list
// elements of objects as long as fails still says true, which it must do for the scenario itself. It
// calls fails at most tries times. A scenario that can't be played should count as not failing.
func Minimise(s *Scenario, fails func(*Scenario) bool, tries int) *Scenario {
	m := &minimiser{best: s.Clone(), fails: fails, tries: tries}
	for before := -1; m.successes > before && m.tries > 0; {
		before = m.successes
		m.steps()
		m.config()
		m.objects()
	}
	return m.best
}

type minimiser struct {
	best  *Scenario
	fails func(*Scenario) bool
	tries int
	// successes counts the attempts that still failed, as wanted.
	successes int
}

// attempt takes a candidate if it still fails.
func (m *minimiser) attempt(candidate *Scenario) bool {
	if m.tries <= 0 {
		return false
	}
	m.tries--
	if !m.fails(candidate.Clone()) {
		return false
	}
	m.best = candidate
	m.successes++
	return true
}

// steps leaves out steps, first large pieces of the story, then smaller ones.
func (m *minimiser) steps() {
	for size := max(len(m.best.Steps)/2, 1); size >= 1; size /= 2 {
		// From the end, since what comes last depends on what comes first.
		for end := len(m.best.Steps); end > 0; end -= size {
			c := *m.best
			c.Steps = slices.Delete(slices.Clone(c.Steps), max(end-size, 0), min(end, len(c.Steps)))
			m.attempt(&c)
		}
	}
}

func (m *minimiser) config() {
	if len(m.best.Config) > 0 {
		c := *m.best
		c.Config = nil
		m.attempt(&c)
	}
}

// kept are the fields without which an object isn't the same object.
var kept = map[string]bool{"name": true, "namespace": true, "uid": true, "metadata": true, "spec": true, "schedulerName": true}

// objects leaves out fields and list elements.
func (m *minimiser) objects() {
	for i := range m.best.Steps {
		obj := m.best.Steps[i].Object
		if obj == nil {
			continue
		}
		fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(obj)
		if err != nil {
			panic(fmt.Sprintf("minimising a %T: %v", obj, err)) // it is an API type
		}
		m.shrink(fields, func() bool {
			smaller := reflect.New(reflect.TypeOf(obj).Elem()).Interface().(runtime.Object)
			if runtime.DefaultUnstructuredConverter.FromUnstructured(fields, smaller) != nil {
				return false
			}
			c := *m.best
			c.Steps = slices.Clone(c.Steps)
			c.Steps[i].Object = smaller
			return m.attempt(&c)
		})
	}
}

// shrink leaves out parts of a value for which try says that the scenario still fails.
func (m *minimiser) shrink(value any, try func() bool) {
	fields, ok := value.(map[string]any)
	if !ok {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		old := fields[name]
		if !kept[name] {
			delete(fields, name)
			if try() {
				continue
			}
			fields[name] = old
		}
		list, ok := old.([]any)
		if !ok {
			m.shrink(old, try)
			continue
		}
		for i := len(list) - 1; i >= 0; i-- {
			shorter := slices.Delete(slices.Clone(list), i, i+1)
			fields[name] = shorter
			if try() {
				list = shorter
				continue
			}
			fields[name] = list
			m.shrink(list[i], try)
		}
	}
}
