package cluster

import "slices"

// A Class is everything about a pod that a decision may depend on. Pods that no
// decision can tell apart share one. A Class that was given to a State, in a
// PodSpec or a Mix, must not be changed afterwards.
type Class struct {
	Namespace string
	// Labels are those under keys that some selector mentions. State takes them
	// from PodSpec.Labels; what is here in a PodSpec counts for nothing.
	Labels   Labels
	Owner    OwnerRef
	Priority int32

	// NeverPreempts says that the pod does not make others go: kube's
	// preemptionPolicy Never.
	NeverPreempts bool

	Requests Amounts       // the columns every cluster has; PodSlots and GPU are filled in
	Extended []NamedAmount // of extended resources, sorted by name
	GPUs     GPURequest

	// BestEffortCPU and BestEffortMemory count the containers that ask for no
	// CPU or no memory; scores count DefaultCPURequest and DefaultMemoryRequest
	// for each.
	BestEffortCPU, BestEffortMemory int32

	// Estimates says what scores count, where that isn't so simple: the pod has
	// init containers or requests of its own. BestEffortCPU and
	// BestEffortMemory count for nothing then.
	Estimates *Estimates

	Scheduler    string // kube's schedulerName; "" stands for default-scheduler
	NodeName     string // the only node that will do; "" for any
	Gates        []string
	Tolerations  []Toleration
	NodeLabels   Labels        // kube's nodeSelector: what a node must have
	RequiredNode *NodeSelector // nil means any node
	Preferred    []PreferredTerm
	Affinity     PodAffinity
	AntiAffinity PodAffinity
	Spread       []SpreadConstraint
	Ports        []HostPort
	Images       []string // of all containers, init containers too, with tag or digest; one used twice stands twice
	ImageVolumes []string // images mounted as volumes, with tag or digest
	Features     []string // that the node must declare, sorted
}

// Estimates is what scores count of a pod instead of its requests. A pod on a
// node counts with kube's defaults for what neither the pod nor a container asks
// for (framework.PodInfo.CalculateResource). A pod that wants a node counts with
// what its containers ask for, with the defaults for each, and overhead: what the
// pod asks for as a whole doesn't count (noderesources.Fit.PreScore).
type Estimates struct {
	CPU, Memory int64 // milli-CPUs and bytes, of a pod on a node

	IncomingCPU, IncomingMemory int64         // the same, of a pod that wants a node
	IncomingExtended            []NamedAmount // where it isn't as in Class.Extended, sorted by name
}

// A GPURequest asks for GPUs: either shares of one, or one or more whole ones.
type GPURequest struct {
	Count  int32    // GPUs; 0 if none are needed
	Shares int32    // of each: 1 to WholeGPU, and WholeGPU if Count is above 1
	Models []string // the models that will do, sorted; none means any
}

// Total returns the shares asked for on all GPUs together.
func (g GPURequest) Total() int64 { return int64(g.Count) * int64(g.Shares) }

// Shared reports whether a part of one GPU is asked for.
func (g GPURequest) Shared() bool { return g.Count == 1 && g.Shares < WholeGPU }

// A Mix says which pods to expect, and in which proportions: what a policy may
// know of a workload beforehand. Experiments take it from the recording, a live
// cluster from its past.
type Mix []MixShare

// A MixShare is a class and how many pods of it there are in the Mix.
type MixShare struct {
	Class *Class
	Pods  int64
}

// MixOf counts the pods of each class, in order of first appearance.
func MixOf(pods []PodSpec) Mix {
	var mix Mix
	var classes Classes
	at := map[*Class]int{}
	for i := range pods {
		c := classes.Share(pods[i].Class)
		j, ok := at[c]
		if !ok {
			j = len(mix)
			at[c] = j
			mix = append(mix, MixShare{Class: c})
		}
		mix[j].Pods++
	}
	return mix
}

// Classes lets equal classes be one, so that a reader of many pods holds each
// class once. The zero value is ready for use.
type Classes struct {
	byKey map[string]*Class
	key   []byte
}

// Share returns the first class that it was given and that equals c, which is c
// if there was none. Labels don't count.
func (cs *Classes) Share(c *Class) *Class {
	cs.key = appendClass(cs.key[:0], c)
	if first, ok := cs.byKey[string(cs.key)]; ok {
		return first
	}
	if cs.byKey == nil {
		cs.byKey = map[string]*Class{}
	}
	cs.byKey[string(cs.key)] = c
	return c
}

// class is a row of the table of classes: a Class and what follows from it.
type class struct {
	Class
	models []modelID
	site   int32
	// demand is what the pod takes off its node, one entry for each resource
	// of which it asks anything.
	demand []demand
	// estimate is what scores count of CPU and memory while the pod is on a
	// node, incoming what they count of each resource while it wants one.
	estimate [2]int64
	incoming Amounts
}

