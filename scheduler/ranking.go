package scheduler

import (
	"slices"

	"github.com/berthsim/berth/cluster"
)

// A ranking is what is kept for a class of pods: which nodes are feasible, and the sum of
// the scores that depend on a node alone. The best node is found without a look at
// the others, and only nodes that have changed are looked at again.
//
// Two things couple nodes: normalisation, through the raw scores that there are, and
// topology domains. So nodes that have the same raw scores and the same numbers in
// their domains are in one bloc, with a tournament of their own. What couples nodes is
// then reckoned once for a bloc.
type ranking struct {
	plan
	class    cluster.ClassID
	position uint64    // in the State's log of changes
	epoch    uint64    // of the nodes
	tabled   [3]uint64 // epochs of tables

	kinds  []kind
	kindOf []int32 // by node; nil if there is one kind
	place  []int32 // by node, among the nodes of its kind; -1 if the node isn't live
	base   []int32 // by node: scores that depend on its description alone; nil for none
	blocs  []*bloc
	blocOf []int32 // by node: the place in blocs of its bloc, or -1; nil without fine columns
	fine   int     // columns
	leaves int     // of all blocs

	bring []bringing // by ClassID: whether pods of the class count for a rule

	why      []int8  // by node, 1 + the place of the filter that rules it out, 0 if none does
	rejected []int32 // by place of a filter: nodes that it rules out
	codes    []Code  // by node, of the filter that rules it out, or unknown; nil if nobody has asked
	site     *site

	values []int64 // scratch: of a node's fine columns
}

// A kind is nodes whose descriptions a plan can't tell apart.
type kind struct {
	raws    []int64 // by place in plan.normals
	domains []int32 // of columns that are not fine
	nodes   []cluster.NodeID
	blocs   []*bloc
}

// A bloc is the feasible nodes of a kind that have the same numbers in fine columns.
type bloc struct {
	*tournament
	kind     *kind
	slot     int32 // in ranking.blocs
	values   []int64
	feasible int
}

// set gives the node at a place another score.
func (b *bloc) set(place, score int32) {
	was := b.get(place)
	if was == score {
		return
	}
	if was == out {
		b.feasible++
	} else if score == out {
		b.feasible--
	}
	b.tournament.set(place, score)
}

// kind returns the kind that n is of.
func (r *ranking) kind(n cluster.NodeID) *kind {
	if r.kindOf == nil {
		return &r.kinds[0]
	}
	return &r.kinds[r.kindOf[n]]
}

// put gives n a score, or takes it out. ok is false if there would be too many blocs.
func (r *ranking) put(n cluster.NodeID, score int32) (ok bool) {
	if r.fine == 0 {
		r.kind(n).blocs[0].set(r.place[n], score)
		return true
	}
	var now *bloc
	if score != out {
		if now = r.blocFor(n); now == nil {
			return false
		}
	}
	if was := r.blocOf[n]; was >= 0 && (now == nil || was != now.slot) {
		r.blocs[was].set(r.place[n], out)
	}
	r.blocOf[n] = -1
	if now != nil {
		r.blocOf[n] = now.slot
		now.set(r.place[n], score)
	}
	return true
}

// score returns n's score; out if it is not feasible.
func (r *ranking) score(n cluster.NodeID) int32 {
	if r.fine == 0 {
		return r.kind(n).blocs[0].get(r.place[n])
	}
	if r.blocOf[n] < 0 {
		return out
	}
	return r.blocs[r.blocOf[n]].get(r.place[n])
}

// blocFor returns the bloc that n, which is feasible, belongs to by its numbers; nil if
// there would be too many.
func (r *ranking) blocFor(n cluster.NodeID) *bloc {
	r.values = r.values[:0]
	r.eachTally(func(t *tally) {
		for i := range t.columns {
			if c := &t.columns[i]; c.fine {
				r.values = append(r.values, c.value(n))
			}
		}
	})
	k := r.kind(n)
	var free *bloc
	for _, b := range k.blocs {
		if slices.Equal(b.values, r.values) {
			return b
		}
		if b.feasible == 0 {
			free = b
		}
	}
	if free == nil {
		free = r.addBloc(k)
	}
	if free != nil {
		free.values = append(free.values[:0], r.values...)
	}
	return free
}

// bringing says whether pods of a class count for a rule.
type bringing uint8

const (
	notAsked bringing = iota
	nothing
	something
)

// brings finds out whether pods of class c count for a rule; ok is false if a rule must be
// made anew.
func (r *ranking) brings(c cluster.ClassID) (b bringing, ok bool) {
	for len(r.bring) <= int(c) {
		r.bring = append(r.bring, notAsked)
	}
	if b = r.bring[c]; b != notAsked {
		return b, true
	}
	b = nothing
	for _, rules := range [...][]*tally{r.plan.rules, r.plan.ranks} {
		for _, t := range rules {
			any, ok := t.learn(c)
			if !ok {
				return b, false
			}
			if any {
				b = something
			}
		}
	}
	r.bring[c] = b
	return b, true
}

// What a ranking may take. A class that needs more is better off without.
const (
	maxKinds  = 256
	maxBlocs  = 256
	maxLeaves = 64 // for each node
	minLeaves = 1 << 14
)

// addBloc adds an empty bloc, nil if there would be too many.
func (r *ranking) addBloc(k *kind) *bloc {
	b := &bloc{kind: k, slot: int32(len(r.blocs)), tournament: newTournament(len(k.nodes))}
	r.leaves += b.leaves
	if len(r.blocs) == maxBlocs || r.leaves > max(minLeaves, maxLeaves*len(r.place)) {
		return nil
	}
	k.blocs, r.blocs = append(k.blocs, b), append(r.blocs, b)
	return b
}

// bytes returns about how much memory the ranking takes.
func (r *ranking) bytes() int {
	size := 8*r.leaves + 4*(len(r.kindOf)+len(r.base)+len(r.blocOf)) + len(r.why) + len(r.codes) + len(r.bring)
	if len(r.kinds) > 1 {
		size += 8 * len(r.place)
	}
	r.eachTally(func(t *tally) {
		for i := range t.columns {
			size += 8*len(t.columns[i].counts) + len(t.columns[i].in) + len(t.columns[i].counted)
		}
		size += 24 * len(t.shares)
	})
	return size
}
