package quota

import (
	"fmt"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
)

// known is a quota with a status: what it limits and what is used, as list reads it.
func known(t testing.TB, name, limits, used string, scopes ...cluster.ScopeRequirement) *cluster.ResourceQuota {
	t.Helper()
	hard := list(t, limits)
	return &cluster.ResourceQuota{Namespace: "x", Name: name, Scopes: scopes, Hard: hard, Enforced: hard, Used: list(t, used)}
}

// podOf is a pod with a container that asks for something.
func podOf(t testing.TB, requests string) Object {
	return Object{Resource: Pods, Namespace: "x", Name: "p", Pod: &Pod{Account: &cluster.Account{Containers: []cluster.Container{asks(t, requests)}}}}
}

func scope(text string) cluster.ScopeRequirement {
	fields := strings.Fields(text)
	r := cluster.ScopeRequirement{Scope: fields[0], Operator: "Exists"}
	if len(fields) > 1 {
		r.Operator, r.Values = fields[1], fields[2:]
	}
	return r
}

type quotas = []*cluster.ResourceQuota

func create(o Object) Request { return Request{Object: o} }

func update(o, old Object, subresource string) Request {
	return Request{Operation: Update, Subresource: subresource, Object: o, Old: &old}
}

// A checkCase is a request and what comes of it.
type checkCase struct {
	why     string
	quotas  quotas
	request Request
	limited []LimitedResource
	want    string // "CODE reason", or what is used then
}

func TestCheckPods(t *testing.T) {
	deadline := podOf(t, "cpu=100")
	deadline.Pod.Account.Deadline = true
	two := podOf(t, "cpu=100")
	two.Pod.Account.Containers = append(two.Pod.Account.Containers, cluster.Container{Name: "b"}, cluster.Container{Name: "a"})
	two.Pod.Account.InitContainers = []cluster.Container{{Name: "b"}}
	whole := podOf(t, "")
	whole.Pod.Account.Whole = &cluster.Container{Requests: list(t, "memory=5")}
	checkAll(t, []checkCase{
		{"no quotas", nil, create(podOf(t, "cpu=100")), nil, ""},
		{"room", quotas{known(t, "q", "cpu=300 pods=2", "cpu=200 pods=1")}, create(podOf(t, "cpu=100")), nil, "q: cpu=300 pods=2"},
		{"no room for two things", quotas{known(t, "q", "cpu=3000 memory=1024 pods=2 requests.cpu=9000", "cpu=2500 memory=1000 pods=2 requests.cpu=0")}, create(podOf(t, "cpu=1000 memory=25")), nil,
			"403 exceeded quota: q, requested: cpu=1,memory=25,pods=1, used: cpu=2500m,memory=1k,pods=2, limited: cpu=3,memory=1Ki,pods=2"},
		{"all quotas must have room, and none is charged if one hasn't", quotas{known(t, "a", "pods=2", "pods=1"), known(t, "b", "pods=1", "pods=1")}, create(podOf(t, "")), nil,
			"403 exceeded quota: b, requested: pods=1, used: pods=1, limited: pods=1"},
		{"what isn't asked for isn't looked at", quotas{known(t, "q", "memory=5 pods=2", "memory=9 pods=1")}, create(podOf(t, "memory=0")), nil, "q: memory=9 pods=2"},
		{"containers that don't say", quotas{known(t, "q", "cpu=9 ephemeral-storage=1 limits.memory=9 pods=9", "")}, create(two), nil,
			"403 failed quota: q: must specify cpu for: a,b; limits.memory for: a,b,c"},
		{"which they need not if the pod does", quotas{known(t, "q", "cpu=9", "cpu=0")}, create(whole), nil, "q: cpu=0"},
		{"nobody has counted yet", quotas{known(t, "q", "configmaps=1 cpu=9000 pods=5", "pods=0")}, create(podOf(t, "cpu=1")), nil, "403 status unknown for quota: q, resources: cpu,pods"},
		{"what isn't in the status isn't enforced", quotas{{Name: "q", Hard: list(t, "pods=0")}}, create(podOf(t, "")), nil, "q: "},
		{"a quota for others", quotas{known(t, "q", "pods=0", "pods=0", scope("BestEffort"))}, create(podOf(t, "cpu=1")), nil, "q: pods=0"},
		{"an update that changes nothing for quotas", quotas{known(t, "q", "pods=0", "pods=5")}, update(podOf(t, "cpu=100"), podOf(t, ""), ""), nil, "q: pods=5"},
		{"a resize", quotas{known(t, "q", "cpu=300", "cpu=100")}, update(podOf(t, "cpu=250"), podOf(t, "cpu=100"), "resize"), nil, "q: cpu=250"},
		{"a resize that is too much", quotas{known(t, "q", "cpu=300", "cpu=100")}, update(podOf(t, "cpu=350"), podOf(t, "cpu=100"), "resize"), nil,
			"403 exceeded quota: q, requested: cpu=250m, used: cpu=100m, limited: cpu=300m"},
		{"getting smaller frees nothing", quotas{known(t, "q", "cpu=1", "cpu=100")}, update(podOf(t, "cpu=50"), podOf(t, "cpu=100"), "resize"), nil, "q: cpu=100"},
		{"another subresource", quotas{known(t, "q", "cpu=1", "cpu=100")}, update(podOf(t, "cpu=500"), podOf(t, "cpu=100"), "status"), nil, "q: cpu=100"},
		{"a deadline brings a pod under another quota, in full", quotas{known(t, "is", "pods=5", "pods=1", scope("Terminating")), known(t, "was", "pods=5", "pods=1", scope("NotTerminating"))},
			update(deadline, podOf(t, "cpu=100"), ""), nil, "is: pods=2; was: pods=1"},
		{"nothing to compare with", quotas{known(t, "q", "pods=1", "pods=0")}, Request{Operation: Update, Subresource: "resize", Object: podOf(t, "")}, nil,
			"403 unable to get previous usage since prior version of object was not found"},
		{"less than nothing", quotas{known(t, "q", "cpu=5", "cpu=0")}, create(podOf(t, "cpu=-1")), nil, "403 quota usage is negative for resource(s): cpu,requests.cpu"},
	})
}

