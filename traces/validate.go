package traces

import (
	"errors"
	"fmt"
	"io"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/internal/heap"
)

// A Problem is something that is wrong with a workload, and how often.
type Problem struct {
	What  string `json:"what"`  // "asks for less than nothing"
	Count int64  `json:"count"` // how many events have it
	First string `json:"first"` // the first of them, in a few words
	Index int64  `json:"index"` // how many events came before that
}

// Bounds beyond which amounts and times are mistakes of units.
const (
	absurdCPU    = 100_000 * 1000                // milli-CPUs of a node or pod
	absurdMemory = int64(1) << 50                // bytes: 1 PiB
	absurdTime   = 100 * 365 * 24 * cluster.Hour // from the beginning, or that a pod runs
)

// Validate reads a workload whole, and returns what is wrong with it, in order of first
// appearance: events that go back in time, amounts and times below nothing or beyond
// reason, names that are there twice, pods larger than any node, and what speaks of
// what isn't there. The error is that of reading.
//
// It holds the names of nodes and of pods that run, as Cut understands that, and the
// classes.
func Validate(s Stream) ([]Problem, error) {
	v := &validation{nodes: map[string]bool{}, live: map[string]cluster.Time{}, byNumber: map[cluster.PodID]string{}, byClass: map[*cluster.Class]*classSeen{}}
	for {
		e, err := s.Next()
		if errors.Is(err, io.EOF) {
			v.atEnd()
			return v.problems, nil
		}
		if err != nil {
			return nil, err
		}
		v.take(&e)
		v.index++
	}
}

type validation struct {
	problems []Problem
	at       map[string]int // of problems, by what they say
	index    int64
	now      cluster.Time

	nodes    map[string]bool // by name: whether it is there now
	numbered []string        // their names, in the order in which they came
	shapes   []*cluster.NodeSpec
	podsCome int32

	live     map[string]cluster.Time // pods that run, by namespace and name: until when
	byNumber map[cluster.PodID]string
	ends     heap.Heap[podEnd]

	classes []*classSeen
	byClass map[*cluster.Class]*classSeen
}

// A classSeen is a class, and its first pod.
type classSeen struct {
	class *cluster.Class
	pods  int64
	first string
	index int64
}

// A podEnd is when a pod ends.
type podEnd struct {
	at  cluster.Time
	key string
	pod cluster.PodID
}

// Before implements heap.Ordered.
func (p podEnd) Before(other podEnd) bool {
	return p.at < other.at || p.at == other.at && (p.key < other.key || p.key == other.key && p.pod < other.pod)
}

func (v *validation) found(what, first string) { v.foundAll(what, first, 1, v.index) }

func (v *validation) foundAll(what, first string, count, index int64) {
	if i, ok := v.at[what]; ok {
		v.problems[i].Count += count
		return
	}
	if v.at == nil {
		v.at = map[string]int{}
	}
	v.at[what] = len(v.problems)
	v.problems = append(v.problems, Problem{What: what, Count: count, First: first, Index: index})
}

// check notes a problem of an event unless all is well.
func (v *validation) check(well bool, what string, e *cluster.Event) {
	if !well {
		v.found(what, describe(e))
	}
}

func (v *validation) take(e *cluster.Event) {
	v.check(e.Time >= v.now, "goes back in time", e)
	v.check(e.Time >= 0 && e.Time < absurdTime, "comes before the beginning, or a century after it", e)
	v.now = max(v.now, e.Time)
	switch e.Kind {
	case cluster.NodeAdded:
		v.numbered = append(v.numbered, e.NodeSpec.Name)
		v.node(e)
	case cluster.PodAdded:
		v.podsCome++
		v.pod(e)
	case cluster.NodeChanged, cluster.NodeRemoved, cluster.NodeHeard:
		if e.Node < 0 || int(e.Node) >= len(v.numbered) {
			v.found("is about a node that hasn't come", describe(e))
			return
		}
		if e.Kind == cluster.NodeRemoved {
			v.nodes[v.numbered[e.Node]] = false
		}
	case cluster.PodChanged, cluster.PodEnded, cluster.PodTold:
		v.check(e.Pod >= 0 && int32(e.Pod)/2 < v.podsCome, "is about a pod that hasn't come", e)
		if e.Kind == cluster.PodEnded {
			delete(v.live, v.byNumber[e.Pod])
			delete(v.byNumber, e.Pod)
		}
	}
}

func (v *validation) node(e *cluster.Event) {
	n := e.NodeSpec
	v.check(isName(n.Name) && n.Name != "", "a node without a name, or with one that has spaces or slashes", e)
	v.check(!v.nodes[n.Name], "a node of that name has come before", e)
	v.nodes[n.Name] = true
	v.check(n.GPUs >= 0 && n.GPUs <= cluster.MaxGPUs, fmt.Sprintf("a node has less than 0 or more than %d GPUs", cluster.MaxGPUs), e)
	v.check(n.Capacity.Get(cluster.PodSlots) > 0, "a node has no room for pods", e)
	v.amounts(n.Capacity, n.Extended, "a node has", e)
	v.addShape(n)
}

