package plugins_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// A world is a cluster to which pods with relations to each other come: by
// labels, spread constraints, affinity terms, Services and controllers.
type world struct {
	*cluster.State
	pods int // that have come
}

func newWorld() *world { return &world{State: cluster.NewState()} }

// labelsOf reads "key=value,key=value".
func labelsOf(text string) cluster.Labels {
	m := map[string]string{}
	for pair := range strings.SplitSeq(text, ",") {
		if key, value, ok := strings.Cut(pair, "="); ok {
			m[key] = value
		}
	}
	return cluster.MakeLabels(m)
}

// selecting returns a selector of pods with these labels.
func selecting(text string) *cluster.Selector {
	sel := &cluster.Selector{}
	for _, l := range labelsOf(text) {
		sel.Requirements = append(sel.Requirements, cluster.Requirement{Key: l.Key, Op: cluster.In, Values: []string{l.Value}})
	}
	return sel
}

func (w *world) node(name, labels string, taints ...cluster.Taint) cluster.NodeID {
	events := []cluster.Event{{Kind: cluster.NodeAdded, NodeSpec: &cluster.NodeSpec{Name: name, Labels: labelsOf(labels), Taints: taints}}}
	w.Observe(w.Now, events)
	return events[0].Node
}

func (w *world) set(o cluster.Object) {
	w.Observe(w.Now, []cluster.Event{{Kind: cluster.ObjectSet, Object: o}})
}

// add adds a pod that spec describes but for its name.
func (w *world) add(spec cluster.PodSpec) cluster.PodID {
	w.pods++
	spec.Name, spec.Run = fmt.Sprint("pod-", w.pods), cluster.Never
	events := []cluster.Event{{Kind: cluster.PodAdded, PodSpec: &spec}}
	w.Observe(w.Now, events)
	return events[0].Pod
}

// pending adds a pod in namespace ns, if c doesn't say another, that wants a node.
func (w *world) pending(c cluster.Class, labels string) cluster.PodID {
	if c.Namespace == "" {
		c.Namespace = "ns"
	}
	return w.add(cluster.PodSpec{Class: &c, Labels: labelsOf(labels)})
}

// running adds pods without relations of their own to nodes: "n1 n1 n2".
func (w *world) running(labels, nodes string) {
	for on := range strings.FieldsSeq(nodes) {
		w.add(cluster.PodSpec{Class: &cluster.Class{Namespace: "ns"}, Labels: labelsOf(labels), On: on})
	}
}

// verdicts returns the names of all nodes, each with what may says of it in a
// word: "n1:ok n2:no/uneven".
func (w *world) verdicts(may func(cluster.NodeID) scheduler.Verdict, words map[string]string) string {
	var out []string
	for _, n := range w.Nodes.Live() {
		word := "ok"
		if v := may(n); v.Code != scheduler.Success {
			word = map[scheduler.Code]string{scheduler.Unschedulable: "no/", scheduler.Unresolvable: "never/"}[v.Code] +
				words[strings.Join(v.Reasons, ", ")]
		}
		out = append(out, w.Nodes.Name[n]+":"+word)
	}
	return strings.Join(out, " ")
}

// named returns the nodes with these names: "n1 n2".
func (w *world) named(names string) (nodes []cluster.NodeID) {
	for name := range strings.FieldsSeq(names) {
		n, ok := w.Nodes.Named(name)
		if !ok {
			panic("no node " + name)
		}
		nodes = append(nodes, n)
	}
	return nodes
}

// options decodes a plugin's options from JSON, and refuses unknown ones.
func options(text string) scheduler.Args {
	if text == "" {
		return nil
	}
	return func(into any) error {
		d := json.NewDecoder(bytes.NewBufferString(text))
		d.DisallowUnknownFields()
		return d.Decode(into)
	}
}

// instance makes an instance of a plugin.
func instance[T any](t testing.TB, pl *scheduler.Plugin, args string) T {
	t.Helper()
	inst, err := pl.New(options(args))
	if err != nil {
		t.Fatal(err)
	}
	return inst.(T)
}

// one returns an element at random.
func one[T any](rng *rand.Rand, xs ...T) T { return xs[rng.IntN(len(xs))] }

