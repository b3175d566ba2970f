//go:build verify

package traces

import "testing"

// TestVerifySample wants the sample to be what its recording gives, as sample.go says it was
// made.
func TestVerifySample(t *testing.T) {
	from := open(t, realOpenb(t, "?load=2"))
	own := &ownFile{path: "sample:", embedded: sampleContent}
	d, err := Diff(from.Whole(42), own.whole(42))
	if err != nil {
		t.Fatal(err)
	}
	if d.First != nil {
		t.Errorf("the sample is another than berth trace convert makes: %+v; make it anew", d.First)
	}
	t.Logf("the sample's %d pods are those of the recording", from.Pods)
}
