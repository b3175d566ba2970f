package quota

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
)

// cpus returns so much of cpu, and, if given, of memory.
func cpus(amounts ...int64) (list []cluster.NamedAmount) {
	for i, a := range amounts {
		list = append(list, cluster.NamedAmount{Name: []string{"cpu", "memory"}[i], Amount: a})
	}
	return list
}

func mustTree(t *testing.T, queues ...Queue) *Tree {
	t.Helper()
	tree, err := NewTree(queues)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func TestTreeErrors(t *testing.T) {
	root := Queue{Name: "root"}
	for _, tt := range []struct {
		queues []Queue
		want   string
	}{
		{nil, "queues is empty"},
		{[]Queue{{}}, "queues[0]: name is empty"},
		{[]Queue{root, root}, `queues[1]: name is "root", as that of queues[0]`},
		{[]Queue{{Name: "a", Parent: "b"}}, `queues[0]: parent is "b", which is no queue`},
		{[]Queue{{Name: "a", Parent: "a"}}, `queues[0]: parent is "a", which leads back to itself (a under a)`},
		{[]Queue{root, {Name: "x", Parent: "a"}, {Name: "a", Parent: "b"}, {Name: "b", Parent: "a"}}, `queues[2]: parent is "b", which leads back to itself (a under b under a)`},
		{[]Queue{{Name: "a", Weight: -1}}, "queues[0]: weight is -1"},
		{[]Queue{{Name: "a", Weight: 1<<20 + 1}}, "queues[0]: weight is 1048577"},
		{[]Queue{{Name: "a", BorrowingLimit: cpus(1)}}, `"a" is a root and has a borrowingLimit`},
		{[]Queue{{Name: "a", LendingLimit: cpus(1)}}, `"a" is a root and has a borrowingLimit or lendingLimit`},
		{[]Queue{{Name: "root", Namespaces: []string{"n"}}, {Name: "a", Parent: "root"}}, `"root" has namespaces and children`},
		{[]Queue{{Name: "a", Namespaces: []string{"n"}}, {Name: "b", Namespaces: []string{"m", "n"}}}, `queues[1]: namespaces has "n", as "a" has`},
		{[]Queue{{Name: "a", Guaranteed: cpus(-1)}}, "queues[0]: guaranteed: cpu is -1"},
		{[]Queue{{Name: "a", Guaranteed: cpus(1<<60 + 1)}}, "it must be at most 1152921504606846976"},
		{[]Queue{{Name: "a", Guaranteed: []cluster.NamedAmount{{Name: "cpu"}, {Name: "cpu"}}}}, "queues[0]: guaranteed names cpu twice"},
		{[]Queue{{Name: "a", Guaranteed: []cluster.NamedAmount{{}}}}, "queues[0]: guaranteed names no resource"},
		{[]Queue{root, {Name: "a", Parent: "root", Guaranteed: cpus(2), LendingLimit: cpus(3)}}, `queue "a": lendingLimit: cpu is 3, and guaranteed is 2`},
		{[]Queue{root, {Name: "a", Parent: "root", BorrowingLimit: cpus(-2)}}, "queues[1]: borrowingLimit: cpu is -2"},
		{[]Queue{{Name: "root", Guaranteed: cpus(3)}, {Name: "a", Parent: "root", Guaranteed: cpus(2)}, {Name: "b", Parent: "root", Guaranteed: cpus(2)}}, `queue "root": guaranteed: cpu is 3, and that of its children adds up to 4`},
		{[]Queue{root, {Name: "a", Parent: "root", Guaranteed: cpus(1 << 60)}, {Name: "b", Parent: "root", Guaranteed: cpus(1)}}, `queue "root": guaranteed: that of cpu of all its children is more than`},
	} {
		if _, err := NewTree(tt.queues); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: the error is %v, which should contain %q", tt.queues, err, tt.want)
		}
	}
}

