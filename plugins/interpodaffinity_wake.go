package plugins

import (
	"slices"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// Wakes implements scheduler.Waker.
func (pl *interPodAffinity) Wakes() scheduler.Action {
	return nodeJoins | scheduler.UpdateNodeLabel | scheduler.PodAdd | scheduler.UpdatePodLabel | scheduler.PodDelete
}

// Wake implements scheduler.Waker: a pod or a node has come that the class has
// affinity to, or gone that it or the pod has anti-affinity to.
func (pl *interPodAffinity) Wake(s *cluster.State, class *cluster.Class, c *scheduler.Change) bool {
	near, away := class.Affinity.Required, class.AntiAffinity.Required
	switch c.What {
	case scheduler.UpdateNodeTaint:
		return true
	case scheduler.NodeAdd, scheduler.UpdateNodeLabel:
		return anyEntered(near, c) || anyLeft(away, c)
	case scheduler.PodAdd:
		return holdsNode(&c.Pod) && allKnow(s, near, &c.Pod)
	case scheduler.PodDelete:
		return holdsNode(&c.OldPod) && (allKnow(s, away, &c.OldPod) ||
			allAbout(s.ClassByID(c.OldPod.Class).AntiAffinity.Required, class.Namespace, class.Labels))
	}
	return c.Own || holdsNode(&c.OldPod) && holdsNode(&c.Pod) &&
		(!allKnow(s, near, &c.OldPod) && allKnow(s, near, &c.Pod) ||
			allKnow(s, away, &c.OldPod) && !allKnow(s, away, &c.Pod))
}

// allKnow reports whether there are terms and all are about p.
func allKnow(s *cluster.State, terms []cluster.PodTerm, p *cluster.PodState) bool {
	return allAbout(terms, s.ClassByID(p.Class).Namespace, p.Labels)
}

// allAbout reports whether there are terms and all are about pods with these
// labels. As upstream, which looks up no namespace here, a namespace counts if it
// is named, or if its selector is met by absence of labels.
func allAbout(terms []cluster.PodTerm, namespace string, labels cluster.Labels) bool {
	for i := range terms {
		t := &terms[i]
		if !slices.Contains(t.Namespaces, namespace) && !t.NamespaceSelector.Matches(nil) || !t.Selector.Matches(labels) {
			return false
		}
	}
	return len(terms) > 0
}

// anyEntered reports whether a node is in a domain of some term in which it was
// not before.
func anyEntered(terms []cluster.PodTerm, c *scheduler.Change) bool {
	for i := range terms {
		is, in := c.Node.Labels.Get(terms[i].TopologyKey)
		if in && c.OldNode == nil {
			return true
		}
		if !in {
			continue
		}
		if was, ok := c.OldNode.Labels.Get(terms[i].TopologyKey); !ok || was != is {
			return true
		}
	}
	return false
}

// anyLeft reports whether a node is new, or no more in a domain of some term in
// which it was before.
func anyLeft(terms []cluster.PodTerm, c *scheduler.Change) bool {
	for i := range terms {
		if c.OldNode == nil {
			return true
		}
		was, ok := c.OldNode.Labels.Get(terms[i].TopologyKey)
		if !ok {
			continue
		}
		if is, in := c.Node.Labels.Get(terms[i].TopologyKey); !in || is != was {
			return true
		}
	}
	return false
}
