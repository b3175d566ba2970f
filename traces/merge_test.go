package traces

import (
	"fmt"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/google/go-cmp/cmp"
)

func TestMerge(t *testing.T) {
	one := again(nodeAdded(0, 0, "n"), nodeAdded(0, 1, "m"), podAdded(1*sec, 0, "p", sec), about1(4*sec, cluster.PodEnded, 0))
	other := podAdded(1*sec, 0, "p", sec)
	other.PodSpec.Class.RequiredNode = &cluster.NodeSelector{Terms: []cluster.NodeSelectorTerm{{
		Labels: []cluster.Requirement{{Key: hostnameLabel, Values: []string{"n", "k"}}},
		Fields: []cluster.Requirement{{Key: cluster.FieldName, Values: []string{"n"}}},
	}}}
	two := again(nodeAdded(0, 0, "n"), nodeAdded(0, 1, "k"), other, about1(2*sec, cluster.PodEnded, 0), ofNode(2*sec, cluster.NodeRemoved, 1))

	s, err := Merge(MergeInput{Open: one}, MergeInput{Open: two, At: 2 * sec})
	if err != nil {
		t.Fatal(err)
	}
	events := all(t, s)
	wantTold(t, events,
		"at 0 s NodeAdded n #0", "at 0 s NodeAdded m #1", "at 1 s PodAdded ns/p for 1 s #0",
		"at 2 s NodeAdded t2-n #2", "at 2 s NodeAdded k #3", "at 3 s PodAdded t2-ns/p for 1 s #2",
		"at 4 s PodEnded pod 0", "at 4 s PodEnded pod 2", "at 4 s NodeRemoved node 3")
	if got, _ := events[3].NodeSpec.Labels.Get(hostnameLabel); got != "t2-n" {
		t.Errorf("the label of t2-n is %s", got)
	}
	term := events[5].PodSpec.Class.RequiredNode.Terms[0]
	if diff := cmp.Diff([][]string{{"t2-n", "k"}, {"t2-n"}}, [][]string{term.Labels[0].Values, term.Fields[0].Values}); diff != "" {
		t.Error(diff)
	}

	s, err = Merge(MergeInput{Open: one}, MergeInput{Open: two, WithoutNodes: true})
	if err != nil {
		t.Fatal(err)
	}
	wantTold(t, all(t, s),
		"at 0 s NodeAdded n #0", "at 0 s NodeAdded m #1",
		"at 1 s PodAdded ns/p for 1 s #0", "at 1 s PodAdded t2-ns/p for 1 s #2",
		"at 2 s PodEnded pod 2", "at 4 s PodEnded pod 0")
}

// Whatever names there are, no two are alike afterwards.
func TestMergeNamesApart(t *testing.T) {
	named := func(names ...string) func() Stream {
		var events []cluster.Event
		for i, name := range names {
			events = append(events, nodeAdded(0, cluster.NodeID(i), name))
		}
		return again(events...)
	}
	s, err := Merge(
		MergeInput{Open: named("n", "t2-n", "t3-n")}, MergeInput{Open: named("n", "t2-t2-n")}, MergeInput{Open: named("n", "t3-t3-n", "n2")},
	)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, e := range all(t, s) {
		if seen[e.NodeSpec.Name] {
			t.Errorf("two nodes are called %s", e.NodeSpec.Name)
		}
		seen[e.NodeSpec.Name] = true
	}
	if len(seen) != 8 || !seen["n2"] || !seen["t2-t2-n"] {
		t.Error(fmt.Sprint(seen))
	}
}