// TestTreeOfThreeLevels reckons by hand: org has 20 CPUs, of which team lends 4 of its 10, and
// of team's, web keeps 1 for itself.
func TestTreeOfThreeLevels(t *testing.T) {
	tree := mustTree(t,
		Queue{Name: "web", Parent: "team", Guaranteed: cpus(3), LendingLimit: cpus(2), Namespaces: []string{"web"}},
		Queue{Name: "db", Parent: "team", Guaranteed: cpus(5), BorrowingLimit: cpus(4)},
		Queue{Name: "team", Parent: "org", Guaranteed: cpus(10), LendingLimit: cpus(4)},
		Queue{Name: "other", Parent: "org", Guaranteed: cpus(6), Weight: 2},
		Queue{Name: "org", Guaranteed: cpus(20)},
	)
	at := func(name string) int { i, _ := tree.Named(name); return i }
	u := tree.NewUsage()
	check := func(why string, want map[string]int64) {
		t.Helper()
		for _, name := range []string{"web", "db", "team", "other", "org"} {
			if got := u.Available(at(name), 0); got != want[name] {
				t.Errorf("%s: %s may use %d more, and should %d", why, name, got, want[name])
			}
		}
	}
	// team passes 9 on, web keeping 1, and keeps 5 of those: org has 20 - 10 + 4 = 14 to give,
	// with the 6 of other.
	check("nothing is used", map[string]int64{"web": 20, "db": 9, "team": 19, "other": 14, "org": 14})
	u.Add(at("other"), []int64{14}, 1)
	check("other has borrowed 8", map[string]int64{"web": 6, "db": 5, "team": 5, "other": 0, "org": 0})
	if s := u.Share(at("other")); s != (Share{8, 14, 2, 0}) {
		t.Errorf("other's share is %+v, and should be 8/14, weighed 2", s)
	}
	if !u.Owes(at("other"), at("web"), []int64{8}, NoResource) || u.Owes(at("other"), at("web"), []int64{11}, 0) {
		t.Error("other gives way while team is within its 10, of which web keeps 1 apart")
	}
	if tree.Of("web") != at("web") || tree.Of("elsewhere") != NoQueue || tree.Root(at("db")) != at("org") {
		t.Error("queues aren't where they should be")
	}
}

// twin reckons anew, from all that is used, what a TreeUsage keeps.
type twin struct {
	queues []Queue
	used   map[string][2]int64 // by leaf
}

func (w *twin) children(name string) (list []*Queue) {
	for i := range w.queues {
		if w.queues[i].Parent == name {
			list = append(list, &w.queues[i])
		}
	}
	return list
}

func (w *twin) guaranteed(q *Queue, r int) (g int64) {
	if own := at(q.Guaranteed, r); own >= 0 {
		return own
	}
	for _, c := range w.children(q.Name) {
		g += w.guaranteed(c, r)
	}
	return g
}

func at(list []cluster.NamedAmount, r int) int64 {
	for _, a := range list {
		if a.Name == []string{"cpu", "memory"}[r] {
			return a.Amount
		}
	}
	return -1
}

func (w *twin) quota(q *Queue, r int) int64 {
	g := w.guaranteed(q, r)
	for _, c := range w.children(q.Name) {
		g -= w.guaranteed(c, r) - w.quota(c, r) + w.kept(c, r)
	}
	return g
}

func (w *twin) kept(q *Queue, r int) int64 {
	if lends := at(q.LendingLimit, r); lends >= 0 {
		return max(0, w.quota(q, r)-lends)
	}
	return 0
}

func (w *twin) counts(q *Queue, r int) int64 {
	n := w.used[q.Name][r]
	for _, c := range w.children(q.Name) {
		n += max(0, w.counts(c, r)-w.kept(c, r))
	}
	return n
}

