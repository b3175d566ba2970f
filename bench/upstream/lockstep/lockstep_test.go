package lockstep_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/berthsim/berth/bench/upstream/generate"
	"github.com/berthsim/berth/bench/upstream/lockstep"
	"github.com/berthsim/berth/bench/upstream/oracle"
	"github.com/berthsim/berth/bench/upstream/scenario"
)

// fixed strips from a result what upstream takes from the order of a Go map, after which the same
// scenario must give the same results.
func fixed(r oracle.Result) oracle.Result {
	if r.Unordered {
		r.Visits = slices.Clone(r.Visits)
		slices.SortFunc(r.Visits, func(a, b oracle.Verdict) int { return strings.Compare(a.Node, b.Node) })
		slices.Sort(r.Feasible)
		slices.Sort(r.Best)
		slices.SortFunc(r.Scores, func(a, b oracle.NodeScore) int { return strings.Compare(a.Node, b.Node) })
		r.Chosen = ""
	}
	if p := r.Preemption; p != nil {
		q := *p
		best := func(c oracle.Candidate) bool { return !c.Best }
		if len(slices.DeleteFunc(slices.Clone(q.Candidates), best)) > 1 {
			q.Node, q.Victims, q.Evicted, q.Cleared = "", nil, nil, nil
		}
		r.Preemption = &q
	}
	return r
}

func results(t *testing.T, s *scenario.Scenario, followers ...lockstep.Follower) []oracle.Result {
	t.Helper()
	var all []oracle.Result
	err := lockstep.Run(s, func(a lockstep.Attempt) error {
		all = append(all, fixed(*a.Result))
		return nil
	}, followers...)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestDeterministic plays scenarios twice, the second time after they were written and read.
func TestDeterministic(t *testing.T) {
	for i := range uint64(20) {
		s := generate.Scenario(2, i, generate.Options{Pods: 20})
		first := results(t, s)
		var text strings.Builder
		if err := s.Write(&text); err != nil {
			t.Fatal(err)
		}
		again, err := scenario.Read(strings.NewReader(text.String()))
		if err != nil {
			t.Fatal(err)
		}
		second := results(t, again)
		for j := range first {
			if !reflect.DeepEqual(first[j], second[j]) {
				t.Fatalf("index %d, attempt %d: first\n%+v\nthen\n%+v", i, j, first[j], second[j])
			}
		}
	}
}

// diary writes down what a follower is told.
type diary struct{ lines []string }

func (d *diary) note(doing string, obj runtime.Object) error {
	ref, err := scenario.RefTo(obj)
	line := fmt.Sprint(doing, " ", ref)
	if p, ok := obj.(*v1.Pod); ok {
		if p.Spec.NodeName != "" {
			line += " on " + p.Spec.NodeName
		}
		if p.Status.NominatedNodeName != "" {
			line += " promised " + p.Status.NominatedNodeName
		}
		if p.DeletionTimestamp != nil {
			line += " ending"
		}
	}
	d.lines = append(d.lines, line)
	return err
}

func (d *diary) Add(obj runtime.Object) error    { return d.note("add", obj) }
func (d *diary) Update(obj runtime.Object) error { return d.note("update", obj) }
func (d *diary) Delete(obj runtime.Object) error { return d.note("delete", obj) }

const preemption = `# An important pod arrives at a full node, waits for the victim's end and gets the room.
apiVersion: v1
kind: Node
metadata: {name: node-n}
status: {allocatable: {cpu: "1", memory: 1Gi, pods: "10"}}
---
step: schedule
---
apiVersion: v1
kind: Pod
metadata: {name: low, namespace: default, uid: low}
spec:
  schedulerName: default-scheduler
  priority: 0
  containers: [{name: c, image: i, resources: {requests: {cpu: "1"}}}]
---
apiVersion: v1
kind: Pod
metadata: {name: high, namespace: default, uid: high}
spec:
  schedulerName: default-scheduler
  priority: 10
  containers: [{name: c, image: i, resources: {requests: {cpu: "1"}}}]
---
step: retry
---
step: finish
---
step: retry
---
step: delete
objects: [{kind: Node, name: node-n}]
`

func TestFollower(t *testing.T) {
	s, err := scenario.Read(strings.NewReader(preemption))
	if err != nil {
		t.Fatal(err)
	}
	d := &diary{}
	rs := results(t, s, d)
	want := []string{
		"add node/node-n",
		"add pod/default/low", "update pod/default/low on node-n",
		"add pod/default/high", "update pod/default/low on node-n ending", "update pod/default/high promised node-n",
		"delete pod/default/low on node-n ending",
		"update pod/default/high on node-n",
		"delete node/node-n", "delete pod/default/high on node-n",
	}
	if !slices.Equal(d.lines, want) {
		t.Errorf("followers were told\n%s\nwant\n%s", strings.Join(d.lines, "\n"), strings.Join(want, "\n"))
	}
	if len(rs) != 4 {
		t.Fatalf("%d attempts, want 4", len(rs))
	}
	if got := rs[1].Preemption.Victims; !slices.Equal(got, []string{"default/low"}) {
		t.Errorf("victims %v", got)
	}
	if got := rs[2].Preemption.Status.Reasons; len(got) == 0 || !strings.Contains(strings.Join(got, " "), "terminating pod") {
		t.Errorf("while the victim ends, preemption says %v", got)
	}
	if n := rs[3].Nominated; n == nil || !n.Success() || rs[3].Chosen != "node-n" {
		t.Errorf("after the victim's end: nominated %v, chosen %q", n, rs[3].Chosen)
	}
}

// BenchmarkPlay plays generated scenarios, oracle, generation and changes of the cluster included, and
// reports the attempts to place a pod a second.
func BenchmarkPlay(b *testing.B) {
	for _, nodes := range []int{20, 100, 300} {
		b.Run(fmt.Sprintf("nodes=%d", nodes), func(b *testing.B) {
			attempts, index := 0, uint64(0)
			for b.Loop() {
				err := lockstep.Run(generate.Scenario(1, index, generate.Options{Nodes: nodes}), func(lockstep.Attempt) error {
					attempts++
					return nil
				})
				if err != nil {
					b.Fatal(err)
				}
				index++
			}
			b.ReportMetric(float64(attempts)/b.Elapsed().Seconds(), "attempts/s")
		})
	}
}
