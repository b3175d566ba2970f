package quota

import (
	"reflect"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
)

func seconds(n int64) *int64 { return &n }

var (
	notReady    = cluster.Toleration{Key: cluster.TaintNotReady, Exists: true, Effect: cluster.NoExecute, Seconds: seconds(300)}
	unreachable = cluster.Toleration{Key: cluster.TaintUnreachable, Exists: true, Effect: cluster.NoExecute, Seconds: seconds(300)}
)

func TestPriority(t *testing.T) {
	five, never, lower := int32(5), true, false
	classes := []PriorityClass{{Name: "high", Value: 5, NeverPreempts: true}, {Name: "b", Value: 3, GlobalDefault: true}, {Name: "a", Value: 3, GlobalDefault: true}, {Name: "c", Value: 9, GlobalDefault: true}}
	for _, tt := range []struct {
		name    string
		classes []PriorityClass
		pod     NewPod
		class   string
		value   int32
		never   bool
		refused string
	}{
		{"nothing", nil, NewPod{}, "", 0, false, ""},
		{"the default of the lowest value", classes, NewPod{}, "a", 3, false, ""},
		{"a default above 0 that is highest", []PriorityClass{{Name: "max", Value: 2147483647, GlobalDefault: true}}, NewPod{}, "max", 2147483647, false, ""},
		{"a default below 0", []PriorityClass{{Name: "low", Value: -7, GlobalDefault: true}}, NewPod{}, "low", -7, false, ""},
		{"by name", classes, NewPod{Account: cluster.Account{PriorityClass: "high"}}, "high", 5, true, ""},
		{"the same", classes, NewPod{Account: cluster.Account{PriorityClass: "high"}, Priority: &five, NeverPreempts: &never}, "high", 5, true, ""},
		{"system", nil, NewPod{Account: cluster.Account{PriorityClass: "system-node-critical"}}, "system-node-critical", 2000001000, false, ""},
		{"system too", nil, NewPod{Account: cluster.Account{PriorityClass: "system-cluster-critical"}}, "system-cluster-critical", 2000000000, false, ""},
		{"system of its own", []PriorityClass{{Name: "system-node-critical", Value: 1}}, NewPod{Account: cluster.Account{PriorityClass: "system-node-critical"}}, "system-node-critical", 1, false, ""},
		{"unknown", classes, NewPod{Account: cluster.Account{PriorityClass: "none"}}, "", 0, false, "no PriorityClass with name none was found"},
		{"another value", nil, NewPod{Priority: &five}, "", 0, false, "the integer value of priority (5) must not be provided in pod spec; priority admission controller computed 0 from the given PriorityClass name"},
		{"another policy", nil, NewPod{NeverPreempts: &never}, "", 0, false, "the string value of PreemptionPolicy (Never) must not be provided in pod spec; priority admission controller computed PreemptLowerPriority from the given PriorityClass name"},
		{"the other policy", classes, NewPod{Account: cluster.Account{PriorityClass: "high"}, NeverPreempts: &lower}, "", 0, false, "the string value of PreemptionPolicy (PreemptLowerPriority) must not be provided in pod spec; priority admission controller computed Never from the given PriorityClass name"},
	} {
		p := tt.pod
		p.Name = "x"
		err := NewPlugins(nil, tt.classes, nil).Mutate(&p)
		checkRefusal(t, tt.name, "pods", err, tt.refused)
		if tt.refused == "" && (p.Account.PriorityClass != tt.class || *p.Priority != tt.value || *p.NeverPreempts != tt.never) {
			t.Errorf("%s: class %q, priority %d, never %v", tt.name, p.Account.PriorityClass, *p.Priority, *p.NeverPreempts)
		}
		if tt.refused == "" && !reflect.DeepEqual(p.Tolerations, []cluster.Toleration{notReady, unreachable}) {
			t.Errorf("%s: tolerations %+v", tt.name, p.Tolerations)
		}
	}
}