func TestCheckOthers(t *testing.T) {
	claim := func(requested int64) Object {
		return Object{Resource: Claims, Claim: &Claim{Requested: requested, Allocated: -1}}
	}
	secret := Object{Resource: "secrets"}
	checkAll(t, []checkCase{
		{"a claim that grows", quotas{known(t, "q", "requests.storage=9", "requests.storage=5")}, update(claim(8), claim(5), ""), nil, "q: requests.storage=8"},
		{"status isn't denied", quotas{known(t, "q", "requests.storage=6", "requests.storage=5")}, update(claim(8), claim(5), "status"), nil, "q: requests.storage=8"},
		{"something else about a claim", quotas{known(t, "q", "requests.storage=6", "requests.storage=5")}, update(claim(8), claim(5), "scale"), nil, "q: requests.storage=5"},
		{"a secret", quotas{known(t, "q", "count/secrets=9 secrets=1", "count/secrets=1 secrets=1")}, create(secret), nil, "403 exceeded quota: q, requested: secrets=1, used: secrets=1, limited: secrets=1"},
		{"a secret that is changed", quotas{known(t, "q", "secrets=1", "secrets=1")}, update(secret, secret, ""), nil, "q: secrets=1"},
		{"an event is never counted", quotas{known(t, "q", "count/events=0", "count/events=0")}, create(Object{Resource: "events"}), nil, "q: count/events=0"},
	})
}