// potential is what q could use if nobody else did.
func (w *twin) potential(q *Queue, r int) int64 {
	for _, p := range w.queues {
		if p.Name != q.Parent {
			continue
		}
		n := w.kept(q, r) + w.potential(&p, r)
		if b := at(q.BorrowingLimit, r); b >= 0 {
			n = min(n, w.quota(q, r)+b)
		}
		return n
	}
	return w.quota(q, r)
}

// fits reports whether the leaf may use so much more of r: no queue of whose quota more would
// count then may be beyond its limit.
func (w *twin) fits(leaf *Queue, r int, more int64) bool {
	before := map[string]int64{}
	for i := range w.queues {
		before[w.queues[i].Name] = w.counts(&w.queues[i], r)
	}
	is := w.used[leaf.Name]
	was := is
	is[r] += more
	w.used[leaf.Name] = is
	defer func() { w.used[leaf.Name] = was }()
	for i := range w.queues {
		q := &w.queues[i]
		now := w.counts(q, r)
		if now == before[q.Name] {
			continue
		}
		if q.Parent == "" && now > w.quota(q, r) {
			return false
		}
		if b := at(q.BorrowingLimit, r); b >= 0 && now > w.quota(q, r)+b {
			return false
		}
	}
	return true
}

// share is the highest share of q's in something, and nil if it has borrowed nothing.
func (w *twin) share(q *Queue) *big.Rat {
	s := new(big.Rat)
	for _, p := range w.queues {
		for r := range 2 {
			over, lendable := w.counts(q, r)-w.quota(q, r), w.potential(&p, r)
			if p.Name == q.Parent && over > 0 && lendable > 0 {
				if one := big.NewRat(over, lendable*max(q.Weight, 1)); one.Cmp(s) > 0 {
					s = one
				}
			}
		}
	}
	return s
}

func randomQueues(rng *rand.Rand) (queues []Queue) {
	some := func(most int64) (list []cluster.NamedAmount) {
		for _, name := range []string{"cpu", "memory"} {
			if rng.IntN(3) > 0 {
				list = append(list, cluster.NamedAmount{Name: name, Amount: rng.Int64N(most + 1)})
			}
		}
		return list
	}
	queues = []Queue{{Name: "q0", Guaranteed: cpus(20, 20)}}
	for i := 1; i <= 1+rng.IntN(6); i++ {
		queues = append(queues, Queue{
			Name: fmt.Sprint("q", i), Parent: fmt.Sprint("q", rng.IntN(i)), Weight: rng.Int64N(4),
			Guaranteed: some(5), BorrowingLimit: some(6), LendingLimit: some(3),
		})
	}
	return queues
}

// TestTreeLikeTwin plays random uses of random trees, and compares all there is to know with
// what a twin reckons anew each time.
func TestTreeLikeTwin(t *testing.T) {
	trees := 0
	for seed := range uint64(2000) {
		rng := rand.New(rand.NewPCG(seed, 1))
		queues := randomQueues(rng)
		tree, err := NewTree(queues)
		if err != nil {
			continue
		}
		trees++
		rng.Shuffle(len(queues), func(i, j int) { queues[i], queues[j] = queues[j], queues[i] })
		w, u := &twin{queues, map[string][2]int64{}}, tree.NewUsage()
		for range 12 {
			leaf := &queues[rng.IntN(len(queues))]
			if len(w.children(leaf.Name)) > 0 {
				continue
			}
			i, _ := tree.Named(leaf.Name)
			want, used := []int64{rng.Int64N(7), rng.Int64N(7)}, w.used[leaf.Name]
			_, lacks := u.Lacks(i, want)
			if fits := w.fits(leaf, 0, want[0]) && w.fits(leaf, 1, want[1]); fits == lacks {
				t.Fatalf("tree %d %+v: with %v used, %s fits %v: %t, and lacks something: %t", seed, queues, w.used, leaf.Name, want, fits, lacks)
			}
			sign := int64(1)
			if lacks && rng.IntN(4) > 0 { // sometimes too much, as when others bind
				want, sign = []int64{rng.Int64N(used[0] + 1), rng.Int64N(used[1] + 1)}, -1
			}
			u.Add(i, want, sign)
			w.used[leaf.Name] = [2]int64{used[0] + sign*want[0], used[1] + sign*want[1]}
			compareTwin(t, tree, u, w)
		}
	}
	if trees < 200 {
		t.Errorf("of 2000 random trees only %d are valid", trees)
	}
}