// addShape keeps one node of each kind.
func (v *validation) addShape(n *cluster.NodeSpec) {
	for _, s := range v.shapes {
		if sameShape(s, n) {
			return
		}
	}
	v.shapes = append(v.shapes, n)
}

func sameShape(a, b *cluster.NodeSpec) bool {
	if a.GPUs != b.GPUs || a.GPUModel != b.GPUModel || len(a.Extended) != len(b.Extended) {
		return false
	}
	for r := range max(len(a.Capacity), len(b.Capacity)) {
		if a.Capacity.Get(cluster.Resource(r)) != b.Capacity.Get(cluster.Resource(r)) {
			return false
		}
	}
	for i := range a.Extended {
		if a.Extended[i] != b.Extended[i] {
			return false
		}
	}
	return true
}

// amounts checks that amounts are between nothing and what is absurd.
func (v *validation) amounts(amounts cluster.Amounts, extended []cluster.NamedAmount, who string, e *cluster.Event) {
	for _, amount := range amounts {
		v.check(amount >= 0, who+" less than nothing of a resource", e)
	}
	for _, x := range extended {
		v.check(x.Amount >= 0, who+" less than nothing of a resource", e)
	}
	v.check(amounts.Get(cluster.CPU) <= absurdCPU, who+" more than 100,000 CPUs", e)
	v.check(amounts.Get(cluster.Memory) <= absurdMemory, who+" more than 1 PiB of memory", e)
}

func (v *validation) pod(e *cluster.Event) {
	p := e.PodSpec
	if p.Class == nil {
		v.found("a pod says nothing of what it needs", describe(e))
		return
	}
	v.check(p.Name != "" && isName(p.Name) && isName(p.Class.Namespace), "a pod without a name, or with one that has spaces or slashes", e)
	v.check(p.Run >= 0, "a pod runs for less than no time", e)
	v.check(p.Run < absurdTime || p.Run == cluster.Never, "a pod runs for more than a century", e)
	v.check(p.On == "" || v.nodes[p.On], "a pod is on a node that isn't there", e)
	v.check(p.Nominated == "" || v.nodes[p.Nominated], "a node is kept for a pod that isn't there", e)
	v.alive(e)
	c := v.byClass[p.Class]
	if c == nil {
		c = &classSeen{class: p.Class, first: describe(e), index: v.index}
		v.byClass[p.Class] = c
		v.classes = append(v.classes, c)
	}
	c.pods++
}

// alive notes that a pod is there, and how long at least.
func (v *validation) alive(e *cluster.Event) {
	for len(v.ends) > 0 && v.ends[0].at <= v.now {
		end := v.ends.Pop()
		if v.live[end.key] == end.at {
			delete(v.live, end.key)
		}
		delete(v.byNumber, end.pod)
	}
	p := e.PodSpec
	key := cluster.Key(p.Class.Namespace, p.Name)
	_, there := v.live[key]
	v.check(!there, "a pod comes while one of its name would still run", e)
	until := cluster.Never
	if p.Run < cluster.Never-v.now {
		until = v.now + max(p.Run, 0)
		v.ends.Push(podEnd{until, key, e.Pod})
	}
	v.live[key] = until
	if e.Pod != cluster.None {
		v.byNumber[e.Pod] = key
	}
}

// atEnd checks what pods ask for, now that all nodes are known.
func (v *validation) atEnd() {
	for _, c := range v.classes {
		report := func(well bool, what string) {
			if !well {
				v.foundAll(what, c.first, c.pods, c.index)
			}
		}
		negative := false
		EachRequest(c.class, func(_ string, amount int64) { negative = negative || amount < 0 })
		report(!negative, "a pod asks for less than nothing")
		report(c.class.Requests.Get(cluster.CPU) <= absurdCPU && c.class.Requests.Get(cluster.Memory) <= absurdMemory, "a pod asks for more than 100,000 CPUs or 1 PiB of memory")
		g := c.class.GPUs
		report(g.Count == 0 || g.Count > 0 && g.Shares > 0 && g.Shares <= cluster.WholeGPU && (g.Count == 1 || g.Shares == cluster.WholeGPU), "a pod asks for shares of GPUs that no pod can have")
		fits := false
		for _, n := range v.shapes {
			fits = fits || fitsShape(c.class, n)
		}
		report(fits, "a pod is larger than any node")
		if name := c.class.NodeName; name != "" {
			_, known := v.nodes[name]
			report(known, "a pod wants a node that never comes")
		}
	}
}

// fitsShape reports whether a node that is empty has what pods of a class ask for.
func fitsShape(c *cluster.Class, n *cluster.NodeSpec) bool {
	for r, amount := range c.Requests {
		if resource := cluster.Resource(r); resource != cluster.GPU && resource != cluster.PodSlots && amount > n.Capacity.Get(resource) {
			return false
		}
	}
	for _, x := range c.Extended {
		has := int64(0)
		for _, y := range n.Extended {
			if y.Name == x.Name {
				has = y.Amount
			}
		}
		if x.Amount > has {
			return false
		}
	}
	if c.GPUs.Count == 0 {
		return true
	}
	model := len(c.GPUs.Models) == 0
	for _, m := range c.GPUs.Models {
		model = model || m == n.GPUModel
	}
	return model && int(c.GPUs.Count) <= n.GPUs
}