// randomWorld returns a small cluster in which much that pods say of each other
// is true of some.
func randomWorld(rng *rand.Rand) *world {
	w := newWorld()
	for i := range 1 + rng.IntN(10) {
		w.Observe(w.Now, []cluster.Event{{Kind: cluster.NodeAdded, NodeSpec: randomNode(rng, fmt.Sprint("node-", i))}})
	}
	for _, name := range []string{"ns", "other"} { // but not "unknown"
		if rng.IntN(4) > 0 {
			w.set(&cluster.Namespace{Name: name, Labels: labelsOf(one(rng, "", "team=a", "team=b", "team=a,prod=yes"))})
		}
	}
	for i := range rng.IntN(4) {
		w.set(&cluster.Service{Namespace: one(rng, "ns", "ns", "other"), Name: fmt.Sprint("service-", i), Selector: randomLabels(rng)})
	}
	for i, kind := range []string{"ReplicationController", "ReplicaSet", "StatefulSet"} {
		if rng.IntN(3) > 0 {
			sel := randomSelector(rng)
			if i == 0 { // has labels, not a selector
				sel = &cluster.Selector{}
				for _, l := range randomLabels(rng) {
					sel.Requirements = append(sel.Requirements, cluster.Requirement{Key: l.Key, Op: cluster.In, Values: []string{l.Value}})
				}
			}
			w.set(&cluster.Workload{Kind: kind, Namespace: one(rng, "ns", "other"), Name: "owner", Selector: sel})
		}
	}
	var classes []*cluster.Class
	for range 1 + rng.IntN(6) {
		classes = append(classes, randomRelations(rng))
	}
	for range rng.IntN(40) {
		w.add(cluster.PodSpec{
			Class: one(rng, classes...), Labels: randomLabels(rng),
			On: w.Nodes.Name[one(rng, w.Nodes.Live()...)], Terminating: rng.IntN(5) == 0,
		})
	}
	for range 6 { // to be asked about, and to be put on nodes on trial
		w.add(cluster.PodSpec{Class: one(rng, append(classes, randomRelations(rng))...), Labels: randomLabels(rng)})
	}
	return w
}

func randomNode(rng *rand.Rand, name string) *cluster.NodeSpec {
	m := map[string]string{}
	if rng.IntN(8) > 0 {
		m["kubernetes.io/hostname"] = one(rng, name, name, name, name, "same")
	}
	if rng.IntN(6) > 0 {
		m["topology.kubernetes.io/zone"] = one(rng, "a", "b", "c", "a", "b", "")
	}
	if rng.IntN(3) > 0 {
		m["rack"] = one(rng, "1", "2", "3", "4")
	}
	if rng.IntN(2) == 0 {
		m["disk"] = one(rng, "ssd", "hdd")
	}
	spec := &cluster.NodeSpec{Name: name, Labels: cluster.MakeLabels(m)}
	for range max(0, rng.IntN(5)-2) {
		spec.Taints = append(spec.Taints, cluster.Taint{
			Key: one(rng, "dedicated", "spot"), Value: one(rng, "", "x"),
			Effect: one(rng, cluster.NoSchedule, cluster.PreferNoSchedule, cluster.NoExecute),
		})
	}
	return spec
}

func randomLabels(rng *rand.Rand) cluster.Labels {
	m := map[string]string{}
	if rng.IntN(6) > 0 {
		m["app"] = one(rng, "web", "web", "db")
	}
	if rng.IntN(2) == 0 {
		m["version"] = one(rng, "1", "2")
	}
	if rng.IntN(3) == 0 {
		m["tier"] = one(rng, "front", "back")
	}
	return cluster.MakeLabels(m)
}

func randomRequirement(rng *rand.Rand, key string, values ...string) cluster.Requirement {
	r := cluster.Requirement{Key: key, Op: one(rng, cluster.In, cluster.In, cluster.In, cluster.NotIn, cluster.Exists, cluster.DoesNotExist)}
	if r.Op == cluster.In || r.Op == cluster.NotIn {
		r.Values = []string{one(rng, values...)}
		if rng.IntN(4) == 0 {
			r.Values = values
		}
	}
	return r
}

