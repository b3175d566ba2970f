package traces

import (
	"errors"
	"io"
	"sync"
	"testing"

	"github.com/berthsim/berth/cluster"
)

// recordedSpecs are TRACEs of the small recordings that are replayed.
var recordedSpecs = []string{
	smallPhilly + "?load=2", smallSWF, metaSWF, smallAzure, small2018, small2017, smallGoogleTasks, smallDLRM, smallMachines + "node_info_df.csv",
}

// TestStreamsTogether reads streams of one Trace at the same time; the race
// detector says whether they share anything that changes.
func TestStreamsTogether(t *testing.T) {
	for _, spec := range append(recordedSpecs, smallOpenb, smallOpenb+"?mode=time&load=2", "synthetic:gpu?nodes=5", "synthetic:gpu?mode=time&pods=100", "model:mixed?pods=100", "model:training?pods=200&load=0.9&nodes=20") {
		tr := open(t, spec)
		want := read(t, tr.Events(3)).String()
		var group sync.WaitGroup
		got := make([]string, 8)
		for i := range got {
			group.Go(func() { got[i] = read(t, tr.Events(int64(3+i%2))).String() })
		}
		group.Wait()
		for i := 0; i < len(got); i += 2 {
			if got[i] != want {
				t.Errorf("%s: stream %d is not like the one read alone", spec, i)
			}
		}
	}
}

// TestStreamsFeedState checks that a State takes what streams yield.
func TestStreamsFeedState(t *testing.T) {
	for _, spec := range append(recordedSpecs, smallOpenb, smallOpenb+"?mode=time", "synthetic:gpu?nodes=5", "synthetic:gpu?mode=time&pods=100", "model:mixed?pods=100", "model:training?pods=200&load=0.9&nodes=20") {
		tr := open(t, spec)
		s, stream, pods := cluster.NewState(), tr.Events(1), 0
		for {
			e, err := stream.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if e.Kind == cluster.PodAdded {
				pods++
			}
			s.Observe(e.Time, []cluster.Event{e})
		}
		gpus := int64(0)
		for _, n := range s.Nodes.Live() {
			gpus += s.Nodes.Cap[cluster.GPU][n]
		}
		if len(s.Nodes.Live()) != tr.Nodes || gpus != int64(tr.GPUs)*cluster.WholeGPU || s.Pending() != pods || pods == 0 {
			t.Errorf("%s: %d nodes, %d shares, %d pods pending of %d", spec, len(s.Nodes.Live()), gpus, s.Pending(), pods)
		}
	}
}
