package traces

import (
	"math/rand"
	"slices"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
)

// TestOpenbFillOrder has the filling of one seed in full, so that no change of
// the order of draws goes unnoticed. The comparison with what was published is
// of whole experiments.
func TestOpenbFillOrder(t *testing.T) {
	p := read(t, open(t, smallOpenb+"?load=2").Events(42))
	var nodes []string
	for _, n := range p.nodes {
		nodes = append(nodes, n.Name)
	}
	if got, want := strings.Join(nodes, " "), goldenNodes; got != want {
		t.Errorf("got nodes %s, want %s", got, want)
	}
	if got := strings.Join(p.podNames(), " "); got != goldenPods {
		t.Errorf("got pods %s, want %s", got, goldenPods)
	}
	for i, a := range p.pods {
		if a.at != cluster.Time(i+1)*cluster.Second || a.pod.Run != cluster.Never {
			t.Errorf("pod %d comes at %d and runs for %d", i, a.at, a.pod.Run)
		}
	}
}

const (
	goldenNodes = "node-a node-c node-b node-d"
	goldenPods  = "pod-04 pod-07 pod-03 pod-06 pod-08 pod-02 pod-05 pod-01 pod-01-copy-1 pod-04-copy-2 pod-02-copy-3 pod-08-copy-4 pod-08-copy-5 pod-05-copy-6 pod-05-copy-7"
)

// TestOpenbFillDraws compares fillings with those of a twin that shuffles,
// copies and removes whole pods, as the paper's artifact does.
func TestOpenbFillDraws(t *testing.T) {
	for _, query := range []string{
		"", "?load=0.5", "?load=1e-9", "?load=5", "?pods=multigpu50", "?pods=multigpu50&load=1",
	} {
		tr := open(t, smallOpenb+query)
		list := "default"
		if strings.Contains(query, "multigpu50") {
			list = "multigpu50"
		}
		for seed := range int64(50) {
			p := read(t, tr.Events(seed))
			nodes, pods := fillTwin(readSmall(t, list), tr.OfferedLoad, seed)
			var gotNodes []string
			for _, n := range p.nodes {
				gotNodes = append(gotNodes, n.Name)
			}
			if !slices.Equal(gotNodes, nodes) {
				t.Fatalf("%q, seed %d: got nodes %v, want %v", query, seed, gotNodes, nodes)
			}
			gotPods := p.podNames()
			for i := range gotPods {
				gotPods[i], _, _ = strings.Cut(gotPods[i], "-copy-")
			}
			if !slices.Equal(gotPods, pods) {
				t.Fatalf("%q, seed %d: got pods %v, want %v", query, seed, gotPods, pods)
			}
		}
	}
}

// fillTwin returns the names of nodes and pods of a filling of the small trace.
func fillTwin(rec *openbRecording, load float64, seed int64) (nodes, pods []string) {
	slices.SortFunc(rec.pods, func(a, b openbPod) int { return strings.Compare(a.spec.Name, b.spec.Name) })
	r := rand.New(rand.NewSource(seed))
	r.Int()
	shuffled := slices.Clone(rec.pods)
	r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	target, total := load*7000, int64(0)
	for _, p := range shuffled {
		total += p.spec.Class.GPUs.Total()
	}
	if float64(total) > target {
		for float64(total) > target {
			i := r.Intn(len(shuffled))
			total -= shuffled[i].spec.Class.GPUs.Total()
			shuffled = append(shuffled[:i:i], shuffled[i+1:]...)
		}
	} else if float64(total) < target {
		for {
			p := rec.pods[r.Intn(len(rec.pods))]
			if float64(total)+float64(p.spec.Class.GPUs.Shares) > target {
				break
			}
			total += p.spec.Class.GPUs.Total()
			shuffled = append(shuffled, p)
		}
	}
	for _, p := range shuffled {
		pods = append(pods, p.spec.Name)
	}
	for range 10 {
		r.Int63()
	}
	nodes = make([]string, 4)
	for i, rank := range r.Perm(4) {
		nodes[rank] = []string{"node-a", "node-b", "node-c", "node-d"}[i]
	}
	return nodes, pods
}

// TestOpenbFillTarget checks how much the pods ask for. One pod more may go
// beyond the target with all its GPUs, since the artifact looks at one of them.
func TestOpenbFillTarget(t *testing.T) {
	for _, query := range []string{"?load=0.3", "?load=1.3", "?load=2.9&pods=multigpu50", "?load=40"} {
		tr := open(t, smallOpenb+query)
		target := tr.OfferedLoad * float64(tr.GPUs*cluster.WholeGPU)
		removes := target < 6960 // what default asks for; multigpu50's load is above either
		for seed := range int64(50) {
			p := read(t, tr.Events(seed))
			asked := float64(p.asked())
			if removes && asked > target {
				t.Errorf("%s, seed %d: %v is above %v", query, seed, asked, target)
			}
			if !removes && (asked > target+3*cluster.WholeGPU || asked <= target-cluster.WholeGPU) {
				t.Errorf("%s, seed %d: %v is not near %v", query, seed, asked, target)
			}
		}
	}
}

func TestOpenbFillSeeds(t *testing.T) {
	tr := open(t, smallOpenb)
	if a, b := read(t, tr.Events(1)).String(), read(t, tr.Events(1)).String(); a != b {
		t.Errorf("seed 1 gives\n%s\nand\n%s", a, b)
	}
	if a, b := read(t, tr.Events(1)).String(), read(t, tr.Events(2)).String(); a == b {
		t.Errorf("seeds 1 and 2 give both\n%s", a)
	}
}

// TestOpenbFillCopies checks that copies get no name that a recorded pod has;
// read checks that no name comes twice.
func TestOpenbFillCopies(t *testing.T) {
	pods := podHead + "a,1,1,1,1000,\na-copy-1,1,1,1,1000,\na-copy-3,1,1,1,1000,\n"
	tr := open(t, "openb:"+writeOpenb(t, goodNodes, pods)+"?load=10")
	for seed := range int64(20) {
		if n := len(read(t, tr.Events(seed)).pods); n != 20 {
			t.Errorf("seed %d: %d pods, want 20", seed, n)
		}
	}
}

// readSmall reads the small trace with a list of pods.
func readSmall(t *testing.T, list string) *openbRecording {
	t.Helper()
	file := "testdata/openb/openb_pod_list_" + list + ".csv"
	content, err := readFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pods, err := readOpenbPods(file, content, list == "default")
	if err != nil {
		t.Fatal(err)
	}
	return &openbRecording{pods: pods}
}