func TestCheckLimited(t *testing.T) {
	deadline := podOf(t, "cpu=100")
	deadline.Pod.Account.Deadline = true
	checkAll(t, []checkCase{
		{"limited and not covered", nil, create(podOf(t, "x.io/gpu=1 y.io/gpu=0 z.io/gpu=1")), []LimitedResource{{Resource: Pods, MatchContains: []string{"gpu"}}}, "403 insufficient quota to consume: requests.x.io/gpu,requests.z.io/gpu"},
		{"limited and covered", quotas{known(t, "q", "requests.x.io/gpu=1", "requests.x.io/gpu=0")}, create(podOf(t, "x.io/gpu=1")), []LimitedResource{{Resource: Pods, MatchContains: []string{"gpu"}}}, "q: requests.x.io/gpu=1"},
		{"limited for others", nil, create(Object{Resource: "secrets"}), []LimitedResource{{Resource: Pods, MatchContains: []string{"count"}}}, ""},
		{"a limited scope that no quota covers", quotas{known(t, "q", "pods=5", "pods=0")}, create(deadline), []LimitedResource{{Resource: Pods, MatchScopes: []cluster.ScopeRequirement{scope("Terminating")}}},
			"500 insufficient quota to match these scopes: [{Terminating Exists []}]"},
		{"a limited scope that one covers", quotas{known(t, "q", "pods=5", "pods=0", scope("Terminating"))}, create(deadline), []LimitedResource{{MatchScopes: []cluster.ScopeRequirement{scope("Terminating")}}}, "q: pods=1"},
		{"what takes nothing isn't limited", quotas{known(t, "q", "cpu=5", "cpu=0")}, update(deadline, deadline, "resize"),
			[]LimitedResource{{MatchScopes: []cluster.ScopeRequirement{scope("Terminating")}}}, "q: cpu=0"},
	})
}

// checkAll checks each request, and that one that is refused changes nothing.
func checkAll(t *testing.T, tests []checkCase) {
	for _, tt := range tests {
		before := describe(tt.quotas)
		after, code, reason := Check(tt.quotas, &tt.request, tt.limited)
		got := describe(after)
		if reason != "" {
			if got != before {
				t.Errorf("%s: refused, and charged %s", tt.why, got)
			}
			got = fmt.Sprint(code, " ", reason)
		}
		if got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.why, got, tt.want)
		}
		if describe(tt.quotas) != before {
			t.Errorf("%s: what was given has changed", tt.why)
		}
	}
}

// describe says what of each quota is used.
func describe(quotas []*cluster.ResourceQuota) string {
	var parts []string
	for _, q := range quotas {
		parts = append(parts, q.Name+": "+show(q.Used))
	}
	return strings.Join(parts, "; ")
}

func TestScopes(t *testing.T) {
	pod := func(change func(*cluster.Account)) Object {
		o := podOf(t, "cpu=1")
		change(o.Pod.Account)
		return o
	}
	plain := pod(func(*cluster.Account) {})
	deadline := pod(func(a *cluster.Account) { a.Deadline = true })
	empty := podOf(t, "")
	gold := pod(func(a *cluster.Account) { a.PriorityClass = "gold" })
	cross := pod(func(a *cluster.Account) { a.OtherNamespaces = true })
	claim := func(classes ...string) Object {
		return Object{Resource: Claims, Claim: &Claim{VolumeAttributes: classes}}
	}
	tests := []struct {
		scope   string
		yes, no []Object
	}{
		{"Terminating", []Object{deadline}, []Object{plain, claim()}},
		{"NotTerminating", []Object{plain}, []Object{deadline, {Resource: Services}, {Resource: "secrets"}}},
		{"BestEffort", []Object{empty}, []Object{plain}},
		{"NotBestEffort", []Object{plain}, []Object{empty}},
		{"CrossNamespacePodAffinity", []Object{cross}, []Object{plain}},
		{"PriorityClass", []Object{gold}, []Object{plain, claim("gold")}},
		{"PriorityClass In silver gold", []Object{gold}, []Object{plain}},
		{"PriorityClass In silver", nil, []Object{gold, plain}},
		{"PriorityClass NotIn silver", []Object{gold, plain}, nil},
		{"PriorityClass NotIn gold", []Object{plain}, []Object{gold}},
		{"PriorityClass DoesNotExist", []Object{plain}, []Object{gold}},
		{"PriorityClass Near gold", nil, []Object{gold}},
		{"VolumeAttributesClass", []Object{claim("", "a")}, []Object{claim(), claim(""), gold}},
		{"VolumeAttributesClass In a", []Object{claim("b", "a")}, []Object{claim("b"), claim()}},
		{"VolumeAttributesClass NotIn a", []Object{claim("b", "a"), claim()}, []Object{claim("a")}},
		{"Other", nil, []Object{plain, claim()}},
	}
	for _, tt := range tests {
		r := scope(tt.scope)
		for _, o := range tt.yes {
			if !meetsOne(&r, &o) {
				t.Errorf("%s isn't met by %+v", tt.scope, o)
			}
		}
		for _, o := range tt.no {
			if meetsOne(&r, &o) {
				t.Errorf("%s is met by %+v", tt.scope, o)
			}
		}
	}
}

