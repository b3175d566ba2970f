package scheduler

import (
	"fmt"
	"strings"

	"github.com/berthsim/berth/cluster"
)

// A Weighted names a plugin that a policy scores with, and its weight.
type Weighted struct {
	Name   string // of a plugin, in any case
	Weight int64  // 1 to MaxWeight
	Args   Args   // the plugin's options; nil for its defaults
	Except Points // at which the plugin is left out
}

// Points is a set of extension points, named as in Kubernetes.
type Points uint8

// The extension points at which a plugin may be left out.
const (
	AtPreEnqueue Points = 1 << iota
	AtPreFilter         // of which Berth has Preselector
	AtFilter
	AtPostFilter
	AtScore
	AtReserve   // of which Berth has Allocator
	AtPermit    // of which Berth has Gate
	AtQueueSort // of which Berth has Sorter
)

// MaxWeight is the highest weight a plugin may have: with it, the sum over a
// thousand plugins still fits.
const MaxWeight = 1 << 40

// A Profile decides where a pod goes: filters, weighted scorers, allocators, and
// a way to choose among equals. It keeps scratch and is for one run.
type Profile struct {
	filters      []namedFilter
	preselectors []namedPreselector
	enqueuers    []namedPreEnqueuer
	scorers      []weightedScorer
	preScorers   []namedPreScorer
	allocators   []namedAllocator
	preemptors   []namedPreemptor
	gates        []namedGate
	sorter       namedSorter // the zero value for kube's order
	extenders    []Extender
	extended     uint64 // the bit of extenders among members; 0 if there are none
	ties         Ties
	sampling     Sampling

	// start is the place in the order of zones where the next cycle begins to
	// look at nodes.
	start *int
	err   error // of the last Select

	members  []member // that can reject a pod; their places are the bits of rejected
	rejected uint64   // by the last Select: the plugins that ruled a node out
	pending  uint64   // those of them that wait for something definite
	all      bool     // the last Select looked at all nodes, unless enough were feasible, and asked nobody else
	bare     bool     // of what the last Select found feasible, an extender has sent back the nodes
	last     *search  // the last for which extenders were asked, nil if there is none
	sorted   bool     // what the last Select found feasible is in order of arrival
	told     []bool   // of the last nodes to be scored, which extenders have scored; nil if none

	ranks rankings
	watch watch

	nodes    []cluster.NodeID // scratch: feasible nodes
	one, sum []int64          // scratch: one plugin's scores, and all of them
}

// A member is a plugin that can reject a pod, and its Waker, nil if it is none.
type member struct {
	name string
	Waker
}

type namedFilter struct {
	name string
	bit  int8 // place in members
	Filter
	batch BatchFilter // nil if it is none
}

type namedPreselector struct {
	name string
	bit  int8
	Preselector
}

type namedAllocator struct {
	name string
	Allocator
}

type namedPreemptor struct {
	name string
	Preemptor
}

type namedPreScorer struct {
	name string
	PreScorer
}

type namedPreEnqueuer struct {
	name string
	bit  int8
	PreEnqueuer
}

type namedGate struct {
	name string
	bit  int8
	Gate
}

type weightedScorer struct {
	name   string
	weight int64
	Scorer
	batch      BatchScorer // nil if it is none
	normalizer Normalizer  // nil if it is none
}

