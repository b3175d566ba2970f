package cluster

import "encoding/binary"

// appendClass appends a text to b that is the same for equal classes only. Labels
// are left out. A test changes each field in turn and expects another text.
func appendClass(b []byte, c *Class) []byte {
	b = appendString(b, c.Namespace)
	b = appendString(appendString(b, c.Owner.Kind), c.Owner.Name)
	b = binary.AppendVarint(b, int64(c.Priority))
	b = appendBool(b, c.NeverPreempts)
	for r := range firstExtended {
		if r != PodSlots && r != GPU {
			b = binary.AppendVarint(b, c.Requests.Get(r))
		}
	}
	b = binary.AppendVarint(b, int64(c.BestEffortCPU))
	b = binary.AppendVarint(b, int64(c.BestEffortMemory))
	b = appendEstimates(b, c.Estimates)
	b = appendAll(b, c.Extended, appendAmount)
	b = binary.AppendVarint(b, int64(c.GPUs.Count))
	b = binary.AppendVarint(b, int64(c.GPUs.Shares))
	b = appendStrings(b, c.GPUs.Models)
	b = appendString(b, c.Scheduler)
	b = appendStrings(b, c.Gates)
	b = appendPodAffinity(b, &c.Affinity)
	b = appendPodAffinity(b, &c.AntiAffinity)
	b = appendAll(b, c.Spread, appendSpread)
	b = appendAll(b, c.Ports, func(b []byte, p *HostPort) []byte {
		return binary.AppendVarint(appendString(appendString(b, p.IP), p.Protocol), int64(p.Port))
	})
	return appendSite(b, c)
}

// appendSite appends the part of a class that is about the descriptions of nodes.
func appendSite(b []byte, c *Class) []byte {
	b = appendString(b, c.NodeName)
	b = appendAll(b, c.Tolerations, appendToleration)
	b = appendLabels(b, c.NodeLabels)
	b = appendBool(b, c.RequiredNode != nil)
	if c.RequiredNode != nil {
		b = appendAll(b, c.RequiredNode.Terms, appendNodeTerm)
	}
	b = appendAll(b, c.Preferred, func(b []byte, t *PreferredTerm) []byte {
		return appendNodeTerm(binary.AppendVarint(b, int64(t.Weight)), &t.NodeSelectorTerm)
	})
	b = appendStrings(b, c.Images)
	b = appendStrings(b, c.ImageVolumes)
	return appendStrings(b, c.Features)
}

func appendEstimates(b []byte, e *Estimates) []byte {
	b = appendBool(b, e != nil)
	if e == nil {
		return b
	}
	for _, amount := range [...]int64{e.CPU, e.Memory, e.IncomingCPU, e.IncomingMemory} {
		b = binary.AppendVarint(b, amount)
	}
	return appendAll(b, e.IncomingExtended, appendAmount)
}

func appendAmount(b []byte, e *NamedAmount) []byte {
	return binary.AppendVarint(appendString(b, e.Name), e.Amount)
}

func appendToleration(b []byte, t *Toleration) []byte {
	b = appendString(appendString(b, t.Key), t.Value)
	b = append(b, byte(t.Effect))
	b = appendBool(appendBool(b, t.Exists), t.Seconds != nil)
	if t.Seconds != nil {
		b = binary.AppendVarint(b, *t.Seconds)
	}
	return b
}

func appendNodeTerm(b []byte, t *NodeSelectorTerm) []byte {
	return appendAll(appendAll(b, t.Labels, appendRequirement), t.Fields, appendRequirement)
}

func appendRequirement(b []byte, r *Requirement) []byte {
	return appendStrings(append(appendString(b, r.Key), byte(r.Op)), r.Values)
}

func appendSelector(b []byte, sel *Selector) []byte {
	b = appendBool(b, sel != nil)
	if sel != nil {
		b = appendAll(b, sel.Requirements, appendRequirement)
	}
	return b
}

func appendPodAffinity(b []byte, a *PodAffinity) []byte {
	b = appendAll(b, a.Required, appendPodTerm)
	return appendAll(b, a.Preferred, func(b []byte, t *WeightedPodTerm) []byte {
		return appendPodTerm(binary.AppendVarint(b, int64(t.Weight)), &t.PodTerm)
	})
}

func appendPodTerm(b []byte, t *PodTerm) []byte {
	b = appendStrings(appendSelector(b, t.Selector), t.Namespaces)
	return appendString(appendSelector(b, t.NamespaceSelector), t.TopologyKey)
}

func appendSpread(b []byte, c *SpreadConstraint) []byte {
	b = binary.AppendVarint(appendString(b, c.TopologyKey), int64(c.MaxSkew))
	b = binary.AppendVarint(appendSelector(b, c.Selector), int64(c.MinDomains))
	b = appendBool(appendStrings(b, c.MatchLabelKeys), c.Soft)
	return appendBool(appendBool(b, c.IgnoreAffinity), c.HonorTaints)
}

func appendLabels(b []byte, ls Labels) []byte {
	return appendAll(b, ls, func(b []byte, l *Label) []byte {
		return appendString(appendString(b, l.Key), l.Value)
	})
}

// appendAll appends the number of xs, then each of them.
func appendAll[T any](b []byte, xs []T, one func([]byte, *T) []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(xs)))
	for i := range xs {
		b = one(b, &xs[i])
	}
	return b
}

func appendStrings(b []byte, xs []string) []byte {
	return appendAll(b, xs, func(b []byte, s *string) []byte { return appendString(b, *s) })
}

func appendString(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}
