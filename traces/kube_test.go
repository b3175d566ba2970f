package traces

import (
	"errors"
	"io"
	"testing"

	"github.com/berthsim/berth/cluster"
)

// kubeEvents reads a Trace of a Kubernetes cluster to its end. It checks what holds for
// all of them: events are in order, a State takes them, and unless pods are allowed to
// be on nodes, none says how the recording came out.
func kubeEvents(t testing.TB, tr *Trace) (events []cluster.Event) {
	t.Helper()
	s, pods, nodes := cluster.NewState(), map[string]bool{}, map[string]bool{}
	stream := tr.Events(1)
	last := cluster.Time(0)
	for {
		e, err := stream.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e.Time < last {
			t.Fatalf("an event of %d comes after one of %d", e.Time, last)
		}
		last = e.Time
		switch e.Kind {
		case cluster.NodeAdded:
			if nodes[e.NodeSpec.Name] {
				t.Errorf("the node %s comes twice", e.NodeSpec.Name)
			}
			nodes[e.NodeSpec.Name] = true
		case cluster.PodAdded:
			p := e.PodSpec
			key := cluster.Key(p.Class.Namespace, p.Name)
			if pods[key] || p.Run < 0 {
				t.Errorf("the pod %s comes twice, or runs %d", key, p.Run)
			}
			pods[key] = true
			if tr.Format != "snapshot" && (p.On != "" || p.Nominated != "" || p.Terminating || p.Started != nil) {
				t.Errorf("what became of %s shows: %+v", key, p)
			}
		case cluster.ObjectSet, cluster.ObjectRemoved:
		default:
			t.Fatalf("unexpected event %+v", e)
		}
		s.Observe(e.Time, []cluster.Event{e})
		events = append(events, e)
	}
	if len(nodes) != tr.Nodes || len(pods) != tr.Pods {
		t.Errorf("%d nodes and %d pods came, of %d and %d", len(nodes), len(pods), tr.Nodes, tr.Pods)
	}
	return events
}

// checkFuzzKube plays what a reader made of a fuzzed recording, if that is possible.
func checkFuzzKube(t *testing.T, k *kubeRecording) {
	t.Helper()
	rejected := 0
	for _, what := range k.rejected {
		if rejected += what.Rows; what.Rows < 1 || what.Line < 1 || what.Reason == "" {
			t.Errorf("rejected %+v", what)
		}
	}
	if rejected > k.rows {
		t.Errorf("%d rows, %d of them rejected", k.rows, rejected)
	}
	for _, s := range []Settings{{"rest": "end"}, {"rest": "never", "load": "0.7"}} {
		for _, part := range []span{{0, cluster.Never}, {cluster.Second, 5 * cluster.Second}} {
			tr, err := k.trace(recorded{file: "f", span: part, settings: s})
			if err != nil {
				continue
			}
			kubeEvents(t, tr)
		}
	}
}
