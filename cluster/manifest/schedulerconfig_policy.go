package manifest

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	"github.com/berthsim/berth/scheduler"
)

// policy makes Berth's policy of the plugins at each point.
func (p *profileReader) policy() (policy []scheduler.Weighted, err error) {
	if err := p.checkPrerequisites(); err != nil {
		return nil, err
	}
	names, err := p.order()
	if err != nil {
		return nil, err
	}
	for _, pl := range p.known { // disabled, although every profile of Berth's has it
		if pl.Required && kubePluginNamed(pl.Name) != nil && !slices.Contains(names, pl.Name) {
			names = append(names, pl.Name)
		}
	}
	for _, name := range names {
		w := scheduler.Weighted{Name: name, Weight: 1, Args: p.args[name]}
		for _, pt := range berthPoints {
			if p.pointsOf(name).has(pt.point) && !slices.Contains(p.lists[pt.point], name) {
				w.Except |= pt.is
			}
		}
		if p.pointsOf(name).has(atScore) {
			w.Weight = p.weight(name)
		}
		policy = append(policy, w)
	}
	return policy, nil
}

// weight returns the weight of a plugin that scores: that given at score, or else
// the one given for all points. As in kube-scheduler, no weight is 1.
func (p *profileReader) weight(name string) int64 {
	for _, pl := range p.sets[atScore].Enabled {
		if pl.Name == name {
			return int64(max(weightOf(pl), 1))
		}
	}
	for _, e := range p.multi {
		if e.name == name {
			return int64(max(e.weight, 1))
		}
	}
	return 1
}

// checkPrerequisites refuses what kube-scheduler takes and then fails at, for every
// pod.
func (p *profileReader) checkPrerequisites() error {
	for _, need := range prerequisites {
		for _, name := range need.plugins {
			if slices.Contains(p.lists[need.at], name) && !slices.Contains(p.lists[need.without], name) {
				problem := fmt.Sprintf("%s is on there but not at %s, and so fails for every pod", name, pointNames[need.without])
				return in(wrong(problem, "disable it at "+pointNames[need.at]+" too"), pointNames[need.at])
			}
		}
	}
	return nil
}

// order returns the plugins that Berth has in one order in which they can do for
// all points: filters in the order in which they filter. Between plugins of which
// no point says which comes first, the order is that of all points.
func (p *profileReader) order() (names []string, err error) {
	rest := slices.DeleteFunc(p.needed(), func(name string) bool { return p.plugin(name) == nil })
	for len(rest) > 0 {
		i := slices.IndexFunc(rest, func(name string) bool { return !p.comesAfter(name, rest) })
		if i < 0 {
			problem := fmt.Sprintf("%s and others come in another order at one point than at another", rest[0])
			return nil, wrong(problem, "give them one order; Berth has no other")
		}
		names = append(names, rest[i])
		rest = slices.Delete(rest, i, i+1)
	}
	return names, nil
}

// comesAfter reports whether at some point where the order counts a plugin comes
// after one of others. It counts where the first to object or to serve decides:
// everywhere but at score.
func (p *profileReader) comesAfter(name string, others []string) bool {
	for _, pt := range berthPoints {
		if pt.point == atScore || !p.serves(name, pt.point) {
			continue
		}
		list := p.lists[pt.point]
		before := list[:max(slices.Index(list, name), 0)]
		for _, b := range before {
			if p.serves(b, pt.point) && slices.Contains(others, b) {
				return true
			}
		}
	}
	return false
}

// sameQueueSort checks that all profiles say the same of the order of the queue,
// as kube-scheduler asks, which has only one queue.
func (c *configReader) sameQueueSort() error {
	first := c.queueSort(0)
	for i := range c.file.Profiles {
		if !reflect.DeepEqual(c.queueSort(i), first) {
			err := wrong("differs from what profiles[0] says", "say the same in all profiles; there is one queue for all")
			return in(err, "profiles", i, "plugins", "queueSort")
		}
	}
	return nil
}

// A queueSort is what a profile says of the order of the queue.
type queueSort struct {
	enabled  []enabled
	disabled []string
	sorter   string // the plugin that this leads to, be it enabled at all points
	args     string // of that, in one form, if it gives any
}

func (c *configReader) queueSort(profile int) (q queueSort) {
	from := &c.file.Profiles[profile]
	q.sorter = c.sorters[profile]
	if from.Plugins != nil {
		for _, pl := range from.Plugins.QueueSort.Enabled {
			q.enabled = append(q.enabled, enabled{pl.Name, weightOf(pl), 0})
		}
		for _, pl := range from.Plugins.QueueSort.Disabled {
			q.disabled = append(q.disabled, pl.Name)
		}
	}
	for _, pc := range from.PluginConfig {
		if pc.Name != q.sorter {
			continue
		}
		var args any
		if json.Unmarshal(pc.Args.Raw, &args) == nil {
			text, _ := json.Marshal(args) // with sorted keys
			q.args = string(text)
		}
	}
	return q
}
