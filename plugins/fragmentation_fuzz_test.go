package plugins

import (
	"testing"

	"github.com/berthsim/berth/cluster"
)

// FuzzFragmentation compares with the slow twin, to the last bit, on a mix and a
// node that the input spells out, a byte a choice.
func FuzzFragmentation(f *testing.F) {
	f.Add([]byte{3, 1, 0, 9, 2, 1, 47, 0, 3, 2, 2, 200, 1, 1, 4, 0, 100, 7, 50})
	f.Add([]byte{1, 0, 1, 99, 0, 255, 0, 0, 2, 100, 99})
	f.Fuzz(func(t *testing.T, data []byte) {
		below := func(n int) int {
			if len(data) == 0 {
				return 0
			}
			x := int(data[0]) % n
			data = data[1:]
			return x
		}
		models := []string{"", "A10", "T4"}
		var mix cluster.Mix
		for range below(30) {
			c := onlyCPU(int64(below(4)) * 1000)
			switch below(3) {
			case 1:
				c.GPUs = cluster.GPURequest{Count: 1, Shares: int32(1+below(100)) * 10}
			case 2:
				c.GPUs = cluster.GPURequest{Count: int32(1 + below(4)), Shares: cluster.WholeGPU}
			}
			if m := below(len(models)); c.GPUs.Count > 0 && m > 0 {
				c.GPUs.Models = models[m : m+1]
			}
			mix = append(mix, cluster.MixShare{Class: c, Pods: int64(1 + below(256))})
		}
		cpu, model := int64(below(5))*1000-500, models[below(3)]
		var gpus []int32
		for range below(9) {
			gpus = append(gpus, int32(below(101))*10)
		}
		got, want := NewFragmentation(mix).ifFree(model, cpu, gpus), twinFragmentation(twinTypical(mix), model, cpu, gpus)
		if got != want {
			t.Errorf("%q with %d m and %v: %v, twin %v; typical pods %s", model, cpu, gpus, got, want, typicalText(mix))
		}
	})
}
