package generate

import (
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

func milli(n int64) resource.Quantity { return *resource.NewMilliQuantity(n, resource.DecimalSI) }

func count(n int64) resource.Quantity { return *resource.NewQuantity(n, resource.DecimalSI) }

func bytes(n int64) resource.Quantity { return *resource.NewQuantity(n, resource.BinarySI) }

// hugeBytes are amounts whose products with 100 overflow, or nearly.
var hugeBytes = []int64{1 << 56, 92233720368547758, 92233720368547759}

// allocatable draws what a node offers. Some nodes offer next to nothing, or leave keys out.
func (g *generator) allocatable() v1.ResourceList {
	if !g.dials.uniform && g.chance(0.2) {
		return g.poor()
	}
	list := v1.ResourceList{
		v1.ResourcePods:   count(pick(g, int64(6), 10, 30, 110, 110, 110)),
		v1.ResourceCPU:    milli(pick(g, int64(2000), 4000, 4000, 8000, 8000, 16000, 64000)),
		v1.ResourceMemory: bytes(pick(g, int64(2048), 4096, 4096, 8192, 16384, 65536) * mebi),
	}
	if g.dials.odd {
		list[v1.ResourceCPU] = milli(int64(g.between(500, 16000)))
		list[v1.ResourceMemory] = bytes(g.Int64N(12000*mebi) + 100*mebi)
	}
	if g.dials.preempting && g.chance(0.8) {
		list[v1.ResourcePods] = count(pick(g, int64(3), 6, 10, 30, 110))
		list[v1.ResourceCPU] = milli(pick(g, int64(1000), 2000, 2000, 4000))
	}
	if g.dials.huge && g.chance(0.3) {
		list[v1.ResourceMemory] = bytes(pick(g, hugeBytes...))
	}
	g.scarce(list)
	return list
}

// poor draws what a node offers that is no use for most pods.
func (g *generator) poor() v1.ResourceList {
	list := v1.ResourceList{v1.ResourcePods: count(pick(g, int64(0), 1, 3, 110, 110))}
	if g.chance(0.8) {
		list[v1.ResourceCPU] = milli(pick(g, int64(0), 1, 500, 1000, 8000))
	}
	if g.chance(0.8) {
		list[v1.ResourceMemory] = bytes(pick(g, int64(0), 1, 256, 1024, 8192) * mebi)
	}
	g.scarce(list)
	return list
}

// scarce adds what only some nodes offer.
func (g *generator) scarce(list v1.ResourceList) {
	if g.chance(0.85) {
		list[v1.ResourceEphemeralStorage] = bytes(pick(g, int64(0), 1, 10, 10, 100, 100) * 1024 * mebi)
	}
	for _, name := range extended {
		if g.chance(0.3) || g.uses(resources) {
			list[name] = count(pick(g, int64(0), 1, 2, 4, 8, 8))
		}
	}
	for _, name := range hugepage {
		if g.chance(0.3) || g.uses(resources) {
			list[name] = bytes(pick(g, int64(0), 1024, 2048, 4096, 4096) * mebi)
		}
	}
	if g.uses(resources) {
		list["attachable-volumes-csi-example"] = count(int64(g.between(0, 25)))
	}
}

// cpu draws a container's request.
func (g *generator) cpu() resource.Quantity {
	if g.dials.odd && g.chance(0.5) {
		return milli(int64(g.between(1, 1500)))
	}
	return milli(pick(g, int64(0), 1, 50, 100, 100, 200, 250, 250, 500, 500, 1000, 2000))
}

// memory draws a container's request. Fractions of a byte are allowed, and round up.
func (g *generator) memory() resource.Quantity {
	switch {
	case g.dials.huge && g.chance(0.1):
		return bytes(pick(g, hugeBytes...))
	case g.dials.odd && g.chance(0.1):
		return *resource.NewMilliQuantity(g.Int64N(1<<40), resource.DecimalSI)
	case g.dials.odd:
		return bytes(g.Int64N(600*mebi) + 1)
	}
	return bytes(pick(g, int64(0), 1, 64, 128, 128, 200, 256, 256, 512, 1024) * mebi)
}

// requests draws the resources of a container. Extended resources and huge pages can't be
// overcommitted: their limits equal their requests, and huge pages need cpu or memory beside them.
func (g *generator) requests() v1.ResourceRequirements {
	r := v1.ResourceRequirements{Requests: v1.ResourceList{}}
	if g.chance(0.8) {
		r.Requests[v1.ResourceCPU] = g.cpu()
	}
	if g.chance(0.8) {
		r.Requests[v1.ResourceMemory] = g.memory()
	}
	if g.uses(resources) && g.chance(0.3) {
		r.Requests[v1.ResourceEphemeralStorage] = bytes(pick(g, int64(0), 1, 1, 2, 10, 11) * 1024 * mebi)
	}
	fixed := v1.ResourceList{}
	for _, name := range extended {
		if g.uses(resources) && g.chance(0.12) {
			fixed[name] = count(pick(g, int64(0), 1, 1, 1, 2, 4, 9))
		}
	}
	if len(r.Requests) > 0 && g.uses(resources) && g.chance(0.2) {
		fixed[pick(g, hugepage...)] = bytes(pick(g, int64(0), 1024, 1024, 2048) * mebi)
	}
	for name, q := range fixed {
		r.Requests[name] = q
	}
	if len(fixed) > 0 {
		r.Limits = fixed
	}
	if len(r.Requests) == 0 {
		r.Requests = nil
	}
	return r
}
