package manifest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/berthsim/berth/cluster"
	v1 "k8s.io/api/core/v1"
)

// checkLike tells what is wrong with how two pods compare: if they are alike,
// they must become the same. It reports whether they are.
func checkLike(t *testing.T, p, q *v1.Pod, what string) bool {
	t.Helper()
	e := makeExcerpt(p)
	convert := func(p *v1.Pod) (both any, err error) {
		class, account, err := classAndAccount(p)
		if err != nil {
			return nil, err
		}
		return []any{class, account}, nil
	}
	both, err := convert(p)
	if again, errAgain := convert(e.pod); !reflect.DeepEqual(again, both) || fmt.Sprint(err) != fmt.Sprint(errAgain) {
		t.Errorf("an excerpt of %s becomes\n%s (%v), not\n%s (%v)", what, asJSON(again), errAgain, asJSON(both), err)
	}
	bare := p.DeepCopy()
	dropIgnored(reflect.ValueOf(bare).Elem())
	if !e.like(p) || !e.like(bare) {
		t.Errorf("%s isn't like itself: %v, like itself without what is ignored: %v", what, e.like(p), e.like(bare))
	}
	if !e.like(q) {
		return false
	}
	if other, errOther := convert(q); !reflect.DeepEqual(other, both) || (err == nil) != (errOther == nil) {
		t.Errorf("%s: pods that are alike become\n%s (%v) and\n%s (%v)", what, asJSON(both), err, asJSON(other), errOther)
	}
	return true
}

// fullPods are pods that have something in every field: one whose class has, too,
// one that wants a node, one that is told little of what it was given and whose
// resize can't be, and some of which most can't be converted.
func fullPods(t *testing.T) []*v1.Pod {
	p := &v1.Pod{}
	if err := json.Unmarshal([]byte(fullPod), p); err != nil {
		t.Fatal(err)
	}
	pending := p.DeepCopy()
	pending.Spec.NodeName = ""
	resized := p.DeepCopy()
	resized.Spec.TopologySpreadConstraints[0].MatchLabelKeys = []string{}
	resized.Status.Conditions[0] = v1.PodCondition{Type: v1.PodResizePending, Reason: v1.PodReasonInfeasible}
	resized.Status.Resources = &v1.ResourceRequirements{}
	resized.Status.ContainerStatuses[0].Resources = &v1.ResourceRequirements{}
	rng := rand.New(rand.NewPCG(1, 1))
	pods := []*v1.Pod{p, pending, resized}
	for range 2 {
		pods = append(pods, filledPod(rng, true))
	}
	return pods
}

// filledPod fills in some fields, or all.
func filledPod(rng *rand.Rand, all bool) *v1.Pod {
	f := filler{data: make([]byte, 100+rng.IntN(2000)), all: all}
	for i := range f.data {
		f.data[i] = byte(rng.Uint32())
	}
	p := &v1.Pod{}
	f.fill(reflect.ValueOf(p).Elem())
	return p
}

// TestLikeComparesAll changes everything that is converted of full pods, one at a
// time: what isn't told from the pod before must become the same class.
func TestLikeComparesAll(t *testing.T) {
	for n, p := range fullPods(t) {
		changes, alike := 0, 0
		for {
			q, left := p.DeepCopy(), changes
			at := mutate(reflect.ValueOf(q).Elem(), "", &left)
			if at == "" {
				break
			}
			changes++
			if checkLike(t, p, q, fmt.Sprintf("full pod %d, with another %s", n, at)) {
				alike++
			}
		}
		if changes < 400 || alike < 40 || alike > changes/2 {
			t.Errorf("of %d changes of full pod %d, %d leave it alike", changes, n, alike)
		}
	}
}

// FuzzLike compares any pod with what some changes make of it, and with another.
func FuzzLike(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, []byte{1}, true, uint16(7), uint16(70))
	f.Add([]byte(podA+podYAML("a")), []byte{}, false, uint16(300), uint16(3))
	f.Fuzz(func(t *testing.T, one, two []byte, all bool, first, second uint16) {
		p, q := &v1.Pod{}, &v1.Pod{}
		a, b := filler{data: one, all: all}, filler{data: two, all: all}
		a.fill(reflect.ValueOf(p).Elem())
		b.fill(reflect.ValueOf(q).Elem())
		checkLike(t, p, q, "a pod and another")
		q = p.DeepCopy()
		for _, change := range []uint16{first, second} {
			at := mutateAny(q, int(change))
			checkLike(t, p, q, "a pod with another "+at)
		}
	})
}

// mutateAny makes one of a pod's changes.
func mutateAny(p *v1.Pod, which int) string {
	left := 1 << 30
	mutate(reflect.ValueOf(p).Elem(), "", &left)
	left = which % (1<<30 - left)
	return mutate(reflect.ValueOf(p).Elem(), "", &left)
}

