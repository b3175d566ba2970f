package cluster

// A NodeSpec describes a node that joins a cluster.
type NodeSpec struct {
	Name     string
	Capacity Amounts       // allocatable, of the columns every cluster has; GPU is filled in
	Extended []NamedAmount // of extended resources, sorted by name
	GPUs     int           // 0 to MaxGPUs, of WholeGPU shares each
	GPUModel string

	Labels        Labels
	Taints        []Taint
	Unschedulable bool
	Images        []Image
	Features      []string // that the node declares, sorted

	Health  NodeHealth // when it joins; later, NodeHeard events tell
	Created Time       // before 0 if it was there before the run began
}

// Nodes has one row for each node, in each of its columns. Everything outside
// this package only reads them.
type Nodes struct {
	Name []string
	Cap  [][]int64 // [Resource][NodeID], allocatable
	Used [][]int64 // [Resource][NodeID], the sum of requests; may exceed Cap if others bind too

	// EstimatedCPU and EstimatedMemory are Used with kube's defaults for pods
	// that ask for nothing: what resource scores read.
	EstimatedCPU, EstimatedMemory []int64

	GPUFree [][]int32 // [NodeID][GPU], shares

	// What follows is as in NodeSpec.
	Labels        []Labels
	Taints        [][]Taint
	Unschedulable []bool
	Images        [][]Image
	Features      [][]string

	Health []NodeHealth // as last heard of, and as decided since

	// Spec is the last description of the node, which was given to State and
	// must not be changed.
	Spec []*NodeSpec

	// Epoch differs whenever a node has come, gone or been described anew.
	Epoch uint64

	// Stamp identifies the content of a row: equal stamps mean that nothing
	// that a decision may depend on has changed. Stamps are never reused, and
	// their order means nothing.
	Stamp []uint64

	// Order is the order of arrival; never reused.
	Order []uint64

	model       []modelID
	key         []uint64 // hash of the name, for Draw
	gone        []bool   // removed, but pods still hold the row
	first, last []PodID  // ends of the list of pods on the node, in order of binding
	live        []NodeID // in order of arrival
	zones       zones
	images      map[string]*ImageSpread // of live nodes, by name
	spare       []NodeID                // rows free for reuse
	byName      map[string]NodeID
	left        map[string]NodeID // rows of removed nodes that had pods on them, by name; some don't hold
}

// Live returns the nodes that pods can be bound to, in order of arrival. The
// caller must not change the slice, which is valid until the next Observe.
func (ns *Nodes) Live() []NodeID { return ns.live }

// Rows returns the number of rows, those of no present node included.
func (ns *Nodes) Rows() int { return len(ns.Name) }

// IsLive reports whether n is the row of a live node.
func (ns *Nodes) IsLive(n NodeID) bool { return !ns.gone[n] }

// Named returns the live node called name.
func (ns *Nodes) Named(name string) (NodeID, bool) {
	n, ok := ns.byName[name]
	return n, ok
}

// Free returns how much of r is unused on n. It is negative on a node that
// others have overcommitted.
func (s *State) Free(n NodeID, r Resource) int64 {
	return s.Nodes.Cap[r][n] - s.Nodes.Used[r][n]
}

// HeldBelow returns how much of r pods on n have that are of a lower priority.
func (s *State) HeldBelow(n NodeID, r Resource, priority int32) (sum int64) {
	for p := range s.PodsOn(n) {
		if c := s.classes[s.Pods.Class[p]]; c.Priority < priority {
			for _, d := range c.demand {
				if d.resource == r {
					sum += d.amount
				}
			}
		}
	}
	return sum
}

// GPUModel returns the model of n's GPUs, "" if it has none.
func (s *State) GPUModel(n NodeID) string { return s.models[s.Nodes.model[n]] }

// PodsOn calls yield for each pod on n, in order of binding.
func (s *State) PodsOn(n NodeID) func(yield func(PodID) bool) {
	return func(yield func(PodID) bool) {
		for p := s.Nodes.first[n]; p != None; p = s.Pods.next[p] {
			if !yield(p) {
				return
			}
		}
	}
}

func (s *State) addNode(spec *NodeSpec) NodeID {
	ns := &s.Nodes
	if _, ok := ns.byName[spec.Name]; ok {
		panic("cluster: node " + spec.Name + " is there already")
	}
	n := ns.row()
	ns.Name[n] = spec.Name
	ns.key[n] = hashName("", spec.Name)
	ns.GPUFree[n] = ns.GPUFree[n][:0]
	s.describe(n, spec)
	s.hear(n, &spec.Health)
	ns.gone[n] = false
	s.joined++
	ns.Order[n] = s.joined
	ns.byName[spec.Name] = n
	ns.live = append(ns.live, n)
	ns.zones.add(zoneOf(spec.Labels), n)
	ns.addImages(n)
	ns.Epoch++
	s.rehome(n)
	s.adopt(n)
	s.grant(n)
	s.touch(n)
	return n
}