func TestRuntimeClass(t *testing.T) {
	overhead := amountsOf("cpu=250 memory=100")
	labels := func(texts ...string) (ls cluster.Labels) {
		for _, text := range texts {
			key, value, _ := strings.Cut(text, "=")
			ls = append(ls, cluster.Label{Key: key, Value: value})
		}
		return ls
	}
	runtimes := []*RuntimeClass{
		{Name: "plain"}, {Name: "empty", Overhead: []cluster.NamedAmount{}}, {Name: "heavy", Overhead: overhead},
		{Name: "placed", Schedules: true, NodeLabels: labels("b=2", "d=4"), Tolerations: []cluster.Toleration{{Key: "k", Exists: true}}},
	}
	ps := NewPlugins(nil, nil, runtimes)
	for _, tt := range []struct {
		class, overhead, labels string
		wantOverhead            string
		wantLabels              cluster.Labels
		refused, invalid        string
	}{
		{"", "", "a=1", "", labels("a=1"), "", ""},
		{"", "cpu=1", "", "cpu=1", nil, "", "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"},
		{"plain", "cpu=1", "", "cpu=1", nil, "", "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"},
		{"plain", "", "a=1", "", labels("a=1"), "", ""},
		{"empty", "", "", "", nil, "", ""},
		{"empty", "cpu=1", "", "", nil, wrongOverhead, ""},
		{"heavy", "", "", "cpu=250 memory=100", nil, "", ""},
		{"heavy", "cpu=250 memory=100", "", "cpu=250 memory=100", nil, "", ""},
		{"heavy", "cpu=250", "", "", nil, wrongOverhead, ""},
		{"placed", "", "c=3", "", labels("b=2", "c=3", "d=4"), "", ""},
		{"placed", "", "b=2", "", labels("b=2", "d=4"), "", ""},
		{"placed", "", "b=7", "", nil, "conflict: runtimeClass.scheduling.nodeSelector[b] = 2; pod.spec.nodeSelector[b] = 7", ""},
		{"none", "", "", "", nil, `pod rejected: RuntimeClass "none" not found`, ""},
	} {
		p := &NewPod{Name: "x", RuntimeClass: tt.class, NodeLabels: labels(strings.Fields(tt.labels)...), Account: cluster.Account{Overhead: amountsOf(tt.overhead)}}
		err := ps.Mutate(p)
		checkRefusal(t, tt.class, "pods", err, tt.refused)
		if tt.refused != "" {
			continue
		}
		if textOf(p.Account.Overhead) != tt.wantOverhead || !reflect.DeepEqual(p.NodeLabels, tt.wantLabels) {
			t.Errorf("%+v gives %+v", tt, p)
		}
		checkRefusal(t, tt.class, "pods", ps.Validate(p), tt.invalid)
	}
	checkRefusal(t, "unknown", "pods", ps.Validate(&NewPod{Name: "x", RuntimeClass: "none"}), `pod rejected: RuntimeClass "none" not found`)
	checkRefusal(t, "changed since", "pods", ps.Validate(&NewPod{Name: "x", RuntimeClass: "heavy"}), wrongOverhead)
}

// TestRuntimeTolerations merges tolerations, default ones too: what another includes goes.
func TestRuntimeTolerations(t *testing.T) {
	tol := func(key, value string, exists bool, effect cluster.Effect, secs *int64) cluster.Toleration {
		return cluster.Toleration{Key: key, Value: value, Exists: exists, Effect: effect, Seconds: secs}
	}
	all := tol("", "", true, cluster.NoEffect, nil)
	a, aNoSchedule, anyA := tol("a", "1", false, cluster.NoEffect, nil), tol("a", "1", false, cluster.NoSchedule, nil), tol("a", "", true, cluster.NoEffect, nil)
	short, long, always := tol("a", "", true, cluster.NoExecute, seconds(5)), tol("a", "", true, cluster.NoExecute, seconds(9)), tol("a", "", true, cluster.NoExecute, nil)
	for i, tt := range []struct{ pod, class, want []cluster.Toleration }{
		{nil, nil, []cluster.Toleration{notReady, unreachable}},
		{nil, []cluster.Toleration{a}, []cluster.Toleration{notReady, unreachable, a}},
		{nil, []cluster.Toleration{all}, []cluster.Toleration{all}},
		{[]cluster.Toleration{all}, []cluster.Toleration{a}, []cluster.Toleration{all}},
		{[]cluster.Toleration{a, a}, []cluster.Toleration{a}, []cluster.Toleration{a, notReady, unreachable}},
		{[]cluster.Toleration{aNoSchedule}, []cluster.Toleration{a}, []cluster.Toleration{notReady, unreachable, a}},
		{[]cluster.Toleration{a}, []cluster.Toleration{anyA}, []cluster.Toleration{notReady, unreachable, anyA}},
		{[]cluster.Toleration{anyA}, []cluster.Toleration{a}, []cluster.Toleration{anyA, notReady, unreachable}},
		{[]cluster.Toleration{short}, []cluster.Toleration{long}, []cluster.Toleration{notReady, unreachable, long}},
		{[]cluster.Toleration{always}, []cluster.Toleration{short}, []cluster.Toleration{always, notReady, unreachable}},
		{[]cluster.Toleration{tol("b", "1", false, cluster.NoSchedule, nil)}, []cluster.Toleration{a}, []cluster.Toleration{tol("b", "1", false, cluster.NoSchedule, nil), notReady, unreachable, a}},
	} {
		ps := NewPlugins(nil, nil, []*RuntimeClass{{Name: "r", Schedules: true, Tolerations: tt.class}})
		p := &NewPod{RuntimeClass: "r", Tolerations: tt.pod}
		if err := ps.Mutate(p); err != nil || !reflect.DeepEqual(p.Tolerations, tt.want) {
			t.Errorf("%d: %v; tolerations %+v\nwant %+v", i, err, p.Tolerations, tt.want)
		}
	}
}

// TestOrder has what LimitRanger gives not depend on the others, and a refusal come from the
// first plugin that has one.
func TestOrder(t *testing.T) {
	ps := NewPlugins([]*LimitRange{{"ns", "r", []LimitRangeItem{{Type: LimitContainer, DefaultRequest: amountsOf("cpu=1")}}}}, nil, nil)
	p := &NewPod{Namespace: "ns", Name: "x", RuntimeClass: "none", Account: *accountOf("/")}
	p.Account.PriorityClass = "none"
	checkRefusal(t, "two refusals", "pods", ps.Mutate(p), "no PriorityClass with name none was found")
	if textOfAccount(&p.Account) != "cpu=1/" {
		t.Errorf("LimitRanger comes too late: %s", textOfAccount(&p.Account))
	}
}
