package model

import (
	"math"
	"slices"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/internal/chance"
)

// keep leaves the most frequent templates, at most so many, and at least one of
// every source. Jobs of the others count as the most similar of the same source
// that are kept. Classes that are asked for no more are left out.
func (r *recording) keep(most int) {
	order := make([]int, len(r.templates))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return int(min(max(r.templates[b].count-r.templates[a].count, -1), 1)) })
	kept, has := make([]bool, len(order)), make([]bool, r.sources)
	for rank, i := range order {
		if source := r.templates[i].source; rank < most || !has[source] {
			kept[i], has[source] = true, true
		}
	}
	to := make([]int32, len(order)) // by old number, the new
	var templates []template
	for i := range r.templates {
		if kept[i] {
			to[i] = int32(len(templates))
			templates = append(templates, r.templates[i])
		}
	}
	for i := range r.templates {
		if !kept[i] {
			to[i] = r.mostSimilar(templates, &r.templates[i])
			templates[to[i]].count += r.templates[i].count
		}
	}
	for i := range r.jobs {
		r.jobs[i].template = to[r.jobs[i].template]
	}
	r.templates = templates
	r.dropClasses()
}

// mostSimilar returns which of templates of the same source is nearest to t in the
// logarithms of what they ask for; of equally near ones, the first.
func (r *recording) mostSimilar(templates []template, t *template) int32 {
	best, least := int32(0), math.Inf(1)
	for i := range templates {
		if templates[i].source != t.source {
			continue
		}
		a, b := r.size(t), r.size(&templates[i])
		distance := 0.0
		for k := range a {
			d := a[k] - b[k]
			distance += float64(d * d)
		}
		if templates[i].forever != t.forever {
			distance += 1e6
		}
		if distance < least {
			best, least = int32(i), distance
		}
	}
	return best
}

// size returns logarithms of pods and of GPUs, CPUs and memory of all, of which GPUs
// count most.
func (r *recording) size(t *template) [4]float64 {
	var pods, gpus, cpu, memory float64
	for _, p := range t.parts {
		c, n := &r.classes[p.Class], float64(p.Count)
		pods += n
		gpus += float64(n * float64(c.shares()))
		cpu += float64(n * float64(c.CPU))
		memory += float64(n * float64(c.Memory))
	}
	return [4]float64{
		chance.Ln(1 + pods), float64(4 * chance.Ln(1+gpus)),
		chance.Ln(1 + cpu/100), float64(chance.Ln(1+memory/(1<<26)) / 2),
	}
}

// shares returns what a pod of the class asks for of GPUs.
func (is *Class) shares() int64 {
	if is.GPUShares > 0 {
		return int64(is.GPUShares)
	}
	return int64(is.GPUs) * cluster.WholeGPU
}

// dropClasses leaves the classes that templates ask for, in their order.
func (r *recording) dropClasses() {
	used := make([]bool, len(r.classes))
	for _, t := range r.templates {
		for _, p := range t.parts {
			used[p.Class] = true
		}
	}
	to := make([]int, len(r.classes))
	var classes []Class
	for i := range r.classes {
		if to[i] = len(classes); used[i] {
			classes = append(classes, r.classes[i])
		}
	}
	for i := range r.templates {
		parts := slices.Clone(r.templates[i].parts)
		for k := range parts {
			parts[k].Class = to[parts[k].Class]
		}
		r.templates[i].parts = parts
	}
	r.classes = classes
}