// rehome has the pods that a node of n's name left behind be on n: a node that comes back
// runs them still. What is only assumed stays behind, since it can't be carried out.
func (s *State) rehome(n NodeID) {
	ns := &s.Nodes
	old, ok := ns.left[ns.Name[n]]
	delete(ns.left, ns.Name[n])
	if !ok || !ns.gone[old] || ns.Name[old] != ns.Name[n] || ns.first[old] == None {
		return // its pods have ended since, and the row is spare or somebody else's
	}
	for p := ns.first[old]; p != None; {
		next := s.Pods.next[p]
		if a := s.Pods.Allocation[p]; s.Pods.Phase[p] != Assumed {
			s.displace(p)
			s.place(p, n, a)
		}
		p = next
	}
	if ns.first[old] == None {
		ns.spare = append(ns.spare, old)
	}
}

// changeNode brings n up to date with another description of it.
func (s *State) changeNode(n NodeID, spec *NodeSpec) {
	ns := &s.Nodes
	was, is := zoneOf(ns.Labels[n]), zoneOf(spec.Labels)
	ns.removeImages(n)
	s.describe(n, spec)
	ns.addImages(n)
	if was != is {
		ns.zones.move(was, is, n)
	}
	ns.Epoch++
	s.touch(n)
}

// describe writes what spec says into n's columns, but for its name. GPUs of a
// node that is there already stay as they are.
func (s *State) describe(n NodeID, spec *NodeSpec) {
	ns := &s.Nodes
	if spec.GPUs > MaxGPUs {
		panic("cluster: node " + spec.Name + " has more than MaxGPUs GPUs")
	}
	extended := make([]Resource, len(spec.Extended))
	for i, e := range spec.Extended {
		extended[i] = s.Resource(e.Name)
	}
	for r := range ns.Cap {
		ns.Cap[r][n] = spec.Capacity.Get(Resource(r))
	}
	for i, e := range spec.Extended {
		ns.Cap[extended[i]][n] = e.Amount
	}
	ns.Cap[GPU][n] = int64(spec.GPUs) * WholeGPU
	for len(ns.GPUFree[n]) < spec.GPUs {
		ns.GPUFree[n] = append(ns.GPUFree[n], WholeGPU)
	}
	ns.model[n] = s.model(spec.GPUModel)
	ns.Labels[n], ns.Taints[n], ns.Unschedulable[n] = spec.Labels, spec.Taints, spec.Unschedulable
	ns.Images[n], ns.Features[n] = spec.Images, spec.Features
	ns.Spec[n] = spec
}

// row returns an empty row, a spare one if there is any.
func (ns *Nodes) row() NodeID {
	if k := len(ns.spare); k > 0 {
		n := ns.spare[k-1]
		ns.spare = ns.spare[:k-1]
		return n
	}
	ns.Name = append(ns.Name, "")
	for r := range ns.Cap {
		ns.Cap[r] = append(ns.Cap[r], 0)
		ns.Used[r] = append(ns.Used[r], 0)
	}
	ns.EstimatedCPU = append(ns.EstimatedCPU, 0)
	ns.EstimatedMemory = append(ns.EstimatedMemory, 0)
	ns.GPUFree = append(ns.GPUFree, nil)
	ns.Labels = append(ns.Labels, nil)
	ns.Taints = append(ns.Taints, nil)
	ns.Unschedulable = append(ns.Unschedulable, false)
	ns.Images = append(ns.Images, nil)
	ns.Features = append(ns.Features, nil)
	ns.Health = append(ns.Health, NodeHealth{})
	ns.Spec = append(ns.Spec, nil)
	ns.Stamp = append(ns.Stamp, 0)
	ns.Order = append(ns.Order, 0)
	ns.model = append(ns.model, 0)
	ns.key = append(ns.key, 0)
	ns.gone = append(ns.gone, false)
	ns.first = append(ns.first, None)
	ns.last = append(ns.last, None)
	return NodeID(len(ns.Name) - 1)
}

// removeNode takes n out of the live ones. Its row is spare once it is empty.
func (s *State) removeNode(n NodeID) {
	ns := &s.Nodes
	for i, other := range ns.live {
		if other == n {
			ns.live = append(ns.live[:i], ns.live[i+1:]...)
			break
		}
	}
	delete(ns.byName, ns.Name[n])
	ns.zones.remove(zoneOf(ns.Labels[n]), n)
	ns.removeImages(n)
	ns.gone[n] = true
	if ns.first[n] != None {
		ns.left[ns.Name[n]] = n
	}
	ns.Epoch++
	s.bereave(n)
	s.touch(n)
	s.spareIfEmpty(n)
}

func (s *State) spareIfEmpty(n NodeID) {
	if ns := &s.Nodes; ns.gone[n] && ns.first[n] == None {
		ns.spare = append(ns.spare, n)
	}
}

// unspare takes back a spareIfEmpty that was the last.
func (s *State) unspare(n NodeID) {
	if ns := &s.Nodes; ns.gone[n] && ns.first[n] == None {
		ns.spare = ns.spare[:len(ns.spare)-1]
	}
}

// touch gives n's row a stamp that no row ever had.
func (s *State) touch(n NodeID) {
	s.version++
	s.Nodes.Stamp[n] = s.version
}
