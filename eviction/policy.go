package eviction

import (
	"fmt"
	"strings"

	"github.com/berthsim/berth/cluster"
)

// A NodePolicy says which node is tainted next, and when. It is one of a run, and may
// remember what it likes. It must write neither to the State nor to the Zone.
type NodePolicy interface {
	// NextNode is asked about a zone in which nodes wait to be tainted: which one is next,
	// by its place in z.Waiting, and when, now or later. If that is now, it is that node's
	// turn, which the policy may count on, and the next one is asked for; otherwise it is
	// asked again then, or when something in the zone has changed, and must say the same if
	// asked before. Never means that nothing is to be tainted as things are.
	NextNode(s *cluster.State, z *Zone) (i int, at cluster.Time)
}

// A ZoneWatcher is a NodePolicy that wants to hear when a zone's state has changed, or
// Stopped has.
type ZoneWatcher interface {
	ZoneChanged(s *cluster.State, z *Zone)
}

// A PodPolicy says which of the pods that can't stay on their nodes are deleted, and when.
type PodPolicy interface {
	// NextPods is asked about pods whose time is up, in that order. It returns those that
	// are deleted now, be they among due or not, and when, later than now, it is to be asked
	// about the others again; if more pods' time is up, it is asked before. They stay on
	// their nodes until then; pods whose taints are gone are left out. A pod that is
	// returned must be on a node and not have been told to end. Asked again before anything
	// is deleted, it must say the same.
	NextPods(s *cluster.State, due []cluster.PodID) (now []cluster.PodID, again cluster.Time)
}

// A Policy is a value that says how to evict, in a list that a main is given.
type Policy struct {
	Name string // without spaces; case doesn't count
	Doc  string // its first sentence is the title

	// New makes an instance for one run. It implements NodePolicy, PodPolicy or both;
	// for what it doesn't, there is kube's.
	New func(Settings) any
}

// Policies are those that Berth has.
var Policies = []*Policy{Kube, BudgetAware, GangAware, CircuitBreaker}

// Find returns the policy called name, in any case; or an error that lists the names there
// are.
func Find(policies []*Policy, name string) (*Policy, error) {
	names := make([]string, len(policies))
	for i, p := range policies {
		if strings.EqualFold(p.Name, name) {
			return p, nil
		}
		names[i] = strings.ToLower(p.Name)
	}
	return nil, fmt.Errorf("unknown eviction policy %q; known: %s", name, strings.Join(names, ", "))
}

// Instance makes what decides in one run: New's, and kube's for what that doesn't. It
// panics if New makes what decides nothing.
func (p *Policy) Instance(st Settings) (NodePolicy, PodPolicy) {
	made := p.New(st)
	nodes, forNodes := made.(NodePolicy)
	pods, forPods := made.(PodPolicy)
	switch {
	case !forNodes && !forPods:
		panic(fmt.Sprintf("eviction: policy %s makes a %T, which decides neither about nodes nor about pods", p.Name, made))
	case !forNodes:
		nodes = NewKubePolicy(st)
	case !forPods:
		pods = NewKubePolicy(st)
	}
	return nodes, pods
}

// Controllers returns what evicts in one run, in the order in which cluster.Run is to have
// it: pods whose time is up at an instant are deleted before nodes are judged at it, as
// bench/upstream has upstream's controllers take turns. Each learns by events what the
// other has done, so that the other way round the same happens at the same times; but the
// order of decisions, and so the digest, would differ, and what a PodPolicy reads of nodes.
// A nil policy stands for kube's.
func Controllers(st Settings, policy *Policy) []cluster.Controller {
	if policy == nil {
		policy = Kube
	}
	nodes, pods := policy.Instance(st)
	return []cluster.Controller{NewTaintEviction(pods), NewHealth(st, nodes)}
}

// Kube is what upstream's controllers do.
var Kube = &Policy{
	Name: "kube",
	Doc:  "kube taints nodes at a rate for each zone, lower in disrupted ones, and deletes every pod whose time is up.",
	New:  func(st Settings) any { return NewKubePolicy(st) },
}

// KubePolicy is the instance of Kube, for others to build on.
type KubePolicy struct{ settings Settings }

// NewKubePolicy returns one for a run.
func NewKubePolicy(st Settings) *KubePolicy {
	return &KubePolicy{st}
}

func (k *KubePolicy) bucket(s *cluster.State, z *Zone) *bucket {
	if z.bucket == nil {
		full := newBucket(k.settings.Rate, s.Now)
		z.bucket = &full
	}
	return z.bucket
}

// NextNode implements NodePolicy: the first, as soon as there is a token.
func (k *KubePolicy) NextNode(s *cluster.State, z *Zone) (int, cluster.Time) {
	b := k.bucket(s, z)
	if b.take(s.Now) {
		return 0, s.Now
	}
	return 0, b.next(s.Now)
}

// ZoneChanged implements ZoneWatcher: each state has its rate.
func (k *KubePolicy) ZoneChanged(s *cluster.State, z *Zone) {
	k.bucket(s, z).swap(k.rate(z), s.Now)
}

// rate returns the nodes that are tainted in a zone each second. A zone that is wholly
// disrupted is like a normal one, unless all are.
func (k *KubePolicy) rate(z *Zone) float32 {
	switch {
	case z.Stopped:
		return 0
	case z.State != PartialDisruption:
		return k.settings.Rate
	case z.Size > k.settings.LargeZone:
		return k.settings.SecondaryRate
	}
	return 0
}

// NextPods implements PodPolicy: all, now.
func (k *KubePolicy) NextPods(_ *cluster.State, due []cluster.PodID) ([]cluster.PodID, cluster.Time) {
	return due, cluster.Never
}
