package wire

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/berthsim/berth/cluster"
)

// TestForgotten checks that a definition which is too far back is written again, whether it is
// known by its address or by what it says, and that many which are large are forgotten sooner.
func TestForgotten(t *testing.T) {
	for name, size := range map[string]int{"many": 1, "large": 100_000} {
		count := keptNumbers + 100
		if size > 1 {
			count = keptBytes/size + 10
		}
		class := &cluster.Class{Namespace: "a"}
		set := func(i int) cluster.Labels {
			return cluster.Labels{{Key: "k", Value: fmt.Sprintf("%0*d", size, i)}}
		}
		first := set(0)
		var records []Record
		add := func(ls cluster.Labels) {
			e := cluster.Event{Kind: cluster.PodAdded, Pod: cluster.PodID(2 * len(records)), Node: cluster.None}
			e.PodSpec = &cluster.PodSpec{Class: class, Labels: ls}
			records = append(records, Record{What: Workload, Event: e})
		}
		add(first)
		for i := range count {
			add(set(i))
		}
		add(first)
		add(set(1))
		file := write(t, nil, Options{}, records)
		got, r, err := read(t, bytes.NewReader(file), ReadOptions{})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		same(t, got, records)
		if want := int64(count + 3); r.total.Definitions != want {
			t.Errorf("%s: %d definitions, want %d: the class, all labels, and the first two again", name, r.total.Definitions, want)
		}
	}
}

// TestManyBlocks checks that a file with more blocks than an index has entries can be sought in.
func TestManyBlocks(t *testing.T) {
	if testing.Short() {
		t.Skip("it writes some 70,000 blocks")
	}
	const blocks = mostEntries + 5000
	var b bytes.Buffer
	w, err := Create(&b, Meta{}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range blocks {
		name := fmt.Sprint("c", i/1000)
		e := cluster.Event{Time: cluster.Time(i), Kind: cluster.PodAdded, PodSpec: &cluster.PodSpec{Name: name, Class: &cluster.Class{Namespace: name}}}
		if err := w.Event(&e); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if len(w.total.Index) > mostEntries || w.total.Stride != 2 {
		t.Fatalf("the index has %d entries of %d blocks", len(w.total.Index), w.total.Stride)
	}
	r, err := NewReader(bytes.NewReader(b.Bytes()), ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []cluster.Time{blocks - 1, 0, 65_535, 65_536, 65_537, 1001, blocks / 2} {
		if err := r.Seek(at); err != nil {
			t.Fatal(err)
		}
		x, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprint("c", at/1000); x.Time != at || x.Event.Pod != cluster.PodID(2*at) || x.Event.PodSpec.Class.Namespace != want {
			t.Errorf("at %d there is pod %d of %s, at %d", at, x.Event.Pod, x.Event.PodSpec.Class.Namespace, x.Time)
		}
	}
	if err := r.Seek(blocks); err != nil {
		t.Fatal(err)
	}
	if x, err := r.Next(); err == nil {
		t.Errorf("behind the end there is %+v", x)
	}
}
