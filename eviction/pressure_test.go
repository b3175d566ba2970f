package eviction

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
)

const (
	mebi   = 1 << 20
	gibi   = 1 << 30
	second = cluster.Second
)

// thresholdsOf returns what a kubelet does that has these thresholds, its hard ones first.
func thresholdsOf(t testing.TB, hard, soft, grace, reclaim string) PressureConfig {
	t.Helper()
	settings := PressureSettings{NoAllocatable: true}
	for _, f := range []struct {
		text, separator string
		into            *[]Statement
	}{{hard, "<", &settings.Hard}, {soft, "<", &settings.Soft}, {grace, "=", &settings.SoftGrace}, {reclaim, "=", &settings.MinReclaim}} {
		var err error
		if *f.into, err = ParseStatements(f.text, f.separator); err != nil {
			t.Fatal(err)
		}
	}
	thresholds, err := settings.Thresholds()
	if err != nil {
		t.Fatal(err)
	}
	return PressureConfig{Thresholds: thresholds, TransitionPeriod: DefaultTransitionPeriod}
}

// A look is a kubelet's at its node, and what comes of it.
type look struct {
	at        cluster.Time
	available int64 // of memory, in MiB
	measured  cluster.Time
	want      string // whom it evicts and how, what it reports
}

// A story is what one pod on a node lives through.
type story struct {
	why   string
	c     PressureConfig
	grace cluster.Time // the pod's
	looks []look
}

// justNow, in a look, is a measurement of just now.
const justNow = -1

func stories(t *testing.T) []story {
	return []story{
		{
			"a hard threshold evicts at once, and the condition lasts 5 minutes", thresholdsOf(t, "memory.available<100Mi", "", "", ""), 30 * second, []look{
				{0, 101, justNow, "[]"}, {10 * second, 100, justNow, "[]"},
				{20 * second, 99, justNow, "evicts for memory.available in 1s [MemoryPressure]"},
				{30 * second, 100, justNow, "[MemoryPressure]"}, {319 * second, 100, justNow, "[MemoryPressure]"}, {320 * second, 100, justNow, "[]"},
			},
		}, {
			"a soft threshold has to be met for its grace period without a break", thresholdsOf(t, "", "memory.available<100Mi", "memory.available=20s", ""), 30 * second, []look{
				{0, 99, justNow, "[MemoryPressure]"}, {10 * second, 99, justNow, "[MemoryPressure]"}, {20 * second, 100, justNow, "[MemoryPressure]"},
				{30 * second, 99, justNow, "[MemoryPressure]"}, {49 * second, 99, justNow, "[MemoryPressure]"},
				{50 * second, 99, justNow, "evicts for memory.available in 0s [MemoryPressure]"},
			},
		}, {
			"soft evictions give the pod's grace period, up to the kubelet's most", withMost(thresholdsOf(t, "", "memory.available<100Mi", "memory.available=1s", ""), 60*second), 30 * second, []look{
				{0, 99, justNow, "[MemoryPressure]"}, {10 * second, 99, justNow, "evicts for memory.available in 30s [MemoryPressure]"},
			},
		}, {
			"here the kubelet's most", withMost(thresholdsOf(t, "", "memory.available<100Mi", "memory.available=1s", ""), 20*second), 30 * second, []look{
				{0, 99, justNow, "[MemoryPressure]"}, {10 * second, 99, justNow, "evicts for memory.available in 20s [MemoryPressure]"},
			},
		}, {
			"after an eviction, 50 MiB more than the threshold must be free", thresholdsOf(t, "memory.available<100Mi", "", "", "memory.available=50Mi"), 30 * second, []look{
				{0, 149, justNow, "[]"}, {10 * second, 99, justNow, "evicts for memory.available in 1s [MemoryPressure]"},
				{20 * second, 149, justNow, "evicts for memory.available in 1s [MemoryPressure]"},
				{30 * second, 150, justNow, "[MemoryPressure]"}, {40 * second, 149, justNow, "[MemoryPressure]"},
			},
		}, {
			"a soft threshold still in its grace period has no minimum reclaim", thresholdsOf(t, "", "memory.available<100Mi", "memory.available=20s", "memory.available=50Mi"), 30 * second, []look{
				{0, 99, justNow, "[MemoryPressure]"}, {10 * second, 149, justNow, "[MemoryPressure]"}, {20 * second, 99, justNow, "[MemoryPressure]"},
				{30 * second, 99, justNow, "[MemoryPressure]"}, {40 * second, 99, justNow, "evicts for memory.available in 0s [MemoryPressure]"},
				{50 * second, 149, justNow, "evicts for memory.available in 0s [MemoryPressure]"},
			},
		}, {
			"nobody is evicted twice for one measurement", thresholdsOf(t, "memory.available<100Mi", "", "", ""), 30 * second, []look{
				{1 * second, 99, 1 * second, "evicts for memory.available in 1s [MemoryPressure]"},
				{2 * second, 99, 1 * second, "[MemoryPressure]"},
				{3 * second, 99, 3 * second, "evicts for memory.available in 1s [MemoryPressure]"},
			},
		}, {
			"unless it has no time", thresholdsOf(t, "memory.available<100Mi", "", "", ""), 30 * second, []look{
				{1 * second, 99, 0, "evicts for memory.available in 1s [MemoryPressure]"},
				{2 * second, 99, 0, "evicts for memory.available in 1s [MemoryPressure]"},
			},
		},
	}
}