// TestConverterAgreesWithItsSlowTwin has one Converter convert pods of all kinds,
// many of them alike, and change under its hands, and a new one each of them.
func TestConverterAgreesWithItsSlowTwin(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	epoch := time.Unix(1700000000, 0)
	conv := Converter{Epoch: epoch}
	pods := slices.Concat(fullPods(t), examplePods("")[:3], examplePods("node")[:3], plainPods(3, 3, 1)[:9])
	for i := range pods {
		pods[i] = pods[i].DeepCopy() // those of benchmarks stay as they are
	}
	type result struct {
		spec *cluster.PodSpec
		json string
	}
	var results []result
	recalled := 0
	for i := range 8_000 {
		p := pods[rng.IntN(len(pods))]
		switch rng.IntN(10) {
		case 0:
			p = p.DeepCopy()
			mutateAny(p, rng.IntN(1<<20))
			pods[rng.IntN(len(pods))] = p
		case 1:
			mutateAny(p, rng.IntN(1<<20))
		case 2:
			p = filledPod(rng, false)
			pods[rng.IntN(len(pods))] = p
		case 3:
			p.Labels = map[string]string{"a": "b", words[rng.IntN(5)]: words[rng.IntN(5)]}
		}
		if conv.memory.recall(p) != nil {
			recalled++
		}
		got, err := conv.Pod(p)
		want, errWant := podSpec(p)
		if errWant == nil && p.Status.StartTime != nil {
			at := cluster.Time(p.Status.StartTime.Sub(epoch))
			want.Started = &at
		}
		if fmt.Sprint(err) != fmt.Sprint(errWant) || asJSON(got) != asJSON(want) || err == nil && !sameClass(got.Class, want.Class) {
			t.Fatalf("pod %d becomes\n%s (%v), not\n%s (%v)", i, asJSON(got), err, asJSON(want), errWant)
		}
		if err == nil {
			results = append(results, result{got, asJSON(got)})
		}
	}
	for _, r := range results {
		if now := asJSON(r.spec); now != r.json {
			t.Fatalf("after its pod was changed, or others came, a PodSpec was\n%s, not\n%s", now, r.json)
		}
	}
	if recalled < 2000 || recalled > 7500 {
		t.Errorf("%d of 8,000 pods were recalled", recalled)
	}
}

// TestMemoryIsBounded converts more pods than are remembered, some with one
// outline, some that can't be converted.
func TestMemoryIsBounded(t *testing.T) {
	var conv Converter
	pod := func(namespace, scheduler, node string) *v1.Pod {
		p := &v1.Pod{Spec: v1.PodSpec{SchedulerName: scheduler, NodeSelector: map[string]string{"node": node}}}
		p.Namespace = namespace
		return p
	}
	for i := range mostPods + 10 {
		for range 2 {
			p := pod(fmt.Sprint("ns-", i), "", "")
			spec, err := conv.Pod(p)
			if err != nil || spec.Class.Namespace != p.Namespace || conv.memory.recall(p) == nil {
				t.Fatalf("pod %d becomes %v, %v", i, spec, err)
			}
		}
	}
	if got, want := conv.memory.count, 10; got != want || len(conv.memory.pods) != want {
		t.Errorf("of %d pods %d are remembered, with %d outlines, want %d", mostPods+10, got, len(conv.memory.pods), want)
	}
	conv = Converter{}
	for i := range 3 * mostAlike {
		if spec, err := conv.Pod(pod("", "", fmt.Sprint(i))); err != nil || spec.Class.NodeLabels[0].Value != fmt.Sprint(i) {
			t.Fatalf("pod %d becomes %v, %v", i, spec, err)
		}
	}
	if got := conv.memory.count; got != mostAlike || conv.memory.recall(pod("", "", "0")) != nil || conv.memory.recall(pod("", "", fmt.Sprint(3*mostAlike-1))) == nil {
		t.Errorf("of pods with one outline %d are remembered, want the last %d", got, mostAlike)
	}
	conv = Converter{}
	wrong := pod("", "", "")
	wrong.Spec.Tolerations = []v1.Toleration{{Operator: "x"}}
	for range 2 {
		if _, err := conv.Pod(wrong); err == nil || conv.memory.count != 0 {
			t.Errorf("a pod that can't be converted gives error %v, and %d are remembered", err, conv.memory.count)
		}
	}
}

// TestLabelsAreShared converts labels of pods of one class.
func TestLabelsAreShared(t *testing.T) {
	var conv Converter
	var was cluster.Labels
	for i, tt := range []struct {
		labels map[string]string
		shared bool
	}{
		{map[string]string{"b": "1", "a": "2"}, false},
		{map[string]string{"b": "1", "a": "2"}, true},
		{map[string]string{"b": "3", "a": "4"}, false},
		{map[string]string{"b": "5", "a": "4"}, false},
		{map[string]string{"b": "5", "c": "4"}, false},
		{map[string]string{"b": "6", "a": "4"}, false},
		{map[string]string{"b": "6"}, false},
		{map[string]string{}, false},
		{nil, false},
		{map[string]string{"": ""}, false},
		{map[string]string{"": ""}, true},
	} {
		p := &v1.Pod{}
		p.Labels = tt.labels
		spec, err := conv.Pod(p)
		if err != nil || !reflect.DeepEqual(spec.Labels, cluster.MakeLabels(tt.labels)) {
			t.Errorf("labels %d become %v, %v, want %v", i, spec.Labels, err, cluster.MakeLabels(tt.labels))
		}
		if shared := len(was) > 0 && len(spec.Labels) > 0 && &was[0] == &spec.Labels[0]; shared != tt.shared {
			t.Errorf("labels %d are those of the pod before: %v, want %v", i, shared, tt.shared)
		}
		was = spec.Labels
	}
}
