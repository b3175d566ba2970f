package wire

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/google/go-cmp/cmp"
)

// write returns the file of some records, flushed now and then.
func write(t testing.TB, rng *rand.Rand, o Options, records []Record) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := Create(&b, *filled[Meta](rand.New(rand.NewPCG(1, 1)), true), o)
	if err != nil {
		t.Fatal(err)
	}
	for i := range records {
		r := records[i]
		if err := w.Write(&r); err != nil {
			t.Fatalf("record %d, %+v: %v", i, records[i], err)
		}
		if r.Event.Pod != records[i].Event.Pod || r.Event.Node != records[i].Event.Node {
			t.Fatalf("record %d got pod %d and node %d; want %d and %d", i, r.Event.Pod, r.Event.Node, records[i].Event.Pod, records[i].Event.Node)
		}
		if rng != nil && rng.IntN(30) == 0 {
			if err := w.Flush(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// read returns the records of a file, and the error that ended it if it wasn't io.EOF.
func read(t testing.TB, from io.Reader, o ReadOptions) ([]Record, *Reader, error) {
	t.Helper()
	r, err := NewReader(from, o)
	if err != nil {
		return nil, nil, err
	}
	list, err := rest(r)
	return list, r, err
}

func rest(r *Reader) (list []Record, err error) {
	for {
		x, err := r.Next()
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return list, err
		}
		list = append(list, *x)
	}
}

// same compares lists of records, and says where they differ.
func same(t testing.TB, got, want []Record) {
	t.Helper()
	for i := range min(len(got), len(want)) {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Fatalf("record %d differs (-got +want):\n%s", i, cmp.Diff(got[i], want[i]))
		}
	}
	if len(got) != len(want) {
		t.Fatalf("%d records, want %d", len(got), len(want))
	}
}

// TestRoundTrip writes random records of every kind, with something in every field, and reads
// them back.
func TestRoundTrip(t *testing.T) {
	seen := map[string]bool{}
	for seed := range uint64(30) {
		rng := rand.New(rand.NewPCG(seed, 1))
		tale := newTale(rng, 30+int(2*seed*seed))
		file := write(t, rng, Options{Records: []int{0, 8, 50}[seed%3]}, tale.records)
		got, r, err := read(t, bytes.NewReader(file), ReadOptions{})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		same(t, got, tale.records)
		if want := filled[Meta](rand.New(rand.NewPCG(1, 1)), true); !reflect.DeepEqual(r.Meta(), want) {
			t.Fatalf("metadata differs: %s", cmp.Diff(r.Meta(), want))
		}
		for i := range got {
			seen[fmt.Sprint(got[i].What, got[i].Event.Kind, got[i].Decision.Kind, got[i].Event.Decision.Kind)] = true
		}
	}
	for kind := cluster.PodEnded; kind <= cluster.Store; kind++ {
		what, event, decision, rejected := Outcome, kind, cluster.Kind(0), cluster.Kind(0)
		switch {
		case kind == cluster.NodeAdded:
			what = Workload
		case kind > cluster.PodRefused && kind < cluster.Bind:
			continue
		case kind >= cluster.Bind:
			event, rejected = cluster.Rejected, kind
			if !seen[fmt.Sprint(Decided, cluster.Kind(0), kind, cluster.Kind(0))] {
				t.Errorf("no %v was tried", kind)
			}
		case kind == cluster.Rejected:
			continue
		}
		if !seen[fmt.Sprint(what, event, decision, rejected)] {
			t.Errorf("no %v was tried", kind)
		}
	}
}

// TestWorkload checks that a reader of the workload gets just that, with the numbers that all
// others see, whatever the outcomes are: even if their bytes are damaged.
func TestWorkload(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 2))
		tale := newTale(rng, 500)
		file := write(t, rng, Options{}, tale.records)
		var want []Record
		pods := 0
		for _, r := range tale.records {
			switch {
			case r.What == Workload && r.Event.Kind == cluster.PodRefused:
				r.Event.Kind, r.Event.Code, r.Event.Reason = cluster.PodAdded, 0, ""
				fallthrough
			case r.What == Workload && r.Event.Kind == cluster.PodAdded:
				r.Event.Pod = cluster.PodID(2 * pods)
				pods++
			case r.What == Workload, r.What == Missing, r.What == Struck, r.What == Sample && outside(r.Usage.Pod):
			default:
				continue
			}
			want = append(want, r)
		}
		damageOutcomes(t, file)
		got, _, err := read(t, bytes.NewReader(file), ReadOptions{Workload: true})
		if err != nil {
			t.Fatal(err)
		}
		same(t, got, want)
		if _, _, err := read(t, bytes.NewReader(file), ReadOptions{}); err == nil {
			t.Fatal("the outcomes are damaged, and who reads them finds nothing wrong")
		}
	}
}