// TestSynchronize plays one pod on a node whose memory goes up and down.
func TestSynchronize(t *testing.T) {
	for _, tt := range stories(t) {
		p := NewPressure(tt.c)
		pods := []Candidate{{Memory: gibi, Grace: tt.grace}}
		for _, l := range tt.looks {
			if l.measured == justNow {
				l.measured = l.at
			}
			var stats NodeStats
			stats.Set(MemoryAvailable, l.available*mebi, 8*gibi, l.measured)
			out := p.Synchronize(l.at, &stats, pods, nil)
			if got := text(out) + p.Conditions().String(); got != l.want {
				t.Errorf("%s: at %v s with %d MiB: %s, want %s", tt.why, l.at.Seconds(), l.available, got, l.want)
			}
			if next := out.Next; len(out.Evicted) == 0 && next != l.at+10*second || len(out.Evicted) > 0 && next != 0 {
				t.Errorf("%s: at %v s: looks again at %v s", tt.why, l.at.Seconds(), next.Seconds())
			}
		}
	}
}

func withMost(c PressureConfig, most cluster.Time) PressureConfig { c.MaxPodGrace = most; return c }

// text is what an outcome reads like, without pods.
func text(out Outcome) string {
	var b strings.Builder
	for _, e := range out.Evicted {
		fmt.Fprintf(&b, "evicts for %s in %vs ", e.Cause, e.Grace.Seconds())
	}
	return b.String()
}

// TestMemoryBeforeDisk: whatever the order of thresholds, memory comes first, and then the first of them.
func TestMemoryBeforeDisk(t *testing.T) {
	c := thresholdsOf(t, "pid.available<100,nodefs.available<1Gi,imagefs.available<1Gi,memory.available<100Mi", "", "", "")
	for _, tt := range []struct {
		low  []Signal
		want Signal
	}{
		{[]Signal{NodeFsAvailable, MemoryAvailable, PIDAvailable}, MemoryAvailable},
		{[]Signal{NodeFsAvailable, PIDAvailable}, PIDAvailable},
		{[]Signal{ImageFsAvailable, NodeFsAvailable}, NodeFsAvailable},
	} {
		var stats NodeStats
		for _, signal := range tt.low {
			stats.Set(signal, 1, 100*gibi, 0)
		}
		out := NewPressure(c).Synchronize(0, &stats, []Candidate{{}}, nil)
		if !out.Starved || out.Signal != tt.want {
			t.Errorf("with little %v, the kubelet acts on %v (%v), want %v", tt.low, out.Signal, out.Starved, tt.want)
		}
	}
	chosen := 0
	c.Tie = func(n int) int { chosen = n; return n - 1 }
	var stats NodeStats
	stats.Set(NodeFsAvailable, 1, 100*gibi, 0)
	stats.Set(ImageFsAvailable, 1, 100*gibi, 0)
	if out := NewPressure(c).Synchronize(0, &stats, nil, nil); out.Signal != ImageFsAvailable || chosen != 2 {
		t.Errorf("a choice of %d, and the kubelet acts on %v; want the last of 2, imagefs.available", chosen, out.Signal)
	}
}

