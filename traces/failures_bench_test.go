package traces

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/berthsim/berth/cluster/faults"
)

// BenchmarkFailures reads the faults of a week of 5,000 nodes; opening is not
// measured.
func BenchmarkFailures(b *testing.B) {
	for _, bb := range []struct{ name, folder, spec string }{
		{"google2011", google2011Folder, google2011Folder},
		{"opendc", openDCFolder, openDCFolder + "/failures_Facebook_user_reported.parquet"},
	} {
		b.Run(fmt.Sprintf("format=%s/nodes=5000", bb.name), func(b *testing.B) {
			needRecording(b, bb.folder)
			f := openFaults(b, bb.spec)
			run := faults.Run{Seed: 1, Horizon: 7 * day}
			for i := range 5000 {
				run.Nodes = append(run.Nodes, faults.Node{Name: fmt.Sprint("n", i)})
			}
			b.ReportAllocs()
			for b.Loop() {
				s, err := f.Source(run)
				for err == nil {
					_, err = s.Next()
				}
				if !errors.Is(err, io.EOF) {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkGoogle2011Open opens the recording.
func BenchmarkGoogle2011Open(b *testing.B) {
	needRecording(b, google2011Folder)
	b.ReportAllocs()
	for b.Loop() {
		openFaults(b, google2011Folder)
	}
}
