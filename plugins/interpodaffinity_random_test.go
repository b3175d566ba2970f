package plugins_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/plugins"
	"github.com/berthsim/berth/scheduler"
)

// literalAffinity does what InterPodAffinity does, for one pod, as its definition
// says it: by looking at all pods anew for every question.
type literalAffinity struct {
	*world
	pod   cluster.PodID
	class *cluster.Class
}

func newLiteralAffinity(w *world, p cluster.PodID) *literalAffinity {
	return &literalAffinity{w, p, w.Class(p)}
}

// follow has nothing to do: counts are made anew, and what a trial adds counts as
// what was there before does.
func (l *literalAffinity) follow([]change) {}

// about reports whether a term of pod a is about pod b.
func (l *literalAffinity) about(t *cluster.PodTerm, a, b cluster.PodID) bool {
	namespace := l.Class(b).Namespace
	var labels cluster.Labels
	for ns := range l.Namespaces.All() {
		if ns.Name == namespace {
			labels = ns.Labels
		}
	}
	in := t.NamespaceSelector.Matches(labels)
	for _, name := range t.Namespaces {
		in = in || name == namespace
	}
	if a == l.pod { // upstream's slip
		in = in || t.NamespaceSelector.Matches(cluster.Labels{})
	}
	return in && t.Selector.Matches(l.Pods.Labels[b])
}

// aboutAll reports whether each required affinity term of the pod is about q.
func (l *literalAffinity) aboutAll(q cluster.PodID) bool {
	terms := l.class.Affinity.Required
	for i := range terms {
		if !l.about(&terms[i], l.pod, q) {
			return false
		}
	}
	return len(terms) > 0
}

// together reports whether q is on a node in n's domain by key.
func (l *literalAffinity) together(q cluster.PodID, n cluster.NodeID, key string) bool {
	a, ok := l.Nodes.Labels[n].Get(key)
	b, has := l.Nodes.Labels[l.Pods.Node[q]].Get(key)
	return ok && has && a == b
}

// placed calls yield for each pod on a node.
func (l *literalAffinity) placed(yield func(cluster.PodID) bool) {
	for q := range cluster.PodID(l.Pods.Rows()) {
		if l.Pods.Node[q] != cluster.None && !yield(q) {
			return
		}
	}
}

func (l *literalAffinity) verdict(n cluster.NodeID) (scheduler.Code, string) {
	series, unmet := true, false // no pod that all terms are about has a domain; some term isn't met
	for _, t := range l.class.Affinity.Required {
		if _, ok := l.Nodes.Labels[n].Get(t.TopologyKey); !ok {
			return scheduler.Unresolvable, "node(s) didn't match pod affinity rules"
		}
		met := false
		for q := range l.placed {
			if _, ok := l.Nodes.Labels[l.Pods.Node[q]].Get(t.TopologyKey); ok && l.aboutAll(q) {
				series = false
				met = met || l.together(q, n, t.TopologyKey)
			}
		}
		unmet = unmet || !met
	}
	if unmet && !(series && l.aboutAll(l.pod)) {
		return scheduler.Unresolvable, "node(s) didn't match pod affinity rules"
	}
	for q := range l.placed {
		for _, t := range l.class.AntiAffinity.Required {
			if l.about(&t, l.pod, q) && l.together(q, n, t.TopologyKey) {
				return scheduler.Unschedulable, "node(s) didn't match pod anti-affinity rules"
			}
		}
	}
	if l.unwelcome(n) {
		return scheduler.Unschedulable, "node(s) didn't satisfy existing pods anti-affinity rules"
	}
	return scheduler.Success, ""
}

// unwelcome reports whether a pod in one of n's domains keeps the pod away.
func (l *literalAffinity) unwelcome(n cluster.NodeID) bool {
	for q := range l.placed {
		for _, t := range l.Class(q).AntiAffinity.Required {
			if l.about(&t, q, l.pod) && l.together(q, n, t.TopologyKey) {
				return true
			}
		}
	}
	return false
}