// NewProfile makes a profile of the plugins that policy names and of the
// required ones. The policy's plugins come first when devices are allocated, and
// the first to serve a pod decides; when nodes are filtered the required ones
// come first.
func NewProfile(plugins []*Plugin, policy []Weighted) (*Profile, error) {
	pr := &Profile{start: new(int)}
	pr.ranks.profile = pr
	named := map[*Plugin]any{}
	policy, err := expand(plugins, policy)
	if err != nil {
		return nil, err
	}
	for _, w := range policy {
		pl, err := Find(plugins, w.Name)
		if err != nil {
			return nil, err
		}
		if _, twice := named[pl]; twice {
			return nil, fmt.Errorf("plugin %s is named twice; name each once, with one weight", w.Name)
		}
		if w.Weight < 1 || w.Weight > MaxWeight {
			return nil, fmt.Errorf("plugin %s has weight %d; a weight is a whole number from 1 to %d", w.Name, w.Weight, int64(MaxWeight))
		}
		inst, err := pl.instance(w.Args)
		if err != nil {
			return nil, err
		}
		named[pl] = inst
		pr.addScorer(pl.Name, w, inst)
		pr.addAllocator(pl.Name, w.Except, inst)
		pr.addPreemptor(pl.Name, w.Except, inst)
		if err := pr.addSorter(pl.Name, w.Except, inst); err != nil {
			return nil, err
		}
	}
	if len(policy) == 1 {
		pl, _ := Find(plugins, policy[0].Name)
		pr.ties = pl.Ties
	}
	if err := pr.addFilters(plugins, policy, named); err != nil {
		return nil, err
	}
	if len(pr.members) > maxMembers {
		return nil, fmt.Errorf("%d plugins can reject pods; at most %d may in one profile", len(pr.members), maxMembers)
	}
	return pr, nil
}

// expand puts the members of sets of plugins in their place. A set's weight
// multiplies those of its members.
func expand(plugins []*Plugin, policy []Weighted) (out []Weighted, err error) {
	for _, w := range policy {
		pl, err := Find(plugins, w.Name)
		if err != nil {
			return nil, err
		}
		if pl.Members == nil {
			out = append(out, w)
			continue
		}
		for _, m := range pl.Members {
			if m.Weight > MaxWeight/max(w.Weight, 1) {
				return nil, fmt.Errorf("plugin %s has weight %d; that is too much for its member %s", w.Name, w.Weight, m.Name)
			}
			out = append(out, Weighted{m.Name, m.Weight * w.Weight, m.Args, m.Except | w.Except})
		}
	}
	return out, nil
}

// addFilters adds the required plugins in the order of the list, then the
// policy's own in the policy's order.
func (pr *Profile) addFilters(plugins []*Plugin, policy []Weighted, named map[*Plugin]any) error {
	for _, pl := range plugins {
		if !pl.Required {
			continue
		}
		inst, ok := named[pl]
		if !ok {
			var err error
			if inst, err = pl.instance(nil); err != nil {
				return err
			}
			pr.addAllocator(pl.Name, 0, inst)
			pr.addPreemptor(pl.Name, 0, inst)
			if err := pr.addSorter(pl.Name, 0, inst); err != nil {
				return err
			}
		}
		pr.addFilter(pl.Name, except(plugins, policy, pl), inst)
	}
	for _, w := range policy {
		if pl, _ := Find(plugins, w.Name); !pl.Required {
			pr.addFilter(pl.Name, w.Except, named[pl])
		}
	}
	return nil
}

// except returns the points at which policy leaves pl out.
func except(plugins []*Plugin, policy []Weighted, pl *Plugin) Points {
	for _, w := range policy {
		if found, _ := Find(plugins, w.Name); found == pl {
			return w.Except
		}
	}
	return 0
}

func (pr *Profile) addFilter(name string, except Points, inst any) {
	if f, ok := inst.(Filter); ok && except&AtFilter == 0 {
		batch, _ := inst.(BatchFilter)
		pr.filters = append(pr.filters, namedFilter{name, pr.member(name, inst), f, batch})
	}
	if f, ok := inst.(Preselector); ok && except&AtPreFilter == 0 {
		pr.preselectors = append(pr.preselectors, namedPreselector{name, pr.member(name, inst), f})
	}
	if g, ok := inst.(Gate); ok && except&AtPermit == 0 {
		pr.gates = append(pr.gates, namedGate{name, pr.member(name, inst), g})
	}
	if f, ok := inst.(PreEnqueuer); ok && except&AtPreEnqueue == 0 {
		pr.enqueuers = append(pr.enqueuers, namedPreEnqueuer{name, pr.member(name, inst), f})
	}
}

// maxMembers is the highest number of plugins that can reject pods in a profile, which
// leaves a bit for extenders.
const maxMembers = 63