func randomSelector(rng *rand.Rand) *cluster.Selector {
	sel := &cluster.Selector{}
	switch rng.IntN(12) {
	case 0:
		return nil
	case 1:
		return sel
	}
	if rng.IntN(5) > 0 {
		sel.Requirements = append(sel.Requirements, randomRequirement(rng, "app", "web", "db"))
	}
	if rng.IntN(4) == 0 {
		sel.Requirements = append(sel.Requirements, randomRequirement(rng, one(rng, "version", "tier"), "1", "2", "front", "back"))
	}
	return sel
}

func randomTopologyKey(rng *rand.Rand) string {
	return one(rng, "kubernetes.io/hostname", "topology.kubernetes.io/zone", "topology.kubernetes.io/zone", "rack")
}

func randomConstraint(rng *rand.Rand) cluster.SpreadConstraint {
	c := cluster.SpreadConstraint{
		MaxSkew: 1 + rng.Int32N(3), TopologyKey: randomTopologyKey(rng), Soft: rng.IntN(2) == 0, Selector: randomSelector(rng),
		IgnoreAffinity: rng.IntN(3) == 0, HonorTaints: rng.IntN(3) == 0,
	}
	if !c.Soft && rng.IntN(2) == 0 {
		c.MinDomains = 1 + rng.Int32N(4)
	}
	if c.Selector != nil && rng.IntN(3) == 0 {
		c.MatchLabelKeys = one(rng, []string{"version"}, []string{"tier", "version"})
	}
	return c
}

func randomTerm(rng *rand.Rand, namespace string) cluster.PodTerm {
	t := cluster.PodTerm{Selector: randomSelector(rng), TopologyKey: randomTopologyKey(rng)}
	if rng.IntN(3) == 0 {
		t.Namespaces = []string{one(rng, "ns", "other", "unknown")}
	}
	switch rng.IntN(6) {
	case 0:
		t.NamespaceSelector = &cluster.Selector{}
	case 1, 2:
		t.NamespaceSelector = &cluster.Selector{Requirements: []cluster.Requirement{randomRequirement(rng, "team", "a", "b")}}
	}
	if t.Namespaces == nil && t.NamespaceSelector == nil {
		t.Namespaces = []string{namespace}
	}
	return t
}

func randomAffinity(rng *rand.Rand, namespace string) (a cluster.PodAffinity) {
	for range max(0, rng.IntN(5)-2) {
		a.Required = append(a.Required, randomTerm(rng, namespace))
	}
	for range max(0, rng.IntN(6)-3) {
		a.Preferred = append(a.Preferred, cluster.WeightedPodTerm{Weight: 1 + rng.Int32N(100), PodTerm: randomTerm(rng, namespace)})
	}
	return a
}

// randomRelations returns a class that has something to do with other pods.
func randomRelations(rng *rand.Rand) *cluster.Class {
	c := &cluster.Class{Namespace: one(rng, "ns", "ns", "ns", "other", "unknown")}
	if rng.IntN(2) == 0 {
		c.Owner = cluster.OwnerRef{Kind: one(rng, "ReplicationController", "ReplicaSet", "StatefulSet", "Job"), Name: "owner"}
	}
	for range max(0, rng.IntN(5)-1) {
		c.Spread = append(c.Spread, randomConstraint(rng))
	}
	c.Affinity, c.AntiAffinity = randomAffinity(rng, c.Namespace), randomAffinity(rng, c.Namespace)
	if rng.IntN(4) == 0 {
		c.NodeLabels = labelsOf(one(rng, "disk=ssd", "disk=hdd", "rack=1,disk=ssd"))
	}
	if rng.IntN(4) == 0 {
		c.RequiredNode = &cluster.NodeSelector{Terms: []cluster.NodeSelectorTerm{
			{Labels: []cluster.Requirement{randomRequirement(rng, "disk", "ssd", "hdd")}},
		}}
	}
	for range max(0, rng.IntN(4)-1) {
		c.Tolerations = append(c.Tolerations, cluster.Toleration{
			Key: one(rng, "", "dedicated", "spot"), Exists: true, Effect: one(rng, cluster.NoEffect, cluster.NoSchedule, cluster.NoExecute),
		})
	}
	return c
}
