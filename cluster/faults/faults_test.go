package faults

import (
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
)

// nodes returns n nodes in 3 zones and n/20 racks, each of which is in one zone.
func nodes(n int) []Node {
	var list []Node
	for i := range n {
		rack := i / 20
		list = append(list, Node{fmt.Sprint("n", i), fmt.Sprint("zone-", rack%3), fmt.Sprint("r", rack)})
	}
	return list
}

func parse(t testing.TB, spec string) Model {
	t.Helper()
	m, err := Parse(spec)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// all reads the faults of a run, and checks what holds of every source.
func all(t testing.TB, m Model, run Run) []Fault {
	t.Helper()
	s, err := m.Source(run)
	if err != nil {
		t.Fatal(err)
	}
	var list []Fault
	for {
		f, err := s.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if f.At < 0 || f.Until <= f.At || f.At >= run.Horizon || len(f.Nodes) == 0 {
			t.Fatalf("%v: fault %+v", m, f)
		}
		if len(list) > 0 && f.At < list[len(list)-1].At {
			t.Fatalf("%v: back in time, to %+v", m, f)
		}
		list = append(list, f)
	}
	if _, err := s.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("%v: after the end comes %v", m, err)
	}
	return list
}

// of returns the faults that befall a node.
func of(list []Fault, name string) []Fault {
	var own []Fault
	for _, f := range list {
		if slices.Contains(f.Nodes, name) {
			f.Nodes = []string{name}
			own = append(own, f)
		}
	}
	return own
}

// text writes faults out, to compare them.
func text(list []Fault) string {
	var b strings.Builder
	for _, f := range list {
		fmt.Fprintln(&b, f.At, f.Until, f.Nodes, f.Effect)
	}
	return b.String()
}

const week = 7 * day

var models = []string{
	"exp(mtbf=12h,mttr=1h)",
	"weibull(shape=0.7,mtbf=12h,mttr=lognormal(median=15m,sigma=1.2))",
	"gamma(shape=0.4,mtbf=1d,mttr=fixed(mean=2m),kind=hang)",
	"zones(mtbf=2d,mttr=30m,kind=partition)",
	"racks(mtbf=lognormal(sigma=1,mean=1d),mttr=never)",
	"correlated(mtbf=1d,share=0.2,by=rack,within=2m,mttr=30m)",
	"correlated(mtbf=6h,share=0.1,within=1d,mttr=1h,kind=flap,period=90s,down=60s)",
	"exp(mtbf=2d,mttr=1h)+exp(mtbf=2d,mttr=1h,kind=late,by=45s)+zones(mtbf=3d,mttr=1h)",
}

// TestSame reads each model's faults twice, and under another seed.
func TestSame(t *testing.T) {
	for _, spec := range models {
		m := parse(t, spec)
		run := Run{Nodes: nodes(60), Seed: 1, Horizon: week}
		first := text(all(t, m, run))
		if first == "" || text(all(t, m, run)) != first {
			t.Errorf("%s: one seed gives different faults, or none", spec)
		}
		run.Seed = 2
		if text(all(t, m, run)) == first {
			t.Errorf("%s: different seeds give one sequence", spec)
		}
	}
}

// TestOtherNodes leaves nodes out and turns their order round: that must not
// change what befalls the others.
func TestOtherNodes(t *testing.T) {
	const n = 60
	for _, spec := range models {
		m := parse(t, spec)
		run := Run{Nodes: nodes(n), Seed: 3, Horizon: week}
		want := all(t, m, run)
		for name, other := range map[string][]Node{
			"without some":        slices.DeleteFunc(nodes(n), func(n Node) bool { return strings.HasSuffix(n.Name, "4") }),
			"with more":           nodes(2 * n),
			"the other way round": func() []Node { l := nodes(n); slices.Reverse(l); return l }(),
		} {
			run.Nodes = other
			got := all(t, m, run)
			for _, node := range nodes(n) {
				there := slices.ContainsFunc(other, func(o Node) bool { return o.Name == node.Name })
				if a, b := text(of(got, node.Name)), text(of(want, node.Name)); there && a != b {
					t.Fatalf("%s, %s: %s has\n%sand not\n%s", spec, name, node.Name, a, b)
				}
			}
		}
	}
}

