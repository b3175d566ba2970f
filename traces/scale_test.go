package traces

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/google/go-cmp/cmp"
)

// owned is a pod of a Job, whose class all pods of the Job share.
func owned(at cluster.Time, k int, job *cluster.Class, user string) cluster.Event {
	e := podAdded(at, k, fmt.Sprintf("%s-%d", job.Owner.Name, k), 10*sec)
	e.PodSpec.Class, e.PodSpec.Labels = job, cluster.Labels{{Key: "job", Value: job.Owner.Name}}
	if user != "" {
		e.PodSpec.Labels = append(e.PodSpec.Labels, cluster.Label{Key: "user", Value: user})
	}
	return e
}

func jobClass(namespace, name string) *cluster.Class {
	return &cluster.Class{Namespace: namespace, Owner: cluster.OwnerRef{Kind: "Job", Name: name}, Requests: cluster.Amounts{1000}}
}

// jobs has 200 jobs of 1 to 5 pods, in 20 namespaces and of 40 users, that come at once.
func jobs() (events []cluster.Event) {
	events = append(events, nodeAdded(0, 0, "n"))
	for i := range 200 {
		class := jobClass(fmt.Sprintf("ns-%d", i%20), fmt.Sprintf("job-%d", i))
		for range 1 + i%5 {
			events = append(events, owned(cluster.Time(i)*sec, len(events)-1, class, fmt.Sprintf("user-%d", i%40)))
		}
	}
	return events
}

// groupsOf returns how many pods each group has.
func groupsOf(events []cluster.Event, by string) map[group]int {
	pods := map[group]int{}
	for _, e := range events {
		if e.Kind == cluster.PodAdded {
			pods[podGroup(e.PodSpec, by)]++
		}
	}
	return pods
}

// Groups come whole or not at all, as often as was asked for, to within one.
func TestScale(t *testing.T) {
	recorded := jobs()
	for _, by := range Groupings {
		was, most := groupsOf(recorded, by), 0
		for _, pods := range was {
			most = max(most, pods)
		}
		for _, factor := range []float64{0.05, 0.5, 1, 1.5, 3} {
			t.Run(fmt.Sprintf("%s/%v", by, factor), func(t *testing.T) {
				s, err := Scale(again(recorded...), ScaleOptions{Pods: factor, By: by, Seed: 7, Jitter: 30 * sec})
				if err != nil {
					t.Fatal(err)
				}
				events := all(t, s)
				total, now := 0, cluster.Time(0)
				for g, pods := range groupsOf(events, by) {
					total += pods
					original := g
					original.namespace, _, _ = strings.Cut(g.namespace, "-copy-")
					original.name, _, _ = strings.Cut(g.name, "-copy-")
					if was[original] != pods {
						t.Errorf("%v has %d pods, and %v had %d", g, pods, original, was[original])
					}
				}
				if want := factor * 600; math.Abs(float64(total)-want) > float64(most)/2 {
					t.Errorf("%d pods, want %v to within half a group of %d", total, want, most)
				}
				number := cluster.PodID(0)
				for _, e := range events {
					if e.Time < now {
						t.Fatalf("%s comes after one at %d", describe(&e), now)
					}
					now = e.Time
					if e.Kind == cluster.PodAdded {
						if e.Pod != number {
							t.Fatalf("%s has number %d, want %d", describe(&e), e.Pod, number)
						}
						number += 2
					}
				}
				if problems, err := Validate(again(events...)()); err != nil || len(problems) > 0 {
					t.Errorf("%v, %v", problems, err)
				}
			})
		}
	}
}

// The smaller workload is part of the larger.
func TestScaleIsNested(t *testing.T) {
	had := map[string]bool{}
	for _, factor := range []float64{0.1, 0.3, 0.9, 1.7, 4.2} {
		s, err := Scale(again(jobs()...), ScaleOptions{Pods: factor, By: "job", Seed: 3, Jitter: 100 * sec})
		if err != nil {
			t.Fatal(err)
		}
		has := map[string]bool{}
		for _, e := range all(t, s) {
			has[describe(&e)] = true
		}
		for e := range had {
			if !has[e] {
				t.Fatalf("with %v there is no more %s", factor, e)
			}
		}
		had = has
	}
}

func TestScaleToLoad(t *testing.T) {
	for _, load := range []float64{3, 6, 25} {
		s, err := Scale(again(jobs()...), ScaleOptions{Load: load, By: "job", Seed: 3})
		if err != nil {
			t.Fatal(err)
		}
		var d Demand
		for _, e := range all(t, s) {
			d.Take(&e)
		}
		if got := d.Offered("cpu"); math.Abs(got-load) > 0.15*load {
			t.Errorf("the offered load is %v, want %v", got, load)
		}
	}
	_, err := Scale(again(nodeAdded(0, 0, "n"), podAdded(0, 0, "p", sec)), ScaleOptions{Load: 1, By: "job"})
	if err == nil || !strings.Contains(err.Error(), "no offered load to change") {
		t.Errorf("got %v", err)
	}
}

