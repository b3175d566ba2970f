package scheduler

import "github.com/berthsim/berth/cluster"

// A Scope says what an answer about a node depends on, beside the pod's class.
type Scope uint8

// The scopes, from what is known least about to what is known best.
const (
	// Anything can't be kept: the plugin is asked every time.
	Anything Scope = iota
	// Row is the node's row and the pods on it: while its Stamp is the same, so is the
	// answer.
	Row
	// Described is the node's description, NodeSpec, and those of all nodes; and of the
	// class only what is about them, its Site.
	Described
	// Class is nothing else: the answer about every node is the same. A Filter lets
	// the pod run anywhere, a Scorer has nothing to say.
	Class
	// Domains is how many pods there are in the node's topology domains, by a
	// DomainRule that the plugin gives.
	Domains
)

// Tables is a set of State's tables.
type Tables uint8

// The tables that answers may depend on, too.
const (
	OnNamespaces Tables = 1 << iota
	OnServices
	OnWorkloads
)

// A Dependence says what a plugin's answers about pods of a class depend on.
type Dependence struct {
	Filter Scope // of verdicts
	Score  Scope // of scores, before normalisation
	Tables Tables
}

// A Dependent is a Filter or Scorer that says what its answers depend on: rung 3.
// The framework then keeps them, and asks again only about nodes of which that has
// changed.
//
// What a Preselector and a PreScorer say must depend on the class alone. The framework
// keeps scores of scope Row only of Scorers that are no Normalizers, and of a BestKeeper
// that is the only one to score. The Normalize
// of others must depend on which raw scores there are, not on how many nodes have
// them: it is asked about one node for each.
type Dependent interface {
	// Depends returns what answers about pods of class c depend on, for as long as
	// the Tables that it names are the same.
	Depends(s *cluster.State, c cluster.ClassID) Dependence
}

// A DomainFilter is a Dependent Filter with verdicts of scope Domains.
type DomainFilter interface {
	Filter
	// FilterDomains returns the rule by which it judges pods of class c.
	FilterDomains(s *cluster.State, c cluster.ClassID) *DomainRule
}

// A DomainScorer is a Dependent Scorer with scores of scope Domains.
type DomainScorer interface {
	Scorer
	// ScoreDomains returns the rule by which it scores nodes for pods of class c.
	ScoreDomains(s *cluster.State, c cluster.ClassID) *DomainRule
}
