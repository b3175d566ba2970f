package bench

import (
	"fmt"
	"math"
	"strings"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/internal/heap"
	"github.com/berthsim/berth/traces"
)

// censusCounts is what is counted of a trace while it goes by.
type censusCounts struct {
	demand    traces.Demand
	nodeKinds []CensusNodes
	other     []CensusCount
	hours     []int64      // arrivals in each hour, from that of the beginning
	past      cluster.Time // how much of that hour was over when the trace begins
	come      levelSeries
	running   levelSeries
	levels    []namedSeries // by resource
	runs      durationCounts
	ends      heap.Heap[censusEnd]

	classes     []*censusGroup
	byClass     map[*cluster.Class]*censusGroup
	shared      cluster.Classes
	namespaces  []*censusGroup
	byNamespace map[string]*censusGroup
	owners      int
	hasOwner    map[string]bool
}

// mostHours bounds what is counted by hour: 114 years.
const mostHours = 1_000_000

type namedSeries struct {
	name string
	levelSeries
}

// A censusGroup is pods of a class or namespace.
type censusGroup struct {
	name  string
	class *cluster.Class // nil if it is a namespace
	pods  int64

	gpus, cpus, gpuSeconds, cpuSeconds float64
}

// A censusEnd is a pod that ends.
type censusEnd struct {
	at    cluster.Time
	seq   int64
	class *cluster.Class
}

// Before implements heap.Ordered.
func (e censusEnd) Before(other censusEnd) bool {
	return e.at < other.at || e.at == other.at && e.seq < other.seq
}

func (k *censusCounts) begin() {
	k.byClass, k.byNamespace, k.hasOwner = map[*cluster.Class]*censusGroup{}, map[string]*censusGroup{}, map[string]bool{}
}

func (k *censusCounts) take(e *cluster.Event) {
	k.demand.Take(e)
	switch e.Kind {
	case cluster.NodeAdded:
		k.node(e.NodeSpec)
	case cluster.PodAdded:
		k.pod(e)
	case cluster.PodEnded:
		k.count("PodEnded: " + e.Reason)
	default:
		k.count(e.Kind.String())
	}
}

func (k *censusCounts) count(what string) {
	for i := range k.other {
		if k.other[i].What == what {
			k.other[i].Count++
			return
		}
	}
	if len(k.other) < 100 { // reasons are free text
		k.other = append(k.other, CensusCount{what, 1})
	}
}

func (k *censusCounts) node(n *cluster.NodeSpec) {
	what := nodeWords(n)
	for i := range k.nodeKinds {
		if k.nodeKinds[i].What == what {
			k.nodeKinds[i].Count++
			return
		}
	}
	k.nodeKinds = append(k.nodeKinds, CensusNodes{1, what})
}

func (k *censusCounts) pod(e *cluster.Event) {
	c, run := e.PodSpec.Class, e.PodSpec.Run
	k.endUntil(e.Time)
	if hour := (e.Time + k.past) / cluster.Hour; hour >= 0 && hour < mostHours {
		for int(hour) >= len(k.hours) {
			k.hours = append(k.hours, 0)
		}
		k.hours[hour]++
	}
	k.come.add(e.Time, 1)
	k.change(e.Time, c, 1)
	seconds := 0.0
	if run != cluster.Never {
		seconds = run.Seconds()
		k.runs.add(seconds)
		if run < cluster.Never-e.Time {
			k.ends.Push(censusEnd{e.Time + max(run, 0), k.demand.Pods, c})
		}
	}
	for _, g := range []*censusGroup{k.class(c), k.namespace(c.Namespace)} {
		gpus, cpus := float64(c.GPUs.Total()), float64(c.Requests.Get(cluster.CPU))
		g.pods++
		g.gpus += gpus
		g.cpus += cpus
		g.gpuSeconds += float64(gpus * seconds)
		g.cpuSeconds += float64(cpus * seconds)
	}
	if owner := c.Owner; owner != (cluster.OwnerRef{}) {
		if key := c.Namespace + "/" + owner.Kind + "/" + owner.Name; !k.hasOwner[key] {
			k.hasOwner[key] = true
			k.owners++
		}
	}
}

