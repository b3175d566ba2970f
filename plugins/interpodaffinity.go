package plugins

import (
	"fmt"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// InterPodAffinity is kube's plugin of that name
// (pkg/scheduler/framework/plugins/interpodaffinity).
var InterPodAffinity = &scheduler.Plugin{
	Name: "InterPodAffinity",
	Doc: "InterPodAffinity puts pods into the topology domains of pods that they have affinity to, " +
		"and keeps them out of those of pods that they, or that pods there, have anti-affinity to. " +
		"Required terms rule out nodes, preferred ones score them.",
	New:      newInterPodAffinity,
	Required: true,
}

// interPodAffinityArgs are the plugin's options, with the names and meanings of
// kube's.
type interPodAffinityArgs struct {
	// HardPodAffinityWeight is what a required affinity term of a pod that is on
	// a node adds to the scores of nodes for pods that it is about: 0 to 100,
	// by default 1.
	HardPodAffinityWeight int32 `json:"hardPodAffinityWeight"`

	// IgnorePreferredTermsOfExistingPods says that pods without preferred terms
	// of their own are not scored.
	IgnorePreferredTermsOfExistingPods bool `json:"ignorePreferredTermsOfExistingPods"`
}

type interPodAffinity struct{ interPodAffinityArgs }

func newInterPodAffinity(args scheduler.Args) (any, error) {
	pl := &interPodAffinity{interPodAffinityArgs{HardPodAffinityWeight: 1}}
	if args != nil {
		if err := args(&pl.interPodAffinityArgs); err != nil {
			return nil, err
		}
	}
	if w := pl.HardPodAffinityWeight; w < 0 || w > 100 {
		return nil, fmt.Errorf("hardPodAffinityWeight %d; it goes from 0 to 100", w)
	}
	return pl, nil
}

// incomingMatches reports whether a term of the pod that wants a node is about
// pods of class c. Upstream first looks up the namespaces that NamespaceSelector
// selects, but then asks the selector again, of no labels: one that is met by
// absence, as NotIn is, selects the pods of all namespaces. That is not so for
// terms of pods that are on nodes.
func incomingMatches(s *cluster.State, t *cluster.PodTerm, c *cluster.Class) bool {
	namespace := t.NamespaceSelector.Matches(nil) || t.MatchesNamespace(s, c.Namespace)
	return namespace && t.Selector.Matches(c.Labels)
}

// matchesAll reports whether all terms of the pod that wants a node are about pods
// of class c.
func matchesAll(s *cluster.State, terms []cluster.PodTerm, c *cluster.Class) bool {
	for i := range terms {
		if !incomingMatches(s, &terms[i], c) {
			return false
		}
	}
	return true
}

// domainSums add up weights that pods bring to the topology domains of their
// nodes. Each column has its own sums.
type domainSums struct {
	columns []sumColumn
	byClass [][]share // what a pod of a class brings, by ClassID; nothing past the end
	any     bool      // pods of some class bring something
}

// A sumColumn holds the sums over the domains of a topology key.
type sumColumn struct {
	key   string
	sums  map[string]int64 // by the key's value
	total int64            // of sums
	added bool             // a node added to sums

	node   int64 // scratch: what the pods of one node bring
	brings bool  // scratch: whether any brings something, perhaps in sum 0
}

// A share is a weight that a pod brings to a column.
type share struct {
	column int
	weight int64
}

// column returns the index of a column for key, among those from first on. It
// makes one if there is none.
func (d *domainSums) column(key string, first int) int {
	for i := first; i < len(d.columns); i++ {
		if d.columns[i].key == key {
			return i
		}
	}
	d.columns = append(d.columns, sumColumn{key: key, sums: map[string]int64{}})
	return len(d.columns) - 1
}

// bring notes what each pod of class c brings to a column.
func (d *domainSums) bring(c cluster.ClassID, column int, weight int64) {
	for len(d.byClass) <= int(c) {
		d.byClass = append(d.byClass, nil)
	}
	d.byClass[c] = append(d.byClass[c], share{column, weight})
	d.any = true
}

// of returns what a pod of class c brings.
func (d *domainSums) of(c cluster.ClassID) []share {
	if int(c) >= len(d.byClass) {
		return nil
	}
	return d.byClass[c]
}

// addAll adds up what the pods on all nodes bring.
func (d *domainSums) addAll(s *cluster.State) {
	if !d.any {
		return
	}
	for _, n := range s.Nodes.Live() {
		for q := range s.PodsOn(n) {
			for _, sh := range d.of(s.Pods.Class[q]) {
				c := &d.columns[sh.column]
				c.node += sh.weight
				c.brings = true
			}
		}
		for i := range d.columns {
			c := &d.columns[i]
			if c.brings {
				c.add(s.Nodes.Labels[n], c.node)
			}
			c.node, c.brings = 0, false
		}
	}
}

// addPod adds what a pod of class c on a node with these labels brings, times
// delta.
func (d *domainSums) addPod(c cluster.ClassID, node cluster.Labels, delta int) {
	for _, sh := range d.of(c) {
		d.columns[sh.column].add(node, int64(delta)*sh.weight)
	}
}

// add adds to the domain of a node with these labels, if it is in one.
func (c *sumColumn) add(node cluster.Labels, weight int64) {
	if value, ok := node.Get(c.key); ok {
		c.sums[value] += weight
		c.total += weight
		c.added = true
	}
}

// at returns the sum in the domain of a node with these labels, 0 if it is in
// none; and whether it is in one.
func (c *sumColumn) at(node cluster.Labels) (sum int64, ok bool) {
	value, ok := node.Get(c.key)
	if !ok {
		return 0, false // there may be a domain ""
	}
	return c.sums[value], true
}
