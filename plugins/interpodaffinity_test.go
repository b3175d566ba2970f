package plugins_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/plugins"
	"github.com/berthsim/berth/scheduler"
)

var affinityWords = map[string]string{
	"node(s) didn't match pod affinity rules":                  "affinity",
	"node(s) didn't match pod anti-affinity rules":             "anti",
	"node(s) didn't satisfy existing pods anti-affinity rules": "existing",
}

// near is a term about pods of namespace ns with labels.
func near(labels, key string) cluster.PodTerm {
	return cluster.PodTerm{Selector: selecting(labels), Namespaces: []string{"ns"}, TopologyKey: key}
}

func requiring(terms ...cluster.PodTerm) cluster.PodAffinity {
	return cluster.PodAffinity{Required: terms}
}

// Terms about pods with app=web and with app=db, by zone.
var web, db = near("app=web", byZone), near("app=db", byZone)

// keeping is a class with required anti-affinity terms.
func keeping(terms ...cluster.PodTerm) cluster.Class {
	return cluster.Class{AntiAffinity: requiring(terms...)}
}

// onNode adds a pod of class c to a node.
func (w *world) onNode(node, labels string, c cluster.Class) {
	if c.Namespace == "" {
		c.Namespace = "ns"
	}
	w.add(cluster.PodSpec{Class: &c, Labels: labelsOf(labels), On: node})
}

var affinityFilterTests = []struct {
	name  string
	class cluster.Class // of the pod, which has app=web
	pods  func(w *world)
	want  string
}{
	{"nothing", cluster.Class{}, nil, "skip"},
	{
		"affinity to db", cluster.Class{Affinity: requiring(db)},
		func(w *world) { w.running("app=db", "a1") },
		"a1:ok a2:ok b1:never/affinity c1:never/affinity x:never/affinity",
	}, {
		"affinity to db, of which there is none", cluster.Class{Affinity: requiring(db)}, nil,
		"a1:never/affinity a2:never/affinity b1:never/affinity c1:never/affinity x:never/affinity",
	}, {
		"the first of a series", cluster.Class{Affinity: requiring(web)}, nil,
		"a1:ok a2:ok b1:ok c1:ok x:never/affinity",
	}, {
		"the second", cluster.Class{Affinity: requiring(web)}, func(w *world) { w.running("app=web", "c1") },
		"a1:never/affinity a2:never/affinity b1:never/affinity c1:ok x:never/affinity",
	}, {
		"the first was put on a node without the label", cluster.Class{Affinity: requiring(web)},
		func(w *world) { w.running("app=web", "x") },
		"a1:ok a2:ok b1:ok c1:ok x:never/affinity",
	}, {
		"the first of one series, and with affinity to another", cluster.Class{Affinity: requiring(web, db)}, nil,
		"a1:never/affinity a2:never/affinity b1:never/affinity c1:never/affinity x:never/affinity",
	}, {
		"no pod meets both terms", cluster.Class{Affinity: requiring(db, near("tier=back", byZone))},
		func(w *world) { w.running("app=db", "a1"); w.running("tier=back", "a1") },
		"a1:never/affinity a2:never/affinity b1:never/affinity c1:never/affinity x:never/affinity",
	}, {
		"one pod does", cluster.Class{Affinity: requiring(db, near("tier=back", byHost))},
		func(w *world) { w.running("app=db,tier=back", "a1") },
		"a1:ok a2:never/affinity b1:never/affinity c1:never/affinity x:never/affinity",
	}, {
		"the keys may be met by different pods", cluster.Class{Affinity: requiring(db, near("app=db", "rack"))},
		func(w *world) { w.running("app=db", "c1 y") },
		"a1:never/affinity a2:never/affinity b1:ok c1:never/affinity x:never/affinity y:never/affinity",
	}, {
		"affinity to pods that are about to end", cluster.Class{Affinity: requiring(db)},
		func(w *world) {
			w.add(cluster.PodSpec{Class: &cluster.Class{Namespace: "ns"}, Labels: labelsOf("app=db"), On: "b1", Terminating: true})
		},
		"a1:never/affinity a2:never/affinity b1:ok c1:never/affinity x:never/affinity",
	}, {
		"anti-affinity to db", keeping(db), func(w *world) { w.running("app=db", "a1 x") },
		"a1:no/anti a2:no/anti b1:ok c1:ok x:ok",
	}, {
		"anti-affinity to either", keeping(db, near("app=web", byHost)),
		func(w *world) { w.running("app=db", "b1"); w.running("app=web", "a1 x") },
		"a1:no/anti a2:ok b1:no/anti c1:ok x:no/anti",
	}, {
		"anti-affinity to what isn't there", keeping(db), nil, "a1:ok a2:ok b1:ok c1:ok x:ok",
	}, {
		"a pod on a1 has anti-affinity", cluster.Class{}, func(w *world) { w.onNode("a1", "", keeping(web)) },
		"a1:no/existing a2:no/existing b1:ok c1:ok x:ok",
	}, {
		"pods have anti-affinity by several keys", cluster.Class{},
		func(w *world) {
			w.onNode("a1", "", keeping(near("app=web", byHost)))
			w.onNode("b1", "", keeping(db, web))
		},
		"a1:no/existing a2:ok b1:no/existing c1:ok x:ok",
	}, {
		"a pod has anti-affinity to others", cluster.Class{}, func(w *world) { w.onNode("a1", "", keeping(db)) }, "skip",
	}, {
		"a pod has anti-affinity on a node without the label", cluster.Class{}, func(w *world) { w.onNode("x", "", keeping(web)) }, "skip",
	}, {
		"a pod prefers others not to come", cluster.Class{},
		func(w *world) {
			w.onNode("a1", "", cluster.Class{AntiAffinity: cluster.PodAffinity{Preferred: []cluster.WeightedPodTerm{{Weight: 1, PodTerm: web}}}})
		}, "skip",
	}, {
		"all at once: affinity, then anti-affinity, then that of others",
		cluster.Class{Affinity: requiring(near("tier=back", byZone)), AntiAffinity: requiring(db)},
		func(w *world) {
			w.running("tier=back", "a1 b1 c1")
			w.running("app=db", "a1 x")
			w.onNode("a1", "", keeping(web))
			w.onNode("b1", "", keeping(web))
		},
		"a1:no/anti a2:no/anti b1:no/existing c1:ok x:never/affinity",
	},
}

