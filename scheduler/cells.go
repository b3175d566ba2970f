package scheduler

import (
	"encoding/binary"

	"github.com/berthsim/berth/cluster"
)

// Cells returns the cells that a rule tells apart when all nodes are feasible, in order of
// their first nodes, with the numbers of pods as they are; ok is false if the rule's
// Columns don't do. It is for tests and benchmarks of rules: a ranking has fewer cells,
// since it counts on.
func Cells(s *cluster.State, rule *DomainRule) (cells []Cell, ok bool) {
	ks := &rankings{indexes: map[indexKey]*keyIndex{}}
	t := &tally{DomainRule: rule, columns: make([]column, len(rule.Columns))}
	for i := range t.columns {
		t.columns[i].begin(s, ks, rule.Columns[i])
		t.columns[i].fine, t.columns[i].slot = false, i
	}
	r := &ranking{plan: plan{rules: []*tally{t}}}
	if !r.countAll(s) {
		return nil, false
	}
	byKey := map[string]*bloc{}
	var key []byte
	for _, n := range s.Nodes.Live() {
		key = key[:0]
		for i := range t.columns {
			key = binary.LittleEndian.AppendUint32(key, uint32(t.columns[i].domain[n]))
		}
		b := byKey[string(key)]
		if b == nil {
			b = &bloc{kind: &kind{}}
			for i := range t.columns {
				b.kind.domains = append(b.kind.domains, t.columns[i].domain[n])
			}
			byKey[string(key)] = b
			cells = append(cells, Cell{t, b})
		}
		b.kind.nodes = append(b.kind.nodes, n)
		b.feasible++
	}
	return cells, true
}