// damageOutcomes changes a byte in each frame of outcomes.
func damageOutcomes(t *testing.T, file []byte) {
	t.Helper()
	at, count := fileHeader, 0
	for at+headerSize < len(file) {
		h, problem := parseHeader(file[at:])
		if problem != "" {
			t.Fatal(problem)
		}
		at += headerSize + int(h.stored[0]) + int(h.stored[1])
		if h.stored[outcomeFrame] > 0 {
			file[at+int(h.stored[outcomeFrame])/2] ^= 0x55
			count++
		}
		at += int(h.stored[outcomeFrame])
		if h.kind == trailerBlock {
			break
		}
	}
	if count == 0 {
		t.Fatal("there are no outcomes")
	}
}

// TestSecondTime checks that what was read can be written again to the same bytes, and that
// the hash of the content doesn't depend on metadata, but on all else.
func TestSecondTime(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	tale := newTale(rng, 3000)
	file := write(t, nil, Options{}, tale.records)
	records, r, err := read(t, bytes.NewReader(file), ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if again := write(t, nil, Options{}, records); !bytes.Equal(file, again) {
		t.Error("written a second time, the file is another one")
	}
	all, workload := r.Content()
	var b bytes.Buffer
	w, err := Create(&b, Meta{}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range records {
		if records[i].What == Placed {
			records[i].Placement.Wait++
		}
		if err := w.Write(&records[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	_, r, err = read(t, &b, ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	all2, workload2 := r.Content()
	if workload2 != workload || all2 == all || len(all) != 64 || len(workload) != 64 {
		t.Errorf("with other outcomes and metadata, the hashes are %s and %s; they were %s and %s", all2, workload2, all, workload)
	}
}

// TestNotLossy checks that what can't be written without loss is refused, and leaves no trace.
func TestNotLossy(t *testing.T) {
	class := &cluster.Class{Namespace: "a"}
	bad := []cluster.Event{
		{Kind: cluster.PodAdded, PodSpec: &cluster.PodSpec{Name: "\xff", Class: class}},
		{Kind: cluster.PodAdded, PodSpec: &cluster.PodSpec{Name: "p", Class: &cluster.Class{Namespace: "\xff"}}},
		{Kind: cluster.PodAdded, PodSpec: &cluster.PodSpec{Name: "p", Class: class, Labels: cluster.Labels{{Key: "\xff"}}}},
		{Kind: cluster.PodAdded, PodSpec: &cluster.PodSpec{Name: "p"}},
		{Kind: cluster.PodAdded},
		{Kind: cluster.NodeAdded, NodeSpec: &cluster.NodeSpec{GPUs: 65}},
		{Kind: cluster.NodeAdded},
		{Kind: cluster.ObjectSet},
		{Kind: cluster.ObjectSet, Object: (*cluster.Service)(nil)},
		{Kind: cluster.NodeHeard, Node: 0, Health: &cluster.NodeHealth{}},
		{Kind: cluster.PodEnded, Pod: 2, Node: cluster.None},
		{Kind: cluster.PodEnded, Pod: 1, Node: cluster.None},
		{Kind: cluster.PodEnded, Pod: 0, Node: cluster.Unknown},
		{Kind: cluster.PodEnded, Pod: -7, Node: cluster.None},
		{Kind: cluster.Bind},
		{Kind: cluster.PodBound},
		{Kind: 99},
		{Time: -1, Kind: cluster.PodAdded, PodSpec: &cluster.PodSpec{Name: "p", Class: class}},
	}
	good := cluster.Event{Kind: cluster.PodAdded, PodSpec: &cluster.PodSpec{Name: "p", Class: class}}
	var b bytes.Buffer
	w, err := Create(&b, Meta{}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Event(&good); err != nil {
		t.Fatal(err)
	}
	for _, e := range bad {
		if err := w.Event(&e); err == nil {
			t.Errorf("%v was written, though it can't be: %+v", e.Kind, e)
		}
	}
	for _, d := range []cluster.Decision{
		{Kind: cluster.AddTaint, Pod: cluster.None, Node: cluster.None},
		{Kind: cluster.Bind, Detail: cluster.Cause("x"), Pod: 0, Node: cluster.None},
		{Kind: cluster.Store, Detail: cluster.Stored{}, Pod: cluster.None, Node: cluster.None},
		{Kind: cluster.PodEnded},
	} {
		if err := w.Decision(0, &d); err == nil {
			t.Errorf("%+v was written, though it can't be", d)
		}
	}
	if err := w.Event(&good); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	got, _, err := read(t, &b, ReadOptions{})
	if err != nil || len(got) != 2 || got[1].Event.Pod != 2 || !reflect.DeepEqual(got[0].Event.PodSpec, good.PodSpec) {
		t.Errorf("read %+v, %v; want the pod twice", got, err)
	}
	if err := w.Event(&good); err == nil {
		t.Error("an event was written after Close")
	}
}
