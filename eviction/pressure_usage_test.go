package eviction

import (
	"fmt"
	"slices"
	"testing"

	"github.com/berthsim/berth/cluster"
)

func TestDrift(t *testing.T) {
	ask := Consumption{Memory: 1000 * mebi, Disk: 500}
	subject := Subject{Name: "default/a", Request: ask}
	tests := []struct {
		why  string
		d    Drift
		s    Subject
		at   cluster.Time
		want Consumption
	}{
		{"half of what it asks for", Drift{Base: 500}, subject, cluster.Hour, Consumption{Memory: 500 * mebi, Disk: 250}},
		{"grows by a tenth in an hour", Drift{Base: 500, Growth: 100}, subject, 90 * cluster.Minute, Consumption{Memory: 650 * mebi, Disk: 325}},
		{"all have a leak", Drift{Base: 500, Growth: 100, Leaky: 1000, Leak: 900}, subject, 30 * cluster.Minute, Consumption{Memory: 1000 * mebi, Disk: 500}},
		{"none has", Drift{Base: 500, Leaky: 0, Leak: 900}, subject, cluster.Hour, Consumption{Memory: 500 * mebi, Disk: 250}},
		{"its limit holds", Drift{Base: 3000}, Subject{Name: "a", Request: ask, Limit: Consumption{Memory: 1500 * mebi}}, 0, Consumption{Memory: 1500 * mebi, Disk: 1500}},
		{"what isn't asked for has a size of its own", Drift{Base: 2000, Idle: Consumption{Memory: 10, Inodes: 7, Processes: 3}}, subject, 0, Consumption{2000 * mebi, 1000, 14, 6}},
		{"nothing is less than 0", Drift{Base: 100, Growth: -1000}, subject, cluster.Hour, Consumption{}},
		{"rounded towards 0", Drift{Base: 500, Growth: 1}, Subject{Name: "a", Request: Consumption{Memory: 1999}}, 59 * cluster.Minute, Consumption{Memory: 999}},
		{"a limit of 1 is one", Drift{Base: 500}, Subject{Name: "a", Request: ask, Limit: Consumption{Disk: 1}}, 0, Consumption{Memory: 500 * mebi, Disk: 1}},
		{"not before its start", Drift{Base: 500, Growth: 100}, subject, -cluster.Hour, Consumption{Memory: 500 * mebi, Disk: 250}},
	}
	for _, tt := range tests {
		if got := tt.d.Usage(tt.s)(tt.at); got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.why, got, tt.want)
		}
	}
}

// TestDriftNoise: noise stays in bounds, moves in lines between draws, differs between pods and seeds,
// and is the same whatever was asked before.
func TestDriftNoise(t *testing.T) {
	d := Drift{Seed: 1, Base: 1000, Spread: 100, Noise: 50, Period: cluster.Minute}
	level := func(d Drift, pod string, at cluster.Time) int64 {
		return d.Usage(Subject{Name: pod, Request: Consumption{Memory: 1000}})(at).Memory
	}
	var seen []int64
	for i := range cluster.Time(1000) {
		at := i * 10 * second
		got := level(d, "a", at)
		if got < 850 || got > 1150 {
			t.Fatalf("at %v s the pod uses %d, want 850 to 1150", at.Seconds(), got)
		}
		if !slices.Contains(seen, got) {
			seen = append(seen, got)
		}
	}
	if len(seen) < 50 {
		t.Errorf("1000 times, there are %d values", len(seen))
	}
	from, to := level(d, "a", 0), level(d, "a", cluster.Minute)
	if got, want := level(d, "a", cluster.Minute/2), (from+to)/2; got < want-1 || got > want+1 {
		t.Errorf("half way from %d to %d it is %d", from, to, got)
	}
	use := d.Usage(Subject{Name: "a", Request: Consumption{Memory: 1000}})
	use(cluster.Hour)
	if got := use(0).Memory; got != from {
		t.Errorf("asked for later times before, %d becomes %d", from, got)
	}
	other := d
	other.Seed = 2
	if level(d, "a", 0) == level(d, "b", 0) && level(d, "a", cluster.Hour) == level(d, "b", cluster.Hour) {
		t.Error("two pods use the same")
	}
	if level(d, "a", 0) == level(other, "a", 0) && level(d, "a", cluster.Hour) == level(other, "a", cluster.Hour) {
		t.Error("two seeds use the same")
	}
}

