package traces

import (
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/traces/wire"
	"github.com/google/go-cmp/cmp"
)

// ownFileOf writes events to a file of Berth's own, and returns its name.
func ownFileOf(t testing.TB, meta wire.Meta, s Stream) string {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "trace"))
	if err != nil {
		t.Fatal(err)
	}
	w, err := wire.Create(f, meta, wire.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for {
		e, err := s.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = w.Event(&e)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	return f.Name()
}

// What is written of a trace is the same trace.
func TestOwn(t *testing.T) {
	for _, spec := range []string{"philly:testdata/philly", "synthetic:gpu?nodes=10", "synthetic:gpu?mode=time&nodes=10&pods=300"} {
		t.Run(spec, func(t *testing.T) {
			from := open(t, spec)
			epoch := time.Date(2017, 10, 3, 1, 2, 3, 0, time.UTC)
			meta := wire.Meta{Kind: wire.Dataset, Rows: 12, Rejected: []wire.Rejected{{Reason: "odd", Rows: 3}}, Epoch: epoch.Format(time.RFC3339)}
			file := ownFileOf(t, meta, from.Events(3))
			tr := open(t, file)
			if tr.Format != "berth" || tr.Nodes != from.Nodes || tr.GPUs != from.GPUs || tr.Timed != from.Timed || tr.Rows != 12 || len(tr.Rejected) != 1 || tr.Seeded {
				t.Errorf("got %+v, from %+v", tr, from)
			}
			if !tr.Epoch.Equal(epoch) {
				t.Errorf("it begins at %v", tr.Epoch)
			}
			if math.Abs(tr.OfferedLoad-from.OfferedLoad) > 0.05*from.OfferedLoad {
				t.Errorf("the offered load is %v, was %v", tr.OfferedLoad, from.OfferedLoad)
			}
			d, err := Diff(from.Events(3), tr.Events(5))
			if err != nil || d.First != nil {
				t.Errorf("%v, %+v", err, d)
			}
			if again := open(t, file); again.Hash != tr.Hash || cmp.Diff(again.Mix, tr.Mix) != "" {
				t.Error("not the same when it is opened again")
			}
		})
	}
}

// Options change the trace as the verbs do.
func TestOwnOptions(t *testing.T) {
	events := jobs()
	events = append(events, ofNode(300*sec, cluster.NodeHeard, 0))
	events[len(events)-1].Health = &cluster.NodeHealth{}
	file := ownFileOf(t, wire.Meta{Kind: wire.Dataset}, again(events...)())
	cut := open(t, file+"?from=50s&for=20s&running=yes")
	d, err := Diff(Cut(again(events...)(), CutOptions{From: 50 * sec, For: 20 * sec, Running: true}), cut.Events(1))
	if err != nil || d.First != nil {
		t.Errorf("%v, %+v", err, d)
	}
	scaled := open(t, file+"?pods=0.5&by=user")
	s, err := Scale(again(events...), ScaleOptions{Pods: 0.5, By: "user", Seed: 9})
	if err != nil {
		t.Fatal(err)
	}
	d, err = Diff(s, scaled.Whole(9))
	if err != nil || d.First != nil {
		t.Errorf("%v, %+v", err, d)
	}
	if !scaled.Seeded || scaled.Hash == cut.Hash || scaled.Hash == open(t, file).Hash {
		t.Error("options don't enter the hash, or seeds don't count")
	}
	for _, e := range all(t, scaled.Events(9)) {
		if e.Kind == cluster.NodeHeard {
			t.Error("a simulated cluster is told of a node's health")
		}
	}
}

func TestOwnErrors(t *testing.T) {
	file := ownFileOf(t, wire.Meta{Kind: wire.Dataset}, again(jobs()...)())
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	torn, damaged, empty := filepath.Join(t.TempDir(), "torn"), filepath.Join(t.TempDir(), "damaged"), filepath.Join(t.TempDir(), "empty")
	flipped := append([]byte(nil), content...)
	flipped[len(flipped)/2] ^= 1
	for name, data := range map[string][]byte{torn: content[:len(content)/2], damaged: flipped, empty: content[:6]} {
		if err := os.WriteFile(name, data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for spec, want := range map[string]string{
		torn: "ends without a trailer", damaged: "damaged", empty: "ends in its first bytes", file + "?from=9d": "0 pods; give more of it",
		file + "?pods=none": `pods is "none"; give a number above 0`, file + "?by=row": `by is "row"; give one of job, user, namespace`,
		file + "?running=1": `running is "1"; give one of no, yes`, file + "?for=0s": `for is "0s"`, file + "?from=x": `from is "x"`,
	} {
		_, err := Opener{}.Open(spec)
		var wrong *Error
		if !errors.As(err, &wrong) || !strings.Contains(err.Error(), want) || wrong.Remedy == "" {
			t.Errorf("%s: got %v, want %s", spec, err, want)
		}
	}
}