type demand struct {
	resource Resource
	amount   int64
}

func (s *State) newClass(c *Class, labels Labels) *class {
	row := &class{Class: *c}
	row.Labels = labels
	row.Requests = make(Amounts, firstExtended)
	copy(row.Requests, c.Requests)
	row.Requests[PodSlots] = 1
	row.Requests[GPU] = c.GPUs.Total()
	for _, e := range c.Extended {
		r := s.Resource(e.Name)
		for len(row.Requests) <= int(r) {
			row.Requests = append(row.Requests, 0)
		}
		row.Requests[r] = e.Amount
	}
	for r, amount := range row.Requests {
		if amount != 0 {
			row.demand = append(row.demand, demand{Resource(r), amount})
		}
	}
	s.estimate(row)
	s.key = appendSite(s.key[:0], c)
	row.site, _ = s.sites.intern(s.key)
	s.antiAffinity = s.antiAffinity || len(c.AntiAffinity.Required) > 0
	if len(c.Affinity.Required)+len(c.Affinity.Preferred)+len(c.AntiAffinity.Required)+len(c.AntiAffinity.Preferred) > 0 {
		s.affine = append(s.affine, ClassID(len(s.classes)))
	}
	for _, m := range c.GPUs.Models {
		row.models = append(row.models, s.model(m))
	}
	return row
}

// estimate fills in what scores count of row's pods.
func (s *State) estimate(row *class) {
	row.estimate = [2]int64{
		row.Requests[CPU] + int64(row.BestEffortCPU)*DefaultCPURequest,
		row.Requests[Memory] + int64(row.BestEffortMemory)*DefaultMemoryRequest,
	}
	row.incoming = slices.Clone(row.Requests)
	row.incoming[CPU], row.incoming[Memory] = row.estimate[0], row.estimate[1]
	if e := row.Estimates; e != nil {
		row.estimate = [2]int64{e.CPU, e.Memory}
		row.incoming[CPU], row.incoming[Memory] = e.IncomingCPU, e.IncomingMemory
		for _, x := range e.IncomingExtended {
			r := s.Resource(x.Name)
			for len(row.incoming) <= int(r) {
				row.incoming = append(row.incoming, 0)
			}
			row.incoming[r] = x.Amount
		}
	}
}

// Class returns what is known about pod p's kind. The caller must not change it.
func (s *State) Class(p PodID) *Class { return &s.classes[s.Pods.Class[p]].Class }

// ClassByID returns the class in row c. The caller must not change it.
func (s *State) ClassByID(c ClassID) *Class { return &s.classes[c].Class }

// AnyAntiAffinity reports whether any class was ever seen whose pods keep others
// away: one with required anti-affinity terms.
func (s *State) AnyAntiAffinity() bool { return s.antiAffinity }

// Site numbers what pods of class c say about the descriptions of nodes, from 0: NodeName,
// Tolerations, NodeLabels, RequiredNode, Preferred, Images, ImageVolumes and Features.
// Classes that differ in nothing of this have the same Site.
func (s *State) Site(c ClassID) int32 { return s.classes[c].site }

// AffineClasses returns the classes with affinity or anti-affinity terms, in order. The
// caller must not change the slice.
func (s *State) AffineClasses() []ClassID { return s.affine }

// Classes returns the number of rows in the table of classes.
func (s *State) Classes() int { return len(s.classes) }

// Estimate returns the CPU (milli-CPUs) and memory (bytes) that scores count for
// a pod of class c on a node: its requests, with kube's defaults where there are
// none.
func (s *State) Estimate(c ClassID) (cpu, memory int64) {
	e := s.classes[c].estimate
	return e[0], e[1]
}

// Incoming returns what NodeResourcesFit's scores count of r for a pod of class c
// that wants a node. It differs from Estimate only if the pod asks for something
// as a whole.
func (s *State) Incoming(c ClassID, r Resource) int64 { return s.classes[c].incoming.Get(r) }

// AllowsModel reports whether pods of class c may use GPUs of node n's model.
func (s *State) AllowsModel(c ClassID, n NodeID) bool {
	models := s.classes[c].models
	return len(models) == 0 || slices.Contains(models, s.Nodes.model[n])
}

// A modelID stands for a GPU model's name.
type modelID int16

func (s *State) model(name string) modelID {
	if i := slices.Index(s.models, name); i >= 0 {
		return modelID(i)
	}
	s.models = append(s.models, name)
	return modelID(len(s.models) - 1)
}
