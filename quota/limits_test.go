package quota

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
)

// itemOf reads "Container min cpu=1 max cpu=2 ratio cpu=2000".
func itemOf(text string) (item LimitRangeItem) {
	fields := strings.Fields(text)
	item.Type = fields[0]
	into := map[string]*[]cluster.NamedAmount{"min": &item.Min, "max": &item.Max, "ratio": &item.Ratio}
	var list *[]cluster.NamedAmount
	for _, f := range fields[1:] {
		if into[f] != nil {
			list = into[f]
			continue
		}
		*list = append(*list, amountsOf(f)...)
	}
	return item
}

func TestValidatePods(t *testing.T) {
	const gi = "1073741824"
	for _, tt := range []struct{ item, pod, want string }{
		{"Container min cpu=100", "cpu=100/", ""},
		{"Container min cpu=100", "cpu=99/", "minimum cpu usage per Container is 100m, but request is 99m"},
		{"Container min cpu=100", "/cpu=500", "minimum cpu usage per Container is 100m.  No request is specified"},
		{"Container min cpu=100", "cpu=100/cpu=50", "minimum cpu usage per Container is 100m, but limit is 50m"},
		{"Container max cpu=2000", "cpu=1/cpu=2000", ""},
		{"Container max cpu=2000", "/cpu=2000", ""},
		{"Container max cpu=2000", "cpu=1/", "maximum cpu usage per Container is 2.  No limit is specified"},
		{"Container max cpu=2000", "cpu=1/cpu=2001", "maximum cpu usage per Container is 2, but limit is 2001m"},
		{"Container max cpu=2000", "cpu=3000/cpu=2000", "maximum cpu usage per Container is 2, but request is 3"},
		{"Container min cpu=100", "cpu=1/|cpu=100/", "minimum cpu usage per Container is 100m, but request is 1m"},
		{"Container min cpu=100", "cpu=1/,cpu=1/", "minimum cpu usage per Container is 100m, but request is 1m"},
		{"Container min cpu=100 memory=" + gi, "cpu=1/", "[minimum cpu usage per Container is 100m, but request is 1m, minimum memory usage per Container is 1Gi.  No request is specified]"},
		{"Container ratio cpu=2000", "cpu=100/cpu=200", ""},
		{"Container ratio cpu=1500", "cpu=100/cpu=200", "cpu max limit to request ratio per Container is 1500m, but provided ratio is 2.000000"},
		{"Container ratio memory=3000", "memory=3/memory=10", "memory max limit to request ratio per Container is 3, but provided ratio is 3.333333"},
		{"Container ratio cpu=2000", "cpu=0/cpu=200", "cpu max limit to request ratio per Container is 2, but no request is specified or request is 0"},
		{"Container ratio cpu=2000", "/", "cpu max limit to request ratio per Container is 2, but no request is specified or request is 0"},
		{"Container ratio cpu=2000", "cpu=100/", "cpu max limit to request ratio per Container is 2, but no limit is specified or limit is 0"},
		{"Container ratio cpu=2000", "cpu=100/cpu=0", "cpu max limit to request ratio per Container is 2, but no limit is specified or limit is 0"},
		{"Pod max cpu=1000", "/cpu=600,/cpu=400", ""},
		{"Pod max cpu=1000", "/cpu=600,/cpu=401", "maximum cpu usage per Pod is 1, but limit is 1001m"},
		{"Pod max cpu=1000", "/cpu=1001|/cpu=1", "maximum cpu usage per Pod is 1, but limit is 1001m"},
		{"Pod max cpu=1000", "*/cpu=600|/cpu=500", "maximum cpu usage per Pod is 1, but limit is 1100m"},
		{"Pod max cpu=1000", "*/cpu=600,/cpu=500|/cpu=1", "maximum cpu usage per Pod is 1, but limit is 1100m"},
		{"Pod max cpu=1000", "/cpu=500,*/cpu=600|/cpu=1", ""},
		{"Pod min memory=10", "memory=5/,memory=5/", ""},
		{"PersistentVolumeClaim min storage=1", "/", ""},
		{"example.com/other max cpu=1", "/cpu=5", ""},
	} {
		ps := NewPlugins([]*LimitRange{{"ns", "r", []LimitRangeItem{itemOf(tt.item)}}}, nil, nil)
		checkRefusal(t, tt.item+": "+tt.pod, "pods", ps.Validate(&NewPod{Namespace: "ns", Name: "x", Account: *accountOf(tt.pod)}), tt.want)
	}
}

// checkRefusal compares a refusal with what it should say, "" for none.
func checkRefusal(t *testing.T, what, resource string, err error, want string) {
	t.Helper()
	var r *Refusal
	switch {
	case want == "" && err == nil:
	case err == nil || !errors.As(err, &r) || r.Code != 403 || r.Reason != resource+` "x" is forbidden: `+want:
		t.Errorf("%s\ngives %v\nwant  %s", what, err, want)
	}
}