// class returns the group of a class; readers mostly, but not always, share equal ones.
func (k *censusCounts) class(c *cluster.Class) *censusGroup {
	g := k.byClass[c]
	if g == nil {
		first := k.shared.Share(c)
		if g = k.byClass[first]; g == nil {
			g = &censusGroup{class: first}
			k.classes = append(k.classes, g)
			k.byClass[first] = g
		}
		k.byClass[c] = g
	}
	return g
}

func (k *censusCounts) namespace(name string) *censusGroup {
	g := k.byNamespace[name]
	if g == nil {
		g = &censusGroup{name: name}
		k.byNamespace[name] = g
		k.namespaces = append(k.namespaces, g)
	}
	return g
}

// endUntil ends the pods that end up to a time.
func (k *censusCounts) endUntil(now cluster.Time) {
	for len(k.ends) > 0 && k.ends[0].at <= now {
		e := k.ends.Pop()
		k.change(e.at, e.class, -1)
	}
}

// change has a pod begin (1) or end (-1) to run.
func (k *censusCounts) change(at cluster.Time, c *cluster.Class, by float64) {
	k.running.change(at, by)
	traces.EachRequest(c, func(name string, amount int64) {
		k.level(name, true).change(at, by*float64(amount))
	})
}

// level returns what is asked for of a resource over time; nil if nothing ever is, unless
// it is to be made.
func (k *censusCounts) level(name string, made bool) *levelSeries {
	for i := range k.levels {
		if k.levels[i].name == name {
			return &k.levels[i].levelSeries
		}
	}
	if !made {
		return nil
	}
	k.levels = append(k.levels, namedSeries{name: name})
	return &k.levels[len(k.levels)-1].levelSeries
}

// finish ends the time that is looked at with the last arrival.
func (k *censusCounts) finish() {
	k.endUntil(k.demand.Last)
	k.running.until(k.demand.First, k.demand.Last)
	k.come.until(k.demand.First, k.demand.Last)
	for i := range k.levels {
		k.levels[i].until(k.demand.First, k.demand.Last)
	}
}

// nodeWords says what a node has.
func nodeWords(n *cluster.NodeSpec) string {
	var words []string
	if cpu := n.Capacity.Get(cluster.CPU); cpu > 0 {
		words = append(words, FormatAmount("cpu", cpu)+" CPU")
	}
	if memory := n.Capacity.Get(cluster.Memory); memory > 0 {
		words = append(words, FormatMean("memory", float64(memory>>20<<20))+" of memory")
	}
	if n.GPUs > 0 {
		words = append(words, strings.TrimSpace(gpuWords(n.GPUs)+" "+n.GPUModel))
	}
	for _, x := range n.Extended {
		words = append(words, FormatAmount(x.Name, x.Amount)+" "+x.Name)
	}
	if words == nil {
		return "nothing but room for pods"
	}
	return strings.Join(words, ", ")
}

func gpuWords(n int) string {
	if n == 1 {
		return "1 GPU"
	}
	return fmt.Sprintf("%d GPUs", n)
}

// classWords says what pods of a class ask for, and of which namespace they are.
func classWords(c *cluster.Class) string {
	var words []string
	traces.EachRequest(c, func(name string, amount int64) {
		if name == cluster.GPUShares {
			return
		}
		words = append(words, name+" "+FormatMean(name, math.Round(float64(amount))))
	})
	switch g := c.GPUs; {
	case g.Shared():
		words = append(words, fmt.Sprintf("%.3g of a GPU", float64(g.Shares)/cluster.WholeGPU))
	case g.Count > 0:
		words = append(words, gpuWords(int(g.Count)))
	}
	if len(c.GPUs.Models) > 0 {
		words = append(words, strings.Join(c.GPUs.Models, " or "))
	}
	if words == nil {
		words = []string{"asks for nothing"}
	}
	text := c.Namespace + ": " + strings.Join(words, ", ")
	if c.Owner != (cluster.OwnerRef{}) {
		text += " (" + c.Owner.Kind + " " + c.Owner.Name + ")"
	}
	return text
}
