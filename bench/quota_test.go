package bench

import (
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
)

func TestParseQuotaSetting(t *testing.T) {
	for text, want := range map[string]QuotaSetting{
		"quota/team-a/requests.cpu=200":         {"team-a", "", "requests.cpu", "200", 200_000},
		"quota/team-a:compute/limits.cpu=1500m": {"team-a", "compute", "limits.cpu", "1500m", 1500},
		"quota/a/requests.nvidia.com/gpu=8":     {"a", "", "requests.nvidia.com/gpu", "8", 8},
		"quota/a/gold.storageclass.storage.k8s.io/requests.storage=1Ti": {
			"a", "", "gold.storageclass.storage.k8s.io/requests.storage", "1Ti", 1 << 40},
	} {
		if got, err := ParseQuotaSetting(text); err != nil || got != want || got.String() != text {
			t.Errorf("%s is read as %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "quota", "quota/a=1", "quota//pods=1", "quota/a/=1", "quota/a/pods", "quota/a/pods=", "quota/a/pods=-1", "quota/a/pods=1e99", "pods=1"} {
		if got, err := ParseQuotaSetting(text); err == nil {
			t.Errorf("%q is read as %+v", text, got)
		}
	}
}

// TestApplyQuotaSetting wants a setting to change the limit that it names, or to add it where
// there is but one quota.
func TestApplyQuotaSetting(t *testing.T) {
	limit := func(name string, amount int64) []cluster.NamedAmount {
		return []cluster.NamedAmount{{Name: name, Amount: amount}}
	}
	quotas := []*cluster.ResourceQuota{
		{Namespace: "a", Name: "one", Hard: limit("pods", 1)}, {Namespace: "a", Name: "two", Hard: limit("services", 2)},
		{Namespace: "b", Name: "only", Hard: limit("pods", 3)},
	}
	for _, test := range []struct{ text, problem string }{
		{"quota/a/services=7", ""}, {"quota/b/requests.cpu=4", ""}, {"quota/a:one/count/secrets=5", ""},
		{"quota/a/secrets=1", "there are several quotas"}, {"quota/c/pods=1", "there is no such quota"}, {"quota/a:only/pods=1", "there is no such quota"},
		{"quota/b/flying.pigs=1", "flying.pigs"},
	} {
		q, err := ParseQuotaSetting(test.text)
		if err == nil {
			err = q.apply(quotas)
		}
		if (err == nil) != (test.problem == "") || err != nil && !strings.Contains(err.Error(), test.problem) {
			t.Errorf("%s: %v", test.text, err)
		}
	}
	if at, ok := find(quotas[1].Hard, "services"); !ok || quotas[1].Hard[at].Amount != 7 {
		t.Errorf("services are limited to %v", quotas[1].Hard)
	}
	if at, ok := find(quotas[2].Hard, "requests.cpu"); !ok || quotas[2].Hard[at].Amount != 4000 {
		t.Errorf("CPUs are limited to %v", quotas[2].Hard)
	}
	if len(quotas[0].Hard) != 2 || quotas[0].Hard[0].Name != "count/secrets" {
		t.Errorf("secrets are limited to %v", quotas[0].Hard)
	}
}

func FuzzParseQuotaSetting(f *testing.F) {
	for _, seed := range []string{"quota/team-a/requests.cpu=200", "quota/a:b/pods=1", "quota/:/=", "quota/a/b/c=1=2", "quota/a/cpu=1e-9"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		q, err := ParseQuotaSetting(text)
		if err != nil {
			return
		}
		if again, err := ParseQuotaSetting(q.String()); err != nil || again != q {
			t.Errorf("%q is read as %+v, and what that is written as as %+v, %v", text, q, again, err)
		}
	})
}
