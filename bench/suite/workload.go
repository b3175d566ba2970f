package suite

import (
	"fmt"
	"slices"

	"github.com/berthsim/berth/cluster"
)

// A workload is a kind of pods that come.
type workload struct {
	name      string
	doc       string
	classes   []int // how many classes there may be; nil if that isn't open
	templates func(classes int) []template
	tainted   bool // some nodes have taints
	pods      int  // of a sample
	preempts  bool // nodes are full of pods that have to make room
}

// A template is pods that differ in no more than their names.
type template struct {
	class  *cluster.Class
	labels cluster.Labels
	job    bool // pods have labels of their own, as a Job gives them
	fresh  bool // each pod has requests of its own

	kind string // in mixed, of what it is one of several
}

const (
	namespace = "suite"
	zoneKey   = "topology.kubernetes.io/zone"
	hostKey   = "kubernetes.io/hostname"
	zones     = 3
	mebibyte  = 1 << 20
)

// workloads are all there are. Templates' pods come in turn.
var workloads = slices.Concat(simple, []workload{
	{
		name: "mixed", doc: "pods of all the above, in turn; some nodes have taints", pods: 1000, tainted: true,
		templates: func(int) []template { return mixed() },
	}, {
		name: "preemption", doc: "the cluster is full of pods, and pods of higher priority come", pods: 50, preempts: true,
		templates: func(int) []template { return []template{{class: prior(3000, 10)}} },
	},
})

// simple are the workloads of which mixed is made.
var simple = []workload{
	{
		name: "basic", doc: "pods that differ in what they request", classes: basicClasses, pods: 2000,
		templates: basic,
	}, {
		name: "distinct", doc: "every pod is a class of its own; some nodes have taints", pods: 200, tainted: true,
		templates: func(int) []template { return []template{{class: plain(100, 500), fresh: true}} },
	}, {
		name: "job", doc: "pods of Jobs, each with labels of its own; one in ten is of a service", pods: 2000,
		templates: func(int) []template { return jobs() },
	}, {
		name: "nodeaffinity", doc: "pods that must run in one of two zones of three", pods: 2000,
		templates: func(int) []template { return []template{inZones()} },
	}, {
		name: "antiaffinity", doc: "pods of four kinds, no two of a kind on a node", pods: 1000,
		templates: func(int) []template { return apart() },
	}, {
		name: "podaffinity", doc: "pods that must run in a zone where there are others of theirs", pods: 1000,
		templates: func(int) []template {
			return []template{affine("together", func(c *cluster.Class, sel *cluster.Selector) {
				c.Affinity.Required = []cluster.PodTerm{term(sel, zoneKey)}
			})}
		},
	}, {
		name: "preferredaffinity", doc: "pods that would rather run on nodes where there are others of theirs", pods: 1000,
		templates: func(int) []template {
			return []template{affine("near", func(c *cluster.Class, sel *cluster.Selector) {
				c.Affinity.Preferred = []cluster.WeightedPodTerm{{Weight: 1, PodTerm: term(sel, hostKey)}}
			})}
		},
	}, {
		name: "hardspread", doc: "pods that must spread over zones", pods: 1000,
		templates: func(int) []template { return []template{spread("hard", false)} },
	}, {
		name: "softspread", doc: "pods that should spread over zones", pods: 1000,
		templates: func(int) []template { return []template{spread("soft", true)} },
	}, {
		name: "unschedulable", doc: "one pod in twenty asks for more CPU than a node has", pods: 2000,
		templates: func(int) []template { return tooMuch(20) },
	},
}

// A Workload is a kind of pods that come.
type Workload struct{ Name, Doc string }

// Workloads lists all there are.
func Workloads() (list []Workload) {
	for _, w := range workloads {
		list = append(list, Workload{w.name, w.doc})
	}
	return list
}

// find returns the workload of that name, which must be there.
func find(name string) *workload {
	i := slices.IndexFunc(workloads, func(w workload) bool { return w.name == name })
	return &workloads[i]
}

// plain returns a class that requests so many milli-CPUs and mebibytes.
func plain(cpu, memory int64) *cluster.Class {
	return &cluster.Class{Namespace: namespace, Requests: cluster.Amounts{cluster.CPU: cpu, cluster.Memory: memory * mebibyte}}
}

// prior is plain with a priority.
func prior(cpu int64, priority int32) *cluster.Class {
	c := plain(cpu, 500)
	c.Priority = priority
	return c
}

func basic(classes int) (ts []template) {
	for i := range int64(classes) {
		ts = append(ts, template{class: plain(100+10*(i%20), 300+10*(i/20))})
	}
	return ts
}