func compareTwin(t *testing.T, tree *Tree, u *TreeUsage, w *twin) {
	t.Helper()
	for a := range w.queues {
		q := &w.queues[a]
		i, _ := tree.Named(q.Name)
		for r := range tree.Resources() {
			r2 := slices.Index([]string{"cpu", "memory"}, tree.Resources()[r])
			if u.Used(i, r) != w.counts(q, r2) || tree.Quota(i, r) != w.quota(q, r2) || tree.Most(i, r) != w.potential(q, r2) {
				t.Fatalf("%+v, %v used: %s has %d of %d, most %d; by the twin %d of %d, most %d", w.queues, w.used, q.Name,
					u.Used(i, r), tree.Quota(i, r), tree.Most(i, r), w.counts(q, r2), w.quota(q, r2), w.potential(q, r2))
			}
		}
		for b := range w.queues {
			j, _ := tree.Named(w.queues[b].Name)
			if got, want := u.Share(i).Compare(u.Share(j)), w.share(q).Cmp(w.share(&w.queues[b])); got != want {
				t.Fatalf("%+v, %v used: the share of %s against that of %s: %d, and should be %d", w.queues, w.used, q.Name, w.queues[b].Name, got, want)
			}
		}
	}
}

// TestSharesAreExact compares shares that are equal in floating point.
func TestSharesAreExact(t *testing.T) {
	a, b := Share{Over: 1<<59 + 1, Lendable: 1 << 60, Weight: 1 << 20}, Share{Over: 1 << 59, Lendable: 1 << 60, Weight: 1 << 20}
	if a.Compare(b) != 1 || b.Compare(a) != -1 || a.Compare(a) != 0 || (Share{}).Compare(b) != -1 {
		t.Error("shares are in the wrong order")
	}
	b.Weight--
	if a.Compare(b) != -1 {
		t.Error("a lower weight makes a higher share")
	}
}

// TestFirst has queues of two levels take turns.
func TestFirst(t *testing.T) {
	tree := mustTree(t,
		Queue{Name: "root", Guaranteed: cpus(10)}, Queue{Name: "x", Parent: "root"}, Queue{Name: "y", Parent: "root"},
		Queue{Name: "x1", Parent: "x"}, Queue{Name: "x2", Parent: "x"}, Queue{Name: "alone", Guaranteed: cpus(1)})
	at := func(name string) int { i, _ := tree.Named(name); return i }
	earlier := func(a, b int) bool { return a < b }
	u := tree.NewUsage()
	heads := []int{at("x1"), at("x2"), at("y"), at("alone"), NoQueue}
	for _, tt := range []struct {
		uses string
		from int // of heads
		want int
	}{
		{"", 0, 0}, {"x1", 0, 2}, {"", 2, 2}, {"", 3, 3}, {"", 4, 4}, {"y", 0, 1}, {"x2", 0, 2}, {"y", 0, 0}, {"alone", 3, 3},
	} {
		if tt.uses != "" {
			u.Add(at(tt.uses), []int64{1}, 1)
		}
		// Without queues that never borrow, unless they alone are left.
		list := heads[tt.from:]
		if tt.from < 3 {
			list = heads[tt.from:3]
		}
		if got := u.First(list, earlier) + tt.from; got != tt.want {
			t.Errorf("after %q used one more: it is the turn of %d, and should be that of %d", tt.uses, got, tt.want)
		}
	}
	if got := u.First(heads, func(a, b int) bool { return a > b }); got != 4 {
		t.Errorf("between trees the order decides, and yet it is the turn of %d", got)
	}
}
