package traces

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/berthsim/berth/cluster"
)

// A Difference says in what two workloads differ.
type Difference struct {
	Events [2]int64         // in each
	Kinds  []KindDifference // how many of each kind, in order of kinds
	First  *FirstDifference // nil if they are equal
}

// A KindDifference is how many events of a kind each has.
type KindDifference struct {
	Kind  cluster.Kind
	Count [2]int64
}

// A FirstDifference is the first event that isn't the same in both.
type FirstDifference struct {
	Index int64     `json:"index"`           // how many are the same before it
	Event [2]string `json:"event"`           // what each has; "" if it has ended
	Field string    `json:"field,omitempty"` // the first part of the event that differs, as Go names it, with both values; "" if another event came or one has ended
}

// Diff compares two workloads event by event: what comes when, and what it is like. How
// pods and nodes are numbered when they come doesn't count.
func Diff(a, b Stream) (*Difference, error) {
	d := &Difference{}
	counts := map[cluster.Kind]*[2]int64{}
	var kinds []cluster.Kind
	same := sameness{}
	sides := [2]Stream{a, b}
	var ended [2]bool
	for !ended[0] || !ended[1] {
		var events [2]*cluster.Event
		for i, s := range sides {
			if ended[i] {
				continue
			}
			e, err := s.Next()
			if errors.Is(err, io.EOF) {
				ended[i] = true
				continue
			}
			if err != nil {
				return nil, err
			}
			events[i] = &e
			d.Events[i]++
			if counts[e.Kind] == nil {
				counts[e.Kind] = new([2]int64)
				kinds = append(kinds, e.Kind)
			}
			counts[e.Kind][i]++
		}
		if d.First == nil && (events[0] != nil || events[1] != nil) {
			d.First = same.first(events[0], events[1], max(d.Events[0], d.Events[1])-1)
		}
	}
	slices.Sort(kinds)
	for _, k := range kinds {
		d.Kinds = append(d.Kinds, KindDifference{k, *counts[k]})
	}
	return d, nil
}

// sameness remembers which classes are the same, so that those of many pods are looked
// at once.
type sameness map[[2]*cluster.Class]bool

// first returns how two events differ, nil if they don't.
func (sm sameness) first(a, b *cluster.Event, index int64) *FirstDifference {
	if a == nil || b == nil {
		return &FirstDifference{Index: index, Event: [2]string{describe(a), describe(b)}}
	}
	x, y := *a, *b
	if comes(x.Kind) {
		x.Pod, x.Node = cluster.None, cluster.None
	}
	if comes(y.Kind) {
		y.Pod, y.Node = cluster.None, cluster.None
	}
	if x.PodSpec != nil && y.PodSpec != nil {
		pair := [2]*cluster.Class{x.PodSpec.Class, y.PodSpec.Class}
		if sm[pair] {
			if x.Time == y.Time && justComes(&x) && justComes(&y) && sameSpec(x.PodSpec, y.PodSpec) {
				return nil
			}
			p := *y.PodSpec
			p.Class = x.PodSpec.Class
			y.PodSpec = &p
		} else if pair[0] != pair[1] {
			sm[pair] = differs("", reflect.ValueOf(pair[0]), reflect.ValueOf(pair[1])) == ""
		}
	}
	field := differs("", reflect.ValueOf(x), reflect.ValueOf(y))
	if field == "" {
		return nil
	}
	if x.Kind != y.Kind || subject(&x) != subject(&y) {
		field = ""
	}
	return &FirstDifference{Index: index, Event: [2]string{describe(a), describe(b)}, Field: field}
}

// justComes reports whether all that an event says is that a pod comes.
func justComes(e *cluster.Event) bool {
	return e.Kind == cluster.PodAdded && e.NodeSpec == nil && e.Object == nil && e.Health == nil && !e.Ready && e.Code == 0 &&
		e.Reason == "" && e.OldNode == nil && e.OldPod.Account == nil && e.OldPod.Labels == nil && e.Decision.Kind == 0
}

// sameSpec is what differs says of most pods, without reflection, which takes ten times
// as long. It may say no of pods that are the same, and doesn't look at their classes.
func sameSpec(a, b *cluster.PodSpec) bool {
	return a.Name == b.Name && slices.Equal(a.Labels, b.Labels) && a.Account == b.Account && a.On == b.On && a.Allocation == b.Allocation && a.Nominated == b.Nominated &&
		a.Terminating == b.Terminating && a.Preempted == b.Preempted && a.Unready == b.Unready && a.Starting == b.Starting &&
		a.Started == b.Started && a.Run == b.Run && a.Continues == b.Continues && a.Stop == b.Stop && a.Grace == b.Grace
}

// differs returns the path of the first field in which two values differ, and both; "" if
// there is none. Lists without elements are all alike, as files keep no other.
func differs(path string, a, b reflect.Value) string {
	if !a.IsValid() || !b.IsValid() || a.Type() != b.Type() {
		if !a.IsValid() && !b.IsValid() {
			return ""
		}
		return fmt.Sprintf("%s: of another kind", strings.TrimPrefix(path, "."))
	}
	switch a.Kind() {
	case reflect.Pointer, reflect.Interface:
		if a.IsNil() || b.IsNil() {
			if a.IsNil() == b.IsNil() {
				return ""
			}
			return fmt.Sprintf("%s: only one has it", strings.TrimPrefix(path, "."))
		}
		if a.Kind() == reflect.Pointer && a.Pointer() == b.Pointer() {
			return ""
		}
		return differs(path, a.Elem(), b.Elem())
	case reflect.Struct:
		for i := range a.NumField() {
			if found := differs(path+"."+a.Type().Field(i).Name, a.Field(i), b.Field(i)); found != "" {
				return found
			}
		}
		return ""
	case reflect.Slice, reflect.Array:
		for i := range min(a.Len(), b.Len()) {
			if found := differs(fmt.Sprintf("%s[%d]", path, i), a.Index(i), b.Index(i)); found != "" {
				return found
			}
		}
		if a.Len() != b.Len() {
			return fmt.Sprintf("%s: %d and %d of them", strings.TrimPrefix(path, "."), a.Len(), b.Len())
		}
		return ""
	}
	if a.Equal(b) {
		return ""
	}
	return fmt.Sprintf("%s: %v and %v", strings.TrimPrefix(path, "."), a.Interface(), b.Interface())
}

// subject names what an event is about, if it says so.
func subject(e *cluster.Event) string {
	switch {
	case e.NodeSpec != nil:
		return e.NodeSpec.Name
	case e.PodSpec != nil && e.PodSpec.Class != nil:
		return cluster.Key(e.PodSpec.Class.Namespace, e.PodSpec.Name)
	case e.Object != nil:
		return objectKey(e.Object)
	case e.Pod != cluster.None:
		return fmt.Sprintf("pod %d", e.Pod)
	case e.Node != cluster.None:
		return fmt.Sprintf("node %d", e.Node)
	}
	return ""
}

// describe tells an event in a few words.
func describe(e *cluster.Event) string {
	if e == nil {
		return ""
	}
	seconds := func(t cluster.Time) string { return strconv.FormatFloat(t.Seconds(), 'f', -1, 64) }
	words := fmt.Sprintf("at %s s %v %s", seconds(e.Time), e.Kind, subject(e))
	if e.Kind == cluster.PodAdded && e.PodSpec.Run != cluster.Never {
		words += fmt.Sprintf(" for %s s", seconds(e.PodSpec.Run))
	}
	return words
}
