package eviction

import (
	"slices"
	"testing"
)

func TestOOMScoreAdj(t *testing.T) {
	const capacity = 10 * gibi
	tests := []struct {
		why  string
		pod  OOMPod
		want []int
	}{
		{"Guaranteed", OOMPod{QoS: Guaranteed, Containers: []OOMContainer{{MemoryRequest: gibi}}}, []int{-997}},
		{"BestEffort", OOMPod{QoS: BestEffort, Containers: []OOMContainer{{}}}, []int{1000}},
		{"system-node-critical", OOMPod{NodeCritical: true, QoS: BestEffort, Containers: []OOMContainer{{}}}, []int{-997}},
		{
			"Burstable: a tenth, nothing, all, and a byte",
			OOMPod{QoS: Burstable, Containers: []OOMContainer{{MemoryRequest: gibi}, {}, {MemoryRequest: capacity}, {MemoryRequest: 1}}},
			[]int{900, 999, 3, 999},
		},
		{
			"a sidecar outlives the container that asks for least; an init container is on its own",
			OOMPod{QoS: Burstable, Containers: []OOMContainer{
				{Init: true, Sidecar: true}, {Init: true}, {Init: true, Sidecar: true, MemoryRequest: 5 * gibi},
				{MemoryRequest: 3 * gibi}, {MemoryRequest: 2 * gibi},
			}},
			[]int{800, 999, 500, 700, 800},
		},
		{
			// 8 of the pod less 5 (2 + the init container's 3, more than 2 + 2) are 3, in thirds.
			"what the pod asks for beyond its containers is spread",
			OOMPod{QoS: Burstable, MemoryRequest: 8 * gibi, Containers: []OOMContainer{
				{Init: true, Sidecar: true, MemoryRequest: 2 * gibi}, {Init: true, MemoryRequest: 3 * gibi}, {MemoryRequest: 2 * gibi},
			}},
			[]int{700, 600, 700},
		},
	}
	for _, tt := range tests {
		var got []int
		for i := range tt.pod.Containers {
			got = append(got, OOMScoreAdj(&tt.pod, i, capacity))
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.why, got, tt.want)
		}
	}
}

func TestOOMVictim(t *testing.T) {
	const total = 1_000_999 // pages: a thousandth is 1000 of them
	tests := []struct {
		why       string
		processes []Process
		want      int
	}{
		{"nobody", nil, -1},
		{"the largest", []Process{{Pages: 10}, {Pages: 30}, {Pages: 20}}, 1},
		{"the last of equals", []Process{{Pages: 10}, {Pages: 30}, {Pages: 30}}, 2},
		{"1000 pages are a point", []Process{{Pages: 200_001}, {Pages: 100_000, Adj: 100}}, 0},
		{"or the other way round", []Process{{Pages: 199_999}, {Pages: 100_000, Adj: 100}}, 1},
		{"best-effort before what is large and Guaranteed", []Process{{Pages: 900_000, Adj: -997}, {Pages: 1, Adj: 1000}}, 1},
		{"all below 0", []Process{{Pages: 5, Adj: -999}, {Pages: 6, Adj: -998}}, 1},
		{"-1000 is never killed", []Process{{Pages: 900_000, Adj: -1000}, {Pages: 1, Adj: -999}}, 1},
		{"none can be", []Process{{Pages: 900_000, Adj: -1000}}, -1},
	}
	for _, tt := range tests {
		if got := OOMVictim(tt.processes, total); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.why, got, tt.want)
		}
	}
}