// member returns the place of a plugin that can reject pods.
func (pr *Profile) member(name string, inst any) int8 {
	i := pr.bitOf(name)
	if i < 0 {
		w, _ := inst.(Waker)
		pr.members = append(pr.members, member{name, w})
		i = int8(len(pr.members) - 1)
	}
	return i
}

// bitOf returns the place of a plugin that can reject pods, -1 if it can't.
func (pr *Profile) bitOf(name string) int8 {
	for i := range pr.members {
		if pr.members[i].name == name {
			return int8(i)
		}
	}
	return -1
}

func (pr *Profile) addPreemptor(name string, except Points, inst any) {
	if pre, ok := inst.(Preemptor); ok && except&AtPostFilter == 0 {
		pr.preemptors = append(pr.preemptors, namedPreemptor{name, pre})
	}
}

func (pr *Profile) addScorer(name string, w Weighted, inst any) {
	if sc, ok := inst.(Scorer); ok && w.Except&AtScore == 0 {
		batch, _ := inst.(BatchScorer)
		norm, _ := inst.(Normalizer)
		pr.scorers = append(pr.scorers, weightedScorer{name, w.Weight, sc, batch, norm})
		if pre, ok := inst.(PreScorer); ok {
			pr.preScorers = append(pr.preScorers, namedPreScorer{name, pre})
		}
	}
}

func (pr *Profile) addAllocator(name string, except Points, inst any) {
	if a, ok := inst.(Allocator); ok && except&AtReserve == 0 {
		pr.allocators = append(pr.allocators, namedAllocator{name, a})
	}
}

func (pl *Plugin) instance(args Args) (any, error) {
	inst, err := pl.New(args)
	if err != nil {
		return nil, fmt.Errorf("plugin %s: %w", pl.Name, err)
	}
	return inst, nil
}

// Ties returns how the profile chooses among equals.
func (pr *Profile) Ties() Ties { return pr.ties }

// Prefers reports whether the profile prefers any node to another: whether it is
// a policy, and not only a set of rules.
func (pr *Profile) Prefers() bool { return len(pr.scorers) > 0 || pr.ties != TiesLowest }

// SetTies sets how the profile chooses among equals.
func (pr *Profile) SetTies(t Ties) { pr.ties = t }

// SetSampling sets at how many nodes a cycle looks. Looking at fewer saves no
// time here, and costs some: it is for deciding as a kube-scheduler does that
// samples.
func (pr *Profile) SetSampling(sa Sampling) { pr.sampling = sa }

// ShareStart has the profile's cycles begin to look at nodes where other's end: the
// profiles of one scheduler take turns.
func (pr *Profile) ShareStart(other *Profile) { pr.start = other.start }

// Find returns the plugin called name, in any case; or an error that lists the
// names there are.
func Find(plugins []*Plugin, name string) (*Plugin, error) {
	names := make([]string, len(plugins))
	for i, pl := range plugins {
		if strings.EqualFold(pl.Name, name) {
			return pl, nil
		}
		names[i] = strings.ToLower(pl.Name)
	}
	return nil, fmt.Errorf("unknown plugin %q; known: %s", name, strings.Join(names, ", "))
}

// Validate reports what is wrong with a list of plugins: a name used twice or
// missing, or neither New nor Members.
func Validate(plugins []*Plugin) error {
	seen := map[string]bool{}
	for _, pl := range plugins {
		key := strings.ToLower(pl.Name)
		switch {
		case pl.Name == "" || strings.ContainsAny(pl.Name, "+:,/ \t\n"):
			return fmt.Errorf("a plugin's name %q: it must not be empty, nor contain any of + : , / or a space", pl.Name)
		case seen[key]:
			return fmt.Errorf("two plugins are called %s (case doesn't count)", pl.Name)
		case (pl.New == nil) == (pl.Members == nil):
			return fmt.Errorf("plugin %s must have either New or Members", pl.Name)
		}
		seen[key] = true
	}
	return nil
}
