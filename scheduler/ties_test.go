package scheduler_test

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
	"github.com/berthsim/berth/scheduler/schedulertest"
)

// shuffled returns a State with nodes that arrive in the order of their names,
// in rows of another order: other nodes had them before, and left in an order
// drawn with seed.
func shuffled(seed uint64, names ...string) *cluster.State {
	rng := rand.New(rand.NewPCG(seed, 0))
	s := cluster.NewState()
	var events []cluster.Event
	for i := range names {
		events = append(events, node(fmt.Sprint("gone-", i), 1))
	}
	s.Observe(0, events)
	for _, i := range rng.Perm(len(names)) {
		s.Observe(0, []cluster.Event{{Kind: cluster.NodeRemoved, Node: events[i].Node}})
	}
	for _, name := range names {
		s.Observe(0, []cluster.Event{node(name, 1000)})
	}
	return s
}

func addPod(s *cluster.State, name string) cluster.PodID {
	events := []cluster.Event{pod(name, 1)}
	s.Observe(s.Now, events)
	return events[0].Pod
}

var fiveNodes = []string{"n1", "n2", "n3", "n4", "n5"}

// TestTiesLowestIsTheEarliest scores all nodes but the first alike.
func TestTiesLowestIsTheEarliest(t *testing.T) {
	pr := mustProfile(t, []*scheduler.Plugin{plugin("P", table(map[string]int64{"n1": 0, "n2": 7, "n3": 7, "n4": 7, "n5": 7}))}, weigh("P")...)
	if pr.Ties() != scheduler.TiesLowest {
		t.Fatalf("ties go to %v", pr.Ties())
	}
	firstRow := 0
	for seed := range uint64(20) {
		s := shuffled(seed, fiveNodes...)
		if got := selected(pr, s, addPod(s, "p")); got != "n2" {
			t.Errorf("seed %d: Select takes %s, want n2, which came first of the best", seed, got)
		}
		if n, _ := s.Nodes.Named("n2"); n == 0 {
			firstRow++
		}
	}
	if firstRow > 10 {
		t.Errorf("n2 had the first row %d times of 20: the rows were not shuffled", firstRow)
	}
}

// TestTiesLowestIsNotOfVisits has nodes looked at in another order than that of
// arrival, as when zones take turns.
func TestTiesLowestIsNotOfVisits(t *testing.T) {
	s := cluster.NewState()
	for i, zone := range []string{"a", "a", "b", "b"} {
		e := node(fiveNodes[i], 1000)
		e.NodeSpec.Labels = cluster.Labels{{Key: "topology.kubernetes.io/zone", Value: zone}}
		s.Observe(0, []cluster.Event{e})
	}
	for want, scores := range map[string]map[string]int64{ // the order is n1 n3 n2 n4
		"n1": {"n1": 7, "n2": 7, "n3": 7, "n4": 7},
		"n2": {"n1": 0, "n2": 7, "n3": 7, "n4": 7},
		"n3": {"n1": 0, "n2": 6, "n3": 7, "n4": 7},
	} {
		pr := mustProfile(t, []*scheduler.Plugin{plugin("P", table(scores))}, weigh("P")...)
		pr.SetSampling(scheduler.Sampling{Adaptive: true})
		if got := selected(pr, s, addPod(s, "p")); got != want {
			t.Errorf("of %v Select takes %s, want %s", scores, got, want)
		}
	}
}

// randomTies is a profile that chooses at random among n2, n3 and n5.
func randomTies(t *testing.T) *scheduler.Profile {
	pl := plugin("P", table(map[string]int64{"n1": 6, "n2": 7, "n3": 7, "n4": 0, "n5": 7}))
	pl.Ties = scheduler.TiesRandom
	pr := mustProfile(t, []*scheduler.Plugin{pl}, weigh("P")...)
	if pr.Ties() != scheduler.TiesRandom {
		t.Fatalf("ties go to %v", pr.Ties())
	}
	return pr
}

// TestTiesRandomIsUniform takes χ² over the three best nodes: 13.8 is the 99.9 %
// point with 2 degrees of freedom. The draws are fixed, so the test can't fail
// by chance.
func TestTiesRandomIsUniform(t *testing.T) {
	pr := randomTies(t)
	const draws = 6000
	for _, by := range []string{"pod", "seed"} {
		count := map[string]float64{}
		for i := range draws {
			s := shuffled(0, fiveNodes...)
			name := "p"
			if by == "pod" {
				name = fmt.Sprint("p-", i)
			} else {
				s.Seed = int64(i)
			}
			count[selected(pr, s, addPod(s, name))]++
		}
		chi2 := 0.0
		for _, best := range []string{"n2", "n3", "n5"} {
			chi2 += (count[best] - draws/3) * (count[best] - draws/3) / (draws / 3)
		}
		if len(count) != 3 || chi2 > 13.8 {
			t.Errorf("by %s, χ² = %.1f: %v", by, chi2, count)
		}
	}
}

