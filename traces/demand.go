package traces

import (
	"cmp"
	"slices"

	"github.com/berthsim/berth/cluster"
)

// A Demand sums what the pods of a stream ask for, by resource, and what its nodes
// have. Streams go through it; none of it is held.
type Demand struct {
	Nodes, GPUs int
	Pods        int64
	Ending      int64 // pods that end by themselves

	First, Last cluster.Time // of the pods' arrivals

	resources []ResourceDemand
}

// ResourceDemand is what there is of a resource and what is asked for, in the
// resource's unit.
type ResourceDemand struct {
	Name     string
	Capacity float64 // of all nodes that ever came
	Asked    float64 // by all pods together
	Seconds  float64 // each pod's request times how long it runs; pods that don't end count for nothing
}

// Take takes an event in.
func (d *Demand) Take(e *cluster.Event) {
	switch e.Kind {
	case cluster.NodeAdded:
		d.Nodes++
		d.GPUs += e.NodeSpec.GPUs
		d.resource(cluster.GPUShares).Capacity += float64(e.NodeSpec.GPUs * cluster.WholeGPU)
		eachAmount(e.NodeSpec.Capacity, e.NodeSpec.Extended, func(name string, amount int64) {
			if name != cluster.GPUShares {
				d.resource(name).Capacity += float64(amount)
			}
		})
	case cluster.PodAdded:
		if d.Pods == 0 {
			d.First = e.Time
		}
		d.Last = e.Time
		d.Pods++
		run := 0.0
		if e.PodSpec.Run != cluster.Never {
			d.Ending++
			run = e.PodSpec.Run.Seconds()
		}
		EachRequest(e.PodSpec.Class, func(name string, amount int64) {
			r := d.resource(name)
			r.Asked += float64(amount)
			r.Seconds += float64(float64(amount) * run)
		})
	}
}

func (d *Demand) resource(name string) *ResourceDemand {
	for i := range d.resources {
		if d.resources[i].Name == name {
			return &d.resources[i]
		}
	}
	d.resources = append(d.resources, ResourceDemand{Name: name})
	return &d.resources[len(d.resources)-1]
}

// Resources returns what is known of each resource that a node has or a pod asks
// for, by name.
func (d *Demand) Resources() []ResourceDemand {
	list := slices.DeleteFunc(slices.Clone(d.resources), func(r ResourceDemand) bool { return r.Capacity == 0 && r.Asked == 0 })
	slices.SortFunc(list, func(a, b ResourceDemand) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

// Timed reports whether the pods end.
func (d *Demand) Timed() bool { return d.Ending > 0 }

// Window returns the time from the first arrival to the last.
func (d *Demand) Window() cluster.Time { return d.Last - d.First }

// Main returns the resource that the offered load is of: GPUs, or CPUs where no node
// has any.
func (d *Demand) Main() string {
	if d.GPUs > 0 {
		return cluster.GPUShares
	}
	return "cpu"
}

// Offered returns the offered load of a resource, as Trace.OfferedLoad has it; 0 where
// there is none of it, or no time in which it is wanted.
func (d *Demand) Offered(name string) float64 {
	r := d.resource(name)
	switch {
	case r.Capacity == 0:
		return 0
	case !d.Timed():
		return r.Asked / r.Capacity
	case d.Window() == 0:
		return 0
	}
	return r.Seconds / r.Capacity / d.Window().Seconds()
}

// EachRequest calls with the name and amount of each resource of which pods of a
// class ask for anything.
func EachRequest(c *cluster.Class, call func(name string, amount int64)) {
	eachAmount(c.Requests, c.Extended, func(name string, amount int64) {
		if name != cluster.GPUShares && name != "pods" {
			call(name, amount)
		}
	})
	if gpus := c.GPUs.Total(); gpus != 0 {
		call(cluster.GPUShares, gpus)
	}
}

// amountNames are the names of the resources that every cluster has, by column.
var amountNames = [...]string{
	cluster.CPU: "cpu", cluster.Memory: "memory", cluster.EphemeralStorage: "ephemeral-storage",
	cluster.PodSlots: "pods", cluster.GPU: cluster.GPUShares,
}

func eachAmount(amounts cluster.Amounts, extended []cluster.NamedAmount, call func(name string, amount int64)) {
	for r, amount := range amounts {
		if amount != 0 && r < len(amountNames) {
			call(amountNames[r], amount)
		}
	}
	for _, x := range extended {
		if x.Amount != 0 {
			call(x.Name, x.Amount)
		}
	}
}
