package plugins_test

import (
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/plugins"
	"github.com/berthsim/berth/scheduler"
)

// Topology keys of the tests' clusters.
const (
	byHost = "kubernetes.io/hostname"
	byZone = "topology.kubernetes.io/zone"
)

var spreadWords = map[string]string{
	"node(s) didn't match pod topology spread constraints":                          "uneven",
	"node(s) didn't match pod topology spread constraints (missing required label)": "label",
}

// zones makes a world of two nodes in zone a and one each in b and c.
func zones() *world {
	w := newWorld()
	for _, name := range []string{"a1", "a2", "b1", "c1"} {
		w.node(name, byHost+"="+name+","+byZone+"="+name[:1])
	}
	return w
}

// evenly returns a hard constraint that pods with app=web have maxSkew by zone.
func evenly(maxSkew int32) cluster.SpreadConstraint {
	return cluster.SpreadConstraint{MaxSkew: maxSkew, TopologyKey: byZone, Selector: selecting("app=web")}
}

func filterWords(t *testing.T, w *world, pl *scheduler.Plugin, args string, p cluster.PodID, words map[string]string) string {
	t.Helper()
	may := instance[scheduler.Filter](t, pl, args).Filter(w.State, p)
	if may == nil {
		return "skip"
	}
	return w.verdicts(may, words)
}

var spreadFilterTests = []struct {
	name       string
	nodes      string // more of them: "name:labels name:labels"
	running    string // pods with app=web
	constraint func(c *cluster.SpreadConstraint)
	want       string
}{
	{"no pods: 0 and itself, over 0, is a skew of 1", "", "", nil, "a1:ok a2:ok b1:ok c1:ok"},
	{"1 in a: there the skew would be 2", "", "a1", nil, "a1:no/uneven a2:no/uneven b1:ok c1:ok"},
	{"a skew of 2 may be", "", "a1", func(c *cluster.SpreadConstraint) { c.MaxSkew = 2 }, "a1:ok a2:ok b1:ok c1:ok"},
	{"a skew of 3 over maxSkew 2", "", "a1 a2", func(c *cluster.SpreadConstraint) { c.MaxSkew = 2 }, "a1:no/uneven a2:no/uneven b1:ok c1:ok"},
	{"over a minimum of 1", "", "a1 a2 b1 c1 c1", nil, "a1:no/uneven a2:no/uneven b1:ok c1:no/uneven"},
	{"over a minimum of 2", "", "a1 a2 b1 b1 c1 c1 c1", nil, "a1:ok a2:ok b1:ok c1:no/uneven"},
	{"node without the label", "x:disk=ssd", "a1", nil, "a1:no/uneven a2:no/uneven b1:ok c1:ok x:never/label"},
	{"pods on a node without the label don't count", "x:disk=ssd", "x a1 b1 c1", nil, "a1:ok a2:ok b1:ok c1:ok x:never/label"},
	{"a label without a value is one", byZone, "", nil, "a1:ok a2:ok b1:ok c1:ok"},
	{"the domain of an empty value", "x:" + byZone + "= y:disk=ssd", "x", nil, "a1:ok a2:ok b1:ok c1:ok x:no/uneven y:never/label"},
	{
		"as many domains as there should be", "", "a1 b1 c1",
		func(c *cluster.SpreadConstraint) { c.MinDomains = 3 }, "a1:ok a2:ok b1:ok c1:ok",
	}, {
		"fewer domains than there should be: the minimum is 0", "", "a1 b1 c1",
		func(c *cluster.SpreadConstraint) { c.MinDomains = 4 }, "a1:no/uneven a2:no/uneven b1:no/uneven c1:no/uneven",
	}, {
		"a pod that doesn't select itself doesn't count itself", "", "a1",
		func(c *cluster.SpreadConstraint) {
			c.Selector = &cluster.Selector{Requirements: []cluster.Requirement{{Key: "app", Op: cluster.NotIn, Values: []string{"db"}}, {Key: "me", Op: cluster.DoesNotExist}}}
		}, "a1:ok a2:ok b1:ok c1:ok",
	}, {
		"a selector without requirements counts none but itself", "", "a1 a1",
		func(c *cluster.SpreadConstraint) { c.Selector = &cluster.Selector{} }, "a1:ok a2:ok b1:ok c1:ok",
	}, {
		"no selector selects nothing", "", "a1 a1",
		func(c *cluster.SpreadConstraint) { c.Selector, c.MatchLabelKeys = nil, []string{"app"} }, "a1:ok a2:ok b1:ok c1:ok",
	}, {
		"a key to match makes a selector of one without requirements", "", "a1 a1",
		func(c *cluster.SpreadConstraint) {
			c.Selector, c.MatchLabelKeys = &cluster.Selector{}, []string{"app"}
		},
		"a1:no/uneven a2:no/uneven b1:ok c1:ok",
	}, {
		"a key to match narrows the selector", "", "a1 a1",
		func(c *cluster.SpreadConstraint) { c.MatchLabelKeys = []string{"me"} }, "a1:ok a2:ok b1:ok c1:ok",
	}, {
		"a key to match that the pod lacks", "", "a1",
		func(c *cluster.SpreadConstraint) { c.MatchLabelKeys = []string{"version"} }, "a1:no/uneven a2:no/uneven b1:ok c1:ok",
	}, {
		"soft", "", "a1 a1", func(c *cluster.SpreadConstraint) { c.Soft = true }, "skip",
	},
}