// TestReclaimFirst: images and dead containers go before pods do.
func TestReclaimFirst(t *testing.T) {
	tests := []struct {
		why                string
		disks              Disks
		low                Signal
		containers, images int64 // GiB that could be deleted
		want               string
	}{
		{"images are enough", Disks{}, NodeFsAvailable, 0, 11, "deletes 11 "},
		{"together they are enough", Disks{}, NodeFsAvailable, 6, 5, "deletes 11 "},
		{"they aren't, with the minimum reclaim", Disks{}, NodeFsAvailable, 5, 5, "deletes 10 evicts for nodefs.available in 1s "},
		{"images are elsewhere", Disks{DedicatedImageFs: true}, NodeFsAvailable, 50, 50, "deletes 0 evicts for nodefs.available in 1s "},
		{"images and layers are here", Disks{DedicatedImageFs: true}, ImageFsAvailable, 6, 5, "deletes 11 "},
		{"only images are here", Disks{true, true}, ImageFsAvailable, 50, 5, "deletes 5 evicts for imagefs.available in 1s "},
		{"only layers are here", Disks{true, true}, NodeFsAvailable, 11, 50, "deletes 11 "},
		{"nothing of it is memory", Disks{}, MemoryAvailable, 50, 50, "deletes 0 evicts for memory.available in 1s "},
	}
	for _, tt := range tests {
		c := thresholdsOf(t, "memory.available<5Gi,nodefs.available<5Gi,imagefs.available<5Gi", "", "", "memory.available=1Gi,nodefs.available=6Gi,imagefs.available=6Gi")
		c.Disks = tt.disks
		var stats NodeStats
		for _, signal := range []Signal{MemoryAvailable, NodeFsAvailable, ImageFsAvailable} {
			stats.Set(signal, 50*gibi, 100*gibi, 0)
		}
		stats[tt.low].Available = 0
		g := &Garbage{Disks: tt.disks, Containers: Use{Bytes: tt.containers * gibi}, Images: Use{Bytes: tt.images * gibi}, Stats: &stats}
		out := NewPressure(c).Synchronize(0, &stats, []Candidate{{}}, g)
		if got := fmt.Sprintf("deletes %d ", g.Deleted.Bytes/gibi) + text(out); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.why, got, tt.want)
		}
	}
}

// TestGarbage: what is deleted is free on its filesystem, under all names that has.
func TestGarbage(t *testing.T) {
	tests := []struct {
		disks Disks
		want  [6]int64 // of nodefs, imagefs and containerfs: bytes and inodes free
	}{
		{Disks{}, [6]int64{33, 303, 33, 303, 33, 303}},
		{Disks{DedicatedImageFs: true}, [6]int64{0, 0, 33, 303, 33, 303}},
		{Disks{DedicatedImageFs: true, DedicatedContainerFs: true}, [6]int64{30, 300, 3, 3, 30, 300}},
	}
	for _, tt := range tests {
		var stats NodeStats
		for signal := NodeFsAvailable; signal <= ContainerFsInodesFree; signal++ {
			stats.Set(signal, 0, 1000, 5)
		}
		g := &Garbage{Disks: tt.disks, Containers: Use{30, 300}, Images: Use{3, 3}, Stats: &stats, At: 7}
		after := g.Reclaim(true, true)
		var got [6]int64
		for i := range got {
			got[i] = after[NodeFsAvailable+Signal(i)].Available
		}
		if got != tt.want || g.Deleted != (Use{33, 303}) || g.Images != (Use{}) {
			t.Errorf("%+v: free %v, want %v; deleted %v", tt.disks, got, tt.want, g.Deleted)
		}
		if at := after[ContainerFsAvailable].At; at != 7 || stats[ContainerFsAvailable].At != 5 {
			t.Errorf("%+v: measured at %d, before at %d", tt.disks, at, stats[ContainerFsAvailable].At)
		}
	}
}

