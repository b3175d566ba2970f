package traces

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
)

// TestNameMaker makes names, some of which are longer than the strings they are cut from.
func TestNameMaker(t *testing.T) {
	var m nameMaker
	var got, want []string
	for i := range int64(5000) {
		text := strings.Repeat("x", int(i*i%300))
		if i%999 == 0 {
			text = strings.Repeat("y", nameChunk+int(i))
		}
		n := m.begin("job-").number(i - 10)
		if i%3 == 0 {
			got, want = append(got, n.name()), append(want, fmt.Sprintf("job-%d", i-10))
		}
		got, want = append(got, n.add(text).name()), append(want, fmt.Sprintf("job-%d%s", i-10, text))
	}
	if !slices.Equal(got, want) {
		t.Error("names were not kept as they were made")
	}
}

// TestSetsLikeMaps adds names and numbers, some of them twice, and some in no order.
func TestSetsLikeMaps(t *testing.T) {
	names, numbers := map[string]int{}, map[int64]int{}
	var ns nameSet
	var is numberSet
	draw := cluster.NewDraw(1, "sets", "x")
	for line := range 20_000 {
		n := int64(line)
		if draw.At(line).Float() < 0.2 {
			n = int64(draw.At(-1-line).Float() * 40_000)
		}
		name := strconv.FormatInt(n*n*n, 36)
		before, twice := names[name]
		if got, too := ns.add([]byte(name), line); got != before || too != twice {
			t.Fatalf("%q: on line %d, %v; want %d, %v", name, got, too, before, twice)
		} else if !twice {
			names[name] = line
		}
		before, twice = numbers[n]
		if got, too := is.add(n, line); got != before || too != twice {
			t.Fatalf("%d: on line %d, %v; want %d, %v", n, got, too, before, twice)
		} else if !twice {
			numbers[n] = line
		}
	}
}

// all returns the entries in one slice.
func (l *list[T]) all() []T {
	entries := make([]T, 0, l.count)
	for i := range l.count {
		entries = append(entries, *l.at(i))
	}
	return entries
}

// TestSorted compares with a stable sort of the batches themselves.
func TestSorted(t *testing.T) {
	draw := cluster.NewDraw(1, "sorted", "x")
	for n := range 200 {
		var batches list[batch]
		for i := range n {
			batches.add(batch{at: cluster.Time(draw.At(1000*n+i).Float()*20) - 3, name: int64(i)})
		}
		want := batches.all()
		slices.SortStableFunc(want, func(a, b batch) int { return int(a.at - b.at) })
		got := sorted(batches)
		if !slices.Equal(got.all(), want) {
			t.Fatalf("%v: got %v", batches.all(), got.all())
		}
		if again := sorted(got); n > 0 && again.at(0) != got.at(0) {
			t.Fatal("what is sorted was copied")
		}
	}
}
