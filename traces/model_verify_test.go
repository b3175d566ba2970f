//go:build verify

package traces

import (
	"fmt"
	"math"
	"testing"

	"github.com/berthsim/berth/traces/model"
)

// TestVerifyModels fits models to recordings, and holds what they generate to bounds
// that docs/models.md speaks of.
func TestVerifyModels(t *testing.T) {
	for _, tt := range []struct {
		folder, spec string
		most         map[string]float64
	}{
		{openbFolder, "openb:" + openbFolder + "?mode=time", map[string]float64{
			"arrivals": 0.2, "hour of the week": 0.15, "time between pods": 0.2, "GPUs of a pod": 0.05, "CPUs of a pod": 0.05, "memory of a pod": 0.05, "run time": 0.05,
		}},
		{"philly-2017", "philly:philly-2017", map[string]float64{
			"arrivals": 0.25, "hour of the week": 0.12, "time between pods": 0.08, "pods of a job": 0.01, "GPUs of a pod": 0.03, "run time": 0.05,
		}},
		{"swf-pwa", "swf:swf-pwa/NASA-iPSC-1993-3.1-cln.swf.gz", map[string]float64{
			"arrivals": 0.25, "hour of the week": 0.15, "time between pods": 0.05, "pods of a job": 0.05, "run time": 0.05,
		}},
	} {
		t.Run(tt.spec, func(t *testing.T) {
			needRecording(t, tt.folder)
			tr := open(t, tt.spec)
			for _, seed := range []int64{42, 43, 44} {
				m, c := fitTo(t, tr, seed)
				checkDistances(t, fmt.Sprintf("seed %d", seed), c, tt.most)
				w, err := m.Workload(model.Size{})
				if err != nil {
					t.Fatal(err)
				}
				if math.Abs(w.Load/tr.OfferedLoad-1) > 0.1 {
					t.Errorf("a load of %.4f is expected, and was %.4f", w.Load, tr.OfferedLoad)
				}
				t.Logf("seed %d: %d kinds of jobs, load %.4f of %.4f, greatest distance %.3f", seed, len(m.Jobs), w.Load, tr.OfferedLoad, c.Worst())
			}
		})
	}
}