// TestWholePods has what a pod says for itself count instead of its containers.
func TestWholePods(t *testing.T) {
	ps := NewPlugins([]*LimitRange{{"", "r", []LimitRangeItem{itemOf("Pod max cpu=1000 hugepages-2Mi=10")}}}, nil, nil)
	a := accountOf("/cpu=5000 hugepages-2Mi=9")
	whole := containerOf("/cpu=900 hugepages-2Mi=70")
	a.Whole, a.Overhead = &whole, amountsOf("cpu=1")
	p := &NewPod{Name: "x", Account: *a}
	checkRefusal(t, "whole", "pods", ps.Validate(p), "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead")
	p.Account.Overhead = nil
	checkRefusal(t, "whole", "pods", ps.Validate(p), "")
	p.Account.Whole.Limits = nil
	checkRefusal(t, "without", "pods", ps.Validate(p), "maximum cpu usage per Pod is 1, but limit is 5")
}

func TestValidateClaims(t *testing.T) {
	for _, tt := range []struct {
		item      string
		requested int64
		want      string
	}{
		{"PersistentVolumeClaim min storage=1024 max storage=2048", 1024, ""},
		{"PersistentVolumeClaim min storage=1024 max storage=2048", 2048, ""},
		{"PersistentVolumeClaim min storage=1024", 5, "minimum storage usage per PersistentVolumeClaim is 1Ki, but request is 5"},
		{"PersistentVolumeClaim max storage=2048", 4096, "maximum storage usage per PersistentVolumeClaim is 2Ki, but request is 4Ki"},
		{"PersistentVolumeClaim min storage=1 max storage=2", -1, "[minimum storage usage per PersistentVolumeClaim is 1.  No request is specified, maximum storage usage per PersistentVolumeClaim is 2.  No request is specified]"},
		{"PersistentVolumeClaim max cpu=2", 1, "maximum cpu usage per PersistentVolumeClaim is 2m.  No request is specified"},
		{"Container max storage=1", 5, ""},
	} {
		ps := NewPlugins([]*LimitRange{{"ns", "r", []LimitRangeItem{itemOf(tt.item)}}}, nil, nil)
		checkRefusal(t, tt.item, "persistentvolumeclaims", ps.ValidateClaim("ns", "x", &Claim{Requested: tt.requested, Allocated: -1}), tt.want)
		checkRefusal(t, tt.item, "persistentvolumeclaims", ps.ValidateClaim("elsewhere", "x", &Claim{Requested: tt.requested}), "")
	}
}

// TestFirstRangeSpeaks has only the first range that is broken, by name, say so.
func TestFirstRangeSpeaks(t *testing.T) {
	ranges := []*LimitRange{{"ns", "b", []LimitRangeItem{itemOf("Container max cpu=1")}}, {"ns", "a", []LimitRangeItem{itemOf("Container max cpu=2")}}}
	ps := NewPlugins(ranges, nil, nil)
	checkRefusal(t, "both", "pods", ps.Validate(&NewPod{Namespace: "ns", Name: "x", Account: *accountOf("/cpu=3")}), "maximum cpu usage per Container is 2m, but limit is 3m")
	checkRefusal(t, "one", "pods", ps.Validate(&NewPod{Namespace: "ns", Name: "x", Account: *accountOf("/cpu=2")}), "maximum cpu usage per Container is 1m, but limit is 2m")
}

// TestExceeds tells of pods as a simulated cluster has them.
func TestExceeds(t *testing.T) {
	ps := NewPlugins([]*LimitRange{{"ns", "r", []LimitRangeItem{itemOf("Container min cpu=100")}}}, nil, nil)
	small, large := &cluster.Class{Requests: cluster.Amounts{99}}, &cluster.Class{Requests: cluster.Amounts{100}}
	for _, tt := range []struct {
		namespace string
		spec      cluster.PodSpec
		want      string
	}{
		{"ns", cluster.PodSpec{Class: large}, ""},
		{"ns", cluster.PodSpec{Class: small}, "minimum cpu usage per Container is 100m, but request is 99m"},
		{"ns", cluster.PodSpec{Class: small, Account: accountOf("cpu=100/")}, ""},
		{"other", cluster.PodSpec{Class: small}, ""},
	} {
		if got := ps.Exceeds(tt.namespace, &tt.spec); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.spec, got, tt.want)
		}
	}
	admission := Admission{Validate: ps.Exceeds}
	if code, reason := admission.Admit(cluster.NewState(), &cluster.PodSpec{Class: &cluster.Class{Namespace: "ns", Requests: cluster.Amounts{99}}}); code != 403 || reason == "" {
		t.Errorf("a pod is admitted that no LimitRange allows: %d %s", code, reason)
	}
}

// TestQuotient divides what is large.
func TestQuotient(t *testing.T) {
	if got := quotient("memory", math.MaxInt64, 1); got != float64(math.MaxInt64) {
		t.Errorf("the quotient is %v", got)
	}
	if got := quotient("memory", 9007199254740993, 1); got != 9007199254740994 { // not …992, which whole bytes would give
		t.Errorf("the quotient is %v", got)
	}
}
