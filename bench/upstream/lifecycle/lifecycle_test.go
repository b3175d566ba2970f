package lifecycle

import (
	"testing"
	"time"

	"github.com/berthsim/berth/bench/upstream/setting"
)

// TestReadWrite reads what String writes.
func TestReadWrite(t *testing.T) {
	for i := range 60 {
		text := Draw(1, uint64(i)).String()
		again, err := Read(text)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if again.String() != text {
			t.Fatalf("%s\nbecame\n%s", text, again)
		}
	}
}

// TestAgain plays upstream twice, which must do the same.
func TestAgain(t *testing.T) {
	n := 0
	for i := range setting.Int(t, "TIMELINES", 40) {
		tl := Draw(uint64(setting.Int(t, "SEED", 1)), uint64(i))
		wall := time.Now()
		first := Upstream(t)(tl)
		t.Log(i, len(tl.Nodes), len(tl.Pods), len(tl.Events), tl.End, len(first), time.Since(wall))
		n += len(first)
		if d := Compare(first, Upstream(t)(tl), 0); d != "" {
			t.Errorf("timeline %d\n%s", i, d)
		}
	}
	t.Log(n)
}
