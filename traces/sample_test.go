package traces

import (
	"errors"
	"strings"
	"testing"
)

// The sample comes with the program: each seed has other pods of it, on the same nodes.
func TestSample(t *testing.T) {
	if len(sampleContent) > 1<<20 {
		t.Errorf("it has %d bytes, and would make the program large", len(sampleContent))
	}
	tr := open(t, "sample:")
	if !tr.Seeded || tr.Timed || tr.Nodes != 1213 || tr.GPUs != 6212 {
		t.Errorf("got %+v", tr)
	}
	one, again, two := read(t, tr.Events(1)), read(t, tr.Events(1)), read(t, tr.Events(2))
	if one.String() != again.String() || one.String() == two.String() || len(one.nodes) != 1213 {
		t.Error("seeds don't decide which pods come")
	}
	for _, p := range []*play{&one, &two} {
		if n := len(p.pods); n < 11_600 || n > 11_750 {
			t.Errorf("%d pods, of 16,674 times 0.7", n)
		}
	}
	if half := open(t, "sample:?pods=0.5"); half.Hash == tr.Hash || half.OfferedLoad > 1.1 {
		t.Errorf("half of it has the hash %s and the load %v", half.Hash, half.OfferedLoad)
	}
	for spec, want := range map[string]string{"sample:x": "nothing behind it", "sample:?pods=2": "up to 1", "sample:?pods=0": "above 0"} {
		var wrong *Error
		if _, err := (Opener{}).Open(spec); !errors.As(err, &wrong) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", spec, err, want)
		}
	}
}
