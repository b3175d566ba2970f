package traces

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berthsim/berth/traces/wire"
)

// TestRecordings looks for what is wrong in whole recordings, and has each written in
// Berth's own format and read again.
func TestRecordings(t *testing.T) {
	for _, tt := range []struct{ folder, spec, problems string }{
		{"philly-2017", "philly:philly-2017", ""},
		{"swf-pwa", "swf:swf-pwa/NASA-iPSC-1993-3.1-cln.swf.gz", ""},
		{"swf-pwa", "swf:swf-pwa/LCG.swf.gz", ""},
		// It asks for 512 GiB of a node, and none has as much.
		{"swf-pwa", "swf:swf-pwa/MetaCentrum-wagap-2013.swf.gz", "a pod is larger than any node: 1 from at 5417453 s PodAdded user-836/job-8687 for 2603 s"},
		{openbFolder, "openb:" + openbFolder, ""},
		// No node with the model that it was given has as many CPUs.
		{openbFolder, "openb:" + openbFolder + "?pods=gpuspec33", "a pod is larger than any node: 1 from at 6311 s PodAdded default/openb-pod-1639"},
		{openbFolder, "openb:" + openbFolder + "?mode=time", ""},
	} {
		t.Run(strings.ReplaceAll(tt.spec, "/", " "), func(t *testing.T) {
			needRecording(t, tt.folder)
			tr, err := Opener{Root: os.Getenv("BERTH_TRACES")}.Open(tt.spec)
			if err != nil {
				t.Fatal(err)
			}
			problems, err := Validate(tr.Whole(42))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, p := range problems {
				got = append(got, fmt.Sprintf("%s: %d from %s", p.What, p.Count, p.First))
			}
			if strings.Join(got, ", ") != tt.problems {
				t.Errorf("got %q, want %q", got, tt.problems)
			}
			file := ownFileOf(t, wire.Meta{Kind: wire.Dataset}, tr.Whole(42))
			d, err := Diff(tr.Whole(42), open(t, "berth:"+filepath.ToSlash(file)).Whole(1))
			if err != nil || d.First != nil {
				t.Errorf("%v; %+v", err, d)
			}
		})
	}
}
