package bench

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/berthsim/berth/plugins"
	"github.com/berthsim/berth/traces"
)

// BenchmarkReplay plays whole traces: an iteration is a run, from an empty
// cluster to its metrics. Recorded traces are those under BERTH_TRACES.
func BenchmarkReplay(b *testing.B) {
	specs := append([]string{"synthetic:gpu", "synthetic:gpu?mode=time"}, recordedTraces(b)...)
	for _, spec := range specs {
		tr, err := traces.Opener{Root: os.Getenv("BERTH_TRACES")}.Open(spec)
		if err != nil {
			b.Errorf("trace %s: %v", spec, err)
			continue
		}
		for _, policy := range []string{"leastallocated", "bestfit", "fgd"} {
			b.Run("trace="+spec+"/policy="+policy, func(b *testing.B) { replayTrace(b, tr, policy) })
		}
	}
}

// replayTrace plays a trace b.N times.
func replayTrace(b *testing.B, tr *traces.Trace, policy string) {
	b.ReportAllocs()
	pods := 0.0
	opened, err := OpenPolicy(plugins.All, policy)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		out, err := runOne(b.Context(), job{point: Point{Trace: tr.Name, Policy: policy}, trace: tr, policy: opened, seed: 42}, &Options{})
		if err != nil {
			b.Fatal(err)
		}
		pods += out.run.Metrics["pods_placed"] + out.run.Metrics["pods_unplaced"]
	}
	b.ReportMetric(pods/b.Elapsed().Seconds(), "pods/s")
}

// recordedTraces lists what Berth reads of the recorded traces, and prints what
// it doesn't: b.Log would be seen with -v only. Which folders are whose is for
// the formats to say.
func recordedTraces(b *testing.B) (specs []string) {
	root := os.Getenv("BERTH_TRACES")
	if root == "" {
		fmt.Println("skipped all recorded traces: BERTH_TRACES doesn't name their folder")
		return nil
	}
	entries, err := os.ReadDir(root)
	if err != nil {
		b.Fatal(err)
	}
	for _, entry := range entries {
		tr, err := traces.Opener{}.Open(filepath.Join(root, entry.Name()))
		var wrong *traces.Error
		switch {
		case errors.As(err, &wrong):
			fmt.Printf("skipped %s: %s\n", entry.Name(), wrong.Problem)
		case err != nil:
			b.Error(err)
		case tr.Format == "openb":
			specs = append(specs, "openb:"+entry.Name()+"?pods=default&mode=fill", "openb:"+entry.Name()+"?pods=default&mode=time")
		default:
			specs = append(specs, tr.Format+":"+entry.Name())
		}
	}
	return specs
}