func jobs() (ts []template) {
	for i := range int64(9) {
		ts = append(ts, template{class: plain(100+10*i, 500), job: true})
	}
	service := affine("service", func(c *cluster.Class, sel *cluster.Selector) {
		c.AntiAffinity.Preferred = []cluster.WeightedPodTerm{{Weight: 1, PodTerm: term(sel, zoneKey)}}
	})
	return append(ts, service)
}

func inZones() template {
	c := plain(100, 500)
	c.RequiredNode = &cluster.NodeSelector{Terms: []cluster.NodeSelectorTerm{{
		Labels: []cluster.Requirement{{Key: zoneKey, Op: cluster.In, Values: []string{zoneName(0), zoneName(1)}}},
	}}}
	return template{class: c}
}

func apart() (ts []template) {
	for i := range 4 {
		ts = append(ts, affine(fmt.Sprint("apart-", i), func(c *cluster.Class, sel *cluster.Selector) {
			c.AntiAffinity.Required = []cluster.PodTerm{term(sel, hostKey)}
		}))
	}
	return ts
}

func spread(app string, soft bool) template {
	return affine(app, func(c *cluster.Class, sel *cluster.Selector) {
		c.Spread = []cluster.SpreadConstraint{{MaxSkew: 5, TopologyKey: zoneKey, Soft: soft, Selector: sel}}
	})
}

// affine returns a template of pods with the label app, and a class that relate makes say
// something about these pods.
func affine(app string, relate func(c *cluster.Class, sel *cluster.Selector)) template {
	c := plain(100, 500)
	relate(c, &cluster.Selector{Requirements: []cluster.Requirement{{Key: "app", Op: cluster.In, Values: []string{app}}}})
	return template{class: c, labels: cluster.Labels{{Key: "app", Value: app}}}
}

func term(sel *cluster.Selector, key string) cluster.PodTerm {
	return cluster.PodTerm{Selector: sel, Namespaces: []string{namespace}, TopologyKey: key}
}

// tooMuch has one pod in so many ask for more CPU than a node has.
func tooMuch(every int) []template {
	ts := slices.Repeat([]template{{class: plain(100, 500)}}, every)
	ts[every-1] = template{class: plain(2*nodeCPU, 500)}
	return ts
}

func mixed() (ts []template) {
	for _, w := range simple {
		for _, t := range w.templates(10) {
			t.kind = w.name
			if w.name == "job" && !t.job {
				t.kind = "service"
			}
			ts = append(ts, t)
		}
	}
	return ts
}

func zoneName(i int) string { return fmt.Sprint("zone-", i%zones) }

// What scheduler_perf's nodes have.
const (
	nodeCPU    = 4000     // milli-CPUs
	nodeMemory = 32 << 30 // bytes
	nodePods   = 110
)

// node describes the i-th node.
func (w *workload) node(i int) *cluster.NodeSpec {
	name := fmt.Sprintf("node-%06d", i)
	spec := &cluster.NodeSpec{
		Name:     name,
		Capacity: cluster.Amounts{cluster.CPU: nodeCPU, cluster.Memory: nodeMemory, cluster.PodSlots: nodePods},
		Labels:   cluster.MakeLabels(map[string]string{hostKey: name, zoneKey: zoneName(i), "pool": fmt.Sprint("pool-", i%7)}),
	}
	if w.tainted {
		switch i % 10 {
		case 3:
			spec.Taints = []cluster.Taint{{Key: "spot", Value: "true", Effect: cluster.PreferNoSchedule}}
		case 7:
			spec.Taints = []cluster.Taint{{Key: "dedicated", Value: "true", Effect: cluster.NoSchedule}}
		}
	}
	return spec
}

// pod describes the i-th pod of a template.
func (t *template) pod(i int) cluster.PodSpec {
	spec := cluster.PodSpec{Name: fmt.Sprintf("pod-%08d", i), Class: t.class, Labels: t.labels, Run: cluster.Never}
	if t.fresh {
		c := *t.class
		c.Requests = slices.Clone(c.Requests)
		c.Requests[cluster.Memory] += int64(i)
		spec.Class = &c
	}
	if t.job {
		job := fmt.Sprintf("%08d", i/100)
		spec.Labels = cluster.Labels{
			{Key: "batch.kubernetes.io/controller-uid", Value: "uid-" + job},
			{Key: "batch.kubernetes.io/job-completion-index", Value: fmt.Sprint(i % 100)},
			{Key: "batch.kubernetes.io/job-name", Value: "job-" + job},
		}
	}
	return spec
}