// TestContainerFs: the thresholds of containerfs are those of the filesystem beneath, from the second
// look on.
func TestContainerFs(t *testing.T) {
	for disks, want := range map[Disks]string{
		{}:                       "containerfs.available<10",
		{DedicatedImageFs: true}: "containerfs.available<20",
		{DedicatedImageFs: true, DedicatedContainerFs: true}: "containerfs.available<10",
		{DedicatedContainerFs: true}:                         "containerfs.available<30",
	} {
		c := thresholdsOf(t, "nodefs.available<10,imagefs.available<20,containerfs.available<30", "", "", "")
		c.Disks = disks
		p := NewPressure(c)
		if got := p.thresholds[2].String(); got != want {
			t.Errorf("%+v: %s, want %s", disks, got, want)
		}
	}
	p := NewPressure(thresholdsOf(t, "nodefs.available<10", "", "", ""))
	var stats NodeStats
	stats.Set(ContainerFsAvailable, 9, 1000, 0)
	first, second := p.Synchronize(0, &stats, nil, nil), p.Synchronize(1, &stats, nil, nil)
	if first.Starved || !second.Starved {
		t.Errorf("the kubelet acts at its first look: %v, at its second: %v; want false, true", first.Starved, second.Starved)
	}
}

// TestStorageLimits: all pods that exceed a limit on local storage go at once, before anything else.
func TestStorageLimits(t *testing.T) {
	pods := []Candidate{
		{Memory: gibi},
		{Volumes: []VolumeUse{{Use: Use{Bytes: 9}}, {Use: Use{Bytes: 11}, Limit: 10}}},
		{Volumes: []VolumeUse{{Use: Use{Bytes: 10}, Limit: 10}}},
		{Storage: 1, StorageLimited: true},
		{Storage: 10, StorageLimit: 10, StorageLimited: true},
		{Storage: 10, StorageLimit: 9, StorageLimited: true, Priority: SystemCritical},
		{Containers: []ContainerUse{{Logs: Use{Bytes: 4}, Rootfs: Use{Bytes: 7}, Limit: 10}}},
		{Containers: []ContainerUse{{Logs: Use{Bytes: 11}, Limit: 10}}},
		{Containers: []ContainerUse{{Logs: Use{Bytes: 11}}}},
		{Containers: []ContainerUse{{Logs: Use{Bytes: 11}, Limit: 10}}, NoStats: true},
		{Containers: []ContainerUse{{Logs: Use{Bytes: 11}, Limit: 10}}, Static: true},
	}
	var stats NodeStats
	stats.Set(MemoryAvailable, 0, gibi, 0)
	for _, tt := range []struct {
		why  string
		c    PressureConfig
		want string
	}{
		{"all on one filesystem", PressureConfig{}, "1 emptydirfs.limit, 3 ephemeralpodfs.limit, 6 ephemeralcontainerfs.limit, 7 ephemeralcontainerfs.limit, "},
		{"layers elsewhere", PressureConfig{Disks: Disks{DedicatedImageFs: true}}, "1 emptydirfs.limit, 3 ephemeralpodfs.limit, 7 ephemeralcontainerfs.limit, "},
		{"no limits", PressureConfig{NoStorageLimits: true}, "9 memory.available, "}, // nothing is known of it
	} {
		c := thresholdsOf(t, "memory.available<1Gi", "", "", "")
		c.Disks, c.NoStorageLimits = tt.c.Disks, tt.c.NoStorageLimits
		got := ""
		for _, e := range NewPressure(c).Synchronize(0, &stats, pods, nil).Evicted {
			got += fmt.Sprintf("%d %s, ", e.Pod, e.Cause)
		}
		if got != tt.want {
			t.Errorf("%s: %s, want %s", tt.why, got, tt.want)
		}
	}
}