func TestInterPodAffinityFilter(t *testing.T) {
	for _, tt := range affinityFilterTests {
		t.Run(tt.name, func(t *testing.T) {
			w := zones()
			w.node("x", byHost+"=x")
			if strings.Contains(tt.want, "y:") {
				w = newWorld()
				w.node("a1", byZone+"=a")
				w.node("a2", byZone+"=a")
				w.node("b1", byZone+"=c,rack=1")
				w.node("c1", byZone+"=c")
				w.node("x", "rack=1")
				w.node("y", "rack=1")
			}
			if tt.pods != nil {
				tt.pods(w)
			}
			p := w.pending(tt.class, "app=web")
			if got := filterWords(t, w, plugins.InterPodAffinity, "", p, affinityWords); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// Pods with app=web are in namespaces "a" (team=a, on node a), "b" (team=b, on b)
// and "unknown" (of which nothing is known, on u).
func TestInterPodAffinityNamespaces(t *testing.T) {
	team := func(op cluster.Operator, values ...string) *cluster.Selector {
		return &cluster.Selector{Requirements: []cluster.Requirement{{Key: "team", Op: op, Values: values}}}
	}
	tests := []struct {
		name       string
		namespaces []string
		selector   *cluster.Selector
		own        string // where the term is the pod's
		others     string // where it is one of pods on nodes
	}{
		{"by name", []string{"a"}, nil, "a", "a"},
		{"by several names", []string{"a", "unknown"}, nil, "a u", "a u"},
		{"none", nil, nil, "", ""},
		{"all", nil, &cluster.Selector{}, "a b u", "a b u"},
		{"by label", nil, team(cluster.In, "a"), "a", "a"},
		{"by name or label", []string{"b"}, team(cluster.In, "a"), "a b", "a b"},
		{"by having a label", nil, team(cluster.Exists), "a b", "a b"},
		// For the pod's own terms upstream asks the selector of no labels at all,
		// whatever the namespace.
		{"by not having a value", nil, team(cluster.NotIn, "a"), "a b u", "b u"},
		{"by not having a label", nil, team(cluster.DoesNotExist), "a b u", "u"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld()
			for _, name := range []string{"a", "b", "u"} {
				w.node(name, byHost+"="+name)
			}
			w.set(&cluster.Namespace{Name: "a", Labels: labelsOf("team=a")})
			w.set(&cluster.Namespace{Name: "b", Labels: labelsOf("team=b")})
			away := requiring(cluster.PodTerm{
				Selector: selecting("app=web"), Namespaces: tt.namespaces, NamespaceSelector: tt.selector, TopologyKey: byHost,
			})
			var others []string
			for node, ns := range map[string]string{"a": "a", "b": "b", "u": "unknown"} {
				w.onNode(node, "app=web", cluster.Class{Namespace: ns})
				p := w.pending(cluster.Class{Namespace: ns}, "app=web")
				probe := newWorld()
				for o := range w.Namespaces.All() {
					probe.set(o)
				}
				probe.node("n", byHost+"=n")
				probe.onNode("n", "", cluster.Class{AntiAffinity: away})
				if q := probe.pending(*w.Class(p), "app=web"); filterWords(t, probe, plugins.InterPodAffinity, "", q, affinityWords) != "skip" {
					others = append(others, node)
				}
			}
			slices.Sort(others)
			if got := strings.Join(others, " "); got != tt.others {
				t.Errorf("a term of others is about %q, want %q", got, tt.others)
			}
			p := w.pending(cluster.Class{Namespace: "b", AntiAffinity: away}, "")
			may := instance[scheduler.Filter](t, plugins.InterPodAffinity, "").Filter(w.State, p)
			var own []string
			for _, n := range w.Nodes.Live() {
				if may(n).Code != scheduler.Success {
					own = append(own, w.Nodes.Name[n])
				}
			}
			if got := strings.Join(own, " "); got != tt.own {
				t.Errorf("an own term is about %q, want %q", got, tt.own)
			}
		})
	}
}

func TestInterPodAffinityTrial(t *testing.T) {
	tests := []struct {
		name     string
		class, q cluster.Class // of the pod, and of another; both have app=web
		steps    string
		want     []string
	}{
		{
			"the last of a series goes", cluster.Class{Affinity: requiring(web)}, cluster.Class{}, "-pod-1",
			[]string{"a1:ok a2:ok b1:ok c1:ok", "a1:ok a2:ok b1:never/affinity c1:never/affinity"},
		}, {
			"another comes", cluster.Class{Affinity: requiring(web)}, cluster.Class{}, "+b1 -pod-1",
			[]string{
				"a1:ok a2:ok b1:ok c1:never/affinity", "a1:never/affinity a2:never/affinity b1:ok c1:never/affinity",
				"a1:ok a2:ok b1:never/affinity c1:never/affinity",
			},
		}, {
			"what it keeps away from comes", keeping(web), cluster.Class{}, "+c1 -pod-1",
			[]string{"a1:no/anti a2:no/anti b1:ok c1:no/anti", "a1:ok a2:ok b1:ok c1:no/anti", "a1:no/anti a2:no/anti b1:ok c1:ok"},
		}, {
			"what keeps it away comes", cluster.Class{Affinity: requiring(near("app=web", byHost))}, keeping(web), "+a1",
			[]string{
				"a1:no/existing a2:never/affinity b1:never/affinity c1:never/affinity",
				"a1:ok a2:never/affinity b1:never/affinity c1:never/affinity",
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := zones()
			w.running("app=web", "a1")
			q, p := w.pending(tt.q, "app=web"), w.pending(tt.class, "app=web")
			got := w.trial(t, plugins.InterPodAffinity, p, q, affinityWords, tt.steps)
			if g, want := strings.Join(got, "\n"), strings.Join(tt.want, "\n"); g != want {
				t.Errorf("got\n%s\nwant\n%s", g, want)
			}
		})
	}
	t.Run("it skips, whatever comes", func(t *testing.T) {
		w := zones()
		w.pending(keeping(web), "app=web")
		p := w.pending(cluster.Class{}, "app=web")
		may, changed := instance[scheduler.TrialFilter](t, plugins.InterPodAffinity, "").FilterTrial(w.State, p)
		if may != nil || changed != nil {
			t.Error("it follows a trial")
		}
	})
}