func TestPodTopologySpreadFilter(t *testing.T) {
	for _, tt := range spreadFilterTests {
		t.Run(tt.name, func(t *testing.T) {
			w := zones()
			for node := range strings.FieldsSeq(tt.nodes) {
				if name, labels, ok := strings.Cut(node, ":"); ok {
					w.node(name, labels)
				}
			}
			w.running("app=web", tt.running)
			c := evenly(1)
			if tt.constraint != nil {
				tt.constraint(&c)
			}
			p := w.pending(cluster.Class{Spread: []cluster.SpreadConstraint{c}}, "app=web,me=yes")
			if got := filterWords(t, w, plugins.PodTopologySpread, "", p, spreadWords); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// Two pods in zone a speak against it; now one of them doesn't count.
func TestPodTopologySpreadCountsNot(t *testing.T) {
	tests := []struct {
		name string
		pod  cluster.PodSpec
	}{
		{"a pod that is about to end", cluster.PodSpec{Class: &cluster.Class{Namespace: "ns"}, Terminating: true}},
		{"a pod of another namespace", cluster.PodSpec{Class: &cluster.Class{Namespace: "other"}}},
		{"a pod that isn't selected", cluster.PodSpec{Class: &cluster.Class{Namespace: "ns"}, Labels: labelsOf("app=db")}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := zones()
			w.running("app=web", "a1 b1 b1 c1 c1")
			if tt.pod.Labels == nil {
				tt.pod.Labels = labelsOf("app=web")
			}
			tt.pod.On = "a2"
			w.add(tt.pod)
			p := w.pending(cluster.Class{Spread: []cluster.SpreadConstraint{evenly(1)}}, "app=web")
			want := "a1:ok a2:ok b1:no/uneven c1:no/uneven"
			if got := filterWords(t, w, plugins.PodTopologySpread, "", p, spreadWords); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

// Zone c has no pods. Whether it counts as a domain decides whether others are
// too full.
func TestPodTopologySpreadPolicies(t *testing.T) {
	const with, without = "a1:no/uneven a2:no/uneven b1:no/uneven c1:ok", "a1:ok a2:ok b1:ok c1:ok"
	disk := &cluster.NodeSelector{Terms: []cluster.NodeSelectorTerm{
		{Labels: []cluster.Requirement{{Key: byZone, Op: cluster.In, Values: []string{"a", "b"}}}},
		{Fields: []cluster.Requirement{{Key: cluster.FieldName, Op: cluster.In, Values: []string{"a1"}}}},
	}}
	exists := func(key string, e cluster.Effect) []cluster.Toleration {
		return []cluster.Toleration{{Key: "other", Exists: true}, {Key: key, Exists: true, Effect: e}}
	}
	tests := []struct {
		name       string
		taints     []cluster.Taint // of c1
		class      cluster.Class
		constraint cluster.SpreadConstraint
		want       string
	}{
		{"plain", nil, cluster.Class{}, evenly(1), with},
		{"node labels are honoured", nil, cluster.Class{NodeLabels: labelsOf("pool=x")}, evenly(1), without},
		{"all of them", nil, cluster.Class{NodeLabels: labelsOf("pool=x,some=yes")}, evenly(1), without},
		{"node labels that c1 has", nil, cluster.Class{NodeLabels: labelsOf("some=yes")}, evenly(1), with},
		{"node affinity is honoured", nil, cluster.Class{RequiredNode: disk}, evenly(1), without},
		{"node affinity is ignored", nil, cluster.Class{RequiredNode: disk}, ignoring(evenly(1)), with},
		{"node labels are ignored", nil, cluster.Class{NodeLabels: labelsOf("pool=x")}, ignoring(evenly(1)), with},
		{"taints are ignored", []cluster.Taint{{Key: "k", Effect: cluster.NoSchedule}}, cluster.Class{}, evenly(1), with},
		{"NoSchedule is honoured", []cluster.Taint{{Key: "k", Effect: cluster.NoSchedule}}, cluster.Class{}, honouring(evenly(1)), without},
		{"NoExecute is honoured", []cluster.Taint{{Key: "k", Effect: cluster.NoExecute}}, cluster.Class{}, honouring(evenly(1)), without},
		{"PreferNoSchedule is not", []cluster.Taint{{Key: "k", Effect: cluster.PreferNoSchedule}}, cluster.Class{}, honouring(evenly(1)), with},
		{
			"a taint that is tolerated", []cluster.Taint{{Key: "k", Effect: cluster.NoSchedule}},
			cluster.Class{Tolerations: exists("k", cluster.NoEffect)}, honouring(evenly(1)), with,
		}, {
			"tolerated for another effect", []cluster.Taint{{Key: "k", Effect: cluster.NoSchedule}},
			cluster.Class{Tolerations: exists("k", cluster.NoExecute)}, honouring(evenly(1)), without,
		}, {
			"one of two is tolerated", []cluster.Taint{{Key: "k", Effect: cluster.NoSchedule}, {Key: "l", Effect: cluster.NoSchedule}},
			cluster.Class{Tolerations: exists("k", cluster.NoEffect)}, honouring(evenly(1)), without,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld()
			for _, name := range []string{"a1", "a2", "b1"} {
				w.node(name, byZone+"="+name[:1]+",pool=x,some=yes")
			}
			w.node("c1", byZone+"=c,pool=y,some=yes", tt.taints...)
			w.running("app=web", "a1 b1")
			tt.class.Spread = []cluster.SpreadConstraint{tt.constraint}
			p := w.pending(tt.class, "app=web")
			if got := filterWords(t, w, plugins.PodTopologySpread, "", p, spreadWords); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func ignoring(c cluster.SpreadConstraint) cluster.SpreadConstraint {
	c.IgnoreAffinity = true
	return c
}

func honouring(c cluster.SpreadConstraint) cluster.SpreadConstraint {
	c.HonorTaints = true
	return c
}

// The first constraint that a node fails decides, and a node that lacks the label
// of any counts for none.
func TestPodTopologySpreadSeveral(t *testing.T) {
	rack := cluster.SpreadConstraint{MaxSkew: 1, TopologyKey: "rack", Selector: selecting("app=web")}
	tests := []struct {
		name        string
		constraints []cluster.SpreadConstraint
		want        string
	}{
		{"zone first", []cluster.SpreadConstraint{evenly(1), rack}, "a1:no/uneven a2:no/uneven b1:ok c1:never/label"},
		{"rack first", []cluster.SpreadConstraint{rack, evenly(1)}, "a1:no/uneven a2:never/label b1:ok c1:never/label"},
		{"only one is hard", []cluster.SpreadConstraint{evenly(1), {MaxSkew: 1, TopologyKey: "rack", Soft: true, Selector: selecting("app=web")}}, "a1:no/uneven a2:no/uneven b1:ok c1:ok"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld()
			w.node("a1", byZone+"=a,rack=1")
			w.node("a2", byZone+"=a")
			w.node("b1", byZone+"=b,rack=2")
			w.node("c1", byZone+"=c")
			w.running("app=web", "a1")
			p := w.pending(cluster.Class{Spread: tt.constraints}, "app=web")
			if got := filterWords(t, w, plugins.PodTopologySpread, "", p, spreadWords); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// Pods without constraints get defaults, with a selector made of what selects or
// owns them.
func TestPodTopologySpreadDefaultSelector(t *testing.T) {
	const list = `{"defaultingType": "List", "defaultConstraints": [{"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "DoNotSchedule"}]}`
	const spread, free = "a1:no/uneven a2:no/uneven b1:ok c1:ok", "a1:ok a2:ok b1:ok c1:ok"
	service := func(ns, selector string) *cluster.Service {
		return &cluster.Service{Namespace: ns, Name: ns + selector, Selector: labelsOf(selector)}
	}
	workload := func(kind, ns, selector string) *cluster.Workload {
		return &cluster.Workload{Kind: kind, Namespace: ns, Name: "owner", Selector: selecting(selector)}
	}
	nothing := workload("ReplicaSet", "ns", "")
	nothing.Selector = nil
	tests := []struct {
		name    string
		objects []cluster.Object
		owner   string // kind
		want    string
	}{
		{"nothing selects the pod", nil, "", "skip"},
		{"a Service", []cluster.Object{service("ns", "app=web")}, "", spread},
		{"a Service of another namespace", []cluster.Object{service("other", "app=web")}, "", "skip"},
		{"a Service that selects others", []cluster.Object{service("ns", "app=db")}, "", "skip"},
		{"two Services", []cluster.Object{service("ns", "app=web"), service("ns", "only=me")}, "", free},
		{"a ReplicaSet", []cluster.Object{workload("ReplicaSet", "ns", "app=web")}, "ReplicaSet", spread},
		{"a StatefulSet", []cluster.Object{workload("StatefulSet", "ns", "app=web")}, "StatefulSet", spread},
		{"a ReplicationController", []cluster.Object{workload("ReplicationController", "ns", "app=web")}, "ReplicationController", spread},
		{"an owner of another kind", []cluster.Object{workload("Job", "ns", "app=web")}, "Job", "skip"},
		{"an owner that isn't known", nil, "ReplicaSet", "skip"},
		{"an owner in another namespace", []cluster.Object{workload("ReplicaSet", "other", "app=web")}, "ReplicaSet", "skip"},
		{"an owner without a selector", []cluster.Object{nothing}, "ReplicaSet", "skip"},
		{"an owner without a selector, and a Service", []cluster.Object{nothing, service("ns", "app=web")}, "ReplicaSet", spread},
		{"a ReplicaSet narrows", []cluster.Object{service("ns", "app=web"), workload("ReplicaSet", "ns", "only=me")}, "ReplicaSet", free},
		{"a ReplicaSet contradicts", []cluster.Object{service("ns", "only=me"), workload("ReplicaSet", "ns", "only=you,app=web")}, "ReplicaSet", free},
		{"a ReplicationController replaces", []cluster.Object{service("ns", "only=me"), workload("ReplicationController", "ns", "only=you,app=web")}, "ReplicationController", spread},
		{"a ReplicationController replaces what it names", []cluster.Object{service("ns", "only=me"), workload("ReplicationController", "ns", "app=web")}, "ReplicationController", free},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := zones()
			for _, o := range tt.objects {
				w.set(o)
			}
			w.running("app=web,only=you", "a1 a1")
			p := w.pending(cluster.Class{Owner: cluster.OwnerRef{Kind: tt.owner, Name: "owner"}}, "app=web,only=me")
			if got := filterWords(t, w, plugins.PodTopologySpread, list, p, spreadWords); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
	t.Run("a constraint of the pod's own", func(t *testing.T) {
		w := zones()
		w.set(service("ns", "app=web"))
		w.running("app=web", "a1 a1")
		soft := evenly(1)
		soft.Soft = true
		p := w.pending(cluster.Class{Spread: []cluster.SpreadConstraint{soft}}, "app=web")
		if got := filterWords(t, w, plugins.PodTopologySpread, list, p, spreadWords); got != "skip" {
			t.Errorf("got %s, though it has constraints, if only soft ones", got)
		}
	})
	t.Run("the system's are soft", func(t *testing.T) {
		w := zones()
		w.set(service("ns", "app=web"))
		p := w.pending(cluster.Class{}, "app=web")
		if got := filterWords(t, w, plugins.PodTopologySpread, "", p, spreadWords); got != "skip" {
			t.Errorf("got %s", got)
		}
	})
}

func TestPodTopologySpreadOptions(t *testing.T) {
	const zone = `"topologyKey": "zone", `
	tests := []struct{ args, want string }{
		{``, ""},
		{`{}`, ""},
		{`{"defaultingType": "System"}`, ""},
		{`{"defaultingType": "List"}`, ""},
		{`{"defaultingType": "Each"}`, `defaultingType "Each"; it is "System" or "List"`},
		{`{"defaultingType": ""}`, ""},
		{`{"defaults": []}`, `json: unknown field "defaults"`},
		{`{"defaultConstraints": [{}]}`, `defaultingType is "System" although there are defaultConstraints; it must be "List" then`},
		{`[{"maxSkew": 1, ` + zone + `"whenUnsatisfiable": "DoNotSchedule"}, {"maxSkew": 1, ` + zone + `"whenUnsatisfiable": "ScheduleAnyway"}]`, ""},
		{`[{"maxSkew": 1, "topologyKey": "rack", "whenUnsatisfiable": "DoNotSchedule"}, {"maxSkew": 1, ` + zone + `"whenUnsatisfiable": "DoNotSchedule"}]`, ""},
		{`[{"maxSkew": 1, ` + zone + `"whenUnsatisfiable": "DoNotSchedule"}, {"maxSkew": 2, ` + zone + `"whenUnsatisfiable": "DoNotSchedule"}]`, `defaultConstraints[1] has the topologyKey and the whenUnsatisfiable of another`},
		{`[{"maxSkew": 0, ` + zone + `"whenUnsatisfiable": "DoNotSchedule"}]`, `defaultConstraints[0]: maxSkew 0; it must be above 0`},
		{`[{"maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule"}]`, `defaultConstraints[0]: topologyKey "" is no label name; it must be 1 to 63 of A-Z, a-z, 0-9, '-', '_' and '.', with a letter or digit at both ends, after a DNS subdomain and a slash if there is one`},
		{`[{"maxSkew": 1, ` + zone + `"whenUnsatisfiable": ""}]`, `defaultConstraints[0]: whenUnsatisfiable ""; it is "DoNotSchedule" or "ScheduleAnyway"`},
		{`[{"maxSkew": 1, ` + zone + `"whenUnsatisfiable": "DoNotSchedule", "minDomains": 0}]`, ""},
		{`[{"maxSkew": 1, ` + zone + `"whenUnsatisfiable": "DoNotSchedule", "minDomains": 1}]`, ``},
		{`[{"maxSkew": 1, ` + zone + `"whenUnsatisfiable": "DoNotSchedule", "nodeAffinityPolicy": "No", "nodeTaintsPolicy": "Honor"}]`, ""},
		{`[{"maxSkew": 1, ` + zone + `"whenUnsatisfiable": "DoNotSchedule", "nodeTaintsPolicy": "No"}]`, ""},
		{`[{"maxSkew": 1, ` + zone + `"whenUnsatisfiable": "DoNotSchedule", "labelSelector": {}}]`, `defaultConstraints[0]: labelSelector is set; it must be left out, since it follows from each pod's Services and controller`},
	}
	for _, tt := range tests {
		args := tt.args
		if strings.HasPrefix(args, "[") {
			args = `{"defaultingType": "List", "defaultConstraints": ` + args + `}`
		}
		got := ""
		if _, err := plugins.PodTopologySpread.New(options(args)); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.args, got, tt.want)
		}
	}
}

// A default constraint obeys all of its options.
func TestPodTopologySpreadDefaults(t *testing.T) {
	tests := []struct{ option, want string }{
		{`"nodeAffinityPolicy": "Honor", "nodeTaintsPolicy": "Ignore"`, "a1:no/uneven a2:no/uneven b1:ok c1:ok"},
		{`"nodeAffinityPolicy": "Ignore"`, "a1:no/uneven a2:no/uneven b1:no/uneven c1:ok"},
		{`"nodeTaintsPolicy": "Honor"`, "a1:ok a2:ok b1:ok c1:ok"},
		{`"minDomains": 3`, "a1:no/uneven a2:no/uneven b1:no/uneven c1:ok"},
	}
	for _, tt := range tests {
		w := newWorld() // c1 isn't allowed by the pod, b1 has a taint
		w.node("a1", byZone+"=a,pool=x")
		w.node("a2", byZone+"=a,pool=x")
		w.node("b1", byZone+"=b,pool=x", cluster.Taint{Key: "k", Effect: cluster.NoSchedule})
		w.node("c1", byZone+"=c")
		w.set(&cluster.Service{Namespace: "ns", Name: "web", Selector: labelsOf("app=web")})
		w.running("app=web", "a1 a1 b1")
		args := `{"defaultingType": "List", "defaultConstraints": [{"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "DoNotSchedule", ` + tt.option + `}]}`
		p := w.pending(cluster.Class{NodeLabels: labelsOf("pool=x")}, "app=web")
		if got := filterWords(t, w, plugins.PodTopologySpread, args, p, spreadWords); got != tt.want {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.option, got, tt.want)
		}
	}
}