func (l *literalAffinity) skips() bool {
	if len(l.class.Affinity.Required)+len(l.class.AntiAffinity.Required) > 0 {
		return false
	}
	for _, n := range l.Nodes.Live() {
		if l.unwelcome(n) {
			return false
		}
	}
	return true
}

// weights calls yield for each weight that a pod on a node brings to its domain
// by a key.
func (l *literalAffinity) weights(hard int64, yield func(q cluster.PodID, key string, weight int64)) {
	own := l.class
	for q := range l.placed {
		c := l.Class(q)
		weigh := func(terms []cluster.WeightedPodTerm, a, b cluster.PodID, sign int64) {
			for _, t := range terms {
				if l.about(&t.PodTerm, a, b) {
					yield(q, t.TopologyKey, sign*int64(t.Weight))
				}
			}
		}
		weigh(own.Affinity.Preferred, l.pod, q, 1)
		weigh(own.AntiAffinity.Preferred, l.pod, q, -1)
		weigh(c.Affinity.Preferred, q, l.pod, 1)
		weigh(c.AntiAffinity.Preferred, q, l.pod, -1)
		for _, t := range c.Affinity.Required {
			if hard > 0 && l.about(&t, q, l.pod) {
				yield(q, t.TopologyKey, hard)
			}
		}
	}
}

func (l *literalAffinity) scores(nodes []cluster.NodeID, hard int64, ignore bool) (raw, normal []int64, skips bool) {
	skips = true
	l.weights(hard, func(q cluster.PodID, key string, _ int64) {
		if _, ok := l.Nodes.Labels[l.Pods.Node[q]].Get(key); ok {
			skips = false
		}
	})
	if ignore && len(l.class.Affinity.Preferred)+len(l.class.AntiAffinity.Preferred) == 0 {
		skips = true
	}
	for _, n := range nodes {
		sum := int64(0)
		l.weights(hard, func(q cluster.PodID, key string, weight int64) {
			if l.together(q, n, key) {
				sum += weight
			}
		})
		raw = append(raw, sum)
	}
	lowest, highest := raw[0], raw[0]
	for _, score := range raw {
		lowest, highest = min(lowest, score), max(highest, score)
	}
	for _, score := range raw {
		if highest == lowest {
			normal = append(normal, 0)
			continue
		}
		part := float64(score-lowest) / float64(highest-lowest)
		normal = append(normal, int64(100*part))
	}
	return raw, normal, skips
}

func TestInterPodAffinityLiteral(t *testing.T) {
	for seed := range uint64(600) {
		rng := rand.New(rand.NewPCG(seed, 4))
		w := randomWorld(rng)
		hard, ignore := one(rng, int64(0), 1, 60), rng.IntN(2) == 0
		args := fmt.Sprintf(`{"hardPodAffinityWeight": %d, "ignorePreferredTermsOfExistingPods": %t}`, hard, ignore)
		pl := instance[scheduler.TrialFilter](t, plugins.InterPodAffinity, args)
		for p := range cluster.PodID(w.Pods.Rows()) {
			if w.Pods.Phase[p] != cluster.Pending {
				continue
			}
			what := fmt.Sprintf("world %d, pod %s", seed, w.PodName(p))
			twin := newLiteralAffinity(w, p)
			var may func(cluster.NodeID) scheduler.Verdict
			var changed func(cluster.PodID, cluster.NodeID, int)
			unwritten(t, w, what, func() { may, changed = pl.FilterTrial(w.State, p) })
			compareTrial(t, rng, w, what, p, may, changed, twin.skips(), twin)
			nodes := someNodes(rng, w)
			raw, normal, skips := twin.scores(nodes, hard, ignore)
			unwritten(t, w, what, func() {
				compareScores(t, w, what, p, pl.(scheduler.Scorer), nodes, skips, raw, normal)
			})
		}
	}
}
