package eviction

import (
	"slices"
	"testing"

	"github.com/berthsim/berth/cluster"
)

func TestMakeRoom(t *testing.T) {
	const critical = SystemCritical
	ask := func(cpu, memory int64) cluster.Amounts { return cluster.Amounts{cpu, memory, 0, 0} }
	cpu := func(n int64) Shortage { return Shortage{cluster.CPU, n} }
	memory := func(n int64) Shortage { return Shortage{cluster.Memory, n} }
	tests := []struct {
		why  string
		pod  Tenant
		pods []Tenant
		lack []Shortage
		want []int // nil for no room
	}{
		{"the nearest that suffices is the smallest", Tenant{Priority: critical},
			[]Tenant{{QoS: Burstable, Requests: ask(0, 900)}, {QoS: Burstable, Requests: ask(0, 300)}, {QoS: Burstable, Requests: ask(0, 100)}},
			[]Shortage{memory(200)}, []int{1}},
		{"a large one before two small ones", Tenant{Static: true},
			[]Tenant{{QoS: Burstable, Requests: ask(0, 100)}, {QoS: Burstable, Requests: ask(0, 100)}, {QoS: Burstable, Requests: ask(0, 900)}},
			[]Shortage{memory(200)}, []int{2}},
		{"Guaranteed only for what others don't have, and killed last", Tenant{Priority: critical},
			[]Tenant{{QoS: Guaranteed, Requests: ask(500, 0)}, {QoS: Guaranteed, Requests: ask(100, 0)}, {QoS: Burstable, Requests: ask(500, 0)}},
			[]Shortage{cpu(600)}, []int{2, 1}},
		{"shortages count by their shares", Tenant{Priority: critical}, // leaves 1/4 of both, against all of one
			[]Tenant{{QoS: Burstable, Requests: ask(100, 0)}, {QoS: Burstable, Requests: ask(50, 5000)}, {QoS: Burstable, Requests: ask(100, 9000)}},
			[]Shortage{cpu(100), memory(10_000)}, []int{2, 1}},
		{"and by the squares of these", Tenant{Priority: critical}, // 0.5² twice is more than 0.7²
			[]Tenant{{QoS: Burstable, Requests: ask(50, 5000)}, {QoS: Burstable, Requests: ask(30, 10_000)}, {QoS: Burstable, Requests: ask(50, 0)}, {QoS: Burstable, Requests: ask(20, 5000)}},
			[]Shortage{cpu(100), memory(10_000)}, []int{1, 2, 3}},
		{"not by the shares themselves", Tenant{Priority: critical}, // 0.5² twice is less than 0.8²
			[]Tenant{{QoS: Burstable, Requests: ask(20, 10_000)}, {QoS: Burstable, Requests: ask(50, 5000)}, {QoS: Burstable, Requests: ask(50, 5000)}},
			[]Shortage{cpu(100), memory(10_000)}, []int{2, 1}},
		{"of equals the last", Tenant{Priority: critical},
			[]Tenant{{QoS: Burstable, Requests: ask(100, 5)}, {QoS: Burstable, Requests: ask(100, 5)}, {QoS: Burstable, Requests: ask(101, 5)}},
			[]Shortage{cpu(100)}, []int{1}},
		{"a slot is a slot", Tenant{Priority: critical}, []Tenant{{QoS: Guaranteed}, {QoS: BestEffort}, {QoS: Burstable}}, []Shortage{{cluster.PodSlots, 2}}, []int{1, 2}},
		{"critical pods only of lower priority", Tenant{Priority: critical + 1},
			[]Tenant{{Priority: critical + 1, QoS: Burstable, Requests: ask(100, 0)}, {Priority: critical, QoS: Burstable, Requests: ask(100, 0)}},
			[]Shortage{cpu(50)}, []int{1}},
		{"there is not enough", Tenant{Priority: critical}, []Tenant{{QoS: Burstable, Requests: ask(100, 0)}, {Static: true, Priority: critical, Requests: ask(100, 0)}}, []Shortage{cpu(101)}, nil},
		{"a static pod of low priority is no exception", Tenant{Priority: critical}, []Tenant{{Static: true, QoS: Burstable, Requests: ask(100, 0)}}, []Shortage{cpu(1)}, []int{0}},
		{"it isn't critical", Tenant{Priority: critical - 1}, []Tenant{{QoS: BestEffort, Requests: ask(100, 0)}}, []Shortage{cpu(1)}, nil},
	}
	for _, tt := range tests {
		got, ok := MakeRoom(&tt.pod, tt.pods, tt.lack)
		if !slices.Equal(got, tt.want) || ok != (tt.want != nil) {
			t.Errorf("%s: %v %v, want %v", tt.why, got, ok, tt.want)
		}
	}
}
