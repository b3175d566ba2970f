package certify

import (
	"fmt"
	"slices"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/faults"
)

// A Certificate says how alike a run on real kubelets and the simulated one are.
type Certificate struct {
	Pods      int // that came from outside or were created, in both runs
	Equal     int // of them, on the same node in both, or on none in both
	Different []Different
	OnlyLive  []string // pods of the live run that the simulated one hasn't
	OnlySim   []string // the other way round

	Measures []Measure
}

// A Different is a pod that went elsewhere.
type Different struct {
	Pod, Live, Sim string   // nodes, "" for none
	Why            []string // what was otherwise when it was decided
}

// A Measure is how long something took, each time that it happened, in order.
type Measure struct {
	Name, Doc string
	Live      []cluster.Time
	Alike     []cluster.Time // in the first simulated run
	Sim       []cluster.Time // in all of them
}

// Compare holds a live run against simulated ones. In the first, nodes should renew their leases
// when the live ones did; its placements are those that are compared. The others differ in these moments,
// and in what else is drawn.
func Compare(live *Timeline, struck []faults.Fault, simulated ...*Timeline) *Certificate {
	c := &Certificate{}
	c.place(live, simulated[0])
	for _, m := range measures {
		x := Measure{Name: m.name, Doc: m.doc, Live: m.of(live, struck)}
		x.Alike = m.of(simulated[0], struck)
		for _, s := range simulated {
			x.Sim = append(x.Sim, m.of(s, struck)...)
		}
		slices.Sort(x.Live)
		slices.Sort(x.Alike)
		slices.Sort(x.Sim)
		c.Measures = append(c.Measures, x)
	}
	return c
}

// place compares where pods went.
func (c *Certificate) place(live, simulated *Timeline) {
	others := map[string]*Pod{}
	for _, p := range simulated.Pods {
		others[p.Name] = p
	}
	for _, p := range live.Pods {
		other, ok := others[p.Name]
		if !ok {
			c.OnlyLive = append(c.OnlyLive, p.Name)
			continue
		}
		delete(others, p.Name)
		c.Pods++
		if p.Node == other.Node {
			c.Equal++
			continue
		}
		c.Different = append(c.Different, Different{p.Name, p.Node, other.Node, differences(live.scene.at(p.seen), simulated.scene.at(other.seen))})
	}
	for _, p := range simulated.Pods {
		if others[p.Name] == p {
			c.OnlySim = append(c.OnlySim, p.Name)
		}
	}
}

// differences says what one of two sorted scenes has and the other hasn't. If there is
// nothing, the decision itself differs, which is a fault of Berth's.
func differences(live, simulated []string) (why []string) {
	for _, line := range live {
		if _, ok := slices.BinarySearch(simulated, line); !ok {
			why = append(why, "live only: "+line)
		}
	}
	for _, line := range simulated {
		if _, ok := slices.BinarySearch(live, line); !ok {
			why = append(why, "simulated only: "+line)
		}
	}
	return why
}

// A measure is how something is found in a Timeline.
type measure struct {
	name, doc string
	of        func(t *Timeline, struck []faults.Fault) []cluster.Time
}

var measures = []measure{
	{"start-up", "from a pod's binding until it runs and is ready", func(t *Timeline, _ []faults.Fault) []cluster.Time {
		return t.eachPod(func(p *Pod) (from, to cluster.Time) { return p.Bound, p.Running })
	}},
	{"detection", "from a fault until its node's condition is Unknown", func(t *Timeline, struck []faults.Fault) []cluster.Time {
		return t.eachFault(struck, Unknown, func(f *faults.Fault) cluster.Time { return f.At })
	}},
	{"taint", "from a fault until its node has a taint that takes pods off", func(t *Timeline, struck []faults.Fault) []cluster.Time {
		return t.eachFault(struck, Tainted, func(f *faults.Fault) cluster.Time { return f.At })
	}},
	{"eviction", "from a fault until a pod on its node is told to end", func(t *Timeline, struck []faults.Fault) []cluster.Time {
		return t.eachVictim(struck, func(f *faults.Fault, p *Pod) cluster.Time { return p.Told - f.At })
	}},
	{"replacement", "from a pod's being told to end until the one in its place runs", func(t *Timeline, struck []faults.Fault) []cluster.Time {
		return t.eachVictim(struck, func(_ *faults.Fault, p *Pod) cluster.Time {
			next := t.inPlaceOf(p)
			if next == nil || next.Running == cluster.Never {
				return cluster.Never
			}
			return next.Running - p.Told
		})
	}},
	{"recovery", "from a fault's end until its node's taint is off", func(t *Timeline, struck []faults.Fault) []cluster.Time {
		return t.eachFault(struck, Untainted, func(f *faults.Fault) cluster.Time { return f.Until })
	}},
}

// eachPod returns the time between two moments of each pod that has both.
func (t *Timeline) eachPod(moments func(*Pod) (from, to cluster.Time)) (all []cluster.Time) {
	for _, p := range t.Pods {
		if from, to := moments(p); from != cluster.Never && to != cluster.Never {
			all = append(all, to-from)
		}
	}
	return all
}

// eachFault returns how long each fault took, from a moment on, until there was such news of
// its nodes. A fault of which there was none is left out.
func (t *Timeline) eachFault(struck []faults.Fault, what string, from func(*faults.Fault) cluster.Time) (all []cluster.Time) {
	for i := range struck {
		f := &struck[i]
		if from(f) == cluster.Never {
			continue
		}
		for _, node := range f.Nodes {
			at := slices.IndexFunc(t.News, func(n News) bool { return n.Node == node && n.What == what && n.At >= from(f) })
			if at >= 0 {
				all = append(all, t.News[at].At-from(f))
			}
		}
	}
	return all
}

// eachVictim returns what is measured of each pod that was told to end on a node that had been
// struck before and had not been repaired by then; Never is left out.
func (t *Timeline) eachVictim(struck []faults.Fault, measured func(*faults.Fault, *Pod) cluster.Time) (all []cluster.Time) {
	for i := range struck {
		f := &struck[i]
		for _, p := range t.Pods {
			if p.Told == cluster.Never || p.Told < f.At || p.Told >= f.Until || !slices.Contains(f.Nodes, p.Node) {
				continue
			}
			if took := measured(f, p); took != cluster.Never {
				all = append(all, took)
			}
		}
	}
	return all
}

// inPlaceOf returns the pod that was created for one that was told to end: the first of its
// chain that came afterwards.
func (t *Timeline) inPlaceOf(p *Pod) *Pod {
	first := chain(p.Name)
	for _, q := range t.Pods {
		if q.Created && chain(q.Name) == first && q.Arrived >= p.Told {
			return q
		}
	}
	return nil
}

// Verdict returns a sentence.
func (c *Certificate) Verdict() string {
	share := 100.0
	if c.Pods > 0 {
		share = 100 * float64(c.Equal) / float64(c.Pods)
	}
	return fmt.Sprintf("%d of %d pods are on the same node (%.1f %%)", c.Equal, c.Pods, share)
}