func TestValidate(t *testing.T) {
	tests := []struct {
		why    string
		limits string
		scopes []string
		want   string // a part of the error, "" for none
	}{
		{"all kinds of names", "count/deployments.apps=1 cpu=1 gold.storageclass.storage.k8s.io/requests.storage=1 hugepages-2Mi=1 limits.cpu=1 nvidia.com/gpu=1 pods=1 requests.hugepages-2Mi=1 requests.nvidia.com/gpu=1 requests.storage=1 services=1", nil, ""},
		{"a name that is none", "a/b/c=1", nil, "is no resource"},
		{"a domain that is none", "A.com/b=1", nil, "is no resource"},
		{"a long name", "x/" + strings.Repeat("a", 64) + "=1", nil, "is no resource"},
		{"a name that quotas don't know", "storage=1", nil, "quotas don't know"},
		{"below 0", "cpu=-1", nil, "give 0 or more"},
		{"a scope", "cpu=1 pods=1 requests.nvidia.com/gpu=1", []string{"NotBestEffort", "PriorityClass In a b"}, ""},
		{"storage in a scope of pods", "ephemeral-storage=1", []string{"Terminating"}, "don't go together"},
		{"cpu in BestEffort", "cpu=1", []string{"BestEffort"}, "limit only pods there"},
		{"pods in a scope of claims", "pods=1", []string{"VolumeAttributesClass"}, "don't go together"},
		{"claims in it", "persistentvolumeclaims=1 requests.storage=1", []string{"VolumeAttributesClass In a"}, ""},
		{"no such scope", "pods=1", []string{"Best"}, "there is no scope"},
		{"an operator that selects", "pods=1", []string{"Terminating In a"}, "only goes with Exists"},
		{"an operator that selects the rest", "pods=1", []string{"Terminating DoesNotExist"}, "only goes with Exists"},
		{"no values", "pods=1", []string{"PriorityClass NotIn"}, "give at least one"},
		{"values", "pods=1", []string{"PriorityClass Exists a"}, "leave them out"},
		{"no such operator", "pods=1", []string{"PriorityClass Near a"}, "use In, NotIn"},
		{"both", "pods=1", []string{"Terminating", "NotTerminating"}, "make a quota for each"},
		{"both, otherwise", "pods=1", []string{"NotBestEffort", "BestEffort"}, "make a quota for each"},
	}
	for _, tt := range tests {
		q := known(t, "q", tt.limits, "")
		for _, s := range tt.scopes {
			q.Scopes = append(q.Scopes, scope(s))
		}
		got := ""
		if err := Validate(q); err != nil {
			got = err.Error()
		}
		if got == "" != (tt.want == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%s: %q, want %q in it", tt.why, got, tt.want)
		}
	}
	twice := known(t, "q", "pods=1", "")
	twice.Hard = append(twice.Hard, twice.Hard[0])
	if err := Validate(twice); err == nil || !strings.Contains(err.Error(), "quota x/q: hard names pods after pods") {
		t.Errorf("a name twice: %v", err)
	}
}

func TestQuantity(t *testing.T) {
	for _, tt := range []struct {
		name   string
		amount int64
		want   string
	}{
		{"cpu", 0, "0"}, {"cpu", 1500, "1500m"}, {"limits.cpu", 2000, "2"}, {"requests.cpu", 2000 * 1000, "2k"},
		{"memory", 1 << 30, "1Gi"}, {"limits.memory", 1536 << 20, "1536Mi"}, {"memory", 1000, "1k"}, {"memory", 1023, "1023"}, {"memory", 0, "0"},
		{"requests.storage", 5 << 60, "5Ei"}, {"gold.storageclass.storage.k8s.io/requests.storage", 2048, "2Ki"}, {"requests.hugepages-2Mi", 2 << 20, "2Mi"},
		{"pods", 1024, "1024"}, {"pods", 10000, "10k"}, {"requests.nvidia.com/gpu", 8, "8"}, {"pods", 1e18, "1E"},
	} {
		if got := quantity(tt.name, tt.amount); got != tt.want {
			t.Errorf("%d of %s is %s, want %s", tt.amount, tt.name, got, tt.want)
		}
	}
}
