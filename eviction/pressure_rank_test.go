package eviction

import (
	"slices"
	"testing"
)

// TestKubeletRank is whole orders, worked out by hand.
func TestKubeletRank(t *testing.T) {
	type pods []Candidate
	disk := func(layers, logs, volumes int64) Candidate {
		use := func(bytes int64) Use { return Use{Bytes: bytes, Inodes: 10 * bytes} }
		return Candidate{
			Containers:     []ContainerUse{{Rootfs: use(layers)}, {Logs: use(logs)}},
			Volumes:        []VolumeUse{{Use: use(volumes), Local: true}, {Use: use(1000)}},
			StorageRequest: 15,
		}
	}
	disks := pods{disk(20, 1, 2), disk(1, 30, 3), disk(4, 5, 40)}
	tests := []struct {
		why    string
		signal Signal
		disks  Disks
		pods   pods
		want   []int
	}{
		{
			"more than asked for, then priority, then how much more", MemoryAvailable, Disks{}, pods{
				0: {Memory: 900, MemoryRequest: 1000},              // within what it asked for
				1: {Memory: 600, MemoryRequest: 100, Priority: 10}, // over by 500, but important
				2: {Memory: 300, MemoryRequest: 100},               // over by 200
				3: {Memory: 250},                                   // best-effort, over by 250
				4: {Memory: 100, MemoryRequest: 100, Priority: -1}, // just what it asked for: not over
				5: {Memory: 10, MemoryRequest: 500},                // far below
			}, []int{3, 2, 1, 4, 0, 5},
		}, {
			"what wasn't measured goes first, lower priority before higher", AllocatableMemoryAvailable, Disks{}, pods{
				{Memory: 500}, {NoStats: true, Priority: 5}, {NoStats: true}, {Memory: 900},
			}, []int{2, 1, 3, 0},
		}, {
			"equals stay as they are", MemoryAvailable, Disks{}, pods{{Memory: 5}, {Memory: 6}, {Memory: 5}, {Memory: 6}}, []int{1, 3, 0, 2},
		}, {
			"process numbers: priority, then how many", PIDAvailable, Disks{}, pods{
				{Processes: 5, Priority: 1}, {Processes: 7}, {Processes: 100, Priority: 2}, {Processes: 9}, {NoStats: true, Priority: 1}, {NoStats: true},
			}, []int{5, 3, 1, 4, 0, 2},
		},
		{"one filesystem counts all that is local", NodeFsAvailable, Disks{}, disks, []int{2, 1, 0}}, // 49, 34, 23
		{"nodefs without images and layers", NodeFsAvailable, Disks{DedicatedImageFs: true}, disks, []int{2, 1, 0}},
		{"layers only, of which one is over", ImageFsAvailable, Disks{DedicatedImageFs: true}, disks, []int{0, 2, 1}},
		{"containerfs is imagefs", ContainerFsAvailable, Disks{DedicatedImageFs: true}, disks, []int{0, 2, 1}},
		{
			"nothing of a pod is known to be on a filesystem of images alone, so who asked for least goes first", ImageFsAvailable, Disks{true, true},
			pods{{StorageRequest: 5}, {StorageRequest: 3, Containers: disks[0].Containers}, {StorageRequest: 4}}, []int{1, 2, 0},
		},
		{"inodes, from which bytes are subtracted", NodeFsInodesFree, Disks{}, pods{
			{Containers: []ContainerUse{{Logs: Use{Inodes: 50}}}, StorageRequest: 45},
			{Containers: []ContainerUse{{Logs: Use{Inodes: 10}}}},
			{}, // has none, so isn't over
			{Containers: []ContainerUse{{Logs: Use{Inodes: 20}}}, StorageRequest: 1 << 30},
		}, []int{1, 0, 3, 2}},
	}
	for _, tt := range tests {
		if got := EvictionOrder(tt.pods, KubeletRank(tt.signal, tt.disks)); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.why, got, tt.want)
		}
	}
}

// TestRanking: research policies decide in the kubelet's place, but not on critical pods.
func TestRanking(t *testing.T) {
	c := thresholdsOf(t, "memory.available<1Gi", "", "", "")
	c.Rank = func(Signal, Disks) func(a, b *Candidate) int {
		return func(a, b *Candidate) int { return int(a.Memory - b.Memory) } // the smallest first
	}
	var stats NodeStats
	stats.Set(MemoryAvailable, 0, gibi, 0)
	out := NewPressure(c).Synchronize(0, &stats, []Candidate{{Memory: 5}, {Memory: 3}, {Memory: 1, Static: true}, {Memory: 2, Priority: SystemCritical}}, nil)
	if len(out.Evicted) != 1 || out.Evicted[0].Pod != 1 {
		t.Errorf("evicts %v, want pod 1", out.Evicted)
	}
}

// TestNobody: when all are critical, the kubelet can do nothing but try again.
func TestNobody(t *testing.T) {
	var stats NodeStats
	stats.Set(MemoryAvailable, 0, gibi, 0)
	out := NewPressure(DefaultPressureConfig()).Synchronize(3, &stats, []Candidate{{Static: true}, {Priority: SystemCritical}}, nil)
	if len(out.Evicted) != 0 || !out.Starved || out.Next != 3+MonitoringPeriod {
		t.Errorf("%+v", out)
	}
}
