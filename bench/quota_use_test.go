package bench

import (
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
)

// TestLimitUse has a quota of 2 CPUs be unused for 10 s, full for 30 s, and half used for
// 20 s at the double limit: a mean of (0·10 + 2·30 + 2·20)/60 CPUs.
func TestLimitUse(t *testing.T) {
	m := newQuotaMeasure()
	s := cluster.NewState()
	at := func(seconds cluster.Time, hard, used int64, more ...cluster.Event) {
		q := &cluster.ResourceQuota{
			Namespace: "team", Name: "q", Scopes: []cluster.ScopeRequirement{{Scope: "NotTerminating", Operator: "Exists"}, {Scope: "PriorityClass", Operator: "In", Values: []string{"high", "low"}}},
			Enforced: []cluster.NamedAmount{{Name: "requests.cpu", Amount: hard}}, Used: []cluster.NamedAmount{{Name: "requests.cpu", Amount: used}},
		}
		s.Now = seconds * cluster.Second
		if err := m.Record(s, append(more, cluster.Event{Kind: cluster.ObjectSet, Object: q}), nil); err != nil {
			t.Fatal(err)
		}
	}
	refused := cluster.Event{
		Kind: cluster.PodRefused, PodSpec: &cluster.PodSpec{Name: "p", Class: &cluster.Class{Namespace: "team"}},
		Reason: `pods "p" is forbidden: exceeded quota: q, requested: pods=1,requests.cpu=1, used: requests.cpu=2, limited: requests.cpu=2`,
	}
	at(100, 2000, 0) // used of 2 CPUs
	at(110, 2000, 2000, refused, refused)
	at(140, 4000, 2000)
	list := m.results(160 * cluster.Second)
	if len(list) != 1 {
		t.Fatalf("%d limits", len(list))
	}
	l := list[0]
	if l.Mean != 100e3/60 || l.Peak != 2000 || l.Hard != 4000 || l.Full != 0.5 || l.Refused != 1 {
		t.Errorf("%+v", l)
	}
	if sr := l.Series; sr.From != 100 || sr.Step != 1 || len(sr.Used) != 60 || sr.Used[9] != 0 || sr.Used[10] != 2000 || sr.Hard[39] != 2000 || sr.Hard[40] != 4000 {
		t.Errorf("the series begins at %v with steps of %v: %v, %v", sr.From, sr.Step, sr.Used, sr.Hard)
	}
	r := &LimitReport{Source: "a test", Seconds: 60, Limits: list}
	for format, want := range map[Format]string{
		FormatTable:    "team       q      NotTerminating, PriorityClass In (high, low)  requests.cpu     4   1.7     41.7     2             50.0             1\n",
		FormatMarkdown: "| team | q | NotTerminating, PriorityClass In (high, low) | requests.cpu | 4 | 1.7 | 41.7 | 2 | 50.0 | 1 |\n",
		FormatCSV:      "team,q,\"NotTerminating, PriorityClass In (high, low)\",requests.cpu,4,1.7,41.7,2,50.0,1\n",
		FormatLaTeX:    "team & q & NotTerminating, PriorityClass In (high, low) & requests.cpu & 4 & 1.7 & 41.7 & 2 & 50.0 & 1 \\\\\n",
		FormatJSON:     `"full": 0.5,`,
	} {
		var b strings.Builder
		if err := r.Write(&b, format); err != nil || !strings.Contains(b.String(), want) {
			t.Errorf("%s: %v\n%s", format, err, b.String())
		}
	}
	if err := r.Save(t.TempDir()); err != nil {
		t.Error(err)
	}
}

func TestFormatAmount(t *testing.T) {
	for _, test := range []struct {
		name   string
		amount int64
		want   string
	}{
		{"requests.cpu", 1500, "1500m"}, {"cpu", 2000, "2"}, {"limits.memory", 64 << 30, "64Gi"}, {"requests.storage", 1000, "1000"},
		{"gold.storageclass.storage.k8s.io/requests.storage", 3 << 40, "3Ti"}, {"memory", 0, "0"}, {"pods", 1024, "1024"}, {"requests.nvidia.com/gpu", 8, "8"},
	} {
		if got := FormatAmount(test.name, test.amount); got != test.want {
			t.Errorf("%d of %s is %s instead of %s", test.amount, test.name, got, test.want)
		}
	}
}

// TestOverdrawn wants a run to fail in which more of a quota comes to be used than there is,
// but for one that was lowered.
func TestOverdrawn(t *testing.T) {
	m := newQuotaMeasure()
	s := cluster.NewState()
	set := func(hard, used int64) error {
		limit := []cluster.NamedAmount{{Name: "pods", Amount: hard}}
		q := &cluster.ResourceQuota{Name: "q", Hard: limit, Enforced: limit, Used: []cluster.NamedAmount{{Name: "pods", Amount: used}}}
		events := []cluster.Event{{Kind: cluster.ObjectSet, Object: q}}
		s.Observe(s.Now, events)
		return m.Record(s, events, nil)
	}
	for _, step := range [][2]int64{{4, 0}, {4, 4}, {2, 4}, {2, 3}, {2, 1}} {
		if err := set(step[0], step[1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := recounted(s); err == nil || err.Error() != "quota /q: its status says that [{pods 1}] are used, and there are [{pods 0}]" {
		t.Errorf("there are no pods, and that is said of it: %v", err)
	}
	if err := set(2, 3); err == nil || err.Error() != "quota /q: 3 of pods are used, and it has 2" {
		t.Errorf("3 of 2 are used, and that is said of it: %v", err)
	}
}
