//go:build linux && e2e

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/replay"
	"github.com/berthsim/berth/traces/wire"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// A recorded is what a recording says of pods and nodes at its end.
type recorded struct {
	objects map[string]string // "pod NAMESPACE/NAME" and where it is, "node NAME" and its taints
	heard   map[string]cluster.Time
	rounds  int
}

// Record implements cluster.Recorder.
func (r *recorded) Record(s *cluster.State, events []cluster.Event, _ []cluster.Decision) error {
	for i := range events {
		if e := &events[i]; e.Kind == cluster.NodeHeard {
			r.heard[s.Nodes.Name[e.Node]] = e.Time
		}
	}
	r.rounds++
	return nil
}

// readRecording plays a recording to its end. One that is still written it plays as far as it
// goes, and returns why not further; nil if it can't be read at all.
func readRecording(file string) (*recorded, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	from, err := wire.NewReader(f, wire.ReadOptions{Name: file})
	if err != nil {
		return nil, nil // not even its beginning is there yet
	}
	r := &recorded{objects: map[string]string{}, heard: map[string]cluster.Time{}}
	s := cluster.NewState()
	err = cluster.Run(context.Background(), replay.New(s, from), s, r)
	for p := range cluster.PodID(s.Pods.Rows()) {
		if s.Pods.Phase[p] == cluster.Ended {
			continue
		}
		on := ""
		if n := s.Pods.Node[p]; n != cluster.None {
			on = s.Nodes.Name[n]
		}
		r.objects["pod "+s.PodName(p)] = podState(on, s.Pods.Phase[p] == cluster.Terminating)
	}
	for _, n := range s.Nodes.Live() {
		var taints []string
		for _, t := range s.Nodes.Taints[n] {
			taints = append(taints, t.Key)
		}
		r.objects["node "+s.Nodes.Name[n]] = nodeState(taints)
	}
	return r, err
}

// podState says where a pod is.
func podState(on string, ending bool) string { return fmt.Sprintf("on %q, ending: %v", on, ending) }

// nodeState says what a node's taints are.
func nodeState(taints []string) string {
	slices.Sort(taints)
	return fmt.Sprint(taints)
}

// live is what the API server says, as a recording does: pods that are over are none.
func (b *bed) live(t *testing.T) map[string]string {
	t.Helper()
	pods, err := b.client.CoreV1().Pods("").List(t.Context(), meta.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	nodes, err := b.client.CoreV1().Nodes().List(t.Context(), meta.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, p := range pods.Items {
		if p.Status.Phase != core.PodSucceeded && p.Status.Phase != core.PodFailed {
			all["pod "+p.Namespace+"/"+p.Name] = podState(p.Spec.NodeName, p.DeletionTimestamp != nil)
		}
	}
	for _, n := range nodes.Items {
		var taints []string
		for _, taint := range n.Spec.Taints {
			taints = append(taints, taint.Key)
		}
		all["node "+n.Name] = nodeState(taints)
	}
	return all
}

// isRecorded wants a recording to end with what the API server had before and after that end.
// Of what changed in between, it may have either.
func (b *bed) isRecorded(t *testing.T, file string, before, after map[string]string) {
	t.Helper()
	r, err := readRecording(file)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, from := range []map[string]string{before, after, r.objects} {
		for name := range from {
			names[name] = true
		}
	}
	same, nodes := 0, 0
	for _, name := range slices.Sorted(maps.Keys(names)) {
		got := r.objects[name]
		if got != before[name] && got != after[name] {
			t.Errorf("%s is recorded as %q, and the API server has %q and then %q", name, got, before[name], after[name])
		}
		if before[name] == after[name] {
			same++
			if strings.HasPrefix(name, "node ") {
				nodes++
			}
		}
	}
	if same-nodes < kept || nodes == 0 {
		t.Errorf("only %d pods and %d nodes are there to compare: %v", same-nodes, nodes, after)
	}
	t.Logf("recorded: %d rounds; in the end %d pods and %d nodes as the API server has them", r.rounds, same-nodes, nodes)
}

// hasGap wants a recording to have a gap around an outage, and all kubelets to have been heard of
// after it.
func (b *bed) hasGap(t *testing.T, file string, began time.Time, out span) {
	t.Helper()
	var info struct {
		Epoch time.Time
		Gaps  []struct {
			From   float64 `json:"from_seconds"`
			Until  float64 `json:"until_seconds"`
			Notes  int
			Reason string
		}
	}
	if err := json.Unmarshal([]byte(b.run(t, b.berth, "trace", "info", file, "-o", "json")), &info); err != nil {
		t.Fatal(err)
	}
	r, err := readRecording(file)
	if err != nil {
		t.Fatal(err)
	}
	at := func(seconds float64) time.Time { return info.Epoch.Add(time.Duration(seconds * float64(time.Second))) }
	back := out.from.Add(away) // when it was started again, at the earliest
	around := 0
	for _, g := range info.Gaps {
		from, until := at(g.From), at(g.Until)
		t.Logf("a gap from %v before the outage until %v after the server was started again: %d watches, the first: %s",
			out.from.Sub(from).Round(time.Millisecond), until.Sub(back).Round(time.Millisecond), g.Notes, g.Reason)
		if from.Before(began.Add(-slack)) || until.After(time.Now().Add(slack)) || !from.Before(until) {
			t.Errorf("a gap from %v until %v, of a recording that began at %v", from, until, began)
		}
		if from.After(out.from.Add(slack)) || until.Before(back.Add(-slack)) {
			continue // of something else: machines stall, and a server that comes up may refuse once more
		}
		around++
		for name, heard := range r.heard {
			if info.Epoch.Add(time.Duration(heard)).Before(until) {
				t.Errorf("node %s was heard of at %v last, before the gap's end at %v", name, info.Epoch.Add(time.Duration(heard)), until)
			}
		}
	}
	if around != 1 || len(r.heard) == 0 {
		t.Errorf("%d gaps are around the outage from %v to %v, want 1; %d nodes were heard of", around, out.from, back, len(r.heard))
	}
}

// isDiscreet wants what was planted to be nowhere in a file: neither in its bytes nor in what
// they say.
func (b *bed) isDiscreet(t *testing.T, file string) {
	t.Helper()
	lines := file + ".jsonl"
	b.run(t, b.berth, "trace", "convert", file, "--out", lines)
	for _, name := range []string{file, lines} {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{planted, encoded()} {
			if bytes.Contains(content, []byte(secret)) {
				t.Errorf("%s has what was planted, as %q", name, secret)
			}
		}
		if name == lines && !bytes.Contains(content, []byte(`"web-0"`)) {
			t.Errorf("%s doesn't have the pods that know what was planted", name)
		}
	}
}