// What happens to a pod later happens to its copies, by their numbers.
func TestScaleNumbers(t *testing.T) {
	a, b := jobClass("ns", "a"), jobClass("ns", "b")
	recorded := again(
		nodeAdded(0, 0, "n"), owned(1*sec, 0, a, ""), owned(2*sec, 1, b, ""),
		about1(3*sec, cluster.PodEnded, 0), about1(3*sec, cluster.PodEnded, 1), ofNode(4*sec, cluster.NodeRemoved, 0),
	)
	s, err := Scale(recorded, ScaleOptions{Pods: 2, By: "job", Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	events := all(t, s)
	wantTold(t, events,
		"at 0 s NodeAdded n #0",
		"at 1 s PodAdded ns/a-0 for 10 s #0", "at 1 s PodAdded ns/a-0-copy-1 for 10 s #2",
		"at 2 s PodAdded ns/b-1 for 10 s #4", "at 2 s PodAdded ns/b-1-copy-1 for 10 s #6",
		"at 3 s PodEnded pod 0", "at 3 s PodEnded pod 2", "at 3 s PodEnded pod 4", "at 3 s PodEnded pod 6",
		"at 4 s NodeRemoved node 0")
	copied := events[2].PodSpec
	if diff := cmp.Diff(cluster.OwnerRef{Kind: "Job", Name: "a-copy-1"}, copied.Class.Owner); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(cluster.Labels{{Key: "job", Value: "a-copy-1"}}, copied.Labels); diff != "" {
		t.Error(diff)
	}
}

// Copies of copies have names of their own.
func TestScaleTwice(t *testing.T) {
	for _, by := range Groupings {
		events := jobs()
		for range 3 {
			s, err := Scale(again(events...), ScaleOptions{Pods: 2, By: by, Seed: 1})
			if err != nil {
				t.Fatal(err)
			}
			events = all(t, s)
			if problems, err := Validate(again(events...)()); err != nil || len(problems) > 0 {
				t.Errorf("by %s: %v, %v", by, problems, err)
			}
		}
		if len(events) != 1+8*600 {
			t.Errorf("by %s: %d events", by, len(events))
		}
	}
	for name, want := range map[string]int{
		"job": 0, "job-copy": 0, "copy-1": 0, "job-copy-1": 1, "job-copy-1-0": 1, "job-copy2-1": 2, "job-copy-1-copy3-7": 3, "job-copying-1": 0, "a-copy0-1": 0, "a-copy-copy2-1": 2,
	} {
		if got := copyLevel(name); got != want {
			t.Errorf("%s has level %d, want %d", name, got, want)
		}
	}
}

// A namespace comes again with all that is in it.
func TestScaleNamespaces(t *testing.T) {
	set := func(o cluster.Object) cluster.Event {
		return cluster.Event{Kind: cluster.ObjectSet, Pod: cluster.None, Node: cluster.None, Object: o}
	}
	e := podAdded(1*sec, 0, "p", sec)
	e.PodSpec.Class.Affinity.Required = []cluster.PodTerm{{Namespaces: []string{"ns", "other"}}}
	e.PodSpec.On = "n"
	s, err := Scale(again(nodeAdded(0, 0, "n"), set(&cluster.Namespace{Name: "ns"}), set(&cluster.ResourceQuota{Namespace: "ns", Name: "q"}), e),
		ScaleOptions{Pods: 2, By: "namespace", Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	events := all(t, s)
	wantTold(t, events,
		"at 0 s NodeAdded n #0", "at 0 s ObjectSet Namespace/ns", "at 0 s ObjectSet Namespace/ns-copy-1",
		"at 0 s ObjectSet ResourceQuota/ns/q", "at 0 s ObjectSet ResourceQuota/ns-copy-1/q",
		"at 1 s PodAdded ns/p for 1 s #0", "at 1 s PodAdded ns-copy-1/p for 1 s #2")
	p := events[6].PodSpec
	if diff := cmp.Diff([]string{"ns-copy-1", "other"}, p.Class.Affinity.Required[0].Namespaces); diff != "" {
		t.Error(diff)
	}
	if p.On != "" || events[5].PodSpec.On != "n" {
		t.Errorf("the copy is on %q, the pod on %q", p.On, events[5].PodSpec.On)
	}
}

func TestParseFactor(t *testing.T) {
	for _, text := range []string{"", "0", "-1", "NaN", "1001", "+Inf", "half"} {
		if f, err := ParseFactor(text); err == nil {
			t.Errorf("%q is %v", text, f)
		}
	}
	if f, err := ParseFactor("0.25"); f != 0.25 || err != nil {
		t.Errorf("got %v, %v", f, err)
	}
}