// TestHorizon has a longer run that begins like a shorter one.
func TestHorizon(t *testing.T) {
	for _, spec := range models {
		m := parse(t, spec)
		run := Run{Nodes: nodes(40), Seed: 1, Horizon: week}
		long := all(t, m, run)
		run.Horizon = 2 * day
		short := all(t, m, run)
		i := slices.IndexFunc(long, func(f Fault) bool { return f.At >= 2*day })
		if i < 0 {
			i = len(long)
		}
		if text(long[:i]) != text(short) {
			t.Errorf("%s: %d faults of a short run are not the first %d of a long one", spec, len(short), i)
		}
	}
}

// TestNoEnd reads on where the run has no end.
func TestNoEnd(t *testing.T) {
	for _, spec := range models[:4] {
		s, err := parse(t, spec).Source(Run{Nodes: nodes(5), Seed: 1, Horizon: cluster.Never})
		if err != nil {
			t.Fatal(err)
		}
		for range 1000 {
			if _, err := s.Next(); err != nil {
				t.Fatalf("%s: %v", spec, err)
			}
		}
	}
}

func TestNoNodes(t *testing.T) {
	for _, spec := range models {
		if list := all(t, parse(t, spec), Run{Horizon: cluster.Never}); len(list) > 0 {
			t.Errorf("%s: without nodes, %v", spec, list)
		}
	}
}

func TestNodeOf(t *testing.T) {
	spec := &cluster.NodeSpec{Name: "n", Labels: cluster.MakeLabels(map[string]string{ZoneLabel: "z", RackLabel: "r"})}
	if got, want := NodeOf(spec), (Node{"n", "z", "r"}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if got, want := NodeOf(&cluster.NodeSpec{Name: "n"}), (Node{Name: "n"}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestNoDomain has nodes without labels.
func TestNoDomain(t *testing.T) {
	for spec, want := range map[string]string{
		"zones(mtbf=1d,mttr=1h)":                        "zones(mtbf=1d,mttr=1h): no node is in a zone; give nodes the label topology.kubernetes.io/zone",
		"correlated(mtbf=1d,share=0.5,by=rack,mttr=1h)": "correlated(mtbf=1d,share=0.5,by=rack,within=0s,mttr=1h): no node is in a rack; give nodes the label topology.kubernetes.io/rack",
		"at 1s outage z for 1m":                         "at 1s outage z for 1m: no node is in a zone; give nodes the label topology.kubernetes.io/zone",
	} {
		_, err := parse(t, spec).Source(Run{Nodes: []Node{{Name: "a"}}, Horizon: week})
		if err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", spec, err, want)
		}
	}
	some := []Node{{Name: "a"}, {Name: "b", Zone: "z"}}
	for _, f := range all(t, parse(t, "zones(mtbf=1d,mttr=1h)"), Run{Nodes: some, Horizon: week}) {
		if text([]Fault{f}) != text(of([]Fault{f}, "b")) {
			t.Errorf("a node without a zone has %+v", f)
		}
	}
}

func TestSameNamePanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("two nodes of one name are taken")
		}
	}()
	_, _ = parse(t, "exp(mtbf=1d,mttr=1h)").Source(Run{Nodes: []Node{{Name: "a"}, {Name: "a"}}, Horizon: week})
}

// TestSameOnEveryMachine has the faults of all models to the nanosecond.
func TestSameOnEveryMachine(t *testing.T) {
	h := fnv.New64a()
	for _, spec := range models {
		io.WriteString(h, text(all(t, parse(t, spec), Run{Nodes: nodes(60), Seed: 1, Horizon: week})))
	}
	if got, want := h.Sum64(), uint64(goldenFaults); got != want {
		t.Errorf("got %#x, want %#x", got, want)
	}
}

const goldenFaults = 0x9eb6467607259a2f
