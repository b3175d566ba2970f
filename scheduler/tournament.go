package scheduler

// A tournament is a tree of scores: a leaf for each place, and above each pair the
// higher of the two. Setting a leaf costs the way up to where nothing changes, and
// the winner is at the top.
type tournament struct {
	leaves int     // a power of two
	score  []int32 // score[1] is the top, score[leaves+i] the leaf of place i
}

// out is the score of a place that doesn't take part.
const out = -1

// newTournament returns one with places that are all out.
func newTournament(places int) *tournament {
	t := &tournament{leaves: 1}
	for t.leaves < places {
		t.leaves *= 2
	}
	t.score = make([]int32, 2*t.leaves)
	for i := range t.score {
		t.score[i] = out
	}
	return t
}

// set gives a place another score.
func (t *tournament) set(place int32, score int32) {
	v := t.score
	i := uint(int(place) + t.leaves)
	v[i] = score
	for i > 1 {
		score = max(score, v[i^1])
		i >>= 1
		if v[i] == score {
			return
		}
		v[i] = score
	}
}

// get returns the score of a place.
func (t *tournament) get(place int32) int32 { return t.score[int(place)+t.leaves] }

// setLeaf is set, but for the way up, which build does for all leaves.
func (t *tournament) setLeaf(place int32, score int32) { t.score[int(place)+t.leaves] = score }

func (t *tournament) build() {
	for i := t.leaves - 1; i >= 1; i-- {
		t.score[i] = max(t.score[2*i], t.score[2*i+1])
	}
}

// best returns the highest score, out if no place takes part.
func (t *tournament) best() int32 { return t.score[1] }

// winner returns the first place that has the highest score.
func (t *tournament) winner() int32 {
	v, top := t.score, t.score[1]
	i := 1
	for i < t.leaves {
		i *= 2
		if v[i] != top {
			i++
		}
	}
	return int32(i - t.leaves)
}
