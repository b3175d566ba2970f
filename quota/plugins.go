package quota

import (
	"fmt"
	"slices"
	"strings"

	"github.com/berthsim/berth/cluster"
)

// Plugins are the admission plugins that kube-apiserver runs by default and that look at
// what a pod asks for, ResourceQuota excepted: LimitRanger, Priority,
// DefaultTolerationSeconds and RuntimeClass.
type Plugins struct {
	ranges     []*LimitRange // sorted by namespace and name
	priorities priorities
	runtimes   []*RuntimeClass // sorted by name
}

// NewPlugins returns the plugins of a cluster with these objects, which must not be changed
// afterwards. The zero value has none, not even the priority classes that every cluster has.
func NewPlugins(ranges []*LimitRange, classes []PriorityClass, runtimes []*RuntimeClass) *Plugins {
	ps := &Plugins{ranges: slices.Clone(ranges), priorities: makePriorities(classes), runtimes: slices.Clone(runtimes)}
	slices.SortStableFunc(ps.ranges, func(a, b *LimitRange) int {
		if a.Namespace != b.Namespace {
			return strings.Compare(a.Namespace, b.Namespace)
		}
		return strings.Compare(a.Name, b.Name)
	})
	slices.SortStableFunc(ps.runtimes, func(a, b *RuntimeClass) int { return strings.Compare(a.Name, b.Name) })
	return ps
}

// A NewPod is what admission looks at, and fills in, of a pod that is to be created.
type NewPod struct {
	Namespace, Name string
	Account         cluster.Account // its lists are not changed, but replaced
	RuntimeClass    string          // its name, "" for none
	Priority        *int32
	NeverPreempts   *bool // the preemption policy, nil if none is given
	Tolerations     []cluster.Toleration
	NodeLabels      cluster.Labels // the node selector
}

func (p *NewPod) forbidden(why string) error { return forbids("pods", p.Name, why) }

// tolerationSeconds is for how long pods tolerate a node that isn't ready or can't be reached,
// unless they say: what kube-apiserver does unless its flags say otherwise.
const tolerationSeconds = 300

// Mutate fills in what a pod leaves open, each plugin in its turn (AllOrderedPlugins in
// pkg/kubeapiserver/options). That a container's request is its limit, unless it says
// another, is the API server's business before. An error is a *Refusal, and leaves the pod
// half done.
//
// Where upstream takes several LimitRanges in any order, this takes them by name.
func (ps *Plugins) Mutate(p *NewPod) error {
	for _, r := range ps.rangesOf(p.Namespace) {
		p.Account = *r.fillIn(&p.Account)
	}
	if err := ps.priorities.admit(p); err != nil {
		return err
	}
	p.Tolerations = cluster.DefaultTolerations(p.Tolerations, tolerationSeconds)
	c, err := ps.runtimeOf(p)
	if c == nil || err != nil {
		return err
	}
	return c.admit(p)
}

// Validate says whether a pod may be created as it is once everybody has filled it in. An
// error is a *Refusal.
func (ps *Plugins) Validate(p *NewPod) error {
	if why := brokenLimits(ps.rangesOf(p.Namespace), &p.Account); why != "" {
		return p.forbidden(why)
	}
	c, err := ps.runtimeOf(p)
	if err != nil {
		return err
	}
	return c.validate(p)
}

// Resize fills in what the containers of a pod leave open that is to be given other resources,
// and says whether it may have them: of all plugins, LimitRanger alone looks at that. An error
// is a *Refusal.
func (ps *Plugins) Resize(p *NewPod) error {
	ranges := ps.rangesOf(p.Namespace)
	for _, r := range ranges {
		p.Account = *r.fillIn(&p.Account)
	}
	if why := brokenLimits(ranges, &p.Account); why != "" {
		return p.forbidden(why)
	}
	return nil
}

// brokenLimits says what is wrong with a pod, as the first range has it that something is wrong
// for.
func brokenLimits(ranges []*LimitRange, a *cluster.Account) string {
	for _, r := range ranges {
		if problems := r.podProblems(a); len(problems) > 0 {
			return together(problems)
		}
	}
	return ""
}

// Exceeds says in which way a pod asks for what the LimitRanges of its namespace don't allow, ""
// in none: for Admission.Validate. Of a pod without an account no more is known than its class.
func (ps *Plugins) Exceeds(namespace string, spec *cluster.PodSpec) string {
	ranges := ps.rangesOf(namespace)
	if len(ranges) == 0 {
		return ""
	}
	account := spec.Account
	if account == nil {
		account = AccountOf(spec.Class)
	}
	return brokenLimits(ranges, account)
}

// ValidateClaim says whether a PersistentVolumeClaim may be created, or become what it is now.
// An error is a *Refusal.
func (ps *Plugins) ValidateClaim(namespace, name string, c *Claim) error {
	for _, r := range ps.rangesOf(namespace) {
		if problems := r.claimProblems(c); len(problems) > 0 {
			return forbids("persistentvolumeclaims", name, together(problems))
		}
	}
	return nil
}

// rangesOf returns a namespace's LimitRanges, by name.
func (ps *Plugins) rangesOf(namespace string) []*LimitRange {
	from, _ := slices.BinarySearchFunc(ps.ranges, namespace, func(r *LimitRange, namespace string) int {
		return strings.Compare(r.Namespace, namespace)
	})
	to := from
	for to < len(ps.ranges) && ps.ranges[to].Namespace == namespace {
		to++
	}
	return ps.ranges[from:to]
}

// Runtime returns the class of a name, nil if there is none.
func (ps *Plugins) Runtime(name string) *RuntimeClass {
	i, ok := slices.BinarySearchFunc(ps.runtimes, name, func(c *RuntimeClass, name string) int { return strings.Compare(c.Name, name) })
	if !ok {
		return nil
	}
	return ps.runtimes[i]
}

// runtimeOf returns the class that a pod names, nil if it names none.
func (ps *Plugins) runtimeOf(p *NewPod) (*RuntimeClass, error) {
	if p.RuntimeClass == "" {
		return nil, nil
	}
	if c := ps.Runtime(p.RuntimeClass); c != nil {
		return c, nil
	}
	return nil, p.forbidden(fmt.Sprintf("pod rejected: RuntimeClass %q not found", p.RuntimeClass))
}