// TestDriftDraws: levels reach both ends of the spread and no further, as many pods leak as should, and
// noise lasts a minute unless told otherwise.
func TestDriftDraws(t *testing.T) {
	d := Drift{Seed: 7, Base: 500, Spread: 3, Leaky: 300, Leak: 100}
	var levels [7]int
	leaks := 0
	for i := range 2000 {
		use := d.Usage(Subject{Name: fmt.Sprint("pod-", i), Request: Consumption{Memory: 1000}})
		level := use(0).Memory
		if level < 497 || level > 503 {
			t.Fatalf("pod %d begins at %d, want 497 to 503", i, level)
		}
		levels[level-497]++
		if use(cluster.Hour).Memory != level {
			leaks++
		}
	}
	for i, n := range levels {
		if n < 200 || n > 400 {
			t.Errorf("%d of 2000 pods begin at %d, want 285 or so", n, 497+i)
		}
	}
	if leaks < 520 || leaks > 680 {
		t.Errorf("%d of 2000 pods leak, want 600 or so", leaks)
	}
	noisy := Drift{Seed: 7, Base: 500, Noise: 400}
	minute := noisy
	minute.Period = cluster.Minute
	s := Subject{Name: "a", Request: Consumption{Memory: 1_000_000}}
	for at := cluster.Time(0); at < 10*cluster.Minute; at += 7 * second {
		if got, want := noisy.Usage(s)(at), minute.Usage(s)(at); got != want {
			t.Errorf("at %v s: %v without a period, %v with a minute", at.Seconds(), got, want)
		}
	}
	// A jump of noise: use just before a period's end is near what it is at the end.
	before, after := minute.Usage(s)(cluster.Minute-1).Memory, minute.Usage(s)(cluster.Minute).Memory
	if diff := before - after; diff < -1000 || diff > 1000 {
		t.Errorf("noise jumps from %d to %d", before, after)
	}
}

func TestRecorded(t *testing.T) {
	r := Recorded{"a": {{10, Consumption{Memory: 1}}, {20, Consumption{Memory: 2}}}}
	use := r.Usage(Subject{Name: "a"})
	for at, want := range map[cluster.Time]int64{0: 1, 10: 1, 19: 1, 20: 2, 1000: 2} {
		if got := use(at).Memory; got != want {
			t.Errorf("at %d: %d, want %d", at, got, want)
		}
	}
	if got := r.Usage(Subject{Name: "b", Request: Consumption{Memory: 7}})(5).Memory; got != 7 {
		t.Errorf("a pod that wasn't recorded uses %d, want the 7 it asks for", got)
	}
}

// overcommit plays a node for six hours that has so many pods of 1 GiB, and returns how many are evicted,
// and how many of these used no more than they had asked for.
func overcommit(pods int) (evicted, innocent int) {
	const capacity = 64 * gibi
	usage := Drift{Seed: 42, Base: 600, Spread: 300, Growth: 20, Leaky: 100, Leak: 300, Noise: 100}
	var use []func(cluster.Time) Consumption
	alive := make([]Candidate, pods)
	for i := range alive {
		alive[i] = Candidate{MemoryRequest: gibi}
		use = append(use, usage.Usage(Subject{Name: fmt.Sprint("pod-", i), Request: Consumption{Memory: gibi}}))
	}
	p := NewPressure(DefaultPressureConfig())
	for now := cluster.Time(0); now < 6*cluster.Hour; {
		var stats NodeStats
		free := int64(capacity)
		for i := range alive {
			alive[i].Memory = use[i](now).Memory
			free -= alive[i].Memory
		}
		stats.Set(MemoryAvailable, free, capacity, now)
		out := p.Synchronize(now, &stats, alive, nil)
		now = out.Next
		for _, e := range out.Evicted {
			evicted++
			if alive[e.Pod].Memory <= gibi {
				innocent++
			}
			alive, use = slices.Delete(alive, e.Pod, e.Pod+1), slices.Delete(use, e.Pod, e.Pod+1)
			now = After(stats[MemoryAvailable].At+second, stats[MemoryAvailable].At+second)
		}
	}
	return evicted, innocent
}

// TestOvercommit: without overcommitment nobody is evicted, with more of it more are, and those that
// leak come first.
func TestOvercommit(t *testing.T) {
	before := 0
	for i, pods := range []int{64, 80, 96, 112, 128} {
		evicted, innocent := overcommit(pods)
		t.Logf("%d GiB asked for of 64: %d evicted, %d of them within what they asked for", pods, evicted, innocent)
		if i == 0 && evicted > 0 || i > 0 && evicted < before {
			t.Errorf("with %d pods %d are evicted, with fewer %d", pods, evicted, before)
		}
		before = evicted
		again, _ := overcommit(pods)
		if again != evicted {
			t.Errorf("%d pods: %d are evicted, and %d the next time", pods, evicted, again)
		}
	}
	if before == 0 {
		t.Error("nobody was ever evicted")
	}
}

// BenchmarkSynchronize is a look at a node with as many pods as kubelets take.
func BenchmarkSynchronize(b *testing.B) {
	pods := make([]Candidate, 110)
	for i := range pods {
		pods[i] = Candidate{Memory: int64(i) * mebi, MemoryRequest: 50 * mebi, Priority: int32(i % 3), Containers: make([]ContainerUse, 2)}
	}
	for _, free := range []int64{gibi, 0} {
		b.Run(fmt.Sprintf("free=%d", free), func(b *testing.B) {
			p := NewPressure(DefaultPressureConfig())
			var stats NodeStats
			b.ReportAllocs()
			for i := range b.N {
				stats.Set(MemoryAvailable, free, 8*gibi, cluster.Time(i+1))
				p.Synchronize(cluster.Time(i), &stats, pods, nil)
			}
		})
	}
}
