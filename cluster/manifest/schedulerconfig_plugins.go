package manifest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/berthsim/berth/internal/input"
	"github.com/berthsim/berth/scheduler"
	configv1 "k8s.io/kube-scheduler/config/v1"
)

// A profileReader reads one profile. Its errors' paths begin in the profile.
type profileReader struct {
	*configReader
	from *configv1.KubeSchedulerProfile
	at   []any // path of the profile

	args      map[string]scheduler.Args // of plugins of Berth's that have any
	instances map[string]any            // of plugins of Berth's
	sets      [pointCount]*configv1.PluginSet
	multi     []enabled // at all points, after merging with the defaults
	lists     [pointCount][]string
}

// An enabled is a plugin that is enabled at all points.
type enabled struct {
	name   string
	weight int32
	index  int // in the file; -1 for a default
}

func (p *profileReader) read() (SchedulerProfile, error) {
	out := SchedulerProfile{Sampling: p.sampling(p.from)}
	if err := checkPercentage(p.from.PercentageOfNodesToScore); err != nil {
		return out, err
	}
	plugins := p.from.Plugins
	if plugins == nil {
		plugins = &configv1.Plugins{}
	}
	p.sets = pluginSets(plugins)
	if err := p.checkNames(&plugins.MultiPoint); err != nil {
		return out, in(err, "plugins")
	}
	p.merge(&plugins.MultiPoint)
	if err := p.readArgs(); err != nil {
		return out, err
	}
	if err := p.instantiate(); err != nil {
		return out, err
	}
	if err := p.expand(); err != nil {
		return out, in(err, "plugins")
	}
	policy, err := p.policy()
	out.Policy = policy
	return out, in(err, "plugins")
}

// checkNames checks that all plugins that are named are there.
func (p *profileReader) checkNames(multi *configv1.PluginSet) error {
	if err := p.checkSet(multi); err != nil {
		return in(err, "multiPoint")
	}
	for pt, set := range p.sets {
		if err := p.checkSet(set); err != nil {
			return in(err, pointNames[pt])
		}
	}
	return nil
}

// checkSet checks the plugins that are named for one point, or for all.
func (p *profileReader) checkSet(set *configv1.PluginSet) error {
	for i, pl := range set.Enabled {
		if err := p.checkName(pl.Name); err != nil {
			return in(err, "enabled", i, "name")
		}
		if w := weightOf(pl); w < 0 {
			problem := fmt.Sprintf("is %d, by which the worst nodes would be favoured", w)
			return in(wrong(problem, "write a number above 0, or disable the plugin at score"), "enabled", i, "weight")
		}
	}
	for i, pl := range set.Disabled {
		if pl.Name == "*" {
			continue
		}
		err := p.checkName(pl.Name)
		if err == nil && kubePluginNamed(pl.Name) == nil && p.plugin(pl.Name).Required {
			err = wrong("is "+input.Quoted(pl.Name)+", which every profile of this program has", "leave it out here")
		}
		if err != nil {
			return in(err, "disabled", i, "name")
		}
	}
	return nil
}

// checkName checks that there is a plugin of a name, in just that case.
func (p *profileReader) checkName(name string) error {
	if kubePluginNamed(name) != nil || p.plugin(name) != nil {
		return nil
	}
	names := make([]string, 0, len(kubePlugins)+len(p.known))
	for i := range kubePlugins {
		names = append(names, kubePlugins[i].name)
	}
	for _, pl := range p.known {
		if pl.New != nil && !slices.Contains(names, pl.Name) {
			names = append(names, pl.Name)
		}
	}
	remedy := "name one of " + strings.Join(names, ", ")
	for _, near := range names {
		if editDistance(name, near) < len(name)/4+1 {
			remedy = "did you mean " + near + "? " + remedy
			break
		}
	}
	return wrong("is "+input.Quoted(name)+", which is no plugin", remedy)
}

// plugin returns Berth's plugin of a name, nil if it has none or only a set of that
// name.
func (p *profileReader) plugin(name string) *scheduler.Plugin {
	for _, pl := range p.known {
		if pl.Name == name && pl.New != nil {
			return pl
		}
	}
	return nil
}

// merge merges the default profile's plugins with those that the file enables and
// disables at all points. A default that is enabled again stays in its place, with
// the file's weight.
func (p *profileReader) merge(set *configv1.PluginSet) {
	replaced := make([]bool, len(set.Enabled))
	if !disables(set, "*") {
		for i := range kubePlugins {
			k := &kubePlugins[i]
			if k.weight == noDefault || disables(set, k.name) {
				continue
			}
			e := enabled{k.name, k.weight, -1}
			for j, pl := range set.Enabled { // the last counts
				if pl.Name == k.name {
					e = enabled{k.name, weightOf(pl), j}
				}
			}
			if e.index >= 0 {
				replaced[e.index] = true
			}
			p.multi = append(p.multi, e)
		}
	}
	for j, pl := range set.Enabled {
		if !replaced[j] {
			p.multi = append(p.multi, enabled{pl.Name, weightOf(pl), j})
		}
	}
}

