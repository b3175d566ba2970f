package scheduler

import "github.com/berthsim/berth/cluster"

// rankings are those of a profile. Together they take no more than so much memory:
// classes beyond are decided about by a look at every node, which is as good where
// there are very many.
type rankings struct {
	profile *Profile
	state   *cluster.State // that they are about
	off     bool
	always  bool // a class is ranked when its first pod comes

	classes []rankedClass // by ClassID
	ranked  []cluster.ClassID
	turn    uint64 // decisions so far
	once    int    // classes that have come only once so far
	again   int    // classes that have come again

	live    []cluster.NodeID // of all nodes, as places has them
	place   []int32
	epoch   uint64 // of the nodes, when live, place and indexes were made
	indexes map[indexKey]*keyIndex
	sites   map[string]*site // by plans and Sites; nil for one that was seen once
	key     []byte           // scratch: of sites

	mark  []uint32 // by node: the round in which it was found to have changed
	round uint32
	dirty []cluster.NodeID

	nodes, before []cluster.NodeID // scratch
	one, sum      []int64
	active        []*bloc
	byRow         byRow
	beside        []besideVerdict
	counts        []int32
	cells         []Cell
	heads         []cluster.NodeID
	raw           []int64
	work          Work
}

// maxRankingBytes is what the rankings of a profile may take.
const maxRankingBytes = 256 << 20

// Work counts what a profile has done.
type Work struct {
	Decisions uint64 // calls of Select
	Scans     uint64 // of them, those that looked at all nodes
	Ranked    uint64 // rankings made
	Filtered  uint64 // nodes that a filter was asked about
	Scored    uint64 // nodes that a scorer was asked about
	Refreshed uint64 // nodes that were looked at again since they had changed
}

// rankedClass is what is known of how a class is best decided about.
type rankedClass struct {
	*ranking        // nil if there is none
	last     uint64 // the last decision about the class, 0 if there was none
	seen     uint64 // position in the State's log of changes then
	tables   [3]uint64
	epoch    uint64
	again    bool // it has come more than once
	refused  bool // it can't be ranked, as long as tables and nodes are the same
}

type indexKey struct {
	key     string
	perNode bool
}

func epochs(s *cluster.State) [3]uint64 {
	return [3]uint64{s.Namespaces.Epoch, s.Services.Epoch, s.Workloads.Epoch}
}

// mayRank reports whether rankings can serve the profile: they choose the lowest among
// the best of all nodes, and know nothing of extenders.
func (pr *Profile) mayRank() bool {
	return !pr.ranks.off && pr.ties == TiesLowest && !pr.sampling.Adaptive && len(pr.extenders) == 0 && len(pr.scorers) > 0
}

// SetRanking says whether what plugins say may be kept from one decision to the next.
// It changes no decision; it is on unless it is switched off.
func (pr *Profile) SetRanking(on bool) { pr.ranks.off = !on }

// RankAlways has rankings made even for pods that may be the only ones of their class,
// and followed however much has changed: so that tests put them to the test.
func (pr *Profile) RankAlways() { pr.ranks.always = true }

// Work returns what the profile has done so far.
func (pr *Profile) Work() Work { return pr.ranks.work }

// For returns the ranking to decide about p by, up to date; nil if all nodes are
// to be looked at.
func (ks *rankings) For(s *cluster.State, p cluster.PodID) *ranking {
	if ks.state != s {
		*ks = rankings{profile: ks.profile, off: ks.off, always: ks.always, work: ks.work, state: s}
	}
	ks.turn++
	id := s.Pods.Class[p]
	for len(ks.classes) <= int(id) {
		ks.classes = append(ks.classes, rankedClass{})
	}
	c := &ks.classes[id]
	ks.meet(c)
	last, changes := c.last, s.LastChange()-c.seen
	c.last, c.seen = ks.turn, s.LastChange()
	if r := c.ranking; r != nil {
		switch ks.refresh(s, p, r) {
		case upToDate:
			return r
		case tooMuch:
			return nil
		}
		ks.drop(id)
	}
	if !ks.always && !ks.worthwhile(s, last == 0, changes) {
		return nil
	}
	return ks.make(s, p, c, last)
}

// worthwhile reports whether to make a ranking for a class: one that is likely to come
// again, and not so seldom that to follow all changes would take as long as a scan.
func (ks *rankings) worthwhile(s *cluster.State, first bool, changes uint64) bool {
	if first {
		return ks.once <= fewClasses || ks.once < ks.again
	}
	return changes <= uint64(2*len(s.Nodes.Live())+minScan)
}

// meet notes that a pod of a class comes.
func (ks *rankings) meet(c *rankedClass) {
	switch {
	case c.last == 0:
		ks.once++
	case !c.again:
		c.again = true
		ks.once--
		ks.again++
	}
}

// fewClasses is how many classes are expected to come again although they haven't yet.
const fewClasses = 16

// make makes a ranking, if there is room.
func (ks *rankings) make(s *cluster.State, p cluster.PodID, c *rankedClass, last uint64) *ranking {
	if c.refused && c.epoch == s.Nodes.Epoch && c.tables == epochs(s) {
		return nil
	}
	if ks.bytes() > maxRankingBytes && !ks.makeRoom(ks.turn-last) {
		return nil
	}
	ks.renewIfStale(s)
	r := ks.rank(s, p)
	if c.refused = r == nil; c.refused {
		c.epoch, c.tables = s.Nodes.Epoch, epochs(s)
		return nil
	}
	ks.work.Ranked++
	c.ranking = r
	ks.ranked = append(ks.ranked, s.Pods.Class[p])
	return r
}

