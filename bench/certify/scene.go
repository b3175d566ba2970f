package certify

import (
	"maps"
	"slices"

	"github.com/berthsim/berth/cluster"
)

// A scene is what decisions about pods could see: which pods were where, and the taints of
// nodes. It holds what changed, in order, from which what was there at any time is made.
type scene struct {
	changes []change
	taints  map[string][]cluster.Taint // of nodes, as the last look found them
}

// A change is a line that is there from then on, or no longer: "default/a on n1".
type change struct {
	line string
	gone bool
}

// look notes taints that aren't as they were.
func (sc *scene) look(s *cluster.State) {
	if sc.taints == nil {
		sc.taints = map[string][]cluster.Taint{}
	}
	for _, name := range slices.Sorted(maps.Keys(sc.taints)) {
		if _, ok := s.Nodes.Named(name); !ok {
			sc.tainted(name, nil)
		}
	}
	for _, n := range s.Nodes.Live() {
		sc.tainted(s.Nodes.Name[n], s.Nodes.Taints[n])
	}
}

// tainted notes a node's taints.
func (sc *scene) tainted(node string, is []cluster.Taint) {
	was := sc.taints[node]
	if slices.Equal(was, is) {
		return
	}
	for _, taint := range was {
		sc.changes = append(sc.changes, change{taintLine(node, taint), true})
	}
	for _, taint := range is {
		sc.changes = append(sc.changes, change{taintLine(node, taint), false})
	}
	sc.taints[node] = is
}

// pod notes that a pod is on a node, or no longer.
func (sc *scene) pod(p *Pod, gone bool) {
	sc.changes = append(sc.changes, change{p.Name + " on " + p.Node, gone})
}

// at returns the lines that were there after so many changes, sorted.
func (sc *scene) at(changes int) (lines []string) {
	there := map[string]int{}
	for _, c := range sc.changes[:changes] {
		if c.gone {
			there[c.line]--
		} else {
			there[c.line]++
		}
	}
	for _, line := range slices.Sorted(maps.Keys(there)) {
		if there[line] > 0 {
			lines = append(lines, line)
		}
	}
	return lines
}

func taintLine(node string, taint cluster.Taint) string {
	return node + " has the taint " + taint.Key + effects[taint.Effect]
}

// effects are how effects of taints are written behind their keys.
var effects = map[cluster.Effect]string{
	cluster.NoSchedule: ":NoSchedule", cluster.PreferNoSchedule: ":PreferNoSchedule", cluster.NoExecute: ":NoExecute",
}
