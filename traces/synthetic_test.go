package traces

import (
	"math"
	"testing"

	"github.com/berthsim/berth/cluster"
)

// TestSyntheticTables checks the tables' sums against the recording's.
func TestSyntheticTables(t *testing.T) {
	nodes, gpus := 0, 0
	for _, k := range nodeKinds {
		nodes += k.nodes
		gpus += k.nodes * k.gpus
	}
	if nodes != 1213 || gpus != 6212 {
		t.Errorf("%d nodes with %d GPUs", nodes, gpus)
	}
	var pods []int64
	for _, c := range podCategories {
		sum := int64(0)
		for _, r := range c.requests {
			sum += r.pods
		}
		pods = append(pods, sum)
	}
	for i, want := range []int64{1088, 3078, 3911, 16, 15, 44} {
		if pods[i] != want {
			t.Errorf("category %d has %d pods, want %d", i, pods[i], want)
		}
	}
	shared := int64(0)
	for _, p := range sharedParts {
		shared += p.pods
	}
	if shared != 3078 {
		t.Errorf("%d pods share", shared)
	}
}

func TestSyntheticMix(t *testing.T) {
	mix := syntheticMix()
	var pods, cpuOnly int64
	seen := map[string]bool{}
	for _, m := range mix {
		if m.Pods <= 0 || seen[classText(m.Class)] {
			t.Errorf("%d pods of %s, which may be there twice", m.Pods, classText(m.Class))
		}
		seen[classText(m.Class)] = true
		pods += m.Pods
		if m.Class.GPUs.Count == 0 {
			cpuOnly += m.Pods
		}
	}
	if pods != 8152*3078 || cpuOnly != 1088*3078 {
		t.Errorf("%d pods, %d of them without GPU", pods, cpuOnly)
	}
	// The recording's pods ask for 0.7467 GPUs each: 6,086,800 shares over 8,152.
	if got := drawableOf(mix).meanShares; math.Abs(got/(6086800.0/8152)-1) > 0.001 {
		t.Errorf("pods ask for %v shares on average", got)
	}
}

func TestSyntheticNodes(t *testing.T) {
	for _, n := range []int{1, 2, 3, 7, 200, 1213, 2426, 5000} {
		nodes := syntheticNodes(n)
		if len(nodes) != n {
			t.Fatalf("%d nodes, want %d", len(nodes), n)
		}
		models := map[string]int{}
		for _, node := range nodes {
			models[node.GPUModel]++
			if node.GPUs == 0 {
				t.Errorf("%s has no GPU", node.Name)
			}
		}
		if want := float64(n) * 549 / 1213; math.Abs(float64(models["G2"])-want) >= 1 {
			t.Errorf("of %d nodes, %d are G2, want about %v", n, models["G2"], want)
		}
		if n%1213 == 0 && gpusOf(nodes) != n/1213*6212 {
			t.Errorf("%d nodes have %d GPUs", n, gpusOf(nodes))
		}
	}
}

// TestDrawClass checks that each class has the draws that its share is.
func TestDrawClass(t *testing.T) {
	a, b, c := &cluster.Class{}, &cluster.Class{}, &cluster.Class{}
	d := drawableOf(cluster.Mix{{Class: a, Pods: 1}, {Class: b, Pods: 5}, {Class: c, Pods: 2}})
	counts := map[*cluster.Class]int{}
	for k := range uint64(8) {
		counts[d.class(cluster.Draw(k<<61))]++       // the least draw that is brought to k
		counts[d.class(cluster.Draw((k+1)<<61-1))]++ // and the greatest
	}
	if counts[a] != 2 || counts[b] != 10 || counts[c] != 4 {
		t.Errorf("drew %d, %d and %d of 16", counts[a], counts[b], counts[c])
	}
}

func TestSyntheticFill(t *testing.T) {
	for _, query := range []string{"", "?nodes=1", "?nodes=37&load=0.6", "?load=3"} {
		tr := open(t, "synthetic:gpu"+query)
		target := tr.OfferedLoad * float64(tr.GPUs*cluster.WholeGPU)
		for seed := range int64(5) {
			p := read(t, tr.Events(seed))
			if asked := float64(p.asked()); asked < target || asked >= target+8*cluster.WholeGPU {
				t.Errorf("%q, seed %d: pods ask for %v, target %v", query, seed, asked, target)
			}
			if len(p.nodes) != tr.Nodes || gpusOf(p.nodes) != tr.GPUs {
				t.Errorf("%q: %d nodes", query, len(p.nodes))
			}
			if tr.Nodes >= 200 && math.Abs(float64(len(p.pods))/float64(tr.Pods)-1) > 0.1 {
				t.Errorf("%q, seed %d: %d pods, expected %d", query, seed, len(p.pods), tr.Pods)
			}
		}
	}
}

// TestSyntheticStays checks that another load, or more nodes, leaves the pods
// that both have as they were.
func TestSyntheticStays(t *testing.T) {
	few, many := read(t, open(t, "synthetic:gpu?nodes=20").Events(9)), read(t, open(t, "synthetic:gpu?nodes=40&load=1.7").Events(9))
	for i, a := range few.pods {
		if b := many.pods[i]; a.at != b.at || classText(a.pod.Class) != classText(b.pod.Class) {
			t.Fatalf("pod %d is %v, and with more nodes %v", i, a, b)
		}
	}
}

func TestSyntheticTime(t *testing.T) {
	for _, query := range []string{"", "&load=0.5&pods=100", "&nodes=3&pods=20000"} {
		tr := open(t, "synthetic:gpu?mode=time"+query)
		for seed := range int64(5) {
			p := read(t, tr.Events(seed))
			if len(p.pods) != tr.Pods || !tr.Timed || !tr.Seeded {
				t.Errorf("%q: %d pods, want %d", query, len(p.pods), tr.Pods)
			}
			if got := offeredLoad(p, tr.GPUs); math.Abs(got/tr.OfferedLoad-1) > 1e-6 {
				t.Errorf("%q, seed %d: the load is %v", query, seed, got)
			}
		}
	}
}

func TestSyntheticSeedsAndHashes(t *testing.T) {
	hashes := map[string]string{}
	for _, query := range []string{"", "?nodes=7", "?load=1.2", "?mode=time", "?mode=time&pods=200"} {
		tr := open(t, "synthetic:gpu"+query)
		if other, ok := hashes[tr.Hash]; ok {
			t.Errorf("%q and %q have the same hash", query, other)
		}
		hashes[tr.Hash] = query
		a, again, b := read(t, tr.Events(1)).String(), read(t, open(t, "synthetic:gpu"+query).Events(1)).String(), read(t, tr.Events(2)).String()
		if a != again || a == b {
			t.Errorf("%q: same seed equal: %t, other seed equal: %t", query, a == again, a == b)
		}
	}
	if hash := open(t, "synthetic:gpu?nodes=200&load=1.30").Hash; hashes[hash] != "" {
		t.Error("the defaults written out have another hash")
	}
}