// TestTiesRandomGoesByNames draws with rows shuffled, and with other nodes there.
func TestTiesRandomGoesByNames(t *testing.T) {
	pr := randomTies(t)
	moved := 0
	for i := range 300 {
		name := fmt.Sprint("p-", i)
		s := shuffled(0, fiveNodes...)
		want := selected(pr, s, addPod(s, name))
		other := shuffled(uint64(i)+1, "n5", "n1", "n4", "n3", "n2")
		if got := selected(pr, other, addPod(other, name)); got != want {
			t.Errorf("pod %s goes to %s, and with other rows and order of arrival to %s", name, want, got)
		}
		// One of the best leaves: only pods that would go there go elsewhere.
		fewer := shuffled(0, "n1", "n2", "n4", "n5")
		switch got := selected(pr, fewer, addPod(fewer, name)); {
		case want == "n3":
			moved++
		case got != want:
			t.Errorf("pod %s goes to %s, and without n3 to %s", name, want, got)
		}
	}
	if moved < 50 {
		t.Errorf("only %d of 300 pods went to n3", moved)
	}
}

// TestRowsDoNotMatter selects nodes on random clusters and on the same with all
// rows changed.
func TestRowsDoNotMatter(t *testing.T) {
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 2))
		s := schedulertest.RandomState(rng, 2+rng.IntN(30))
		for range 6 {
			schedulertest.Churn(rng, s)
		}
		asks := schedulertest.AddPod(s, rng, "asks")
		twin, rows := schedulertest.InOtherRows(rng, s)
		for _, ties := range []scheduler.Ties{scheduler.TiesLowest, scheduler.TiesRandom} {
			pr := mustProfile(t, []*scheduler.Plugin{room, gpus, fullest}, weigh("Fullest")...)
			pr.SetTies(ties)
			n, a, ok := pr.Select(s, asks)
			m, b, ok2 := pr.Select(twin, rows[asks])
			if ok != ok2 || a != b || ok && s.Nodes.Name[n] != twin.Nodes.Name[m] {
				t.Errorf("seed %d, ties %v: Select gives %d, %v, %t, and in other rows %d, %v, %t", seed, ties, n, a, ok, m, b, ok2)
			}
		}
	}
}

// TestTiesKube compares with what kube-scheduler does, literally: it puts the
// scores into a heap of Go's and takes the top. All scores of 0 to 2 on up to
// seven nodes.
func TestTiesKube(t *testing.T) {
	for nodes := 2; nodes <= 7; nodes++ {
		names := []string{"n1", "n2", "n3", "n4", "n5", "n6", "n7"}[:nodes]
		scores := map[string]int64{}
		pr := mustProfile(t, []*scheduler.Plugin{plugin("P", table(scores))}, weigh("P")...)
		pr.SetTies(scheduler.TiesKube)
		s := shuffled(1, names...)
		p := addPod(s, "p")
		for code := range pow(3, nodes) {
			var scored kubeHeap
			for i, name := range names {
				scores[name] = int64(code / pow(3, i) % 3)
				scored = append(scored, nodeScore{name, scores[name]})
			}
			heap.Init(&scored)
			want := heap.Pop(&scored).(nodeScore).name
			if got := selected(pr, s, p); got != want {
				t.Fatalf("scores %v: Select takes %s, kube %s", scores, got, want)
			}
		}
	}
}

func pow(base, exponent int) int {
	x := 1
	for range exponent {
		x *= base
	}
	return x
}

type nodeScore struct {
	name  string
	score int64
}

// kubeHeap is a heap.Interface of which the top has the highest score.
type kubeHeap []nodeScore

func (h kubeHeap) Len() int           { return len(h) }
func (h kubeHeap) Less(i, j int) bool { return h[i].score > h[j].score }
func (h kubeHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *kubeHeap) Push(x any)        { *h = append(*h, x.(nodeScore)) }

func (h *kubeHeap) Pop() any {
	last := len(*h) - 1
	x := (*h)[last]
	*h = (*h)[:last]
	return x
}
