package cluster

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// internBenches are States in which classes and labels are known, and pods for
// them: with as many labels, of which some selector mentions the first ones, and
// of which the last ones differ from pod to pod.
var internBenches = []struct{ classes, labels, mentioned, differ int }{
	{1, 0, 0, 0}, {1, 5, 0, 0}, {1, 5, 2, 0}, {1, 5, 2, 1}, {1, 5, 5, 0}, {1, 5, 5, 1}, {100, 5, 2, 1},
}

// knownPods returns a State, and 1,000 pods of which it knows the rows. Their
// labels have nothing in common but what they say, as if they had been read.
func knownPods(classes, labels, mentioned, differ int) (*State, []PodSpec) {
	s := NewState()
	of := make([]*Class, classes)
	for i := range of {
		of[i] = &Class{
			Namespace: "ns", Owner: OwnerRef{Kind: "ReplicaSet", Name: fmt.Sprint("r", i)}, Requests: Amounts{CPU: 100, Memory: 1 << 30},
			Tolerations: []Toleration{{Key: "node.kubernetes.io/not-ready", Exists: true}, {Key: "node.kubernetes.io/unreachable", Exists: true}},
			NodeLabels:  Labels{{"disk", "ssd"}}, Images: []string{"registry.k8s.io/pause:3.10"},
		}
	}
	keys := []string{"app.kubernetes.io/instance", "app.kubernetes.io/name", "pod-template-hash", "team", "zz"}
	for _, key := range keys[:mentioned] {
		s.mention(key)
	}
	pods := make([]PodSpec, 1000)
	for i := range pods {
		pods[i].Class = of[i%classes]
		for k, key := range keys[:labels] {
			value := "the-same-for-all"
			if k >= labels-differ {
				value = fmt.Sprint("value-", i)
			}
			pods[i].Labels = append(pods[i].Labels, Label{key, strings.Clone(value)})
		}
		s.Intern(pods[i].Class, pods[i].Labels)
	}
	return s, pods
}

func BenchmarkIntern(b *testing.B) {
	for _, bb := range internBenches {
		b.Run(fmt.Sprintf("classes=%d/labels=%d/mentioned=%d/differ=%d", bb.classes, bb.labels, bb.mentioned, bb.differ), func(b *testing.B) {
			s, pods := knownPods(bb.classes, bb.labels, bb.mentioned, bb.differ)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				p := &pods[i%len(pods)]
				s.Intern(p.Class, p.Labels)
			}
		})
	}
}

// TestInternAllocatesNothing holds Intern to what its benchmark says of pods like
// those that are known.
func TestInternAllocatesNothing(t *testing.T) {
	for _, tt := range internBenches {
		s, pods := knownPods(tt.classes, tt.labels, tt.mentioned, tt.differ)
		if allocs := testing.AllocsPerRun(10, func() {
			for i := range pods {
				s.Intern(pods[i].Class, pods[i].Labels)
			}
		}); allocs != 0 {
			t.Errorf("with %+v, %v allocations for %d pods, want none", tt, allocs, len(pods))
		}
	}
}

// TestInternForgetsAddresses gives State more Classes than it remembers by their
// addresses, one template among others, and expects the rows that copies get.
func TestInternForgetsAddresses(t *testing.T) {
	s := NewState()
	var given []*Class
	for i := range mostNumbered + 2 {
		c := &Class{Namespace: "ns", Priority: int32(i % 3)}
		given = append(given, c)
		s.Intern(c, nil)
	}
	if n := len(s.templateOf); n > mostNumbered || s.Classes() != 3 {
		t.Errorf("%d addresses are remembered, at most %d may be; %d rows, want 3", n, mostNumbered, s.Classes())
	}
	for _, c := range append(given[:5], given[len(given)-5:]...) {
		again := *c
		if got, want := s.Intern(c, nil), s.Intern(&again, nil); got != want || s.ClassByID(got).Priority != c.Priority {
			t.Errorf("priority %d got row %d, a copy %d", c.Priority, got, want)
		}
	}
}

// TestInternKnowsNewMentions gives one Class again after what its labels mean has
// changed.
func TestInternKnowsNewMentions(t *testing.T) {
	s := NewState()
	c, labels := &Class{Namespace: "ns"}, []Labels{{{"a", "1"}, {"b", "1"}}, {{"a", "1"}, {"b", "2"}}, {{"a", "2"}, {"b", "2"}}, nil}
	rows := func() (ids []ClassID) {
		for _, ls := range labels {
			ids = append(ids, s.Intern(c, ls))
		}
		return ids
	}
	for _, step := range []struct {
		key  string
		want []ClassID
	}{{"", []ClassID{0, 0, 0, 0}}, {"c", []ClassID{0, 0, 0, 0}}, {"b", []ClassID{1, 2, 2, 0}}, {"a", []ClassID{3, 4, 5, 0}}} {
		s.mention(step.key)
		if got := rows(); !slices.Equal(got, step.want) {
			t.Errorf("after %q is mentioned, rows are %v, want %v", step.key, got, step.want)
		}
	}
}

// TestInternAgreesWithItsSlowTwin interns pods in any order, while more and more
// keys are mentioned, and expects one row for each text of a class with those of
// its labels that count.
func TestInternAgreesWithItsSlowTwin(t *testing.T) {
	s, rng := NewState(), rand.New(rand.NewPCG(1, 2))
	keys := []string{"a", "b", "c", "d"}
	rows, texts := map[string]ClassID{}, map[ClassID]string{}
	classes, sets := []*Class{{}}, []Labels{nil}
	for range 20_000 {
		switch rng.IntN(20) {
		case 0: // one that is new, or equal to another
			classes = append(classes, &Class{Priority: rng.Int32N(5)})
		case 1:
			var labels Labels
			for _, key := range keys {
				if rng.IntN(2) == 0 {
					labels = append(labels, Label{key, fmt.Sprint(rng.IntN(2))})
				}
			}
			sets = append(sets, labels)
		case 2:
			if rng.IntN(200) == 0 {
				sel := &Selector{[]Requirement{{Key: keys[rng.IntN(len(keys))], Op: Exists}}}
				classes = append(classes, &Class{Affinity: PodAffinity{Required: []PodTerm{{Selector: sel}}}})
			}
		}
		c, labels := classes[rng.IntN(len(classes))], sets[rng.IntN(len(sets))]
		got := s.Intern(c, labels)
		text := string(appendLabels(appendClass(nil, c), s.mentioned(labels)))
		if want, ok := rows[text]; ok && got != want || !ok && texts[got] != "" || !slices.Equal(s.ClassByID(got).Labels, s.mentioned(labels)) {
			t.Fatalf("%+v with %v got row %d, which is that of %q", c, labels, got, texts[got])
		}
		rows[text], texts[got] = got, text
	}
	if len(rows) < 30 || len(s.selectorKeys) != len(keys) {
		t.Errorf("only %d rows and %d keys were met", len(rows), len(s.selectorKeys))
	}
}