// makeRoom drops rankings that were last used much longer ago than every so many
// decisions. If all are used as often, it is better that some classes have one than
// that all take turns.
func (ks *rankings) makeRoom(every uint64) bool {
	for i := 0; i < len(ks.ranked); i++ {
		if id := ks.ranked[i]; ks.turn-ks.classes[id].last > 2*every {
			ks.drop(id)
			i--
		}
	}
	return ks.bytes() <= maxRankingBytes
}

// bytes returns about how much memory all rankings take.
func (ks *rankings) bytes() (sum int) {
	for _, id := range ks.ranked {
		sum += ks.classes[id].bytes()
	}
	return sum
}

func (ks *rankings) drop(id cluster.ClassID) {
	ks.classes[id].ranking = nil
	for i, other := range ks.ranked {
		if other == id {
			last := len(ks.ranked) - 1
			ks.ranked[i] = ks.ranked[last]
			ks.ranked = ks.ranked[:last]
			return
		}
	}
}

// renewIfStale makes what depends on which nodes there are.
func (ks *rankings) renewIfStale(s *cluster.State) {
	if ks.epoch == s.Nodes.Epoch && ks.indexes != nil {
		return
	}
	ks.epoch, ks.indexes, ks.sites = s.Nodes.Epoch, map[indexKey]*keyIndex{}, nil
	ks.live = append([]cluster.NodeID(nil), s.Nodes.Live()...)
	ks.place = make([]int32, s.Nodes.Rows())
	for n := range ks.place {
		ks.place[n] = -1
	}
	for i, n := range ks.live {
		ks.place[n] = int32(i)
	}
}

// index returns the numbers of a key's domains.
func (ks *rankings) index(s *cluster.State, key string, perNode bool) *keyIndex {
	k := indexKey{key, perNode}
	ix := ks.indexes[k]
	if ix == nil {
		ix = newKeyIndex(s, key, perNode)
		ks.indexes[k] = ix
	}
	return ix
}

// An outcome says what came of a refresh.
type outcome uint8

const (
	upToDate outcome = iota
	tooMuch          // to look at all nodes is quicker
	stale            // the ranking must be made anew
)

// refreshCost is about how many nodes can be looked at in a scan while one that has
// changed is looked at again.
const refreshCost = 2

// refresh looks again at what has changed.
func (ks *rankings) refresh(s *cluster.State, p cluster.PodID, r *ranking) outcome {
	if r.epoch != s.Nodes.Epoch || r.tables != 0 && r.tabled != epochs(s) {
		return stale
	}
	list, now, ok := s.ChangesSince(r.position)
	if !ok {
		return stale
	}
	if len(list) == 0 {
		return upToDate
	}
	if !ks.follow(s, r, list) {
		return stale
	}
	if !ks.always && !r.anyColumn() && len(ks.dirty)*refreshCost > len(ks.live) && len(ks.live) > minScan {
		return tooMuch // and no column has been changed, so that it can be followed later
	}
	r.position = now
	ks.work.Refreshed += uint64(len(ks.dirty))
	nodes := ks.nodes[:0]
	for _, n := range ks.dirty {
		if int(n) >= len(r.place) || r.place[n] < 0 {
			continue
		}
		if w := r.why[n]; w != 0 {
			r.rejected[w-1]--
			r.why[n] = 0
		}
		if r.codes != nil {
			r.codes[n] = unknown
		}
		nodes = append(nodes, n)
	}
	ks.nodes = nodes
	if !ks.judge(s, p, r, nodes, false) {
		return stale
	}
	return upToDate
}

// minScan is a number of nodes that are always looked at again one by one.
const minScan = 64

// follow brings columns up to date, and lists the nodes that have changed.
func (ks *rankings) follow(s *cluster.State, r *ranking, list []cluster.Change) (ok bool) {
	for len(ks.mark) < s.Nodes.Rows() {
		ks.mark = append(ks.mark, 0)
	}
	if ks.round++; ks.round == 0 {
		clear(ks.mark)
		ks.round = 1
	}
	ks.dirty = ks.dirty[:0]
	for i := range list {
		c := &list[i]
		ks.touch(c.Node)
		if int(c.Class) < len(r.bring) && r.bring[c.Class] == nothing {
			continue
		}
		brings, ok := r.brings(c.Class)
		if !ok {
			return false
		}
		if brings == something {
			r.eachTally(func(t *tally) { ks.tell(s, t, c) })
		}
	}
	return true
}

func (ks *rankings) touch(n cluster.NodeID) {
	if ks.mark[n] != ks.round {
		ks.mark[n] = ks.round
		ks.dirty = append(ks.dirty, n)
	}
}

// tell has a rule's columns follow a change.
func (ks *rankings) tell(s *cluster.State, t *tally, c *cluster.Change) {
	for _, sh := range t.sharesOf(c.Class) {
		col := &t.columns[sh.Column]
		delta := int64(c.On)
		if col.Staying {
			delta = int64(c.Staying)
		}
		d := col.domain[c.Node]
		if delta == 0 || d == noDomain || col.in != nil && !col.in[c.Node] {
			continue
		}
		col.add(d, delta*sh.Weight)
		if col.fine {
			for _, n := range col.members(s, d) {
				ks.touch(n)
			}
		}
	}
}