func TestAdmit(t *testing.T) {
	low := func(all ...Signal) *Pressure {
		p := NewPressure(thresholdsOf(t, "memory.available<100,nodefs.available<100,pid.available<100", "", "", ""))
		var stats NodeStats
		for _, signal := range all {
			stats.Set(signal, 1, 1000, 0)
		}
		p.Synchronize(0, &stats, nil, nil)
		return p
	}
	const memory, disk, both = "The node had condition: [MemoryPressure]. ", "The node had condition: [DiskPressure]. ", "The node had condition: [MemoryPressure PIDPressure]. "
	tests := []struct {
		p    *Pressure
		a    Arrival
		want string // "" for being let in
	}{
		{low(), Arrival{BestEffort: true}, ""},
		{low(MemoryAvailable), Arrival{}, ""},
		{low(MemoryAvailable), Arrival{BestEffort: true}, memory},
		{low(MemoryAvailable), Arrival{BestEffort: true, Tolerates: true}, ""},
		{low(MemoryAvailable), Arrival{BestEffort: true, Critical: true}, ""},
		{low(NodeFsAvailable), Arrival{Tolerates: true}, disk},
		{low(NodeFsAvailable), Arrival{Critical: true}, ""},
		{low(MemoryAvailable, PIDAvailable), Arrival{Tolerates: true}, both},
	}
	for _, tt := range tests {
		if ok, message := tt.p.Admit(tt.a); ok != (tt.want == "") || message != tt.want {
			t.Errorf("%v, %+v: %v %q, want %q", tt.p.Conditions(), tt.a, ok, message, tt.want)
		}
	}
}

func TestAfter(t *testing.T) {
	tests := []struct{ killed, gone, want cluster.Time }{
		{0, 0, 1 * second}, {5, 5, 5 + 1*second}, {0, 1 * second, 1 * second}, {0, 1*second + 1, 2 * second}, {7 * second, 3 * second, 8 * second},
		{0, 29*second + 1, 30 * second}, {0, 30 * second, 30 * second}, {0, 31 * second, 30 * second}, {7, cluster.Never, 7 + 30*second},
	}
	for _, tt := range tests {
		if got := After(tt.killed, tt.gone); got != tt.want {
			t.Errorf("killed at %d, gone at %d: looks again at %d, want %d", tt.killed, tt.gone, got, tt.want)
		}
	}
	for grace, want := range map[cluster.Time]cluster.Time{0: 10 * second, 1 * second: 10 * second, 7 * second: 10 * second, 20 * second: 30 * second, 31*second + second/2: 46 * second} {
		if got := KillTimeout(grace); got != want {
			t.Errorf("the kubelet waits %v s for a pod with %v s to end, want %v s", got.Seconds(), grace.Seconds(), want.Seconds())
		}
	}
}

// TestFirst holds the search for one pod to the whole order.
func TestFirst(t *testing.T) {
	for i := range 2000 {
		d := cluster.NewDraw(1, "pods", fmt.Sprint(i))
		pods := make([]Candidate, d.At(0).Below(20))
		for j := range pods {
			draw := func(k, n int) int64 { return int64(d.At(10*j + k).Below(n)) }
			pods[j] = Candidate{
				Priority: int32(draw(1, 3)) * SystemCritical / 2, Memory: draw(2, 5), MemoryRequest: draw(3, 3), NoStats: draw(4, 10) == 0,
				Processes: draw(5, 4), StorageRequest: draw(6, 3), Containers: []ContainerUse{{Logs: Use{draw(7, 4), draw(8, 4)}}},
			}
		}
		for signal := MemoryAvailable; signal < signals; signal++ {
			compare := KubeletRank(signal, Disks{})
			want := -1
			if order := EvictionOrder(pods, compare); slices.ContainsFunc(order, func(i int) bool { return !pods[i].Critical() }) {
				want = order[slices.IndexFunc(order, func(i int) bool { return !pods[i].Critical() })]
			}
			if got := firstEvictable(pods, compare); got != want {
				t.Fatalf("%v: evicts %d of %+v, want %d", signal, got, pods, want)
			}
		}
	}
}