func disables(set *configv1.PluginSet, name string) bool {
	return slices.ContainsFunc(set.Disabled, func(pl configv1.Plugin) bool { return pl.Name == name })
}

func enables(set *configv1.PluginSet, name string) bool {
	return slices.ContainsFunc(set.Enabled, func(pl configv1.Plugin) bool { return pl.Name == name })
}

func weightOf(pl configv1.Plugin) int32 {
	if pl.Weight == nil {
		return 0
	}
	return *pl.Weight
}

// needed returns the plugins that are enabled anywhere, each once: those at all
// points first.
func (p *profileReader) needed() (names []string) {
	add := func(name string) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, e := range p.multi {
		add(e.name)
	}
	for _, set := range p.sets {
		for _, pl := range set.Enabled {
			add(pl.Name)
		}
	}
	return names
}

// pointsOf returns the points at which a plugin has a part.
func (p *profileReader) pointsOf(name string) (s pointSet) {
	if k := kubePluginNamed(name); k != nil {
		return k.points
	}
	for _, pt := range berthPoints {
		if p.serves(name, pt.point) {
			s |= pointsOf(pt.point)
		}
	}
	return s
}

// serves reports whether what Berth calls at a point is there in its own plugin of
// a name.
func (p *profileReader) serves(name string, pt point) (ok bool) {
	inst := p.instances[name]
	switch pt {
	case atPreEnqueue:
		_, ok = inst.(scheduler.PreEnqueuer)
	case atPreFilter:
		_, ok = inst.(scheduler.Preselector)
	case atFilter:
		_, ok = inst.(scheduler.Filter)
	case atPostFilter:
		_, ok = inst.(scheduler.Preemptor)
	case atScore:
		_, ok = inst.(scheduler.Scorer)
	case atReserve:
		_, ok = inst.(scheduler.Allocator)
	case atPermit:
		_, ok = inst.(scheduler.Gate)
	case atQueueSort:
		_, ok = inst.(scheduler.Sorter)
	}
	return ok
}

// expand lists the plugins at each point, as framework/runtime's NewFramework does.
func (p *profileReader) expand() error {
	for i := range p.lists {
		pt := point(i)
		if err := p.checkPoint(pt); err != nil {
			return in(err, pointNames[pt])
		}
		list, err := p.expandAt(pt)
		if err != nil {
			return in(err, "multiPoint")
		}
		p.lists[pt] = list
	}
	switch sorters := p.lists[atQueueSort]; {
	case len(sorters) == 0:
		return wrong("no plugin sorts the queue", "leave PrioritySort enabled, or enable another plugin that sorts")
	case len(sorters) > 1:
		problem := fmt.Sprintf("%s and %s both sort the queue, which has one order", sorters[0], sorters[1])
		return in(wrong(problem, "disable "+sorters[0]+" at queueSort"), pointNames[atQueueSort])
	}
	if len(p.lists[atBind]) == 0 {
		return wrong("no plugin binds pods", "leave DefaultBinder enabled; an extender that binds needs it beside it")
	}
	return nil
}

// checkPoint checks that the plugins enabled at one point have a part there, and
// are named once.
func (p *profileReader) checkPoint(pt point) error {
	set := p.sets[pt]
	for i, pl := range set.Enabled {
		if !p.pointsOf(pl.Name).has(pt) {
			return in(wrong("is "+input.Quoted(pl.Name)+", which has no part there", "leave it out here"), "enabled", i, "name")
		}
		if slices.ContainsFunc(set.Enabled[:i], func(other configv1.Plugin) bool { return other.Name == pl.Name }) {
			return in(wrong("is "+input.Quoted(pl.Name)+" for the second time", "name it once"), "enabled", i, "name")
		}
	}
	return nil
}

// expandAt lists the plugins at one point: those enabled both there and at all
// points, in the order there; then those enabled at all points; then the rest.
func (p *profileReader) expandAt(pt point) (list []string, err error) {
	set := p.sets[pt]
	var everywhere, overridden []string
	if !disables(set, "*") {
		for _, e := range p.multi {
			switch {
			case !p.pointsOf(e.name).has(pt) || disables(set, e.name):
			case enables(set, e.name):
				overridden = append(overridden, e.name)
			case slices.Contains(everywhere, e.name):
				return nil, in(wrong("is "+input.Quoted(e.name)+" for the second time", "name it once"), "enabled", e.index, "name")
			default:
				everywhere = append(everywhere, e.name)
			}
		}
	}
	for _, pl := range set.Enabled {
		if slices.Contains(overridden, pl.Name) {
			list = append(list, pl.Name)
		}
	}
	list = append(list, everywhere...)
	for _, pl := range set.Enabled {
		if !slices.Contains(overridden, pl.Name) {
			list = append(list, pl.Name)
		}
	}
	return list, nil
}
